// What is asked: structure, solvents, nuclei, measured peaks.

import { byId, h, nucleusName, say } from "./dom.js";

const MAX_FILE_BYTES = 200_000;
const OTHER = "other";

/** Fill the choices with what the service offers. */
export function fillChoices(solvents, nuclei) {
  byId("solvent").append(...solventOptions(solvents), h("option", { value: OTHER }, "Other or mixture…"));
  byId("second").append(...solventOptions(solvents.filter((one) => one.kind === "liquid")));
  byId("batch-solvent").append(...solventOptions(solvents));
  if (solvents.some((one) => one.key === "cdcl3")) byId("solvent").value = "cdcl3";
  for (const place of ["nuclei", "batch-nuclei"]) {
    byId(place).append(...nuclei.map((one) => nucleusChoice(place, one)));
  }
  byId("solvent").addEventListener("change", () => {
    byId("other-solvent-line").hidden = byId("solvent").value !== OTHER;
  });
}

function solventOptions(solvents) {
  const option = (one) =>
    h("option", { value: one.key }, one.label === one.name ? one.name : `${one.label}, ${one.name}`);
  const group = (label, found) => found.length > 0 && h("optgroup", { label }, found.map(option));
  const named = solvents.filter((one) => one.kind === "liquid");
  return [
    group("Many training spectra", named.filter((one) => one.many_spectra)),
    group("Few or none: placed by physical properties", named.filter((one) => !one.many_spectra)),
    group("Without a solvent", solvents.filter((one) => one.kind === "class")),
  ].filter(Boolean);
}

const nucleusChoice = (place, { nucleus, is_default: chosen }) =>
  h("label", { class: "choice" },
    h("input", { type: "checkbox", name: place, value: nucleus, checked: chosen }),
    h("span", {}, nucleusName(nucleus)));

/** Return the nuclei that are ticked. */
export const ticked = (name) =>
  [...document.querySelectorAll(`input[name="${name}"]:checked`)].map((one) => one.value);

/** Read the form: { structure, solvent, second, nuclei, interval, peaks }. */
export function readForm() {
  const chosen = byId("solvent").value;
  return {
    structure: byId("structure").value,
    solvent: (chosen === OTHER ? byId("other-solvent").value.trim() : chosen) || null,
    second: byId("second").value || null,
    nuclei: ticked("nuclei"),
    interval: Number(byId("interval").value),
    peaks: byId("peaks").value.trim(),
  };
}

/** Take structures from files, chosen or dropped; `use` is told when one has arrived. */
export function takeFiles(use) {
  byId("file").addEventListener("change", (event) => load(event.target.files[0], use));
  byId("open-file").addEventListener("click", () => byId("file").click());
  prepareDrop(byId("ask"), ([file]) => load(file, use));
}

/** Let files be dropped on an element; elsewhere a dropped file would replace the page. */
export function prepareDrop(zone, take) {
  const withFiles = (act) => (event) => {
    if (!event.dataTransfer.types.includes("Files")) return;
    event.preventDefault();
    act(event);
  };
  document.addEventListener("dragover", withFiles(() => {}));
  document.addEventListener("drop", withFiles(() => {}));
  zone.addEventListener("dragover", withFiles(() => zone.classList.add("dropping")));
  zone.addEventListener("dragleave", () => zone.classList.remove("dropping"));
  zone.addEventListener("drop", withFiles((event) => {
    zone.classList.remove("dropping");
    take(event.dataTransfer.files);
  }));
}

async function load(file, use) {
  if (!file) return;
  if (file.size > MAX_FILE_BYTES) {
    say("That file is large. The batch tab takes files with many molecules.");
    return;
  }
  const text = await file.text();
  const [first, ...more] = text.split(/^\$\$\$\$.*\r?\n?/m);
  const isMolfile = /M {2}END/.test(first);
  const lines = text.split(/\r?\n/).filter((line) => line.trim());
  byId("structure").value = isMolfile ? first : (lines[0] ?? "").trim().split(/\s+/)[0];
  const several = isMolfile ? more.some((one) => one.trim()) : lines.length > 1;
  say(several ? "Only the first molecule was taken; the batch tab takes them all." : `${file.name} loaded.`);
  byId("file").value = "";
  use();
}
