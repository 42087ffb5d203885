"""Which peak of an unassigned spectrum belongs to which predicted atom.

Shifts are one-dimensional, so where numbers agree the cheapest assignment is the sorted one;
otherwise a linear assignment with a price on every peak and signal left over (``scipy.optimize``,
doi 10.1109/TAES.2016.140952). In 13C the letters S, D, T, Q say how many hydrogens the carbon
carries, and peaks are only matched to such carbons.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.optimize import linear_sum_assignment

from nmrshift.data.peak_groups import letter_classes, merge_peaks
from nmrshift.data.records import Peak
from nmrshift.types import AtomShift

PRICE_PPM: Final[dict[str, float]] = {"13C": 20.0, "1H": 2.0, "19F": 25.0, "31P": 40.0}
"""Price of leaving one peak or one signal without partner; a judgement, near the 99th percentile
of errors: a pair farther apart than twice the price is never made where numbers disagree."""

_PRICE_ELSEWHERE_PPM: Final = 30.0


@dataclass(frozen=True, slots=True)
class Pair:
    """A peak and the atom it was matched to."""

    peak: Peak
    atom: AtomShift


@dataclass(frozen=True, slots=True)
class Matching:
    """The cheapest assignment of a peak list.

    Attributes:
        pairs: peaks with a partner, by shift.
        n_extra_peaks: peaks without.
        n_missing_signals: signals (sets of equivalent atoms) without any peak.
    """

    pairs: tuple[Pair, ...]
    n_extra_peaks: int
    n_missing_signals: int


def match_peaks(atoms: Sequence[AtomShift], peaks: Sequence[Peak], nucleus: str) -> Matching:
    """Match the peaks of one spectrum to the predicted atoms of its nucleus.

    Equivalent atoms may be listed once or each. Peaks with the same number in ``source_index``
    are one atom and are averaged first.

    Args:
        atoms: predicted atoms of the nucleus, all of one molecule.
        peaks: the peak list.
        nucleus: nucleus of both.
    """
    price_ppm = PRICE_PPM.get(nucleus, _PRICE_ELSEWHERE_PPM)
    classes = letter_classes(atoms, merge_peaks(peaks), nucleus)
    parts = [_match(those, lines, price_ppm) for those, lines in classes]
    return Matching(
        pairs=tuple(sorted((pair for part in parts for pair in part.pairs), key=_by_peak)),
        n_extra_peaks=sum(part.n_extra_peaks for part in parts),
        n_missing_signals=sum(part.n_missing_signals for part in parts),
    )


def _match(atoms: list[AtomShift], peaks: list[Peak], price_ppm: float) -> Matching:
    """Match one class of atoms and peaks."""
    atoms = sorted(atoms, key=lambda atom: atom.shift_ppm)
    peaks = sorted(peaks, key=lambda peak: peak.shift_ppm)
    first: dict[int, AtomShift] = {}
    for atom in atoms:
        first.setdefault(atom.signal, atom)
    signals = list(first.values())
    if len(peaks) == len(atoms):
        pairs = [Pair(peak, atom) for peak, atom in zip(peaks, atoms, strict=True)]
    elif len(peaks) == len(signals):
        pairs = [Pair(peak, atom) for peak, atom in zip(peaks, signals, strict=True)]
    else:
        pairs = _assign(atoms if len(peaks) > len(signals) else signals, peaks, price_ppm)
    seen = {pair.atom.signal for pair in pairs}
    return Matching(
        pairs=tuple(pairs),
        n_extra_peaks=len(peaks) - len(pairs),
        n_missing_signals=len(signals) - len(seen),
    )


def _assign(atoms: list[AtomShift], peaks: list[Peak], price_ppm: float) -> list[Pair]:
    """Solve the assignment; leaving a peak or an atom out costs the price."""
    n_peaks, n_atoms = len(peaks), len(atoms)
    observed = np.array([peak.shift_ppm for peak in peaks])
    predicted = np.array([atom.shift_ppm for atom in atoms])
    cost = np.zeros((n_peaks + n_atoms, n_atoms + n_peaks))
    cost[:n_peaks, :n_atoms] = np.abs(observed[:, None] - predicted[None, :])
    cost[:n_peaks, n_atoms:] = price_ppm
    cost[n_peaks:, :n_atoms] = price_ppm
    rows, columns = linear_sum_assignment(cost)
    return [
        Pair(peaks[row], atoms[column])
        for row, column in zip(rows, columns, strict=True)
        if row < n_peaks and column < n_atoms
    ]


def _by_peak(pair: Pair) -> float:
    return float(pair.peak.shift_ppm)
