// The topics at the right: a mark for each, with its key, its score and whether its label is doubted.

import { $, el, hidden, two } from "./dom.js";

const MARKS = ["yes", "no", "unsure"];

export class Topics {
  constructor(topics, keys, mark, focus) {
    this.topics = topics;
    this.keys = keys;
    this.mark = mark;
    this.focus = focus;
    this.shown = [];
    $("find-topic").hidden = topics.length <= keys.length;
    $("find-topic").addEventListener("input", () => this.entry && this.draw(this.entry, this.marks, this.focused, true));
  }

  // The topic that a key turns.
  keyed(key) {
    const at = this.keys.indexOf(key);
    return at < 0 ? null : (this.shown[at] ?? null);
  }

  // The topic `by` places from the one in focus.
  beside(by) {
    const ids = this.shown.map((topic) => topic.id);
    return ids[(ids.indexOf(this.focused) + by + ids.length) % ids.length];
  }

  // Where there are more topics than keys: those marked, then those with the best scores, unless some are looked for.
  choose(entry, marks) {
    if (this.topics.length <= this.keys.length) return this.topics;
    const words = $("find-topic").value.trim().toLowerCase();
    const rank = (t) => (marks[t] === "no" && entry.marks[t] === "no" ? 0 : 2) + (entry.scores[t] ?? 0);
    const found = this.topics.map((topic, t) => t).filter((t) => !words || this.topics[t].name.toLowerCase().includes(words));
    found.sort((a, b) => rank(b) - rank(a));
    return found.slice(0, this.keys.length).sort((a, b) => a - b).map((t) => this.topics[t]);
  }

  // Which topics are shown changes with the entry and with what is looked for, and not under the fingers with each mark.
  draw(entry, marks, focused, anew = this.entry?.id !== entry.id) {
    if (this.entry?.id !== entry.id) $("find-topic").value = "";
    [this.entry, this.marks, this.focused] = [entry, marks, focused];
    const shown = anew || !this.rows ? this.choose(entry, marks) : this.shown;
    const same = shown.length === this.shown.length && shown.every((topic, n) => topic === this.shown[n]);
    this.shown = shown;
    if (!same || !this.rows) {
      this.rows = shown.map((topic, n) => this.row(topic, this.keys[n]));
      $("marks").replaceChildren(...this.rows);
    }
    shown.forEach((topic, n) => this.update(this.rows[n], topic));
  }

  row(topic, key) {
    const choice = (mark) =>
      el(
        "label",
        { className: mark },
        el("input", { type: "radio", name: `mark-${topic.id}`, value: mark, onchange: () => this.mark(topic.id, mark) }),
        mark === "unsure" ? el("span", { title: mark }, el("span", { "aria-hidden": "true" }, "?"), hidden(mark)) : el("span", {}, mark),
      );
    return el(
      "li",
      {},
      el("kbd", { "aria-hidden": "true" }, key),
      el("button", { type: "button", className: "name", title: topic.definition, onclick: (event) => this.focus(topic.id, event.detail > 0) }, topic.name),
      el("span", { className: "score" }, el("span", { className: "value" }), el("progress", { max: 1, "aria-hidden": "true" })),
      el("fieldset", {}, el("legend", { className: "hidden" }), ...MARKS.map(choice)),
      el("p", { className: "remark" }),
    );
  }

  update(row, topic) {
    const t = this.topics.indexOf(topic);
    const [score, mark, base] = [this.entry.scores[t], this.marks[t], this.entry.marks[t]];
    row.className = `${mark}${mark === base ? "" : " changed"}${topic.id === this.focused ? " focused" : ""}`;
    row.querySelector(".name").setAttribute("aria-pressed", topic.id === this.focused);
    row.querySelector(".value").textContent = score === null ? "–" : two(score);
    row.querySelector("progress").value = score ?? 0;
    const changed = mark === base ? "" : `, changed: ${this.entry.row ? "saved" : "proposed"} is ${base}`;
    row.querySelector("legend").textContent = `${topic.name}, ${score === null ? "not learned" : `score ${two(score)}`}${changed}`;
    for (const input of row.querySelectorAll("input")) input.checked = input.value === mark;
    const doubt = this.entry.doubts.find((found) => found.topic === topic.id);
    const remark = row.querySelector(".remark");
    remark.hidden = !doubt;
    remark.textContent = doubt ? `doubted: labelled ${doubt.label}, out-of-fold score ${two(doubt.score)}` : "";
  }
}

export const turned = (base, mark) => {
  const turn = [base, ...MARKS.filter((other) => other !== base)];
  return turn[(turn.indexOf(mark) + 1) % 3];
};
