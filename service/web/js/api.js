// The service, asked. Every refusal becomes an ApiError with the code of its problem details.

import { currentKey, keyHeaders, otherKey } from "./key.js";

/** A request that was refused, or got no answer. */
export class ApiError extends Error {
  constructor(code, detail, fields = [], hint = "") {
    super(detail);
    this.code = code;
    this.fields = fields;
    this.hint = hint;
  }
}

/** Ask for JSON. */
export async function askJson(path, options) {
  return (await ask(path, { accept: "application/json", ...options })).json();
}

/** Send JSON and return the response. */
export const post = (path, value, options = {}) =>
  ask(path, {
    method: "POST",
    body: JSON.stringify(value),
    type: "application/json",
    ...options,
  });

/** Send a request and return the response, which is one of success; where a key is wanted, wait for it. */
export async function ask(path, options = {}) {
  for (;;) {
    const key = currentKey();
    const response = await send(path, keyHeaders(key), options);
    if (response.ok) return response;
    if (response.status !== 401) throw await refusal(response);
    await otherKey(key);
  }
}

async function send(path, headers, { method = "GET", body, type, accept, signal }) {
  if (accept) headers.accept = accept;
  if (type) headers["content-type"] = type;
  try {
    return await fetch(path, { method, body, headers, signal, cache: "no-store" });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError("unreachable", "The service does not answer. Is it running?");
  }
}

async function refusal(response) {
  try {
    const { code, detail, fields } = await response.json();
    return new ApiError(code ?? "error", detail ?? response.statusText, fields);
  } catch {
    return new ApiError("error", `The service answered ${response.status}.`);
  }
}

/** Ask until the service is ready; `waiting` is told why it is not. */
export async function untilReady(path, waiting) {
  for (;;) {
    try {
      return await askJson(path);
    } catch (error) {
      if (!["not_ready", "unreachable"].includes(error.code)) throw error;
      waiting(error);
      await new Promise((resolve) => setTimeout(resolve, 1500));
    }
  }
}
