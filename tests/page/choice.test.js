import assert from "node:assert/strict";
import { test } from "node:test";

import { besideTopic, chooseTopics, topicOfKey } from "../../tagger/server/static/choice.js";

const TOPICS = ["ctr", "llm", "rag", "graph", "code"].map((id) => ({ id, name: `Topic ${id.toUpperCase()}` }));
const ENTRY = { marks: ["no", "no", "no", "yes", "no"], scores: [0.1, 0.9, null, 0.2, 0.5] };

const chosen = (nKeys, search = "", marks = ENTRY.marks) => chooseTopics(TOPICS, nKeys, search, ENTRY, marks).map(({ id }) => id);

test("with a key for each topic, all are there in their order", () => {
  assert.deepEqual(chosen(5), ["ctr", "llm", "rag", "graph", "code"]);
  assert.deepEqual(chosen(9, "nothing of the kind"), ["ctr", "llm", "rag", "graph", "code"]);
});

test("with fewer keys, what is marked comes first and then the best scores, shown in the order of the topics", () => {
  assert.deepEqual(chosen(1), ["graph"]);
  assert.deepEqual(chosen(2), ["llm", "graph"]);
  assert.deepEqual(chosen(3), ["llm", "graph", "code"]);
  assert.deepEqual(chosen(2, "", ["no", "no", "unsure", "yes", "no"]), ["rag", "graph"], "a topic that is not learned can be marked");
  assert.deepEqual(chosen(2, "", ["no", "no", "no", "no", "no"]), ["llm", "graph"], "what was yes stays within reach");
});

test("topics are found by a part of their name, whatever the case", () => {
  assert.deepEqual(chosen(3, " cTr "), ["ctr"]);
  assert.deepEqual(chosen(3, "r"), ["ctr", "rag", "graph"]);
  assert.deepEqual(chosen(3, "nothing of the kind"), []);
});

test("a key turns the topic that is shown beside it", () => {
  const shown = TOPICS.slice(1, 3);
  assert.equal(topicOfKey(shown, "12a", "2"), TOPICS[2]);
  assert.equal(topicOfKey(shown, "12a", "a"), null, "fewer topics than keys");
  assert.equal(topicOfKey(shown, "12a", "x"), null);
  assert.equal(topicOfKey([], "12a", "1"), null);
});

test("arrows go round the topics that are shown", () => {
  const shown = TOPICS.slice(0, 3);
  assert.equal(besideTopic(shown, "ctr", 1), "llm");
  assert.equal(besideTopic(shown, "rag", 1), "ctr");
  assert.equal(besideTopic(shown, "ctr", -1), "rag");
  assert.equal(besideTopic(shown, "code", 1), "ctr", "from a topic that is not shown, to the first one");
});
