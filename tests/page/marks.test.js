import assert from "node:assert/strict";
import { test } from "node:test";

import { countChanges, MARKS, nextMark, sameMarks } from "../../tagger/server/static/marks.js";

test("a key gives the other of yes and no, then unsure, then what was saved", () => {
  const presses = (saved) => {
    const seen = [saved];
    while (seen.length < 4) seen.push(nextMark(saved, seen.at(-1)));
    return seen;
  };
  assert.deepEqual(presses("yes"), ["yes", "no", "unsure", "yes"]);
  assert.deepEqual(presses("no"), ["no", "yes", "unsure", "no"]);
  assert.deepEqual(presses("unsure"), ["unsure", "yes", "no", "unsure"]);
});

test("from any mark, three keys reach every mark and come back", () => {
  for (const saved of MARKS) {
    for (const mark of MARKS) {
      const first = nextMark(saved, mark);
      const second = nextMark(saved, first);
      assert.deepEqual([first, second, nextMark(saved, second)].sort(), [...MARKS].sort());
      assert.equal(nextMark(saved, second), mark);
    }
  }
});

test("marks are compared one by one", () => {
  assert.equal(sameMarks(["yes", "no"], ["yes", "no"]), true);
  assert.equal(sameMarks(["yes", "no"], ["yes", "unsure"]), false);
  assert.equal(countChanges(["yes", "no", "no"], ["yes", "unsure", "yes"]), 2);
  assert.equal(countChanges([], []), 0);
});
