// What this browser remembers for all pages: the colours, and whether single keys are on.

import { byId } from "./dom.js";

const THEMES = ["", "light", "dark"]; // "" for what the system has

export function listenToSettings() {
  byId("theme").addEventListener("click", () => {
    const { dataset } = document.documentElement;
    const theme = THEMES[(THEMES.indexOf(dataset.theme ?? "") + 1) % THEMES.length];
    if (theme) dataset.theme = theme;
    else delete dataset.theme;
    localStorage.setItem("tagger-theme", theme);
    byId("theme").setAttribute("aria-label", `Colours: ${theme || "as the system has them"}`);
  });
  const singleKeys = byId("single-keys");
  singleKeys.checked = localStorage.getItem("tagger-keys") !== "off";
  singleKeys.addEventListener("change", () => localStorage.setItem("tagger-keys", singleKeys.checked ? "on" : "off"));
}
