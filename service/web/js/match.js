// A measured peak list beside the prediction.

import { askJson } from "./api.js";
import { h, nucleusName } from "./dom.js";
import { number, plural, shiftText } from "./numbers.js";
import { keyOf } from "./signals.js";
import { codeWords } from "./warnings.js";

const HEADING = /\n(?=\s*\d{1,3}\s*[A-Z][a-z]?\s*(?:\{[^}\n]*\}\s*)?NMR)/;

/** Match each spectrum of a text to one molecule. */
export async function matchSpectra(molecule, text, settings, signal) {
  const found = [];
  for (const part of text.trim().split(HEADING)) {
    const body = { molecules: [molecule], text: part.trim(), ...settings };
    const request = { method: "POST", body: JSON.stringify(body), type: "application/json", signal };
    found.push(read(await askJson("v1/match", request)));
  }
  return found;
}

function read({ spectrum, candidates }) {
  const [candidate] = candidates;
  const nucleus = spectrum.nucleus;
  if (candidate.status !== "ok") return { nucleus, spectrum, candidate, byKey: new Map(), sticks: [] };
  const byKey = new Map(candidate.signals.map((one) => [keyOf(nucleus, one.signal), {
    observed: one.observed_ppm, error: one.error_ppm, flags: one.flags, probability: one.probability,
  }]));
  const sticks = candidate.peaks.map((peak) => ({
    shift: peak.shift_ppm,
    count: spectrum.peaks[peak.peak].n_nuclei ?? Math.max(1, peak.signals.length),
    key: peak.signals.map((one) => keyOf(nucleus, one)).join(" "),
    loose: peak.signals.length === 0,
    words: `measured ${shiftText(nucleus, peak.shift_ppm)} ppm` +
      (peak.signals.length ? "" : ", belongs to no signal"),
  }));
  return { nucleus, spectrum, candidate, byKey, sticks };
}

/** Say how well the measured spectra fit. */
export const matchSummary = (matches) =>
  h("section", { class: "fit", "aria-label": "Match with the measured peaks" }, matches.map(line));

function line({ nucleus, spectrum, candidate }) {
  if (candidate.status !== "ok") {
    return h("p", {}, nucleusName(nucleus), ` could not be matched: ${candidate.message}.`);
  }
  const { mean_abs_error_ppm: error, n_missing: missing, n_extra: extra } = candidate;
  const taken = candidate.peaks.filter((peak) => peak.signals.length).length;
  return h(
    "div",
    {},
    h("p", { class: "verdict" },
      h("strong", {}, nucleusName(nucleus), " measured: "),
      `${taken} of ${plural(candidate.peaks.length, "peak")} assigned`,
      error === null ? "" : `, mean error ${number(error, 2)} ppm`, "."),
    missing > 0 && h("p", { class: "poor" }, `${plural(missing, "predicted signal")} without a peak.`),
    extra > 0 && h("p", { class: "poor" }, `${plural(extra, "peak")} that no signal explains: ${
      candidate.peaks.filter((peak) => !peak.signals.length)
        .map((peak) => shiftText(nucleus, peak.shift_ppm)).join(", ")} ppm.`),
    candidate.notices.map((one) => h("p", { class: "small" }, one.message)),
    spectrum.ignored.length > 0 &&
      h("p", { class: "small" }, `Passed over: ${spectrum.ignored.map(codeWords).join("; ")}.`),
  );
}
