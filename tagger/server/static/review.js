// The page: which entry is on the desk, the marks that are not saved yet, what undo goes back to, and the keys.

import { $ } from "./dom.js";
import { drawEntry, drawSimilar, drawWhy } from "./entry.js";
import { Queue } from "./queue.js";
import { get, post, run } from "./server.js";
import { Topics, turned } from "./topics.js";
import { Work } from "./work.js";

const MEMORY = "tagger-review"; // of this tab: a page that is loaded anew goes on where it was

const start = await get("/desk");
const names = new Map(start.topics.map((topic) => [topic.id, topic.name]));
const definitions = new Map(start.topics.map((topic) => [topic.id, topic.definition]));
const memory = recalled();
let entry = null; // on the desk
let marks = []; // of it
let focused = null; // the topic whose words are shown
let opened = []; // ids of entries before this one, for Back
let busy = Promise.resolve();

const queue = new Queue(start.topics, start.orders, memory.wanted, (id) => act(() => leave(id)), (change) => act(() => filter(change)));
const topics = new Topics(
  start.topics,
  start.keys,
  (id, mark) => act(() => turn(id, mark)),
  (id, byPointer) => act(() => focus(id, byPointer)),
);
const work = new Work(names, say, async () => {
  progress(await queue.load());
  if (entry) await open(entry.id, false);
});

// What is asked for is done one after the other, so that keys typed fast do what they say.
function act(what) {
  busy = busy.then(what).catch((error) => say(error.message, true));
  return busy;
}

function say(text, wrong = false) {
  $("status").textContent = text;
  $("status").classList.toggle("wrong", wrong);
}

const told = (row) =>
  (row.topics.map((id) => names.get(id) ?? id).join(", ") || "no topic") + (row.unsure.length ? `; unsure: ${row.unsure.map((id) => names.get(id) ?? id).join(", ")}` : "");

function recalled() {
  const fresh = { run, topics: [...names.keys()].join(), drafts: {}, steps: [], id: null, wanted: { state: start.n_given ? "new" : "all", topic: "", search: "", order: "listed" } };
  const found = JSON.parse(sessionStorage.getItem(MEMORY) ?? "null");
  if (found?.topics !== fresh.topics) return fresh;
  return found.run === run ? found : { ...found, run, steps: [] }; // what another run saved, this one cannot undo
}

function remember() {
  if (entry) memory.id = entry.id;
  sessionStorage.setItem(MEMORY, JSON.stringify(memory));
}

// The row that the marks on the screen were made on.
const was = () => memory.drafts[entry.id]?.was ?? entry.row;

function draft(made) {
  const before = was();
  marks = made;
  if (marks.every((mark, t) => mark === entry.marks[t])) delete memory.drafts[entry.id];
  else memory.drafts[entry.id] = { marks, was: before };
  remember();
  topics.draw(entry, marks, focused);
}

async function open(id, moveFocus = true) {
  entry = await get(`/desk/entries/${id}`, { topic: queue.wanted.topic });
  marks = memory.drafts[id]?.marks ?? entry.marks;
  focused = entry.why.id;
  remember();
  drawEntry(entry, definitions);
  topics.draw(entry, marks, focused);
  queue.mark(id);
  if (moveFocus) {
    closeQueue();
    $("entry").scrollTop = 0;
    scrollTo({ top: 0 });
    $("title").focus({ preventScroll: true });
  }
  get(`/desk/entries/${id}/similar`).then(
    (found) => entry.id === id && drawSimilar(found, names, (other) => act(() => leave(other))),
    (error) => $("similar").replaceChildren(error.message),
  );
}

async function leave(id) {
  if (entry && id !== entry.id) opened.push(entry.id);
  await open(id);
}

async function focus(id, toEntry = false) {
  focused = id;
  topics.draw(entry, marks, focused);
  if (toEntry) $("title").focus({ preventScroll: true }); // a pointer was used: Enter shall save, not press the topic again
  const why = await get(`/desk/entries/${entry.id}/why/${encodeURIComponent(id)}`);
  if (why.id === focused) drawWhy(why, definitions);
}

async function turn(id, mark) {
  const before = marks;
  const made = await post("/desk/turn", { marks, topic: id, mark });
  memory.steps.push({ id: entry.id, marks: before });
  draft(made);
  const also = made.filter((other, t) => other !== before[t]).length - 1;
  say(`${names.get(id)}: ${mark}${also > 0 ? `, and ${also} more that follow from it` : ""}`);
  await focus(id);
}

async function save() {
  const id = entry.id;
  let saved;
  try {
    saved = await post(`/desk/entries/${id}`, { marks, was: was() });
  } catch (error) {
    if (error.status === 409) await conflict(error);
    else say(`Not saved: ${error.message}`, true);
    return;
  }
  if (saved.undo !== null) memory.steps.push({ id, marks, undo: saved.undo });
  delete memory.drafts[id];
  queue.update(saved);
  const next = queue.beside(1);
  count();
  if (next === null) await open(id);
  else await leave(next);
  say(`Saved: ${told(saved.row)}.${next === null ? " That was the last one of this queue." : ""}`);
}

