// What must not be missed: notices, flags, and how far the model's knowledge reaches.

import { h } from "./dom.js";
import { number, plural } from "./numbers.js";
import { atomNames } from "./signals.js";

const QUIET = new Set([
  "text_trimmed", "header_repaired", "data_ignored", "coordinates_ignored", "generated_order",
  "mixture", "rewritten",
]);
const VERDICTS = ["outside", "edge", "inside"];
const VERDICT_WORDS = {
  outside: "Outside the model's knowledge",
  edge: "At the edge of the model's knowledge",
};

/** Return the verdict of a `domain` field and its reasons, or null where there is none. */
export function verdictOf(domain) {
  if (!domain) return null;
  if (typeof domain === "string") return { verdict: domain, reasons: [] };
  const values = Object.values(domain);
  const verdict = VERDICTS.find((word) => values.includes(word));
  const reasons = values.filter(Array.isArray).flat().map((one) => one?.message ?? one);
  return verdict ? { verdict, reasons: reasons.filter((one) => typeof one === "string") } : null;
}

/** Return the worst verdict among the atoms of a signal. */
export const worstVerdict = (one) => {
  const found = one.members.map((atom) => verdictOf(atom.domain)).filter(Boolean);
  return found.sort((a, b) => VERDICTS.indexOf(a.verdict) - VERDICTS.indexOf(b.verdict))[0] ?? null;
};

/** Return what an `evidence` field says, in words, or null. */
export function evidenceWords(evidence) {
  if (!evidence) return null;
  if (typeof evidence === "string") return evidence;
  const { n_atoms: n, spheres, mean_ppm: mean, spread_ppm: spread } = evidence;
  if ([n, spheres].every(Number.isFinite)) {
    const atoms = `${plural(n, "atom")} alike to ${plural(spheres, "sphere")}`;
    if (!Number.isFinite(mean)) return atoms;
    return `${atoms}, ${number(mean, 1)}${Number.isFinite(spread) ? ` ± ${number(spread, 1)}` : ""} ppm`;
  }
  const parts = Object.entries(evidence)
    .filter(([, value]) => ["number", "string"].includes(typeof value))
    .map(([name, value]) => `${codeWords(name)} ${value}`);
  return parts.join(", ") || null;
}

/** Write a code such as fluorine_on_N as words. */
export const codeWords = (code) => code.replaceAll("_", " ");

const LOUDNESS = ["danger", "warning", "note"];

/** Return the warnings of an answer, the loudest first: { level, title, text }. */
export function warningsOf(prediction, groups) {
  const signals = groups.flatMap((group) => group.signals);
  const found = [...domainWarnings(prediction, signals), ...flagWarnings(signals), ...noticeWarnings(prediction)];
  return found.sort((a, b) => LOUDNESS.indexOf(a.level) - LOUDNESS.indexOf(b.level));
}

function domainWarnings(prediction, signals) {
  const whole = verdictOf(prediction.domain);
  const found = [];
  for (const verdict of ["outside", "edge"]) {
    const ofWhole = whole?.verdict === verdict;
    const which = signals.filter((one) => worstVerdict(one)?.verdict === verdict);
    if (!ofWhole && !which.length) continue;
    const reasons = [whole, ...which.map(worstVerdict)]
      .filter((one) => one?.verdict === verdict).flatMap((one) => one.reasons).map(codeWords);
    const words = [
      ofWhole ? "The molecule as a whole" : "",
      which.length ? `${ofWhole ? "above all " : ""}${which.map(atomNames).join(", ")}` : "",
      [...new Set(reasons)].join(", "),
    ].filter(Boolean).join("; ");
    const advice = verdict === "outside" ? " Do not rely on these shifts." : "";
    found.push({
      level: verdict === "outside" ? "danger" : "warning",
      title: VERDICT_WORDS[verdict],
      text: `${words}.${advice}`,
    });
  }
  return found;
}

const noticeWarnings = (prediction) =>
  prediction.notices.map(({ code, message }) => ({
    level: QUIET.has(code) ? "note" : "warning",
    title: QUIET.has(code) ? "Note" : "Take care",
    text: message,
  }));

function flagWarnings(signals) {
  const atoms = new Map();
  for (const one of signals) {
    for (const flag of one.flags) atoms.set(flag, [...(atoms.get(flag) ?? []), atomNames(one)]);
  }
  return [...atoms].map(([flag, names]) => ({
    level: "warning",
    title: "Take care",
    text: `${codeWords(flag)}: ${names.join(", ")}. Such shifts are less certain than others.`,
  }));
}

/** Show warnings; nothing is shown for none. */
export const warningList = (warnings) =>
  warnings.length > 0 &&
  h("ul", { class: "warnings", "aria-label": "Warnings" }, warnings.map(({ level, title, text }) =>
    h("li", { class: level }, h("strong", {}, title), " ", text)));
