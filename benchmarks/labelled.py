"""Assigned test spectra, and how each is asked for: in its solvent, by its convention."""

from collections.abc import Iterator
from pathlib import Path

from nmrshift import Prediction, Predictor, Query
from nmrshift.data.records import ShiftRecord, read_records
from nmrshift.types import AtomShift


def assigned(path: Path, nucleus: str) -> list[ShiftRecord]:
    """Read the assigned spectra of one nucleus."""
    return [
        record
        for record in read_records(path)
        if isinstance(record, ShiftRecord) and record.nucleus == nucleus and record.shifts
    ]


def query_of(record: ShiftRecord, predictor: Predictor) -> Query:
    """Ask for a spectrum as it was measured."""
    source = record.source if record.source in predictor.sources else None
    return Query(record.smiles, solvent=record.solvent, source=source)


def matched(record: ShiftRecord, answer: Prediction) -> Iterator[tuple[AtomShift, float]]:
    """Set predicted atoms beside measured shifts, ppm."""
    atoms = {atom.atom_index: atom for atom in answer.atoms}
    for index, shift_ppm in record.shifts or ():
        if index in atoms:
            yield atoms[index], shift_ppm
