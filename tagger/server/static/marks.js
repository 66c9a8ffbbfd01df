// Marks: what is said of each topic of an entry. No DOM here.

export const MARKS = ["yes", "no", "unsure"];

// The mark that a topic's key gives next: first the other of yes and no, then unsure, then what it was at the beginning.
export function nextMark(saved, mark) {
  const cycle = [saved, ...MARKS.filter((other) => other !== saved)];
  return cycle[(cycle.indexOf(mark) + 1) % cycle.length];
}

export const sameMarks = (marks, others) => marks.every((mark, t) => mark === others[t]);

export const countChanges = (marks, others) => marks.filter((mark, t) => mark !== others[t]).length;
