"""Spectra of nuclei that the base model does not have: which of them a head can be made from."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from nmrshift.chem.parse import parse
from nmrshift.chem.policy import RECORD_LIMITS
from nmrshift.chem.symmetry import signal_classes
from nmrshift.constants import ELEMENT_OF_NUCLEUS
from nmrshift.data.records import ShiftRecord
from nmrshift.errors import InputError

LEAST_NEW: Final = 10
"""Molecules with assigned shifts from which a nucleus can be added."""


@dataclass(frozen=True, slots=True)
class NewNuclei:
    """Spectra of nuclei to be added.

    Attributes:
        records: their spectra; a list of one peak in molecules of one signal is assigned.
        names: the nuclei, those with the most molecules first.
        refused: why others are left out, by nucleus.
    """

    records: tuple[ShiftRecord, ...]
    names: tuple[str, ...]
    refused: dict[str, str]


def choose_new(records: Sequence[ShiftRecord]) -> NewNuclei:
    """Choose the nuclei that have assigned shifts of enough molecules.

    Args:
        records: measured spectra of nuclei that the base does not have.
    """
    by_nucleus: dict[str, list[ShiftRecord]] = {}
    for record in records:
        by_nucleus.setdefault(record.nucleus, []).append(record)
    found: dict[str, list[ShiftRecord]] = {}
    refused = {}
    for nucleus, group in by_nucleus.items():
        if nucleus not in ELEMENT_OF_NUCLEUS:
            refused[nucleus] = "not a nucleus that nmrshift knows"
            continue
        placed = [assign_forced(record) for record in group]
        n_molecules = len({record.smiles for record in placed if record.shifts})
        if n_molecules < LEAST_NEW:
            refused[nucleus] = (
                f"assigned shifts of {n_molecules} molecules, and {LEAST_NEW} are needed"
            )
            continue
        found[nucleus] = placed
    names = sorted(found, key=lambda nucleus: -len(found[nucleus]))
    chosen = tuple(record for nucleus in names for record in found[nucleus])
    return NewNuclei(chosen, tuple(names), refused)


def assign_forced(record: ShiftRecord) -> ShiftRecord:
    """Assign a list of one peak where all atoms of the element give one signal.

    Other spectra, and structures that cannot be read, are returned as they are.
    """
    if record.shifts or len({peak.shift_ppm for peak in record.peaks or ()}) != 1:
        return record
    element = ELEMENT_OF_NUCLEUS[record.nucleus]
    try:
        mol = parse(record.smiles, kind="smiles", limits=RECORD_LIMITS).mol
    except InputError:
        return record
    atoms = [atom.GetIdx() for atom in mol.GetAtoms() if atom.GetSymbol() == element]
    classes = signal_classes(mol)
    if not record.peaks or len({classes[atom] for atom in atoms}) != 1:
        return record
    shifts = tuple((atom, record.peaks[0].shift_ppm) for atom in atoms)
    return replace(record, shifts=shifts, peaks=None, assignment="symmetry")
