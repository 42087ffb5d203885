// What can be taken away: text for a paper, tables, the answer, pictures.

import { number, shiftText } from "./numbers.js";

const WITH_COUNT = new Set(["1H", "19F"]);

/** Write the spectra as a paper would, one line a nucleus, and say that they are predicted. */
export function acsText(prediction, groups, solvent) {
  const where = solvent ? `${solvent}, ` : "";
  const lines = groups.map(({ nucleus, signals }) => {
    const shifts = signals.map((one) => {
      const symbol = nucleus.replace(/^\d+/, "");
      const counted = WITH_COUNT.has(nucleus) || one.count > 1;
      return shiftText(nucleus, one.shift) + (counted ? ` (${one.count}${symbol})` : "");
    });
    return `${nucleus} NMR (${where}predicted by ${prediction.model}) δ ${shifts.join(", ")}.`;
  });
  return lines.join("\n");
}

const quoted = (value) => {
  const text = String(value ?? "");
  return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
};

/** Write the table as CSV, with the second solvent and the measured shifts where they are. */
export function csvText(prediction, groups, other, measured) {
  const head = ["nucleus", "atoms", "shift_ppm", "low_ppm", "high_ppm", "n_nuclei", "flags", "solvent"];
  if (other) head.push("other_solvent", "other_shift_ppm", "other_low_ppm", "other_high_ppm");
  if (measured) head.push("measured_ppm", "error_ppm");
  head.push("model");
  const rows = groups.flatMap((group) => group.signals).map((one) => {
    const cells = [one.nucleus, one.atoms.join(" "), ...[one.shift, one.low, one.high].map(plain),
      one.count, one.flags.join(" "), prediction.solvent];
    const there = other?.byKey.get(one.key);
    if (other) cells.push(other.key, plain(there?.shift), plain(there?.low), plain(there?.high));
    const found = measured?.get(one.key);
    if (measured) cells.push(plain(found?.observed), plain(found?.error));
    return [...cells, prediction.model];
  });
  return [head, ...rows].map((cells) => `${cells.map(quoted).join(",")}\r\n`).join("");
}

const plain = (ppm) => (typeof ppm === "number" ? number(ppm, 3).replace("\u2212", "-") : "");

/** Media types that the service may offer for a prediction, beside those made here. */
export const SERVER_FORMATS = [
  { pattern: /nmredata/i, name: "NMReDATA", suffix: "nmredata.sdf" },
  { pattern: /sdfile|sdf/i, name: "SDF", suffix: "sdf" },
];

/** Copy text to the clipboard. */
export async function copyText(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const area = document.createElement("textarea");
  area.value = text;
  document.body.append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  if (!done) throw new Error("the clipboard is closed");
}
