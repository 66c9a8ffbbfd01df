import assert from "node:assert/strict";
import { test } from "node:test";

import { actionOfKey, COMMANDS } from "../../tagger/server/static/keys.js";

// The action of a key with the focus on the entry and single keys on, unless told.
function action(key, { focus = "", singleKeys = true, ...event } = {}) {
  return actionOfKey({ key, ...event }, focus, singleKeys, (other) => other === "1" || other === "a");
}

test("each command has its key", () => {
  for (const [key, name] of Object.entries(COMMANDS)) assert.equal(action(key), name);
  assert.equal(action("1"), "turnTopic");
  assert.equal(action("a"), "turnTopic");
  assert.equal(action("2"), null, "no topic has this key");
  for (const key of ["x", "F1", "Tab", "toString", "constructor"]) assert.equal(action(key), null);
});

test("keys with Ctrl and the like are left to the browser, and so is what is composed", () => {
  for (const held of ["ctrlKey", "metaKey", "altKey", "isComposing"]) {
    for (const key of ["Enter", "Escape", "1", "u"]) assert.equal(action(key, { [held]: true }), null);
  }
  assert.equal(action("?", { shiftKey: true }), "help");
});

test("in a field, letters are text", () => {
  for (const focus of ["text", "search"]) {
    for (const key of ["1", "s", "u", "/", "?", "ArrowLeft"]) assert.equal(action(key, { focus }), null);
    assert.equal(action("Escape", { focus }), "leave");
  }
  assert.equal(action("Enter", { focus: "search" }), "openFirst");
  assert.equal(action("Enter", { focus: "text" }), null);
});

test("Enter presses the button that has the focus, and saves once however long it is held", () => {
  assert.equal(action("Enter", { focus: "button" }), null);
  assert.equal(action("Enter", { repeat: true }), null);
  assert.equal(action("Enter", { focus: "choice" }), "save");
  assert.equal(action("s", { focus: "button" }), "skip");
  assert.equal(action("s", { repeat: true }), "skip");
});

test("an arrow on a radio button chooses another mark", () => {
  assert.equal(action("ArrowLeft", { focus: "choice" }), null);
  assert.equal(action("ArrowLeft", { focus: "button" }), "previousTopic");
  assert.equal(action("ArrowRight"), "nextTopic");
});

test("single keys can be off; Enter, Escape and arrows stay", () => {
  for (const key of ["1", "s", "/", "?"]) assert.equal(action(key, { singleKeys: false }), null);
  assert.equal(action("Enter", { singleKeys: false }), "save");
  assert.equal(action("Escape", { singleKeys: false }), "leave");
  assert.equal(action("ArrowRight", { singleKeys: false }), "nextTopic");
});
