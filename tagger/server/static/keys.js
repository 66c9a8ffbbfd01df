// What a key does. No DOM here: the page says which kind of element has the focus.

export const COMMANDS = {
  Enter: "save",
  s: "skip",
  b: "back",
  u: "undo",
  f: "switchFilter",
  q: "openQueue",
  "/": "search",
  "?": "help",
  ArrowLeft: "previousTopic",
  ArrowRight: "nextTopic",
};

// The action for a key: the name of a command, "leave", "openFirst", "turnTopic", or null for none.
//
// event: a keydown event.
// focus: "search" for the search field, "text" for another field, "button" for what Enter presses, "choice" for a radio button,
//   "" for anything else.
// singleKeys: whether keys without Ctrl and the like are on.
// isTopicKey: whether a key is that of a topic on the page.
export function actionOfKey(event, focus, singleKeys, isTopicKey) {
  const { key } = event;
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return null;
  if (key === "Escape") return "leave";
  if (focus === "search" && key === "Enter") return "openFirst";
  if (focus === "search" || focus === "text") return null;
  if (key === "Enter" && (focus === "button" || event.repeat)) return null; // a held key saves one entry, not many
  if (key.startsWith("Arrow") && focus === "choice") return null; // there an arrow chooses another mark
  if (key.length === 1 && !singleKeys) return null;
  if (Object.hasOwn(COMMANDS, key)) return COMMANDS[key];
  return isTopicKey(key) ? "turnTopic" : null;
}
