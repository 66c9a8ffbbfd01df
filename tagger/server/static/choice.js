// Which topics are on the page, if there are more topics than keys. No DOM here.

// The topics to show, in their order: those marked, then those with the best scores, unless some are looked for by name.
//
// entry: has `marks` and `scores`, a value for each topic.    marks: those on the screen.
export function chooseTopics(topics, nKeys, search, entry, marks) {
  if (topics.length <= nKeys) return topics;
  const words = search.trim().toLowerCase();
  const rank = (t) => (marks[t] === "no" && entry.marks[t] === "no" ? 0 : 2) + (entry.scores[t] ?? 0);
  const matches = topics.map((topic, t) => t).filter((t) => topics[t].name.toLowerCase().includes(words));
  const best = matches.sort((a, b) => rank(b) - rank(a)).slice(0, nKeys);
  return best.sort((a, b) => a - b).map((t) => topics[t]);
}

// The topic that a key turns; null for none.
export function topicOfKey(shown, keys, key) {
  const at = keys.indexOf(key);
  return at < 0 ? null : (shown[at] ?? null);
}

// The id of the topic `by` places from one, round the end.
export function besideTopic(shown, id, by) {
  const ids = shown.map((topic) => topic.id);
  return ids[(ids.indexOf(id) + by + ids.length) % ids.length];
}
