// Training and looking for doubtful labels: started here, done by the server while labelling goes on, watched by asking.

import { $, el, two } from "./dom.js";
import { get, post } from "./server.js";

const EVERY = 500; // milliseconds
const NAMES = { train: "Training", audit: "Looking for doubtful labels", draw: "Drawing the pictures" };
const SHORT = { train: "Training", audit: "Audit", draw: "Drawing" };

export class Work {
  constructor(names, said, changed) {
    this.names = names;
    this.said = said; // shows a message
    this.changed = changed; // called when there is another model, or other doubts
    this.last = null;
    $("open-work").addEventListener("click", () => this.show());
  }

  show() {
    this.draw();
    $("work").showModal();
    $("work-head").focus();
  }

  // Back to the entry, so that Enter saves again and does not open this once more.
  close() {
    $("work").close();
    $("title").focus({ preventScroll: true });
  }

  async watch() {
    clearTimeout(this.waiting);
    const before = this.last?.state;
    this.last = await get("/desk/work");
    if (this.last.state === "running") this.waiting = setTimeout(() => this.watch().catch((error) => this.said(error.message, true)), EVERY);
    this.label();
    if ($("work").open || this.last.state !== before) this.draw();
    if (before === "running" && this.last.state !== "running") await this.ended();
  }

  async ended() {
    if (this.last.state === "failed") this.said(`${NAMES[this.last.what]} failed: ${this.last.error}`, true);
    else if (this.last.what === "train") this.said("Training is done: the result is under “Result”.");
    else if (this.last.what === "draw") this.said("The pictures are drawn: see “Figures”.");
    else {
      await this.changed();
      this.said(`${this.last.n_doubted} labels are doubted: “doubted” in the queue shows their entries.`);
    }
  }

  label() {
    const { state, what, done, total } = this.last;
    const part = total ? ` ${Math.round((100 * done) / total)}%` : "…";
    const ready = state === "failed" || (state === "done" && what === "train");
    $("work-label").textContent = state === "running" ? SHORT[what] + part : ready ? "Result" : "Train";
    $("open-work").classList.toggle("ready", ready);
  }

  async act(path) {
    try {
      await post(path);
      await this.watch();
    } catch (error) {
      this.said(error.message, true);
      $("work-body").prepend(el("p", { className: "wrong", role: "alert" }, error.message));
    }
  }

  draw() {
    const { state, what, error } = this.last;
    const result = state === "done" && what === "train";
    $("work-head").textContent = state === "running" ? NAMES[what] : result ? "The new model" : "Train";
    if (state === "running") this.drawRunning();
    else if (result && this.last.trained) this.drawResult(this.last.trained);
    else {
      const said = [];
      if (state === "failed") said.push(el("p", { className: "wrong" }, error));
      if (result) said.push(el("p", {}, "The model is what the labels give; there is nothing to learn anew."));
      $("work-body").replaceChildren(
        ...said,
        el("p", {}, "Training learns from all labels. It takes seconds to minutes, and you can go on labelling meanwhile. Nothing is replaced until you accept the result."),
        el(
          "div",
          { className: "buttons" },
          el("button", { type: "button", className: "primary", onclick: () => this.act("/desk/train") }, "Train now"),
          el("button", { type: "button", onclick: () => this.act("/desk/audit") }, "Look for doubtful labels"),
        ),
      );
    }
  }

  drawRunning() {
    const { what, done, total } = this.last;
    if (this.bar?.isConnected && this.bar.what === what) {
      [this.bar.value, this.bar.max] = total ? [done, total] : [0, 1];
      this.text.textContent = total ? `${done} of ${total} fits` : "reading the labels";
      return;
    }
    this.bar = Object.assign(el("progress", { "aria-label": NAMES[what], max: total || 1, value: done }), { what });
    this.text = el("p", {}, total ? `${done} of ${total} fits` : "reading the labels");
    $("work-body").replaceChildren(this.bar, this.text, el("p", {}, "You can close this and go on labelling."));
  }

  drawResult(found) {
    const figure = (sides) => (sides && sides[0] !== null ? `${two(sides[0])} (${two(sides[1])}–${two(sides[2])})` : "–");
    const rows = found.figures.map((row) => {
      const moved = row.before && row.before[0] !== null && row.after[0] !== null ? row.after[0] - row.before[0] : null;
      const text = moved === null ? "–" : Math.abs(moved) < 0.005 ? "same" : `${moved > 0 ? "▲ +" : "▼ −"}${two(Math.abs(moved))}`;
      return el(
        "tr",
        { className: row.worse ? "worse" : "" },
        el("th", { scope: "row" }, row.name),
        el("td", {}, row.yes ?? ""),
        el("td", {}, figure(row.before)),
        el("td", {}, figure(row.after)),
        el("td", {}, text, row.worse ? " significantly worse" : ""),
      );
    });
    const head = ["", "yes", "F1 before", "F1 after", "change"].map((name) => el("th", { scope: "col" }, name));
    const chance = found.p_worse === null ? "There was no model to compare with." : `Chance of a loss like this if the two were equally good: ${found.p_worse.toFixed(3)}.`;
    const verdict = found.worse
      ? el("p", { className: "wrong" }, el("b", {}, "The new model is significantly worse. "), "Look at the labels that you changed, and keep the old one.")
      : null;
    const accept = el("button", { type: "button", className: found.worse ? "" : "primary", onclick: () => this.accept() }, found.worse ? "Accept it all the same" : "Accept the new model");
    const keep = el("button", { type: "button", className: found.worse ? "primary" : "", onclick: () => this.keep() }, "Keep the old one");
    $("work-body").replaceChildren(
      ...[verdict].filter(Boolean),
      el("div", { className: "buttons" }, accept, keep),
      el("p", {}, `From ${found.n_entries} labelled entries, none of them seen by the model that it is judged with; in brackets, 95% intervals. ${chance}`),
      el(
        "div",
        { className: "scroll", tabIndex: 0, role: "region", "aria-label": "Figures before and after" },
        el("table", {}, el("thead", {}, el("tr", {}, ...head)), el("tbody", {}, ...rows)),
      ),
      ...found.not_learned.map((text) => el("p", { className: "note" }, text)),
      el("h3", {}, found.n_flips > 1 ? `${found.n_flips} entries without a label have other tags` : `${found.n_flips ? "One" : "No"} entry without a label has other tags`),
      this.flips(found.flips),
      el("details", {}, el("summary", {}, `${found.n_labelled_flips} of the labelled ones, by models that had not seen them`), this.flips(found.labelled_flips)),
    );
  }

  flips(found) {
    const said = (flip, id) => `${this.names.get(id) ?? id}${flip.against.includes(id) ? " (against your label)" : ""}`;
    return el(
      "ol",
      { className: "flips" },
      ...found.map((flip) =>
        el(
          "li",
          {},
          el("span", { className: "name" }, flip.title),
          el("span", { className: "tags" }, [...flip.added.map((id) => `+ ${said(flip, id)}`), ...flip.removed.map((id) => `− ${said(flip, id)}`)].join(" · ")),
        ),
      ),
    );
  }

  async accept() {
    await this.act("/desk/train/accept");
    if (this.last.state !== "idle") return;
    this.close();
    this.said("The new model is in its place; the one before is kept, and “tagger rollback” brings it back.");
    await this.changed();
  }

  async keep() {
    await this.act("/desk/train/keep");
    this.close();
    this.said("The old model stays.");
  }
}
