import assert from "node:assert/strict";
import { test } from "node:test";

import * as format from "../../tagger/server/static/format.js";

const NAMES = new Map([
  ["ctr", "CTR prediction"],
  ["llm", "Language models"],
]);

test("labels and tags are named, those that are unknown by their id", () => {
  assert.equal(format.describeLabels({ topics: ["ctr", "old"], unsure: ["llm"] }, NAMES), "CTR prediction, old; unsure: Language models");
  assert.equal(format.describeLabels({ topics: [], unsure: [] }, NAMES), "no topic");
  assert.equal(format.topicLine({ topics: ["ctr"], unsure: ["llm", "old"] }, NAMES), "CTR prediction · Language models? · old?");
  assert.equal(format.topicLine({ topics: [], unsure: [] }, NAMES), "no topic");
});

test("numbers have two digits and a sign of their own", () => {
  assert.equal(format.twoDigits(0.125), "0.13");
  assert.equal(format.signed(1.5), "+1.50");
  assert.equal(format.signed(-0.25), "−0.25");
});

test("a count has its plural", () => {
  assert.deepEqual([0, 1, 2].map(format.describeCount), ["0 entries.", "1 entry.", "2 entries."]);
});

test("other tags are counted in words that fit", () => {
  assert.equal(format.describeFlipCount(0), "No entry without a label has other tags");
  assert.equal(format.describeFlipCount(1), "One entry without a label has other tags");
  assert.equal(format.describeFlipCount(250), "250 entries without a label have other tags");
});

test("a figure has its interval, where there is one", () => {
  assert.equal(format.interval([0.5, 0.4, 0.625]), "0.50 (0.40–0.63)");
  assert.equal(format.interval([null, null, null]), "–");
  assert.equal(format.interval(null), "–");
});

test("a change is a rise, a fall, or none worth the name", () => {
  const change = (before, after) => format.describeChange(before && [before, 0, 1], [after, 0, 1]);
  assert.equal(change(0.5, 0.75), "▲ +0.25");
  assert.equal(change(0.75, 0.5), "▼ −0.25");
  assert.equal(change(0.5, 0.504), "same");
  assert.equal(change(null, 0.5), "–", "there was no model");
  assert.equal(format.describeChange([null, null, null], [0.5, 0, 1]), "–", "the old model had not learned the topic");
  assert.equal(format.describeChange([0.5, 0, 1], [null, null, null]), "–");
});

test("other tags are listed, those first that are new, with what goes against a label", () => {
  const flip = { added: ["ctr"], removed: ["llm", "old"], against: ["llm"] };
  assert.equal(format.describeTagChange(flip, NAMES), "+ CTR prediction · − Language models (against your label) · − old");
});

test("a score stands beside its threshold", () => {
  assert.equal(format.describeScore({ score: 0.5, threshold: 0.25, implied_by: null }), "score 0.50, threshold 0.25");
  assert.equal(format.describeScore({ score: 0.5, threshold: 0.25, implied_by: "rag" }), "score 0.50, threshold 0.25; implied by rag");
  assert.equal(format.describeScore({ score: null, threshold: null, implied_by: null }), "not learned yet: too few labels");
});
