// The API key, where the service wants one. It is kept in the tab's session storage and nowhere else.

import { byId } from "./dom.js";

const KEPT = "nmrshift-key";

/** Return the key that was typed, or null. */
export const currentKey = () => sessionStorage.getItem(KEPT);

/** Return the headers that a request needs for the key. */
export const keyHeaders = (key) => (key ? { authorization: `Bearer ${key}` } : {});

let asked = null;

/** Ask for a key after a request with `refused` (null for none) got 401; resolves once there is another one. */
export function otherKey(refused) {
  if (currentKey() !== refused) return Promise.resolve();
  asked ??= new Promise((resolve) => show(refused !== null, resolve));
  return asked;
}

/** Make the form work. */
export function prepareKey() {
  byId("key-forget").addEventListener("click", () => {
    sessionStorage.removeItem(KEPT);
    location.reload();
  });
  byId("key-known").hidden = currentKey() === null;
}

function show(wasRefused, resolve) {
  const form = byId("key-form");
  const input = byId("key");
  byId("key-why").textContent = wasRefused
    ? "This service does not know that key."
    : "This service asks for a key. Whoever runs it gives you one.";
  form.classList.toggle("refused", wasRefused);
  input.setAttribute("aria-invalid", String(wasRefused));
  form.hidden = false;
  input.focus();
  form.onsubmit = (event) => {
    event.preventDefault();
    const key = input.value.trim();
    if (!key) return;
    sessionStorage.setItem(KEPT, key);
    input.value = "";
    form.hidden = true;
    byId("key-known").hidden = false;
    asked = null;
    resolve();
  };
}
