// What must not be missed: notices, flags, and how far the model's knowledge reaches.

import { h } from "./dom.js";
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
  if (Array.isArray(evidence)) return evidence.map(evidenceWords).filter(Boolean).join("; ");
  if (evidence.text ?? evidence.summary) return evidence.text ?? evidence.summary;
  const parts = Object.entries(evidence)
    .filter(([, value]) => ["number", "string"].includes(typeof value))
    .map(([name, value]) => `${name.replaceAll("_", " ")} ${value}`);
  return parts.join(", ") || null;
}

/** Write a code such as fluorine_on_N as words. */
export const codeWords = (code) => code.replaceAll("_", " ");

/** Return the warnings of an answer, the loudest first: { level, title, text }. */
export function warningsOf(prediction, groups) {
  const signals = groups.flatMap((group) => group.signals);
  return [...domainWarnings(prediction, signals), ...noticeWarnings(prediction), ...flagWarnings(signals)];
}

function domainWarnings(prediction, signals) {
  const found = [];
  const whole = verdictOf(prediction.domain);
  for (const verdict of ["outside", "edge"]) {
    const level = verdict === "outside" ? "danger" : "warning";
    const title = VERDICT_WORDS[verdict];
    if (whole?.verdict === verdict) {
      const why = whole.reasons.length ? ` ${whole.reasons.map(codeWords).join("; ")}.` : "";
      found.push({ level, title, text: `The molecule as a whole.${why} Do not rely on these shifts.` });
    }
    const which = signals.filter((one) => worstVerdict(one)?.verdict === verdict);
    const reasons = [...new Set(which.flatMap((one) => worstVerdict(one).reasons))].map(codeWords);
    if (which.length) {
      found.push({ level, title, text: [which.map(atomNames).join(", "), ...reasons].join("; ") + "." });
    }
  }
  return found;
}

const noticeWarnings = (prediction) =>
  prediction.notices.map(({ code, message }) => ({
    level: QUIET.has(code) ? "note" : "warning",
    title: QUIET.has(code) ? "Note" : "Take care",
    text: message,
  })).sort((a, b) => (a.level === "note") - (b.level === "note"));

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
