// Shifts as they are written.

const nuclei = new Map();

/** Remember what the service says of its nuclei. */
export function learnNuclei(found) {
  for (const one of found) nuclei.set(one.nucleus, one);
}

/** Return the decimals that a shift of this nucleus is written with. */
export const decimalsOf = (nucleus) => nuclei.get(nucleus)?.decimals ?? 1;

/** Write a number with a true minus sign, never as minus zero. */
export function number(value, decimals) {
  const text = value.toFixed(decimals);
  return (Number(text) === 0 ? text.replace("-", "") : text).replace("-", "\u2212");
}

/** Write a shift. */
export const shiftText = (nucleus, ppm) => number(ppm, decimalsOf(nucleus));

/** Write a difference of shifts, with its sign. */
export function differenceText(nucleus, ppm) {
  const text = number(ppm, decimalsOf(nucleus));
  return /[1-9]/.test(text) && ppm > 0 ? `+${text}` : text;
}

/** Return the step of certainty of an interval, 0 (narrow) to 3. */
export function stepOf(nucleus, halfWidthPpm) {
  const ends = nuclei.get(nucleus)?.step_ends_ppm ?? [4, 8, 16];
  return ends.filter((end) => halfWidthPpm > end).length;
}

/** What the steps are called. */
export const STEP_NAMES = ["narrow", "medium", "wide", "very wide"];

/** Write a nucleus with its mass number raised, as plain text. */
export const raised = (nucleus) =>
  nucleus.replace(/^\d+/, (mass) => [...mass].map((digit) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[digit]).join(""));

/** Write a number of things. */
export const plural = (n, one, many = `${one}s`) => `${n.toLocaleString("en")} ${n === 1 ? one : many}`;
