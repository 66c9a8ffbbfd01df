import assert from "node:assert/strict";
import { test } from "node:test";

import { neighbour, stateOf } from "../../tagger/server/static/rows.js";

const row = (values) => ({ id: "e", labelled: true, unsure: [], doubts: [], ...values });

test("the sign of an entry says what is most urgent about it", () => {
  assert.equal(stateOf(row({ labelled: false })), "new");
  assert.equal(stateOf(row({})), "labelled");
  assert.equal(stateOf(row({ unsure: ["ctr"] })), "unsure");
  assert.equal(stateOf(row({ unsure: ["ctr"], doubts: [{ topic: "llm" }] })), "doubted");
});

test("the next entry, the one before, and where the queue ends", () => {
  const rows = ["a", "b", "c"].map((id) => row({ id }));
  assert.equal(neighbour(rows, "a", 1), "b");
  assert.equal(neighbour(rows, "b", -1), "a");
  assert.equal(neighbour(rows, "c", 1), null);
  assert.equal(neighbour(rows, "a", -1), null);
  assert.equal(neighbour(rows, "other", 1), "a", "from an entry that is not in the queue, the first one");
  assert.equal(neighbour([], "a", 1), null);
});
