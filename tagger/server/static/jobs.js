// What the server's work is called, and how far it is. No DOM here.

export const NAMES = { train: "Training", audit: "Looking for doubtful labels", draw: "Drawing the pictures" };

const SHORT_NAMES = { train: "Training", audit: "Audit", draw: "Drawing" };

export const describeProgress = (done, total) => (total ? `${done} of ${total} fits` : "reading the labels");

// The text of the button that opens the work, and whether there is something to see.
export function jobLabel({ state, what, done, total }) {
  if (state === "running") {
    return { text: SHORT_NAMES[what] + (total ? ` ${Math.round((100 * done) / total)}%` : "…"), ready: false };
  }
  const ready = state === "failed" || (state === "done" && what === "train");
  return { text: ready ? "Result" : "Train", ready };
}
