"""The solvent tables: the same small compounds in a dozen solvents, their peaks put on atoms."""

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from scipy.optimize import linear_sum_assignment

from nmrshift.benchmark.spectra import Library
from nmrshift.chem.solvents import normalise
from nmrshift.data.records import ShiftRecord
from nmrshift.predict.predictor import Predictor
from nmrshift.types import AtomShift

REFERENCE: Final = "cdcl3"
N_FOLDS: Final = 5

CORRECTED: Final = {"CC(=O)CC": "CCOC(C)=O", "CCOCC": "COCCOC"}
"""Structures in the tables that are not those of the named compound, whose shifts are right: ethyl
acetate stands as butanone, and 1,2-dimethoxyethane as diethyl ether."""

_HYDROGENS: Final = re.compile(r"H([₂₃₄]?)")
_COUNT: Final = {"": 1, "₂": 2, "₃": 3, "₄": 4}
_WRONG_GROUP_PPM: Final = {"13C": 20.0, "1H": 2.0}
"""Price of a peak on an atom with other hydrogens than its group's name says: some are confused."""


@dataclass(frozen=True, slots=True)
class Change:
    """One atom in a solvent and in chloroform.

    Attributes:
        smiles: the compound.
        atom_index: first atom of the signal.
        solvent: key of the solvent.
        shift_ppm: measured there.
        change_ppm: the same less the shift in chloroform.
    """

    smiles: str
    atom_index: int
    solvent: str
    shift_ppm: float
    change_ppm: float


def table_spectra(library: Library, nucleus: str) -> list[ShiftRecord]:
    """Read the tables of one nucleus, with wrong structures put right."""
    return [
        replace(record, smiles=CORRECTED.get(record.smiles, record.smiles))
        for record in library.read(f"solvent_tables/{nucleus}")
    ]


def folds(compounds: Iterable[str]) -> dict[str, int]:
    """Deal compounds out to ``N_FOLDS`` folds of equal size, by the hash of their names."""

    def place(smiles: str) -> bytes:
        return hashlib.blake2b(smiles.encode(), person=b"solvents").digest()

    ranked = sorted(set(compounds), key=place)
    return {smiles: number % N_FOLDS for number, smiles in enumerate(ranked)}


def changes(records: Sequence[ShiftRecord], predictor: Predictor) -> list[Change]:
    """Return all changes from chloroform that the tables tell.

    Args:
        records: tables of one nucleus.
        predictor: says which peak is whose, by its shifts in chloroform and the groups' names.
    """
    shifts: defaultdict[tuple[str, int], dict[str, float]] = defaultdict(dict)
    signals: dict[str, list[AtomShift]] = {}
    for record in records:
        if record.smiles not in signals:
            signals[record.smiles] = _signals(record, predictor)
        solvent = normalise(record.solvent).key
        for atom, shift_ppm in _place(record, signals[record.smiles]):
            shifts[record.smiles, atom][solvent] = shift_ppm
    return [
        Change(smiles, atom, solvent, shift_ppm, shift_ppm - found[REFERENCE])
        for (smiles, atom), found in sorted(shifts.items())
        if REFERENCE in found
        for solvent, shift_ppm in sorted(found.items())
        if solvent != REFERENCE
    ]


def _signals(record: ShiftRecord, predictor: Predictor) -> list[AtomShift]:
    """Return the first atom of each signal of a compound in chloroform."""
    found: dict[int, AtomShift] = {}
    predicted = predictor.predict(record.smiles, solvent="CDCl3", nuclei=(record.nucleus,))
    for atom in predicted.of(record.nucleus):
        found.setdefault(atom.signal, atom)
    return list(found.values())


def _place(record: ShiftRecord, signals: Sequence[AtomShift]) -> list[tuple[int, float]]:
    """Pair the peaks of one spectrum with signals, at the least cost over all."""
    peaks = record.peaks or ()
    cost = np.array(
        [
            [
                abs(peak.shift_ppm - signal.shift_ppm)
                + _WRONG_GROUP_PPM[record.nucleus]
                * (_hydrogens(peak.label or "") != signal.n_hydrogens)
                for signal in signals
            ]
            for peak in peaks
        ]
    )
    rows, columns = linear_sum_assignment(cost)
    return [
        (signals[column].atom_index, peaks[row].shift_ppm)
        for row, column in zip(rows.tolist(), columns.tolist(), strict=True)
    ]


def _hydrogens(label: str) -> int:
    """Return how many hydrogens a group's name says: 3 of ``CH₃CO``, 0 of ``CO``."""
    found = _HYDROGENS.search(label)
    return _COUNT[found[1]] if found else 0
