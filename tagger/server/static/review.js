// The page: the entry that is open, its marks that are not saved yet, what undo goes back to, and the keys.

import { byId } from "./dom.js";
import { showEntry, showEvidence, showSimilar } from "./entry.js";
import { describeCount, describeLabels } from "./format.js";
import { actionOfKey } from "./keys.js";
import { countChanges } from "./marks.js";
import { labelsSeen, recall, withDraft } from "./memory.js";
import { Queue } from "./queue.js";
import { get, post, run } from "./server.js";
import { listenToSettings } from "./settings.js";
import { Topics } from "./topics.js";
import { Work } from "./work.js";

const MEMORY = "tagger-review"; // the key in this tab's storage

const start = await get("/session");
const names = new Map(start.topics.map((topic) => [topic.id, topic.name]));
const definitions = new Map(start.topics.map((topic) => [topic.id, topic.definition]));
const memory = recall(sessionStorage.getItem(MEMORY), [...names.keys()], run, start.n_given ? "new" : "all");
let entry = null; // the one that is open
let marks = []; // those on the screen
let focusedId = null; // the topic whose words are shown
const openedIds = []; // the entries before this one, for Back
let lastTask = Promise.resolve();

const queue = new Queue(
  start.topics,
  start.orders,
  memory.wanted,
  (id) => inTurn(() => goTo(id)),
  (change) => inTurn(() => changeFilter(change)),
);
const topics = new Topics(
  start.topics,
  start.keys,
  (id, mark) => inTurn(() => changeMark(id, mark)),
  (id, byPointer) => inTurn(() => focusTopic(id, byPointer)),
);
const work = new Work(names, say, async () => {
  showProgress(await queue.load());
  if (entry) await open(entry.id, false);
});

// Does one task after the other, so that keys that are typed fast do what they say.
function inTurn(task) {
  lastTask = lastTask.then(task).catch((error) => say(error.message, true));
  return lastTask;
}

function say(text, wrong = false) {
  byId("status").textContent = text;
  byId("status").classList.toggle("wrong", wrong);
}

function remember() {
  if (entry) memory.id = entry.id;
  sessionStorage.setItem(MEMORY, JSON.stringify(memory));
}

function setMarks(changed) {
  marks = changed;
  memory.drafts = withDraft(memory.drafts, entry, marks);
  remember();
  topics.draw(entry, marks, focusedId);
}

async function open(id, moveFocus = true) {
  entry = await get(`/session/entries/${id}`, { topic: queue.wanted.topic });
  marks = memory.drafts[id]?.marks ?? entry.marks;
  focusedId = entry.why.id;
  remember();
  showEntry(entry, definitions);
  topics.draw(entry, marks, focusedId);
  queue.setCurrent(id);
  if (moveFocus) {
    closeQueue();
    byId("entry").scrollTop = 0;
    scrollTo({ top: 0 });
    byId("title").focus({ preventScroll: true });
  }
  get(`/session/entries/${id}/similar`).then(
    (similar) => entry.id === id && showSimilar(similar, names, (other) => inTurn(() => goTo(other))),
    (error) => byId("similar").replaceChildren(error.message),
  );
}

async function goTo(id) {
  if (entry && id !== entry.id) openedIds.push(entry.id);
  await open(id);
}

async function focusTopic(id, byPointer = false) {
  focusedId = id;
  topics.draw(entry, marks, focusedId);
  if (byPointer) byId("title").focus({ preventScroll: true }); // so that Enter saves and does not press the topic again
  const why = await get(`/session/entries/${entry.id}/why/${encodeURIComponent(id)}`);
  if (why.id === focusedId) showEvidence(why, definitions);
}

async function changeMark(id, mark) {
  const before = marks;
  const changed = await post("/session/turn", { marks, topic: id, mark });
  memory.steps.push({ id: entry.id, marks: before });
  setMarks(changed);
  const nMore = countChanges(changed, before) - 1;
  say(`${names.get(id)}: ${mark}${nMore > 0 ? `, and ${nMore} more that follow from it` : ""}`);
  await focusTopic(id);
}

async function save() {
  const id = entry.id;
  let saved;
  try {
    saved = await post(`/session/entries/${id}`, { marks, was: labelsSeen(memory.drafts, entry) });
  } catch (error) {
    if (error.status === 409) await showConflict(error.row);
    else say(`Not saved: ${error.message}`, true);
    return;
  }
  if (saved.undo !== null) memory.steps.push({ id, marks, undo: saved.undo });
  delete memory.drafts[id];
  queue.update(saved);
  const next = queue.neighbour(1);
  updateCounts();
  if (next === null) await open(id);
  else await goTo(next);
  say(`Saved: ${describeLabels(saved.row, names)}.${next === null ? " That was the last one of this queue." : ""}`);
}

