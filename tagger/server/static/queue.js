// The queue at the left: its filters and its list of entries in brief.

import { byId, element, hiddenText } from "./dom.js";
import { topicLine } from "./format.js";
import { neighbour, stateOf } from "./rows.js";
import { get } from "./server.js";

const LIST_STEP = 200; // entries in the list at first, and more each time
const TYPING_PAUSE = 150; // milliseconds without a key before the search begins
const ORDERS = { listed: "as listed", teaching: "most useful to label first", doubtful: "most doubtful first" };
const SIGNS = {
  new: ["○", "not labelled"],
  labelled: ["●", "labelled"],
  unsure: ["◐", "labelled, with unsure topics"],
  doubted: ["▲", "doubted"],
};

export class Queue {
  // open: called with the id of an entry that was chosen.    changeFilter: called with what is to change in the filter.
  constructor(topics, orders, wanted, open, changeFilter) {
    this.rows = [];
    this.currentId = null;
    this.wanted = wanted;
    this.names = new Map(topics.map((topic) => [topic.id, topic.name]));
    this.open = open;
    this.nShown = LIST_STEP;
    byId("topic-filter").append(...topics.map((topic) => element("option", { value: topic.id }, topic.name)));
    byId("order").append(...orders.map((order) => element("option", { value: order }, ORDERS[order] ?? order)));
    this.listen(changeFilter);
    byId("more").addEventListener("click", () => {
      this.nShown += LIST_STEP;
      this.draw();
    });
  }

  listen(changeFilter) {
    let waiting;
    byId("search").value = this.wanted.search;
    byId("search").addEventListener("input", () => {
      clearTimeout(waiting);
      waiting = setTimeout(() => changeFilter({ search: byId("search").value.trim() }), TYPING_PAUSE);
    });
    byId("topic-filter").value = this.wanted.topic;
    byId("topic-filter").addEventListener("change", (event) => changeFilter({ topic: event.target.value }));
    byId("order").value = this.wanted.order;
    byId("order").addEventListener("change", (event) => changeFilter({ order: event.target.value }));
    byId("filters").addEventListener("submit", (event) => event.preventDefault());
    for (const choice of document.getElementsByName("state")) {
      choice.addEventListener("change", () => changeFilter({ state: choice.value }));
    }
  }

  async load() {
    const answer = await get("/session/queue", this.wanted);
    this.rows = answer.entries;
    this.nShown = LIST_STEP;
    for (const choice of document.getElementsByName("state")) choice.checked = choice.value === this.wanted.state;
    this.showCounts(answer.counts);
    this.draw();
    return answer;
  }

  async loadCounts() {
    const answer = await get("/session/counts", { topic: this.wanted.topic, search: this.wanted.search });
    this.showCounts(answer.counts);
    return answer;
  }

  showCounts(counts) {
    for (const [state, n] of Object.entries(counts)) byId(`n-${state}`).textContent = n;
  }

  position(id) {
    return this.rows.findIndex((row) => row.id === id);
  }

  neighbour(by) {
    return neighbour(this.rows, this.currentId, by);
  }

  // Shows what an entry is now. It stays where it is until the queue is loaded again.
  update(row) {
    const at = this.position(row.id);
    if (at < 0) return;
    this.rows[at] = row;
    byId("list").children[at]?.replaceWith(this.listItem(row));
  }

  setCurrent(id) {
    this.currentId = id;
    const at = this.position(id);
    if (at >= this.nShown) {
      this.nShown = at + LIST_STEP;
      this.draw();
    }
    byId("list").querySelector("[aria-current]")?.removeAttribute("aria-current");
    const button = byId("list").children[at]?.firstElementChild;
    button?.setAttribute("aria-current", "true");
    button?.scrollIntoView({ block: "center" });
  }

  draw() {
    byId("list").replaceChildren(...this.rows.slice(0, this.nShown).map((row) => this.listItem(row)));
    byId("empty").hidden = this.rows.length > 0;
    byId("more").hidden = this.rows.length <= this.nShown;
    byId("more").textContent = `Show more (${this.rows.length - this.nShown} left)`;
    this.setCurrent(this.currentId);
  }

  listItem(row) {
    const state = stateOf(row);
    const [sign, words] = SIGNS[state];
    const current = row.id === this.currentId ? "true" : null;
    return element(
      "li",
      {},
      element(
        "button",
        { type: "button", "aria-current": current, data: { state }, onclick: () => this.open(row.id) },
        element("span", { className: "sign", "aria-hidden": "true" }, sign),
        element(
          "span",
          { className: "what" },
          element("span", { className: "name" }, row.title),
          element("span", { className: "tags" }, hiddenText(`${words}: `), topicLine(row, this.names)),
        ),
      ),
    );
  }
}
