// One answer: warnings, molecule, spectra, table, and what can be taken away.

import { ask, post } from "./api.js";
import { download, h, say } from "./dom.js";
import { SERVER_FORMATS, acsText, copyText, csvText } from "./exports.js";
import { linkHighlights } from "./highlight.js";
import { matchSummary } from "./match.js";
import { showMolecule } from "./molecule.js";
import { raised, shiftText } from "./numbers.js";
import { atomNames, signalsOf } from "./signals.js";
import { spectrum } from "./spectrum.js";
import { table } from "./table.js";
import { warningList, warningsOf } from "./warnings.js";

/**
 * Show an answer in `place`.
 *
 * `answer` is { document, prediction, other, matches, question, labels, formats, signal }: the
 * whole JSON, its first prediction, that in a second solvent or null, matches with measured
 * spectra, what was asked, names of solvents, media types of the service, and the abort signal.
 */
export async function showResult(place, answer) {
  const { prediction, other, matches, labels } = answer;
  const groups = signalsOf(prediction);
  const second = other && secondOf(other, labels);
  const measured = matches.length
    ? new Map(matches.flatMap((one) => [...one.byKey]))
    : null;
  const drawing = h("div", { class: "drawing", "aria-busy": "true" }, h("p", { class: "small" }, "Drawing…"));
  const readout = h("p", { class: "readout", "aria-hidden": "true" });
  const label = labels.get(prediction.solvent) ?? prediction.solvent;
  const warnings = [...warningsOf(prediction, groups), ...(other ? onlyThere(prediction, other) : [])];
  place.replaceChildren(
    heading(answer, label, second),
    actions(answer, groups, second, measured, label),
    warningList(warnings) || "",
    matches.length ? matchSummary(matches) : "",
    h(
      "div",
      { class: second || measured ? "views wide" : "views" },
      h("div", { class: "seen" }, h("div", { class: "card molecule-card" }, drawing, readout),
        groups.map((group) => h("div", { class: "card" },
          spectrum(group.nucleus, group.signals, below(group, label, second, matches))))),
      h("div", { class: "card told" }, table(groups, label, second, measured),
        h("p", { class: "small" }, footnote(prediction))),
    ),
  );
  linkHighlights(place.querySelector(".views"), (keys) => tell(readout, groups, keys));
  await draw(drawing, answer, groups);
}

async function draw(place, { question, signal }, groups) {
  try {
    await showMolecule(place, question, groups, signal);
  } catch (error) {
    if (error.name === "AbortError") return;
    place.replaceChildren(h("p", { class: "small" }, `No drawing: ${error.message}`));
  } finally {
    place.removeAttribute("aria-busy");
  }
}

function heading({ prediction, question }, label, second) {
  const name = question.name ?? prediction.input.split("\n")[0].trim();
  const solvents = second ? `${label} and ${second.label}` : label;
  const where = prediction.solvent === "unknown" && !second ? "unknown solvent" : solvents;
  return h("header", { class: "answer-head" },
    h("h2", { id: "answer-name" }, prediction.input.includes("\n") ? name || "Structure of a molfile" : name),
    h("p", {}, "Predicted shifts · ", where, " · ", h("span", { class: "soft" }, prediction.model)));
}

function footnote({ interval, atoms }) {
  const reach = `± is half of the ${Math.round(100 * interval)} % interval; atoms count from 0.`;
  const hydrogens = " Hydrogens are listed by the atom that carries them.";
  return reach + (atoms.some((atom) => atom.nucleus === "1H") ? hydrogens : "");
}

function secondOf(other, labels) {
  const signals = signalsOf(other).flatMap((group) => group.signals);
  return {
    key: other.solvent,
    label: labels.get(other.solvent) ?? other.solvent,
    byKey: new Map(signals.map((one) => [one.key, one])),
  };
}

/** Return what hangs below the sticks of a nucleus: measured peaks, or the second solvent. */
function below({ nucleus, signals }, label, second, matches) {
  const match = matches.find((one) => one.nucleus === nucleus && one.sticks.length);
  if (match) return { above: "predicted", name: "measured", sticks: match.sticks };
  if (!second) return null;
  const sticks = signals.map((one) => second.byKey.get(one.key)).filter(Boolean);
  const words = (one) => `${second.label} ${shiftText(nucleus, one.shift)} ppm, atoms ${atomNames(one)}`;
  return { above: label, name: second.label, sticks: sticks.map((one) => ({ ...one, words: words(one) })) };
}

const onlyThere = (prediction, other) =>
  other.notices
    .filter((one) => !prediction.notices.some((known) => known.message === one.message))
    .map(({ message }) => ({ level: "warning", title: "Take care", text: message }));

function tell(readout, groups, keys) {
  const found = groups.flatMap((group) => group.signals).filter((one) => keys.includes(one.key));
  const words = found.map((one) =>
    `${raised(one.nucleus)} ${shiftText(one.nucleus, one.shift)} ± ${shiftText(one.nucleus, one.reach)}`);
  readout.textContent = found.length ? `${atomNames(found[0])} · ${words.join(" · ")} ppm` : "";
}

function actions(answer, groups, second, measured, label) {
  const { prediction, document: whole, question, formats } = answer;
  const solvent = prediction.solvent === "unknown" ? "" : label;
  const button = (name, act) => h("button", { type: "button", click: () => attempt(act) }, name);
  const picture = (type, suffix) => async () => {
    const response = await post("v1/draw", question, { accept: type });
    download(await response.blob(), `prediction.${suffix}`, type);
  };
  return h("section", { class: "actions", "aria-label": "Take away" },
    button("Copy as text for a paper", async () => {
      await copyText(acsText(prediction, groups, solvent));
      say("Copied. The text says that the shifts are predicted.");
    }),
    button("CSV", () => download(csvText(prediction, groups, second, measured), "prediction.csv", "text/csv")),
    button("JSON", () => download(JSON.stringify(whole, null, 1), "prediction.json", "application/json")),
    button("SVG", picture("image/svg+xml", "svg")),
    button("PNG", picture("image/png", "png")),
    SERVER_FORMATS.map(({ pattern, name, suffix }) => {
      const type = formats.find((one) => pattern.test(one));
      return type && button(name, () => fromServer(answer, type, `prediction.${suffix}`));
    }));
}

async function fromServer({ request }, type, name) {
  const response = await ask("v1/predict", {
    method: "POST", body: JSON.stringify(request), type: "application/json", accept: type,
  });
  download(await response.blob(), name, type);
}

async function attempt(act) {
  try {
    await act();
  } catch (error) {
    say(`That did not work: ${error.message}`);
  }
}
