// What must not be missed: notices, flags, and how far the model's knowledge reaches.

import { h } from "./dom.js";
import { number, plural } from "./numbers.js";
import { atomNames } from "./signals.js";

const QUIET = new Set([
  "text_trimmed", "header_repaired", "data_ignored", "coordinates_ignored", "generated_order",
  "mixture", "rewritten",
]);
const DOMAIN_FLAGS = new Set(["unseen_environment", "rare_environment", "uncertain"]);
const VERDICTS = ["outside", "edge", "inside"];
const VERDICT_WORDS = {
  outside: "Outside the model's knowledge",
  edge: "At the edge of the model's knowledge",
};

/** Return the worst verdict among the atoms of a signal, or null where none is given. */
export const worstVerdict = (one) =>
  VERDICTS.find((verdict) => one.members.some((atom) => atom.domain === verdict)) ?? null;

/** Return what an `evidence` field says, in words, or null. */
export function evidenceWords(evidence) {
  if (!evidence) return null;
  const { n_measured: n, sphere, mean_ppm: mean, spread_ppm: spread } = evidence;
  if (!sphere) return "no atom like it was measured";
  const spreadWords = spread === null ? "" : ` ± ${number(spread, 1)}`;
  return `${plural(n, "shift")} alike to ${plural(sphere, "bond")}: ${number(mean, 1)}${spreadWords} ppm`;
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
  const found = [];
  for (const verdict of ["outside", "edge"]) {
    const which = signals.filter((one) => worstVerdict(one) === verdict);
    if (prediction.domain !== verdict && !which.length) continue;
    const reasons = which.flatMap((one) => one.flags.filter((flag) => DOMAIN_FLAGS.has(flag)));
    const words = [
      which.length ? which.map(atomNames).join(", ") : "The molecule as a whole",
      [...new Set(reasons)].map(codeWords).join(", "),
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
    for (const flag of one.flags.filter((code) => !DOMAIN_FLAGS.has(code))) atoms.set(flag, [...(atoms.get(flag) ?? []), atomNames(one)]);
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
