// The entries in the queue. No DOM here.

// The state that the sign beside an entry shows.
export function stateOf(row) {
  if (row.doubts.length) return "doubted";
  if (row.unsure.length) return "unsure";
  return row.labelled ? "labelled" : "new";
}

// The id of the entry `by` places from the current one; of the first one if the current one is not in the queue; null for none.
export function neighbour(rows, currentId, by) {
  const at = rows.findIndex((row) => row.id === currentId);
  return rows[at < 0 ? 0 : at + by]?.id ?? null;
}
