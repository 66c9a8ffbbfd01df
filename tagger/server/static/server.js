// What the page asks of the server. Every answer is JSON. An error has a `message` and a `status`, and `row` if there is one.

const token = document.querySelector("meta[name=tagger-token]").content;

async function ask(path, options) {
  let answer;
  try {
    answer = await fetch(path, { ...options, headers: { accept: "application/json", ...options.headers } });
  } catch {
    throw new Error("the server does not answer; nothing was saved. Is it still running?");
  }
  if (answer.status === 401) location.assign("/enter");
  const body = await answer.json();
  if (!answer.ok) throw Object.assign(new Error(body.error), { status: answer.status, row: body.row });
  return body;
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

// The run of the server that this page belongs to. A page that remembers another run knows by this that it is another one.
export const run = token.slice(0, 8);