// Somebody else changed the labels meanwhile. Theirs are what is saved; the marks of this page stay until Enter is pressed again.
async function showConflict(row) {
  const kept = marks;
  delete memory.drafts[entry.id];
  await open(entry.id);
  queue.update(entry);
  setMarks(kept);
  const theirs = row ? `changed meanwhile to: ${describeLabels(row, names)}` : "taken away meanwhile";
  const advice = memory.drafts[entry.id] ? "Your marks are kept: Enter puts them in its place." : "Your marks say the same.";
  say(`The label was ${theirs}. ${advice}`, true);
}

async function undo() {
  const step = memory.steps.pop();
  if (!step) return say("Nothing to undo.");
  const wasSaved = step.undo !== undefined;
  if (wasSaved) {
    try {
      queue.update(await post(`/session/undo/${step.undo}`));
      updateCounts();
    } catch (error) {
      remember();
      await open(step.id);
      return say(`Not undone: ${error.message}`, true);
    }
  }
  if (entry.id !== step.id || wasSaved) await open(step.id);
  setMarks(step.marks);
  return say(wasSaved ? "Undone: labels.csv is as it was." : "Undone.");
}

async function skip() {
  const next = queue.neighbour(1);
  if (next === null) return say("This is the last one of this queue.");
  await goTo(next);
  return say("Skipped; nothing was saved.");
}

async function back() {
  const before = openedIds.pop() ?? queue.neighbour(-1);
  if (before === null || before === entry.id) return say("This is the first one.");
  await open(before);
  return say("");
}

async function changeFilter(change) {
  Object.assign(queue.wanted, change);
  showProgress(await queue.load());
  remember();
  say(describeCount(queue.rows.length));
}

// Nothing waits for the numbers.
function updateCounts() {
  queue.loadCounts().then(showProgress, (error) => say(error.message, true));
}

function showProgress({ n_labelled, n_entries }) {
  byId("progress").textContent = `${n_labelled} of ${n_entries} labelled`;
}

function openQueue() {
  document.body.classList.add("queue-open");
  byId("open-queue").setAttribute("aria-expanded", "true");
  const button = byId("list").querySelector("[aria-current]") ?? byId("list").querySelector("button");
  button?.focus();
}

function closeQueue() {
  document.body.classList.remove("queue-open");
  byId("open-queue").setAttribute("aria-expanded", "false");
}

function leaveQueue() {
  closeQueue();
  byId("title").focus({ preventScroll: true });
}

const ACTIONS = {
  save: () => inTurn(save),
  skip: () => inTurn(skip),
  back: () => inTurn(back),
  undo: () => inTurn(undo),
  switchFilter: () => inTurn(() => changeFilter({ state: queue.wanted.state === "all" ? "new" : "all" })),
  openQueue,
  search: () => {
    openQueue();
    byId("search").focus();
  },
  help: () => byId("help").showModal(),
  previousTopic: () => inTurn(() => focusTopic(topics.beside(-1))),
  nextTopic: () => inTurn(() => focusTopic(topics.beside(1))),
  leave: leaveQueue,
  openFirst: () => inTurn(() => queue.rows.length && goTo(queue.rows[0].id)),
};

// The kind of an element that has the focus, for `actionOfKey`.
function focusKind(target) {
  if (target === byId("search")) return "search";
  if (target.matches("input:not([type=radio]), select, textarea")) return "text";
  if (target.matches("button, a, summary")) return "button";
  return target.matches("input") ? "choice" : "";
}

document.addEventListener("keydown", (event) => {
  if (document.querySelector("dialog[open]")) return;
  const topicOf = (key) => (entry ? topics.ofKey(key) : null);
  const action = actionOfKey(event, focusKind(event.target), byId("single-keys").checked, (key) => topicOf(key) !== null);
  if (action === null) return;
  if (action !== "openFirst") event.preventDefault(); // with "leave" too, so that the words that were searched for stay
  if (action === "turnTopic") {
    const topic = topicOf(event.key);
    inTurn(() => changeMark(topic.id, topics.nextMark(topic)));
  } else {
    ACTIONS[action]();
  }
});

listenToSettings();
byId("open-help").addEventListener("click", ACTIONS.help);
byId("open-queue").addEventListener("click", () => (document.body.classList.contains("queue-open") ? closeQueue() : openQueue()));
for (const id of ["save", "skip", "back", "undo"]) byId(id).addEventListener("click", ACTIONS[id]);

await inTurn(async () => {
  showProgress(await queue.load());
  await work.watch();
  const first = queue.position(memory.id) >= 0 ? memory.id : queue.rows[0]?.id;
  if (!first) return say("There is nothing to label here: give a listing, or put entries into labels/entries/.");
  return open(first);
});
document.body.dataset.ready = "true";
