// The pictures on the page of figures. The server draws them in the background, and the page asks how far it is.

import { byId } from "./dom.js";
import { get, post } from "./server.js";

const PAUSE = 500; // milliseconds between two questions

// Waits until the drawing ends, and gives its state: "done" or "failed"; nothing if another job runs.
async function waitForDrawing() {
  const { what, state, done, total, error } = await get("/session/work");
  if (what !== "draw") return undefined;
  byId("draw").disabled = state === "running";
  if (state === "failed") byId("drawing").textContent = error;
  if (state !== "running") return state;
  byId("drawing").textContent = total ? `Drawing: ${done} of ${total} fits` : "Drawing: reading the labels";
  await new Promise((resume) => {
    setTimeout(resume, PAUSE);
  });
  return waitForDrawing();
}

// Follows a drawing to its end: one that starts now, or one that runs already.
async function followDrawing(start) {
  try {
    if (start) await post("/session/draw");
    if (!start && (await get("/session/work")).state !== "running") return;
    if ((await waitForDrawing()) === "done") location.reload();
  } catch (error) {
    byId("drawing").textContent = error.message;
  }
}

byId("draw").addEventListener("click", () => followDrawing(true));
await followDrawing(false);
