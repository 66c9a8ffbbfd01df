// The pictures of the figures page: drawn by the server in the background, and watched by asking.

import { $ } from "./dom.js";
import { get, post } from "./server.js";

const EVERY = 500; // milliseconds

async function watch() {
  const { what, state, done, total, error } = await get("/desk/work");
  if (what !== "draw") return;
  $("draw").disabled = state === "running";
  if (state === "failed") $("drawing").textContent = error;
  if (state !== "running") return state;
  $("drawing").textContent = total ? `Drawing: ${done} of ${total} fits` : "Drawing: reading the labels";
  await new Promise((resume) => setTimeout(resume, EVERY));
  return watch();
}

async function draw(start) {
  try {
    if (start) await post("/desk/draw");
    if (!start && (await get("/desk/work")).state !== "running") return;
    if ((await watch()) === "done") location.reload();
  } catch (error) {
    $("drawing").textContent = error.message;
  }
}

$("draw").addEventListener("click", () => draw(true));
await draw(false);
