// Elements from values. Text is text: nothing is ever read as markup.

export const $ = (id) => document.getElementById(id);

export function el(name, values = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(values)) {
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (key === "data") Object.assign(made.dataset, value);
    else if (key in made && !key.startsWith("aria")) made[key] = value;
    else if (value !== null && value !== false) made.setAttribute(key, value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

export const hidden = (text) => el("span", { className: "hidden" }, text);

export const two = (value) => value.toFixed(2);

export const signed = (value) => (value < 0 ? "−" : "+") + Math.abs(value).toFixed(2);
