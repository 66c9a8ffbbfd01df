// The topics at the right: for each its key, its mark, its score, and whether its label is doubted.

import { besideTopic, chooseTopics, topicOfKey } from "./choice.js";
import { byId, element, hiddenText } from "./dom.js";
import { twoDigits } from "./format.js";
import { MARKS, nextMark } from "./marks.js";

export class Topics {
  // changeMark: called with the id of a topic and its new mark.
  // focus: called with the id of a topic, and whether a pointer was used.
  constructor(topics, keys, changeMark, focus) {
    this.topics = topics;
    this.keys = keys;
    this.changeMark = changeMark;
    this.focus = focus;
    this.shown = []; // the topics on the page
    this.rows = null; // their elements
    byId("find-topic").hidden = topics.length <= keys.length;
    byId("find-topic").addEventListener("input", () => this.entry && this.draw(this.entry, this.marks, this.focusedId, true));
  }

  ofKey(key) {
    return topicOfKey(this.shown, this.keys, key);
  }

  beside(by) {
    return besideTopic(this.shown, this.focusedId, by);
  }

  // The mark that the key of a topic gives next.
  nextMark(topic) {
    const t = this.topics.indexOf(topic);
    return nextMark(this.entry.marks[t], this.marks[t]);
  }

  // Which topics are on the page changes with the entry and with the search, but not with a mark: no row moves away while keys
  // are pressed.
  draw(entry, marks, focusedId, choose = this.entry?.id !== entry.id) {
    if (this.entry?.id !== entry.id) byId("find-topic").value = "";
    [this.entry, this.marks, this.focusedId] = [entry, marks, focusedId];
    if (choose || !this.rows) this.place(chooseTopics(this.topics, this.keys.length, byId("find-topic").value, entry, marks));
    this.shown.forEach((topic, n) => this.update(this.rows[n], topic));
  }

  // Makes new rows, unless these topics are on the page already.
  place(shown) {
    const same = shown.length === this.shown.length && shown.every((topic, n) => topic === this.shown[n]);
    this.shown = shown;
    if (same && this.rows) return;
    this.rows = shown.map((topic, n) => this.row(topic, this.keys[n]));
    byId("marks").replaceChildren(...this.rows);
  }

  row(topic, key) {
    const onFocus = (event) => this.focus(topic.id, event.detail > 0);
    return element(
      "li",
      {},
      element("kbd", { "aria-hidden": "true" }, key),
      element("button", { type: "button", className: "name", title: topic.definition, onclick: onFocus }, topic.name),
      element("span", { className: "score" }, element("span", { className: "value" }), element("progress", { max: 1, "aria-hidden": "true" })),
      element("fieldset", {}, element("legend", { className: "hidden" }), ...MARKS.map((mark) => this.choice(topic, mark))),
      element("p", { className: "remark" }),
    );
  }

  choice(topic, mark) {
    const onChange = () => this.changeMark(topic.id, mark);
    const questionMark = () => element("span", { title: mark }, element("span", { "aria-hidden": "true" }, "?"), hiddenText(mark));
    return element(
      "label",
      { className: mark },
      element("input", { type: "radio", name: `mark-${topic.id}`, value: mark, onchange: onChange }),
      mark === "unsure" ? questionMark() : element("span", {}, mark),
    );
  }

  update(row, topic) {
    const t = this.topics.indexOf(topic);
    const [score, mark, saved] = [this.entry.scores[t], this.marks[t], this.entry.marks[t]];
    row.className = `${mark}${mark === saved ? "" : " changed"}${topic.id === this.focusedId ? " focused" : ""}`;
    row.querySelector(".name").setAttribute("aria-pressed", topic.id === this.focusedId);
    row.querySelector(".value").textContent = score === null ? "–" : twoDigits(score);
    row.querySelector("progress").value = score ?? 0;
    const changed = mark === saved ? "" : `, changed: ${this.entry.row ? "saved" : "proposed"} is ${saved}`;
    row.querySelector("legend").textContent = `${topic.name}, ${score === null ? "not learned" : `score ${twoDigits(score)}`}${changed}`;
    for (const input of row.querySelectorAll("input")) input.checked = input.value === mark;
    const doubt = this.entry.doubts.find((each) => each.topic === topic.id);
    const remark = row.querySelector(".remark");
    remark.hidden = !doubt;
    remark.textContent = doubt ? `doubted: labelled ${doubt.label}, out-of-fold score ${twoDigits(doubt.score)}` : "";
  }
}
