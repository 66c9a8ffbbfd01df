// Elements of the page. A text always becomes a text node, so nothing is ever read as markup.

export const byId = (id) => document.getElementById(id);

// A new element. `values` are properties, attributes, `data` for its data attributes, and `on…` for its events.
export function element(name, values = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(values)) {
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else if (key === "data") Object.assign(node.dataset, value);
    else if (key in node && !key.startsWith("aria")) node[key] = value;
    else if (value !== null && value !== false) node.setAttribute(key, value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

// A text for screen readers alone.
export const hiddenText = (text) => element("span", { className: "hidden" }, text);
