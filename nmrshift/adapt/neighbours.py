"""What a network is off by, carried over from measured atoms to atoms alike.

A Gaussian process on the representations of a laboratory's atoms, solved for in closed form: it
learns at once what gradient steps would need many passes for, and it moves the answers under the
laboratory's own convention only. Its settings are those with the smallest error on molecules that
are left out (Sundararajan & Keerthi, doi 10.1162/08997660151134343); labels far off count for less
(Holland & Welsch, doi 10.1080/03610927708827533).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import product
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from nmrshift.adapt.answers import Answered, answer, encode, joined
from nmrshift.data.dataset import ShiftDataset
from nmrshift.model.heads import Neighbours
from nmrshift.model.network import ShiftNetwork
from nmrshift.train.objective import dataset_conditions

MOST_CENTRES: Final = 2000
"""Measured atoms that a correction compares with, at most; more are drawn from."""

_WIDTHS: Final = (0.4, 0.7)
"""Of the kernel, in units of the median distance of two atoms."""

_NOISES: Final = (0.03, 0.1, 0.3, 1.0)
_ROUNDS: Final = 4
_LEAST_DELTA: Final = 1e-6
_LEAST_GAIN: Final = 0.03
_SAME: Final = 1e-3

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Residuals:
    """What a network is off by on atoms; equal ones of a molecule are counted once.

    Attributes:
        h: representations of the atoms ``[n, d_h]``.
        off: measured minus predicted, in units of the nucleus' spread ``[n]``.
        group: number of the molecule ``[n]``.
    """

    h: Floats
    off: Floats
    group: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Corrections:
    """Corrections, and what is left of the errors of molecules that are left out of them.

    Attributes:
        neighbours: by nucleus; only where left-out molecules gain.
        left_out: errors of the atoms they rest on, see :func:`errors_of`.
    """

    neighbours: dict[str, Neighbours]
    left_out: Answered


def neighbours_of(
    network: ShiftNetwork, dataset: ShiftDataset, mols: NDArray[np.int64], seed: int
) -> Corrections:
    """Solve for the corrections of all nuclei that molecules have shifts of.

    Args:
        network: without corrections under the laboratory's convention.
        dataset: the laboratory's.
        mols: molecules to learn from.
        seed: draws atoms where there are too many.
    """
    found = residuals_of(network, dataset, mols, seed)
    solved = {nucleus: solve_neighbours(own) for nucleus, own in found.items()}
    left = {nucleus: replace(found[nucleus], off=off) for nucleus, (_, off) in solved.items()}
    known = {nucleus: item for nucleus, (item, _) in solved.items() if item is not None}
    return Corrections(known, errors_of(network, dataset, left))


def residuals_of(
    network: ShiftNetwork, dataset: ShiftDataset, mols: NDArray[np.int64], seed: int
) -> dict[str, Residuals]:
    """Return what a network is off by, by nucleus.

    Args: as for :func:`neighbours_of`.
    """
    h = encode(network, dataset.graphs)
    found = answer(network, dataset, mols, dataset_conditions(dataset, network.config), h=h)
    _, parent = np.unique(dataset.parent, return_inverse=True)
    residuals = {}
    for number, nucleus in enumerate(network.config.nuclei):
        rows = np.flatnonzero(found.nucleus == number)
        if nucleus in network.config.n_centres or not len(rows):
            continue
        off_ppm = (found.observed_ppm - found.predicted_ppm)[rows]
        encoded = h[torch.from_numpy(found.atom[rows])].double().numpy()
        own = off_ppm / network.config.shift_scale_ppm[number]
        merged = _merged(encoded, own, parent.ravel()[found.mol[rows]])
        residuals[nucleus] = _drawn(merged, seed)
    return residuals


def errors_of(
    network: ShiftNetwork, dataset: ShiftDataset, residuals: Mapping[str, Residuals]
) -> Answered:
    """Return residuals as answers: what is off stands as observed, and predicted is zero.

    Args:
        network: has their units.
        dataset: the laboratory's.
        residuals: by nucleus.
    """
    _, first = np.unique(dataset.parent, return_index=True)
    parts = []
    for number, nucleus in enumerate(network.config.nuclei):
        if nucleus in residuals:
            own = residuals[nucleus]
            off_ppm = own.off * network.config.shift_scale_ppm[number]
            zeros = np.zeros(len(own.off), dtype=np.int64)
            units = np.ones(len(own.off))
            mol = first[own.group]
            parts.append(Answered(mol, zeros + number, off_ppm, 0 * units, units, zeros > 0, zeros))
    return joined(parts)


def solve_neighbours(residuals: Residuals) -> tuple[Neighbours | None, Floats]:
    """Solve for a correction.

    Returns:
        The correction, ``None`` where left-out molecules would not gain; and what is left of the
        errors of atoms whose molecule is left out of it ``[n]``.
    """
    apart = cdist(residuals.h, residuals.h)
    typical = apart[apart > _SAME]
    if not len(typical) or len(np.unique(residuals.group)) < 2:
        return None, residuals.off
    middle = float(np.median(typical))
    fits = [
        _robust(np.exp(-apart / (share * middle)), residuals, noise, share * middle)
        for share, noise in product(_WIDTHS, _NOISES)
    ]
    best = min(fits, key=lambda fit: fit.left_error)
    if best.left_error > (1 - _LEAST_GAIN) * float(np.abs(residuals.off).mean()):
        return None, residuals.off
    correction = Neighbours(residuals.h.shape[1], len(residuals.off))
    correction.centres.copy_(torch.from_numpy(residuals.h))
    correction.alpha.copy_(torch.from_numpy(best.alpha))
    correction.width.fill_(best.width)
    return correction, best.left


@dataclass(frozen=True, slots=True)
class _Fit:
    alpha: Floats
    width: float
    left: Floats

    @property
    def left_error(self) -> float:
        """Mean error on left-out molecules."""
        return float(np.abs(self.left).mean())


def _robust(alike: Floats, residuals: Residuals, noise: float, width: float) -> _Fit:
    """Solve with weights that fall with a label's error beyond the median one."""
    off, weight = residuals.off, np.ones(len(residuals.off))
    unit = max(float(np.median(np.abs(off))), _LEAST_DELTA)
    members = [np.flatnonzero(residuals.group == number) for number in np.unique(residuals.group)]
    alpha = left = off
    for _ in range(_ROUNDS):
        inverse = np.linalg.inv(alike + np.diag(noise / weight))
        alpha = inverse @ off
        left = np.empty_like(off)
        for rows in members:
            left[rows] = np.linalg.solve(inverse[np.ix_(rows, rows)], alpha[rows])
        size = np.abs(left)
        delta = max(float(np.median(size)), 1e-3 * unit)
        weight = np.minimum(1.0, delta / np.maximum(size, delta))
    return _Fit(alpha, width, left)


def _merged(h: Floats, off: Floats, group: NDArray[np.int64]) -> Residuals:
    """Join atoms of a molecule that are the same to the network, and take the mean of theirs."""
    keys = np.column_stack([group, np.round(h / _SAME)])
    _, first, place = np.unique(keys, axis=0, return_index=True, return_inverse=True)
    place = place.ravel()
    return Residuals(h[first], np.bincount(place, off) / np.bincount(place), group[first])


def _drawn(residuals: Residuals, seed: int) -> Residuals:
    n = len(residuals.off)
    if n <= MOST_CENTRES:
        return residuals
    rows = np.sort(np.random.default_rng(seed).permutation(n)[:MOST_CENTRES])
    return Residuals(residuals.h[rows], residuals.off[rows], residuals.group[rows])
