// Words that scripts show, translated by the server, and requests that carry the page's token.

const words = JSON.parse(document.querySelector("meta[name=words]").content);

export const word = (key) => words[key] ?? key;

/** POST a form's fields; resolves to the Response, rejects when it is not a good one. */
export async function post(url, fields = {}, options = {}) {
  const token = document.querySelector("meta[name=csrf-token]").content;
  const response = await fetch(url, {
    method: "POST",
    headers: { "X-CSRFToken": token, "X-Requested-With": "fetch" },
    body: new URLSearchParams(fields),
    ...options,
  });
  if (!response.ok) throw new Error(`${url} answered ${response.status}`);
  return response;
}

/** Elements under `root` (and root itself) that match and were not seen before by the same `part`. */
export function fresh(root, selector, part) {
  const all = [...root.querySelectorAll(selector)];
  if (root.matches?.(selector)) all.unshift(root);
  return all.filter((element) => {
    const seen = (element.wiredBy ??= new Set());
    return !seen.has(part) && seen.add(part);
  });
}
