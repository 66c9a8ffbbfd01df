// Values as the page shows them. No DOM here.

export const twoDigits = (value) => value.toFixed(2);

export const signed = (value) => (value < 0 ? "−" : "+") + Math.abs(value).toFixed(2);

const nameOf = (id, names) => names.get(id) ?? id;

// The topics of an entry in one line, those that are unsure with a question mark.
export function topicLine({ topics, unsure }, names) {
  return [...topics.map((id) => nameOf(id, names)), ...unsure.map((id) => `${nameOf(id, names)}?`)].join(" · ") || "no topic";
}

// The labels of an entry in a sentence.
export function describeLabels({ topics, unsure }, names) {
  const listed = (ids) => ids.map((id) => nameOf(id, names)).join(", ");
  return (listed(topics) || "no topic") + (unsure.length ? `; unsure: ${listed(unsure)}` : "");
}

export const describeCount = (n) => `${n} ${n === 1 ? "entry" : "entries"}.`;

// A figure and its 95% interval, given as [figure, low, high].
export function interval(figure) {
  if (!figure || figure[0] === null) return "–";
  return `${twoDigits(figure[0])} (${twoDigits(figure[1])}–${twoDigits(figure[2])})`;
}

// How a figure changed, each given as [figure, low, high].
export function describeChange(before, after) {
  if (!before || before[0] === null || after[0] === null) return "–";
  const change = after[0] - before[0];
  if (Math.abs(change) < 0.005) return "same";
  return `${change > 0 ? "▲ +" : "▼ −"}${twoDigits(Math.abs(change))}`;
}

// The tags that an entry gains and loses with a new model.
export function describeTagChange({ added, removed, against }, names) {
  const named = (id) => `${nameOf(id, names)}${against.includes(id) ? " (against your label)" : ""}`;
  return [...added.map((id) => `+ ${named(id)}`), ...removed.map((id) => `− ${named(id)}`)].join(" · ");
}

// How many entries without labels have other tags.
export function describeFlipCount(n) {
  return n > 1 ? `${n} entries without a label have other tags` : `${n ? "One" : "No"} entry without a label has other tags`;
}

// The score of a topic beside its threshold.
export function describeScore({ score, threshold, implied_by }) {
  const text = threshold === null ? "not learned yet: too few labels" : `score ${twoDigits(score)}, threshold ${twoDigits(threshold)}`;
  return implied_by ? `${text}; implied by ${implied_by}` : text;
}
