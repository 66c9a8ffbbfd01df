// Training and looking for doubtful labels. They start here; the server works while labelling goes on, and the page asks how far
// it is.

import { byId, element } from "./dom.js";
import { describeProgress, jobLabel, NAMES } from "./jobs.js";
import { showResult } from "./result.js";
import { get, post } from "./server.js";

const PAUSE = 500; // milliseconds between two questions

export class Work {
  // say: shows a message.    reload: called when there is another model, or when other labels are doubted.
  constructor(names, say, reload) {
    this.names = names;
    this.say = say;
    this.reload = reload;
    this.job = null; // as the server last described it
    byId("open-work").addEventListener("click", () => this.show());
  }

  show() {
    this.draw();
    byId("work").showModal();
    byId("work-head").focus();
  }

  // The focus goes back to the entry, so that Enter saves and does not open this again.
  close() {
    byId("work").close();
    byId("title").focus({ preventScroll: true });
  }

  async watch() {
    clearTimeout(this.waiting);
    const before = this.job?.state;
    this.job = await get("/session/work");
    const { state } = this.job;
    if (state === "running") {
      this.waiting = setTimeout(() => this.watch().catch((error) => this.say(error.message, true)), PAUSE);
    }
    const { text, ready } = jobLabel(this.job);
    byId("work-label").textContent = text;
    byId("open-work").classList.toggle("ready", ready);
    if (byId("work").open || state !== before) this.draw();
    if (before === "running" && state !== "running") await this.announceEnd();
  }

  async announceEnd() {
    const { what, state, error, n_doubted } = this.job;
    if (state === "failed") this.say(`${NAMES[what]} failed: ${error}`, true);
    else if (what === "train") this.say("Training is done: the result is under “Result”.");
    else if (what === "draw") this.say("The pictures are drawn: see “Figures”.");
    else {
      await this.reload();
      this.say(`${n_doubted} labels are doubted: “doubted” in the queue shows their entries.`);
    }
  }

  async act(path) {
    try {
      await post(path);
      await this.watch();
    } catch (error) {
      this.say(error.message, true);
      byId("work-body").prepend(element("p", { className: "wrong", role: "alert" }, error.message));
    }
  }

  draw() {
    const { state, what, trained } = this.job;
    const hasResult = state === "done" && what === "train";
    byId("work-head").textContent = state === "running" ? NAMES[what] : hasResult ? "The new model" : "Train";
    if (state === "running") this.drawProgress();
    else if (hasResult && trained) showResult(byId("work-body"), trained, this.names, () => this.accept(), () => this.keep());
    else this.drawStart(hasResult);
  }

  drawStart(upToDate) {
    const { state, error } = this.job;
    const notes = [];
    if (state === "failed") notes.push(element("p", { className: "wrong" }, error));
    if (upToDate) notes.push(element("p", {}, "The model is already what the labels give, so there is nothing to train."));
    const button = (className, path, text) => element("button", { type: "button", className, onclick: () => this.act(path) }, text);
    byId("work-body").replaceChildren(
      ...notes,
      element(
        "p",
        {},
        "Training learns from all labels. It takes seconds to minutes, and you can go on labelling meanwhile. Nothing is replaced until you accept the result.",
      ),
      element(
        "div",
        { className: "buttons" },
        button("primary", "/session/train", "Train now"),
        button("", "/session/audit", "Look for doubtful labels"),
      ),
    );
  }

  drawProgress() {
    const { what, done, total } = this.job;
    const progress = describeProgress(done, total);
    if (this.bar?.isConnected && this.bar.what === what) {
      [this.bar.value, this.bar.max] = total ? [done, total] : [0, 1];
      this.text.textContent = progress;
      return;
    }
    this.bar = Object.assign(element("progress", { "aria-label": NAMES[what], max: total || 1, value: done }), { what });
    this.text = element("p", {}, progress);
    byId("work-body").replaceChildren(this.bar, this.text, element("p", {}, "You can close this and go on labelling."));
  }

  async accept() {
    await this.act("/session/train/accept");
    if (this.job.state !== "idle") return;
    this.close();
    this.say("The new model is in its place; the one before is kept, and “tagger rollback” brings it back.");
    await this.reload();
  }

  async keep() {
    await this.act("/session/train/keep");
    this.close();
    this.say("The old model stays.");
  }
}
