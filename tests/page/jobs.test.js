import assert from "node:assert/strict";
import { test } from "node:test";

import { describeProgress, jobLabel } from "../../tagger/server/static/jobs.js";

test("the button says what runs and how far it is", () => {
  assert.deepEqual(jobLabel({ state: "running", what: "train", done: 0, total: 0 }), { text: "Training…", ready: false });
  assert.deepEqual(jobLabel({ state: "running", what: "audit", done: 1, total: 3 }), { text: "Audit 33%", ready: false });
  assert.deepEqual(jobLabel({ state: "running", what: "draw", done: 3, total: 3 }), { text: "Drawing 100%", ready: false });
});

test("a model that waits, and a failure, are results to look at", () => {
  assert.deepEqual(jobLabel({ state: "idle", what: "" }), { text: "Train", ready: false });
  assert.deepEqual(jobLabel({ state: "done", what: "train" }), { text: "Result", ready: true });
  assert.deepEqual(jobLabel({ state: "done", what: "audit" }), { text: "Train", ready: false });
  assert.deepEqual(jobLabel({ state: "failed", what: "audit" }), { text: "Result", ready: true });
});

test("progress is told once the number of fits is known", () => {
  assert.equal(describeProgress(0, 0), "reading the labels");
  assert.equal(describeProgress(2, 5), "2 of 5 fits");
});
