// One signal, three places: what is pointed at or focused in one is lit in all.

const LIT = "lit";

/** Tie together all elements below `root` that carry `data-keys`. */
export function linkHighlights(root, onChange) {
  let held = null;
  const light = (keys) => {
    for (const one of root.querySelectorAll(`.${LIT}`)) one.classList.remove(LIT);
    root.classList.toggle("has-lit", keys.length > 0);
    for (const one of root.querySelectorAll("[data-keys]")) {
      if (one.dataset.keys.split(" ").some((key) => keys.includes(key))) one.classList.add(LIT);
    }
    onChange(keys);
  };
  const keysAt = (target) => target.closest?.("[data-keys]")?.dataset.keys.split(" ") ?? null;
  root.addEventListener("pointerover", (event) => light(keysAt(event.target) ?? held ?? []));
  root.addEventListener("pointerleave", () => light(held ?? []));
  root.addEventListener("focusin", (event) => {
    held = keysAt(event.target);
    light(held ?? []);
  });
  root.addEventListener("focusout", () => {
    held = null;
    light([]);
  });
  root.addEventListener("keydown", (event) => move(root, event));
}

const STEPS = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 };

/** Arrow keys go from one element of a group to the next; a group is one stop of Tab. */
function move(root, event) {
  const here = event.target.closest?.("[data-keys]");
  const group = here?.closest("[data-group]");
  if (!group) return;
  const stops = [...group.querySelectorAll("[data-keys][tabindex]")];
  const place = stops.indexOf(here);
  let next = null;
  if (event.key in STEPS) next = stops[place + STEPS[event.key]];
  if (event.key === "Home") next = stops[0];
  if (event.key === "End") next = stops[stops.length - 1];
  if (event.key === "Escape") here.blur();
  if (!next) return;
  event.preventDefault();
  for (const one of stops) one.setAttribute("tabindex", one === next ? "0" : "-1");
  next.focus();
}

/** Make the first element of a group the one that Tab reaches. */
export function firstStop(group) {
  const stops = [...group.querySelectorAll("[data-keys][tabindex]")];
  for (const [place, one] of stops.entries()) one.setAttribute("tabindex", place ? "-1" : "0");
}
