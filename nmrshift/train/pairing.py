"""Which peak of an unassigned list is whose, by the network's own predictions of the moment.

In one dimension the cheapest pairing of equally many peaks and atoms is the sorted one, for any
convex cost, so it costs one sort a batch. Where numbers differ, a linear assignment prices what
stays without partner. How sure a pairing is comes from its neighbours: exchanging two peaks costs
``(p2 - p1) * (y2 - y1) / scale**2`` in log-likelihood, and matters as far as the peaks differ.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from nmrshift.data.peak_lists import ListBatch

PRICE: Final = 0.4
"""Price of a peak or an atom without partner, in units of the nucleus' spread: 20 ppm in 13C."""

UNEVEN_CONFIDENCE: Final = 0.5
"""Confidence factor of groups in which peaks are missing or too many."""


@dataclass(frozen=True, slots=True)
class Pairing:
    """Targets for the candidate atoms of a batch's peak lists.

    Attributes:
        target: the peak paired with each candidate, in the unit of the predictions
            ``[n_candidates]``; zero where there is none.
        confidence: 0-1, zero where there is no peak ``[n_candidates]``.
    """

    target: NDArray[np.float64]
    confidence: NDArray[np.float64]


def pair(
    predicted: NDArray[np.float64],
    scale: NDArray[np.float64],
    peaks: NDArray[np.float64],
    lists: ListBatch,
) -> Pairing:
    """Pair all groups of a batch.

    Args:
        predicted: prediction for each candidate, in units of its nucleus' spread
            ``[n_candidates]``.
        scale: the network's error scale of each, in the same unit.
        peaks: the lists' peaks in the same unit ``[n_peaks]``.
        lists: which candidates and peaks belong together.
    """
    n_atoms = np.bincount(lists.atom_group, minlength=lists.n_groups)
    n_peaks = np.bincount(lists.peak_group, minlength=lists.n_groups)
    even = n_atoms == n_peaks
    target = np.zeros(len(predicted))
    confidence = np.zeros(len(predicted))
    rows = np.flatnonzero(even[lists.atom_group])
    rows = rows[np.lexsort((predicted[rows], lists.atom_group[rows]))]
    sorted_peaks = peaks[even[lists.peak_group]]
    target[rows] = sorted_peaks
    confidence[rows] = _confidence(
        predicted[rows], sorted_peaks, scale[rows], lists.atom_group[rows]
    )
    for group in np.flatnonzero(~even):
        atoms = np.flatnonzero(lists.atom_group == group)
        lines = peaks[lists.peak_group == group]
        chosen, partner = _assign(predicted[atoms], lines)
        target[atoms[chosen]] = lines[partner]
        confidence[atoms[chosen]] = UNEVEN_CONFIDENCE
    return Pairing(target, confidence)


def _confidence(
    predicted: NDArray[np.float64],
    peaks: NDArray[np.float64],
    scale: NDArray[np.float64],
    group: NDArray[np.int64],
) -> NDArray[np.float64]:
    """Return how sure each pairing is, for rows sorted by group and prediction."""
    doubt = np.zeros(len(predicted))
    if len(predicted) > 1:
        apart = np.diff(peaks)
        likelihood = np.diff(predicted) * apart / (2 * scale[1:] * scale[:-1])
        swap = np.where(np.diff(group) == 0, np.exp(-np.clip(likelihood, 0.0, 50.0)), 0.0)
        doubt[:-1] += swap * np.clip(apart / scale[:-1], 0.0, 1.0)
        doubt[1:] += swap * np.clip(apart / scale[1:], 0.0, 1.0)
    return 1 / (1 + doubt)


def _assign(
    predicted: NDArray[np.float64], peaks: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return atoms and their peaks; leaving one out costs the price."""
    n_atoms, n_peaks = len(predicted), len(peaks)
    cost = np.zeros((n_atoms + n_peaks, n_peaks + n_atoms))
    cost[:n_atoms, :n_peaks] = np.abs(predicted[:, None] - peaks[None, :])
    cost[:n_atoms, n_peaks:] = PRICE
    cost[n_atoms:, :n_peaks] = PRICE
    rows, columns = linear_sum_assignment(cost)
    paired = (rows < n_atoms) & (columns < n_peaks)
    return rows[paired], columns[paired]
