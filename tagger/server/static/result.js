// What training found: the figures before and after, the entries with other tags, and the choice between the two models.

import { element } from "./dom.js";
import { describeChange, describeFlipCount, describeTagChange, interval } from "./format.js";

export function showResult(body, trained, names, accept, keep) {
  const worse = trained.worse
    ? [element("p", { className: "wrong" }, element("b", {}, "The new model is significantly worse. "), "Look at the labels that you changed, and keep the old one.")]
    : [];
  body.replaceChildren(
    ...worse,
    choice(trained.worse, accept, keep),
    element("p", {}, describeTraining(trained)),
    figureTable(trained.figures),
    ...trained.not_learned.map((text) => element("p", { className: "note" }, text)),
    element("h3", {}, describeFlipCount(trained.n_flips)),
    flipList(trained.flips, names),
    element(
      "details",
      {},
      element("summary", {}, `${trained.n_labelled_flips} of the labelled ones, by models that had not seen them`),
      flipList(trained.labelled_flips, names),
    ),
  );
}

// The button that comes first is always the one that accepts; the emphasis is on the one that is advised.
function choice(worse, accept, keep) {
  const button = (advised, onclick, text) => element("button", { type: "button", className: advised ? "primary" : "", onclick }, text);
  return element(
    "div",
    { className: "buttons" },
    button(!worse, accept, worse ? "Accept it all the same" : "Accept the new model"),
    button(worse, keep, "Keep the old one"),
  );
}

function describeTraining({ n_entries, p_worse }) {
  const comparison =
    p_worse === null
      ? "There was no model to compare with."
      : `Chance of a loss like this if the two were equally good: ${p_worse.toFixed(3)}.`;
  return `From ${n_entries} labelled entries, none of them seen by the model that it is judged with; in brackets, 95% intervals. ${comparison}`;
}

function figureTable(figures) {
  const head = ["", "yes", "F1 before", "F1 after", "change"].map((name) => element("th", { scope: "col" }, name));
  const rows = figures.map(({ name, yes, before, after, worse }) =>
    element(
      "tr",
      { className: worse ? "worse" : "" },
      element("th", { scope: "row" }, name),
      element("td", {}, yes ?? ""),
      element("td", {}, interval(before)),
      element("td", {}, interval(after)),
      element("td", {}, describeChange(before, after), worse ? " significantly worse" : ""),
    ),
  );
  return element(
    "div",
    { className: "scroll", tabIndex: 0, role: "region", "aria-label": "Figures before and after" },
    element("table", {}, element("thead", {}, element("tr", {}, ...head)), element("tbody", {}, ...rows)),
  );
}

function flipList(flips, names) {
  return element(
    "ol",
    { className: "flips" },
    ...flips.map((flip) =>
      element(
        "li",
        {},
        element("span", { className: "name" }, flip.title),
        element("span", { className: "tags" }, describeTagChange(flip, names)),
      ),
    ),
  );
}
