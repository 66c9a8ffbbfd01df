// What a tab remembers, so that a page that is loaded again goes on where it was. No DOM here.
//
// topics: the ids of all topics; what was remembered for other topics does not hold.
// run: the run of the server; a later run cannot undo what an earlier one saved.
// id: the entry that was open.    wanted: the filter of the queue.
// drafts: by entry id, marks that are not saved, and the labels that they were made on (`was`).
// steps: what undo goes back to, the last one last.

import { sameMarks } from "./marks.js";

export function recall(stored, topicIds, run, state) {
  const topics = topicIds.join();
  const remembered = JSON.parse(stored ?? "null");
  if (remembered?.topics !== topics) {
    return { run, topics, drafts: {}, steps: [], id: null, wanted: { state, topic: "", search: "", order: "listed" } };
  }
  return remembered.run === run ? remembered : { ...remembered, run, steps: [] };
}

// The drafts with the marks of an entry; without them if they are what is saved or proposed.
export function withDraft(drafts, entry, marks) {
  const { [entry.id]: before, ...others } = drafts;
  return sameMarks(marks, entry.marks) ? others : { ...others, [entry.id]: { marks, was: before ? before.was : entry.row } };
}

// The labels that the marks on the screen were made on: null for none.
export const labelsSeen = (drafts, entry) => (drafts[entry.id] ?? { was: entry.row }).was;
