// From shifts of atoms to signals, as the service's own pictures group them.

import { shiftText, stepOf } from "./numbers.js";

const mean = (values) => values.reduce((sum, one) => sum + one, 0) / values.length;

/** Return the signals of a prediction, by nucleus, from high to low shift. */
export function signalsOf(prediction) {
  const groups = new Map();
  for (const atom of prediction.atoms) {
    const key = keyOf(atom.nucleus, atom.signal);
    if (!groups.has(key)) groups.set(key, []);
    groups.get(key).push(atom);
  }
  const found = [...groups].map(([key, atoms]) => signal(key, atoms));
  const order = [...new Set(prediction.atoms.map((atom) => atom.nucleus))];
  return order.map((nucleus) => ({
    nucleus,
    signals: found
      .filter((one) => one.nucleus === nucleus)
      .sort((a, b) => b.shift - a.shift || a.atoms[0] - b.atoms[0]),
  }));
}

/** Return the name that ties a row, a stick and atoms of the molecule together. */
export const keyOf = (nucleus, number) => `${nucleus}:${number}`;

function signal(key, atoms) {
  const nucleus = atoms[0].nucleus;
  const low = Math.min(...atoms.map((atom) => atom.low_ppm));
  const high = Math.max(...atoms.map((atom) => atom.high_ppm));
  const hydrogens = atoms.reduce((sum, atom) => sum + atom.n_hydrogens, 0);
  return {
    key,
    nucleus,
    low,
    high,
    shift: mean(atoms.map((atom) => atom.shift_ppm)),
    reach: (high - low) / 2,
    step: stepOf(nucleus, (high - low) / 2),
    count: nucleus === "1H" ? hydrogens : atoms.length,
    hydrogens: atoms[0].n_hydrogens,
    atoms: atoms.map((atom) => atom.atom_index).sort((a, b) => a - b),
    element: atoms[0].element,
    members: atoms,
    flags: [...new Set(atoms.flatMap((atom) => atom.flags ?? []))],
  };
}

/** Write the atoms of a signal: C5, C11. */
export const atomNames = (one) => one.atoms.map((atom) => `${one.element}${atom}`).join(", ");

/** Describe a signal in words. */
export function signalWords(one) {
  const shift = `${shiftText(one.nucleus, one.shift)} ppm`;
  const reach = `plus or minus ${shiftText(one.nucleus, one.reach)}`;
  return `${one.nucleus} ${shift}, ${reach}, ${one.count} nuclei, atoms ${atomNames(one)}`;
}
