// The entry: its text with the words that did something for the topic in focus, and its precedents.

import { $, el, hidden, signed, two } from "./dom.js";

const KINDS = { "-2": "against strong", "-1": "against", 1: "for", 2: "for strong" };

const pieces = (found) =>
  found.map(([text, level]) => (level ? el("mark", { className: KINDS[level] }, text) : document.createTextNode(text)));

export function drawEntry(entry, definitions) {
  $("about").replaceChildren(...entry.about.flatMap((part, n) => (n ? [" · ", part] : [part])));
  $("note").textContent = entry.note ?? "";
  drawWhy(entry.why, definitions);
}

export function drawWhy(why, definitions) {
  $("title").replaceChildren(...pieces(why.title));
  $("abstract").replaceChildren(...pieces(why.abstract));
  $("why-head").textContent = `Why ${why.name}`;
  $("why-definition").textContent = definitions.get(why.id);
  const cut = why.threshold === null ? "not learned yet: too few labels" : `score ${two(why.score)}, threshold ${two(why.threshold)}`;
  $("why-score").textContent = why.implied_by ? `${cut}; implied by ${why.implied_by}` : cut;
  const side = (name, kind, terms) =>
    el(
      "div",
      { className: kind },
      el("dt", {}, name),
      el("dd", {}, ...(terms.length ? terms.flatMap(([term, share]) => [el("span", { className: "term" }, term, " ", el("b", {}, signed(share))), " "]) : ["nothing that counts"])),
    );
  $("terms").replaceChildren(
    side("for", "for", why.terms.filter(([, share]) => share > 0)),
    side("against", "against", why.terms.filter(([, share]) => share < 0)),
  );
}

export function drawSimilar(found, names, open) {
  const said = (entry) =>
    [...entry.topics.map((id) => names.get(id) ?? id), ...entry.unsure.map((id) => `${names.get(id) ?? id}?`)].join(" · ") || "no topic";
  $("similar").replaceChildren(
    ...found.map((entry) =>
      el(
        "li",
        {},
        el(
          "button",
          { type: "button", onclick: () => open(entry.id) },
          el("span", { className: "likeness" }, hidden("likeness "), two(entry.likeness)),
          el("span", { className: "what" }, el("span", { className: "name" }, entry.title), el("span", { className: "tags" }, said(entry))),
        ),
      ),
    ),
  );
  if (!found.length) $("similar").append(el("li", { className: "empty" }, "None shares a word with it."));
}
