"""Peak lists turned into assigned spectra by a model's predictions: labels to learn from again.

A round of pseudo-labelling (Lee 2013, ICML workshop on challenges in representation learning): a
model assigns what nobody has, and the next one learns from it. Such labels are marked as uncertain,
and those farther off than the model expects as doubted, so that training trusts them less.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from typing import Final

from nmrshift.data.records import RecordIssue, ShiftRecord
from nmrshift.evaluate.matching import match_peaks
from nmrshift.types import Failure, Prediction, Query, ShiftPredictor

UNCERTAIN: Final = "order-uncertain"
"""What ``assignment`` of such a spectrum says."""

_INTERVAL: Final = 0.99
_CHUNK: Final = 4096


@dataclass(frozen=True, slots=True)
class Numbered:
    """A record and the row it was read from, from 1."""

    row: int
    record: ShiftRecord


def assign_lists(
    records: Iterable[Numbered], predictor: ShiftPredictor
) -> Iterator[ShiftRecord | RecordIssue]:
    """Yield every record with its peaks on atoms, or why there are none.

    Peaks are paired with predicted shifts as :func:`nmrshift.evaluate.matching.match_peaks` says;
    equivalent atoms share a shift. Atoms whose peak lies outside the interval of 99 % are doubted.
    Peaks without an atom are left out. Assigned spectra come back as they are.

    Args:
        records: spectra, assigned or not.
        predictor: the model that assigns.
    """
    left = iter(records)
    while chunk := list(islice(left, _CHUNK)):
        bare = [item for item in chunk if _is_bare(item.record)]
        asked = [item for item in bare if item.record.nucleus in predictor.nuclei]
        queries = [
            Query(item.record.smiles, solvent=item.record.solvent, nuclei=(item.record.nucleus,))
            for item in asked
        ]
        told = predictor.predict_many(queries, nuclei=predictor.nuclei, interval=_INTERVAL)
        answers = {item.row: answer for item, answer in zip(asked, told, strict=True)}
        for item in chunk:
            yield _assigned(item, answers) if _is_bare(item.record) else item.record


def _is_bare(record: ShiftRecord) -> bool:
    return not record.shifts and bool(record.peaks)


def _assigned(
    item: Numbered, answers: dict[int, Prediction | Failure]
) -> ShiftRecord | RecordIssue:
    record, answer = item.record, answers.get(item.row)
    if answer is None:
        reason = f"the model does not predict {record.nucleus}"
        return RecordIssue(item.row, "unsupported_nucleus", reason, record.id)
    if isinstance(answer, Failure):
        return RecordIssue(item.row, answer.code, answer.message, record.id)
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
        return RecordIssue(item.row, "unassigned", "no peak fits an atom", record.id)
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
