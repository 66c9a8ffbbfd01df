import assert from "node:assert/strict";
import { test } from "node:test";

import { labelsSeen, recall, withDraft } from "../../tagger/server/static/memory.js";

const TOPICS = ["ctr", "llm"];
const WANTED = { state: "new", topic: "", search: "", order: "listed" };
const ROW = { topics: ["ctr"], unsure: [] };

test("a new tab remembers nothing, and shows the entries that the server asks for", () => {
  const memory = { run: "r1", topics: "ctr,llm", drafts: {}, steps: [], id: null, wanted: WANTED };
  assert.deepEqual(recall(null, TOPICS, "r1", "new"), memory);
  assert.deepEqual(recall(null, TOPICS, "r1", "all"), { ...memory, wanted: { ...WANTED, state: "all" } });
});

test("what was remembered is there again when the page is loaded again", () => {
  const memory = recall(null, TOPICS, "r1", "new");
  memory.id = "e1";
  memory.drafts = { e1: { marks: ["no", "yes"], was: null } };
  memory.steps = [{ id: "e0", marks: ["yes", "no"], undo: 0 }];
  assert.deepEqual(recall(JSON.stringify(memory), TOPICS, "r1", "all"), memory);
});

test("marks outlive the server, but what it saved cannot be undone by another run", () => {
  const memory = { ...recall(null, TOPICS, "r1", "new"), drafts: { e1: { marks: ["no"], was: ROW } }, steps: [{ id: "e0", undo: 0 }] };
  const later = recall(JSON.stringify(memory), TOPICS, "r2", "new");
  assert.deepEqual(later, { ...memory, run: "r2", steps: [] });
});

test("with other topics, marks that are remembered would mean something else", () => {
  const memory = { ...recall(null, TOPICS, "r1", "new"), id: "e1", drafts: { e1: { marks: ["no", "yes"], was: null } } };
  for (const topics of [["llm", "ctr"], ["ctr"], ["ctr", "llm", "rag"]]) {
    const fresh = recall(JSON.stringify(memory), topics, "r1", "new");
    assert.deepEqual([fresh.id, fresh.drafts, fresh.topics], [null, {}, topics.join()]);
  }
});

test("a draft is kept as long as its marks differ from what is saved", () => {
  const entry = { id: "e1", row: ROW, marks: ["yes", "no"] };
  const other = { e2: { marks: ["no", "no"], was: null } };
  const changed = withDraft(other, entry, ["yes", "yes"]);
  assert.deepEqual(changed, { ...other, e1: { marks: ["yes", "yes"], was: ROW } });
  assert.deepEqual(withDraft(changed, entry, ["yes", "no"]), other);
  assert.deepEqual(other, { e2: { marks: ["no", "no"], was: null } }, "what was given stays as it is");
});

test("a draft keeps the labels that it was begun on, so that a change by somebody else is not overwritten unseen", () => {
  const entry = { id: "e1", row: null, marks: ["no", "no"] };
  const drafts = withDraft({}, entry, ["yes", "no"]);
  const changed = { ...entry, row: ROW, marks: ["yes", "no"] };
  assert.equal(labelsSeen(drafts, changed), null, "the page had seen no labels");
  const again = withDraft(drafts, changed, ["yes", "yes"]);
  assert.equal(labelsSeen(again, changed), null);
  assert.deepEqual(labelsSeen({}, changed), ROW, "without a draft, what is on the screen is what was seen");
});
