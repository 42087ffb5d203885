"""Peak lists turned into assigned spectra by a model's predictions: labels to learn from again.

A round of pseudo-labelling (Lee 2013, ICML workshop on challenges in representation learning): a
model assigns what nobody has, and the next one learns from it. Such labels are marked as uncertain,
and those farther off than the model expects as doubted, so that training trusts them less.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import islice
from typing import Final, TypeGuard

from nmrshift.data.records import RecordIssue, ShiftRecord
from nmrshift.evaluate.matching import match_peaks
from nmrshift.types import Failure, Prediction, Query, ShiftPredictor

UNCERTAIN: Final = "order-uncertain"
"""What ``assignment`` of such a spectrum says."""

_INTERVAL: Final = 0.99
_CHUNK: Final = 4096


def assign_lists(
    entries: Iterable[ShiftRecord | RecordIssue], predictor: ShiftPredictor
) -> Iterator[ShiftRecord | RecordIssue]:
    """Yield every record with its peaks on atoms, or why there are none.

    Peaks are paired with predicted shifts as :func:`nmrshift.evaluate.matching.match_peaks` says;
    equivalent atoms share a shift. Atoms whose peak lies outside the interval of 99 % are doubted.
    Peaks without an atom are left out. Assigned spectra and issues come back as they are.

    Args:
        entries: spectra, assigned or not, and what is none, a row each.
        predictor: the model that assigns.
    """
    rows = enumerate(entries, 1)
    while chunk := list(islice(rows, _CHUNK)):
        asked = {
            row: record
            for row, record in chunk
            if _is_bare(record) and record.nucleus in predictor.nuclei
        }
        queries = [
            Query(record.smiles, solvent=record.solvent, nuclei=(record.nucleus,))
            for record in asked.values()
        ]
        told = predictor.predict_many(queries, nuclei=predictor.nuclei, interval=_INTERVAL)
        answers = dict(zip(asked, told, strict=True))
        for row, entry in chunk:
            yield _assigned(row, entry, answers.get(row)) if _is_bare(entry) else entry


def _is_bare(entry: ShiftRecord | RecordIssue) -> TypeGuard[ShiftRecord]:
    return isinstance(entry, ShiftRecord) and not entry.shifts and bool(entry.peaks)


def _assigned(
    row: int, record: ShiftRecord, answer: Prediction | Failure | None
) -> ShiftRecord | RecordIssue:
    if answer is None:
        reason = f"the model does not predict {record.nucleus}"
        return RecordIssue(row, "unsupported_nucleus", reason, record.id)
    if isinstance(answer, Failure):
        return RecordIssue(row, answer.code, answer.message, record.id)
    atoms = answer.of(record.nucleus)
    pairs = match_peaks(atoms, record.peaks or (), record.nucleus).pairs
    own = {pair.atom.atom_index: pair.peak.shift_ppm for pair in pairs}
    shared = {pair.atom.signal: pair.peak.shift_ppm for pair in pairs}
    placed = [
        (atom, own.get(atom.atom_index, shared[atom.signal]))
        for atom in atoms
        if atom.signal in shared
    ]
    if not placed:
        return RecordIssue(row, "unassigned", "no peak fits an atom", record.id)
    doubted = tuple(
        atom.atom_index
        for atom, shift_ppm in placed
        if not atom.low_ppm <= shift_ppm <= atom.high_ppm
    )
    return replace(
        record,
        assignment=UNCERTAIN,
        shifts=tuple((atom.atom_index, shift_ppm) for atom, shift_ppm in placed),
        peaks=None,
        doubted=doubted or None,
    )
