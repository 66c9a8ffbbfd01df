// The queue at the left: its filters and its list. It knows the entries in brief and which one is on the desk.

import { $, el, hidden } from "./dom.js";
import { get } from "./server.js";

const PIECE = 200; // entries in the list at first, and more each time
const ORDERS = { listed: "as listed", teaching: "teaching most first", doubtful: "most doubtful first" };
const SIGNS = { new: ["○", "not labelled"], labelled: ["●", "labelled"], unsure: ["◐", "labelled, with unsure topics"], doubted: ["▲", "doubted"] };

export class Queue {
  constructor(topics, orders, wanted, open, changed) {
    this.entries = [];
    this.current = null;
    this.wanted = wanted;
    this.names = new Map(topics.map((topic) => [topic.id, topic.name]));
    this.open = open;
    this.shown = PIECE;
    $("topic-filter").append(...topics.map((topic) => el("option", { value: topic.id }, topic.name)));
    $("order").append(...orders.map((order) => el("option", { value: order }, ORDERS[order] ?? order)));
    let waiting;
    $("search").value = wanted.search;
    $("search").addEventListener("input", () => {
      clearTimeout(waiting);
      waiting = setTimeout(() => changed({ search: $("search").value.trim() }), 150);
    });
    $("topic-filter").value = wanted.topic;
    $("topic-filter").addEventListener("change", (event) => changed({ topic: event.target.value }));
    $("order").value = wanted.order;
    $("order").addEventListener("change", (event) => changed({ order: event.target.value }));
    $("filters").addEventListener("submit", (event) => event.preventDefault());
    for (const choice of document.getElementsByName("state")) {
      choice.addEventListener("change", () => changed({ state: choice.value }));
    }
    $("more").addEventListener("click", () => {
      this.shown += PIECE;
      this.draw();
    });
  }

  async load() {
    const found = await get("/desk/queue", this.wanted);
    this.entries = found.entries;
    this.shown = PIECE;
    for (const choice of document.getElementsByName("state")) choice.checked = choice.value === this.wanted.state;
    this.count(found.counts);
    this.draw();
    return found;
  }

  async recount() {
    const found = await get("/desk/counts", { topic: this.wanted.topic, search: this.wanted.search });
    this.count(found.counts);
    return found;
  }

  count(counts) {
    for (const [state, n] of Object.entries(counts)) $(`n-${state}`).textContent = n;
  }

  at(id) {
    return this.entries.findIndex((entry) => entry.id === id);
  }

  // The entry `by` places from the one on the desk; the first one if that is not in the list.
  beside(by) {
    const at = this.at(this.current);
    return this.entries[at < 0 ? 0 : at + by]?.id ?? null;
  }

  // An entry with what is said of it by now. It stays where it is until the queue is loaded anew.
  update(brief) {
    const at = this.at(brief.id);
    if (at < 0) return;
    this.entries[at] = brief;
    $("list").children[at]?.replaceWith(this.row(brief));
  }

  mark(id) {
    this.current = id;
    const at = this.at(id);
    if (at >= this.shown) {
      this.shown = at + PIECE;
      this.draw();
    }
    $("list").querySelector("[aria-current]")?.removeAttribute("aria-current");
    const button = $("list").children[at]?.firstElementChild;
    button?.setAttribute("aria-current", "true");
    button?.scrollIntoView({ block: "center" });
  }

  draw() {
    $("list").replaceChildren(...this.entries.slice(0, this.shown).map((entry) => this.row(entry)));
    $("empty").hidden = this.entries.length > 0;
    $("more").hidden = this.entries.length <= this.shown;
    $("more").textContent = `Show more (${this.entries.length - this.shown} left)`;
    this.mark(this.current);
  }

  row(entry) {
    const state = entry.doubts.length ? "doubted" : entry.unsure.length ? "unsure" : entry.labelled ? "labelled" : "new";
    const [sign, words] = SIGNS[state];
    const topics = [...entry.topics.map((id) => this.names.get(id)), ...entry.unsure.map((id) => `${this.names.get(id)}?`)];
    return el(
      "li",
      {},
      el(
        "button",
        { type: "button", "aria-current": entry.id === this.current ? "true" : null, data: { state }, onclick: () => this.open(entry.id) },
        el("span", { className: "sign", "aria-hidden": "true" }, sign),
        el(
          "span",
          { className: "what" },
          el("span", { className: "name" }, entry.title),
          el("span", { className: "tags" }, hidden(`${words}: `), topics.join(" · ") || "no topic"),
        ),
      ),
    );
  }
}
