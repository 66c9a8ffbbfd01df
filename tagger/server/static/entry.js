// The entry: its text with the words marked that did something for the topic in focus, and the labelled entries most like it.

import { byId, element, hiddenText } from "./dom.js";
import { describeScore, signed, topicLine, twoDigits } from "./format.js";

const CLASSES = { "-2": "against strong", "-1": "against", 1: "for", 2: "for strong" }; // by the level of a piece of text

const markedText = (pieces) =>
  pieces.map(([text, level]) => (level ? element("mark", { className: CLASSES[level] }, text) : document.createTextNode(text)));

export function showEntry(entry, definitions) {
  byId("about").replaceChildren(...entry.about.flatMap((fact, n) => (n ? [" · ", fact] : [fact])));
  byId("note").textContent = entry.note ?? "";
  showEvidence(entry.why, definitions);
}

export function showEvidence(why, definitions) {
  byId("title").replaceChildren(...markedText(why.title));
  byId("abstract").replaceChildren(...markedText(why.abstract));
  byId("why-head").textContent = `Why ${why.name}`;
  byId("why-definition").textContent = definitions.get(why.id);
  byId("why-score").textContent = describeScore(why);
  byId("terms").replaceChildren(
    termList("for", why.terms.filter(([, share]) => share > 0)),
    termList("against", why.terms.filter(([, share]) => share < 0)),
  );
}

function termList(side, terms) {
  const term = ([text, share]) => element("span", { className: "term" }, text, " ", element("b", {}, signed(share)));
  const listed = terms.length ? terms.flatMap((each) => [term(each), " "]) : ["nothing that counts"];
  return element("div", { className: side }, element("dt", {}, side), element("dd", {}, ...listed));
}

export function showSimilar(similar, names, open) {
  byId("similar").replaceChildren(...similar.map((entry) => similarEntry(entry, names, open)));
  if (!similar.length) byId("similar").append(element("li", { className: "empty" }, "No labelled entry shares a word with it."));
}

function similarEntry(entry, names, open) {
  return element(
    "li",
    {},
    element(
      "button",
      { type: "button", onclick: () => open(entry.id) },
      element("span", { className: "likeness" }, hiddenText("likeness "), twoDigits(entry.likeness)),
      element(
        "span",
        { className: "what" },
        element("span", { className: "name" }, entry.title),
        element("span", { className: "tags" }, topicLine(entry, names)),
      ),
    ),
  );
}