// Somebody else changed the row meanwhile: theirs is what is saved, mine stay as marks until Enter is pressed again.
async function conflict(error) {
  const mine = marks;
  delete memory.drafts[entry.id];
  await open(entry.id);
  queue.update(entry);
  draft(mine);
  const theirs = error.row ? `changed meanwhile to: ${told(error.row)}` : "taken away meanwhile";
  say(`The label was ${theirs}. ${memory.drafts[entry.id] ? "Your marks are kept: Enter puts them in its place." : "Your marks say the same."}`, true);
}

async function undo() {
  const step = memory.steps.pop();
  if (!step) return say("Nothing to undo.");
  if (step.undo !== undefined) {
    try {
      queue.update(await post(`/desk/undo/${step.undo}`));
      count();
    } catch (error) {
      remember();
      await open(step.id);
      return say(`Not undone: ${error.message}`, true);
    }
  }
  if (entry.id !== step.id || step.undo !== undefined) await open(step.id);
  draft(step.marks);
  say(step.undo === undefined ? "Undone." : "Undone: labels.csv is as it was.");
}

async function skip() {
  const next = queue.beside(1);
  if (next === null) return say("This is the last one of this queue.");
  await leave(next);
  say("Skipped; nothing was saved.");
}

async function back() {
  const before = opened.pop() ?? queue.beside(-1);
  if (before === null || before === entry.id) return say("This is the first one.");
  await open(before);
  say("");
}

async function filter(change) {
  Object.assign(queue.wanted, change);
  progress(await queue.load());
  remember();
  say(`${queue.entries.length} ${queue.entries.length === 1 ? "entry" : "entries"}.`);
}

// Nothing waits for the numbers.
function count() {
  queue.recount().then(progress, (error) => say(error.message, true));
}

function progress({ n_labelled, n_entries }) {
  $("progress").textContent = `${n_labelled} of ${n_entries} labelled`;
}

function openQueue() {
  document.body.classList.add("queue-open");
  $("open-queue").setAttribute("aria-expanded", "true");
  const row = $("list").querySelector("[aria-current]") ?? $("list").querySelector("button");
  row?.focus();
}

function closeQueue() {
  document.body.classList.remove("queue-open");
  $("open-queue").setAttribute("aria-expanded", "false");
}

const COMMANDS = {
  Enter: () => act(save),
  s: () => act(skip),
  b: () => act(back),
  u: () => act(undo),
  f: () => act(() => filter({ state: queue.wanted.state === "all" ? "new" : "all" })),
  q: openQueue,
  "/": () => {
    openQueue();
    $("search").focus();
  },
  "?": () => $("help").showModal(),
  ArrowLeft: () => act(() => focus(topics.beside(-1))),
  ArrowRight: () => act(() => focus(topics.beside(1))),
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || document.querySelector("dialog[open]")) return;
  const at = event.target;
  const typing = at.matches("input:not([type=radio]), select, textarea");
  if (event.key === "Escape") {
    event.preventDefault(); // what is searched for stays
    closeQueue();
    $("title").focus({ preventScroll: true });
    return;
  }
  if (event.key === "Enter" && at === $("search")) {
    act(() => queue.entries.length && leave(queue.entries[0].id));
    return;
  }
  if (typing) return;
  if (event.key === "Enter" && (at.matches("button, a, summary") || event.repeat)) return;
  if (event.key.startsWith("Arrow") && at.matches("input")) return;
  const single = event.key.length === 1;
  if (single && !$("single-keys").checked) return;
  const command = COMMANDS[event.key];
  const topic = command || !entry ? null : topics.keyed(event.key);
  if (!command && !topic) return;
  event.preventDefault();
  if (command) command();
  else
    act(() => {
      const t = start.topics.indexOf(topic);
      return turn(topic.id, turned(entry.marks[t], marks[t]));
    });
});

const COLOURS = ["", "light", "dark"];
$("theme").addEventListener("click", () => {
  const now = document.documentElement.dataset.theme ?? "";
  const next = COLOURS[(COLOURS.indexOf(now) + 1) % COLOURS.length];
  if (next) document.documentElement.dataset.theme = next;
  else delete document.documentElement.dataset.theme;
  localStorage.setItem("tagger-theme", next);
  $("theme").setAttribute("aria-label", `Colours: ${next || "as the system has them"}`);
});
$("single-keys").checked = localStorage.getItem("tagger-keys") !== "off";
$("single-keys").addEventListener("change", () => localStorage.setItem("tagger-keys", $("single-keys").checked ? "on" : "off"));
$("open-help").addEventListener("click", COMMANDS["?"]);
$("open-queue").addEventListener("click", () => (document.body.classList.contains("queue-open") ? closeQueue() : openQueue()));
for (const [id, what] of Object.entries({ save, skip, back, undo })) $(id).addEventListener("click", () => act(what));

await act(async () => {
  progress(await queue.load());
  await work.watch();
  const first = queue.at(memory.id) >= 0 ? memory.id : queue.entries[0]?.id;
  if (!first) return say("There is nothing to label here: give a listing, or put entries into labels/entries/.");
  await open(first);
});
document.body.dataset.ready = "true";
