// What the page asks of the server. Every answer is JSON; an error has `message`, `status` and what else came with it.

const token = document.querySelector("meta[name=tagger-token]").content;

async function ask(path, options) {
  let answer;
  try {
    answer = await fetch(path, { ...options, headers: { accept: "application/json", ...options.headers } });
  } catch {
    throw new Error("the server does not answer; nothing was saved. Is it still running?");
  }
  if (answer.status === 401) location.assign("/enter");
  const found = await answer.json();
  if (!answer.ok) throw Object.assign(new Error(found.error), { status: answer.status, row: found.row });
  return found;
}

export const get = (path, values = {}) => {
  const query = new URLSearchParams(Object.entries(values).filter(([, value]) => value));
  return ask(query.size ? `${path}?${query}` : path, {});
};

export const post = (path, body = null) =>
  ask(path, {
    method: "POST",
    headers: { "content-type": "application/json", "x-tagger-token": token },
    body: JSON.stringify(body),
  });

// Which run of the server this page is of, so that what it remembers of another run is told apart.
export const run = token.slice(0, 8);
