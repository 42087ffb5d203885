// The molecule with its shifts, tied to rows and sticks.

import { post } from "./api.js";
import { h } from "./dom.js";
import { firstStop } from "./highlight.js";
import { crop, rebuilt } from "./picture.js";
import { signalWords } from "./signals.js";

const LEAST_SCALE = 0.85;

/** Ask for the drawing of a molecule and put it into `place`. */
export async function showMolecule(place, question, groups, signal) {
  const body = { ...question, spectra: false };
  const response = await post("v1/draw", body, { accept: "image/svg+xml", signal });
  const svg = rebuilt(await response.text());
  const [width, height] = ["width", "height"].map((name) => svg.getAttribute(name));
  svg.querySelector(`:scope > rect[width="${width}"][height="${height}"]`)?.remove();
  svg.querySelector(":scope > title")?.remove();
  svg.setAttribute("role", "group");
  svg.setAttribute("aria-label", "Molecule with predicted shifts");
  svg.setAttribute("data-group", "molecule");
  const missing = tie(svg, groups.flatMap((group) => group.signals));
  const scroll = h("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": "Drawing" }, svg);
  place.replaceChildren(scroll);
  const natural = crop(svg);
  svg.style.minWidth = `${Math.round(natural * LEAST_SCALE)}px`;
  if (scroll.scrollWidth <= scroll.clientWidth) scroll.removeAttribute("tabindex");
  else scroll.scrollLeft = (scroll.scrollWidth - scroll.clientWidth) / 2;
  if (missing) place.append(note(missing));
}

/** Give labels and atoms the keys of their signals. Returns how many signals have no label. */
function tie(svg, signals) {
  const written = new Set();
  for (const label of svg.querySelectorAll(".tag")) {
    const atoms = label.dataset.atoms.split(" ").map(Number);
    const one = signals.find(
      (other) => other.nucleus === label.dataset.nucleus && other.atoms.includes(atoms[0]),
    );
    if (!one) continue;
    written.add(one.key);
    label.dataset.keys = one.key;
    label.setAttribute("tabindex", "-1");
    label.setAttribute("role", "img");
    label.setAttribute("aria-label", signalWords(one));
  }
  for (const spot of svg.querySelectorAll(".atom-selector")) {
    const atom = Number(/atom-(\d+)/.exec(spot.getAttribute("class"))[1]);
    const here = signals.filter((one) => one.atoms.includes(atom));
    if (here.length) spot.dataset.keys = here.map((one) => one.key).join(" ");
  }
  firstStop(svg);
  return signals.length - written.size;
}

const note = (n) =>
  h("p", { class: "small" }, `${n} of the shifts found no room in the drawing; the table has them all.`);
