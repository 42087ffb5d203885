// The table of signals: one row a signal, a section a nucleus.

import { h, nucleusName } from "./dom.js";
import { firstStop } from "./highlight.js";
import { STEP_NAMES, differenceText, shiftText } from "./numbers.js";
import { atomNames } from "./signals.js";
import { codeWords, evidenceWords, worstVerdict } from "./warnings.js";

/**
 * Make the table. `other` is null or { label, byKey } of a second solvent; `measured` is null or
 * a map from keys to { observed, error, probability, flags }.
 */
export function table(groups, solvent, other, measured) {
  const extra = { other, measured };
  const head = [
    h("th", { scope: "col" }, "Atoms"),
    h("th", { scope: "col", class: "n" }, "δ / ppm", other && h("small", {}, solvent)),
    h("th", { scope: "col", class: "n" }, "±"),
    h("th", { scope: "col", class: "n", title: "Nuclei that make the signal" }, "n"),
    other && h("th", { scope: "col", class: "n" }, "δ / ppm", h("small", {}, other.label)),
    other && h("th", { scope: "col", class: "n" }, h("abbr", { title: "Difference" }, "Δ")),
    measured && h("th", { scope: "col", class: "n" }, "Measured"),
    measured && h("th", { scope: "col", class: "n" }, "Error"),
  ].filter(Boolean);
  const made = h(
    "table",
    { class: "signals", "data-group": "table" },
    h("caption", { class: "unseen" }, "Predicted signals; atoms are counted from 0 in the order of the input"),
    h("thead", {}, h("tr", {}, head)),
    groups.map((group) => section(group, extra, head.length)),
  );
  firstStop(made);
  return made;
}

const section = ({ nucleus, signals }, extra, columns) =>
  h(
    "tbody",
    {},
    h("tr", { class: "group" }, h("th", { scope: "rowgroup", colspan: columns }, nucleusName(nucleus))),
    signals.map((one) => [row(one, extra), remarkRow(one, columns)]),
  );

function row(one, { other, measured }) {
  const verdict = worstVerdict(one);
  return h(
    "tr",
    { "data-keys": one.key, tabindex: "-1", class: verdict === "outside" ? "outside" : null },
    h("td", { class: "atoms" }, atomNames(one)),
    h("td", { class: "n shift" }, shiftText(one.nucleus, one.shift)),
    h("td", { class: "n" }, reach(one)),
    h("td", { class: "n soft" }, String(one.count)),
    other && otherCells(one, other.byKey.get(one.key)),
    measured && measuredCells(one, measured.get(one.key)),
  );
}

/** What is to be said of a signal stands below its row. */
function remarkRow(one, columns) {
  const remarks = remarksOf(one);
  return remarks.length > 0 &&
    h("tr", { "data-keys": one.key, class: "remarks" }, h("td", { colspan: columns }, remarks));
}

const reach = (one) => [
  h("span", { class: `chip step-${one.step}`, title: `${STEP_NAMES[one.step]} interval` }),
  shiftText(one.nucleus, one.reach),
];

function otherCells(one, there) {
  if (!there) return [h("td", {}), h("td", {})];
  return [
    h("td", { class: "n" }, shiftText(one.nucleus, there.shift),
      h("span", { class: "small" }, ` ±${shiftText(one.nucleus, there.reach)}`)),
    h("td", { class: "n" }, differenceText(one.nucleus, there.shift - one.shift)),
  ];
}

function measuredCells(one, found) {
  if (!found || found.observed === null) {
    return [h("td", { class: "n soft" }, found ? "none" : ""), h("td", {})];
  }
  const poor = found.flags.length ? h("span", { class: "flag" }, found.flags.map(codeWords).join(", ")) : "";
  return [
    h("td", { class: "n" }, shiftText(one.nucleus, found.observed)),
    h("td", { class: "n" }, poor, differenceText(one.nucleus, found.error)),
  ];
}

function remarksOf(one) {
  const verdict = worstVerdict(one);
  const evidence = [...new Set(one.members.map((atom) => evidenceWords(atom.evidence)).filter(Boolean))];
  return [
    ["outside", "edge"].includes(verdict) && h("span", { class: `flag ${verdict}` }, verdict),
    one.flags.map((flag) => h("span", { class: "flag" }, codeWords(flag))),
    evidence.map((words) => h("span", { class: "evidence" }, words)),
  ].flat().filter(Boolean);
}
