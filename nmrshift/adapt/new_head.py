"""The head of a nucleus that the base does not have, solved for from tens of shifts.

Gradient steps need more labels than there are. A Gaussian process on the base's representations
of labelled atoms is solved for in closed form, and so are its errors on a molecule that is left
out (Sundararajan & Keerthi, Neural Computation 2001, doi 10.1162/08997660151134343). Labels far
off count for less, by iteratively reweighted least squares (Holland & Welsch, Communications in
Statistics 1977, doi 10.1080/03610927708827533): a wrong one among tens would bend all others.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.spatial.distance import cdist
from torch import Tensor

from nmrshift.adapt.grow import NewHead
from nmrshift.data.dataset import ShiftDataset
from nmrshift.graph.batch import take_ranges
from nmrshift.model.heads import CONSTANT_KERNEL, KernelHead

MOST_CENTRES: Final = 1000
"""Labelled atoms that a head compares with, at most; more are drawn from."""

_NOISES: Final = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)
_ROUNDS: Final = 8
_LEAST_DELTA: Final = 1e-3
_LEAST_SPREAD_PPM: Final = 0.1
_LEAST_ERROR_PPM: Final = 1e-3
_SAME: Final = 1e-6

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class NewLabels:
    """Assigned shifts of one new nucleus, one an atom and alike atoms of a molecule one.

    Attributes:
        h: the base's representations of the atoms ``[n_labels, d_h]``.
        shift_ppm: what was measured, the mean of several spectra ``[n_labels]``.
        group: number of the molecule, stereoisomers and salts counted once ``[n_labels]``.
        weight: of the label; those of a molecule add up to 1 ``[n_labels]``.
    """

    h: Floats
    shift_ppm: Floats
    group: NDArray[np.int64]
    weight: Floats

    @property
    def n_molecules(self) -> int:
        """Number of molecules."""
        return len(np.unique(self.group))


@dataclass(frozen=True, slots=True)
class Solved:
    """A head, and what it makes of molecules that are left out of it one at a time.

    Attributes:
        new: the head with its unit.
        mae_ppm: mean absolute error on left-out molecules, every one counted once.
        scores: largest error of each in units of the error scale it gets ``[n_molecules]``.
    """

    new: NewHead
    mae_ppm: float
    scores: Floats


def labels_of(dataset: ShiftDataset, h: Tensor, mols: NDArray[np.int64], number: int) -> NewLabels:
    """Collect the assigned shifts that molecules have of one nucleus.

    Args:
        dataset: the laboratory's.
        h: the base's representations of all its atoms ``[n_atoms, d_h]``.
        mols: molecules.
        number: of the nucleus.
    """
    rows, n_labels = take_ranges(dataset.first_label, mols)
    mol = np.repeat(mols, n_labels)
    chosen = dataset.label_nucleus[rows] == number
    rows, mol = rows[chosen], mol[chosen]
    atom = dataset.graphs.first_atom[mol] + dataset.label_node[rows]
    _, group = np.unique(dataset.parent[mol], return_inverse=True)
    encoded = h[torch.from_numpy(atom)].double().numpy()
    keys = np.column_stack([group, np.round(encoded / _SAME**0.5)])
    _, first, place = np.unique(keys, axis=0, return_index=True, return_inverse=True)
    n_spectra = np.bincount(place.ravel())
    shift_ppm = np.bincount(place.ravel(), dataset.label_ppm[rows].astype(np.float64)) / n_spectra
    own = group[first].astype(np.int64)
    return NewLabels(encoded[first], shift_ppm, own, (1.0 / np.bincount(own))[own])


def solve(labels: NewLabels, seed: int) -> Solved:
    """Solve for a head; where no process beats the middle of the shifts, it answers the middle.

    Args:
        labels: what is learned.
        seed: draws labels where there are too many.
    """
    labels = _drawn(labels, seed)
    squared = cdist(labels.h, labels.h, "sqeuclidean")
    apart = squared[squared > _SAME]
    width = float(np.median(apart)) if len(apart) else 1.0
    kernel = np.exp(-squared / (2 * width))
    fits = [_robust(kernel, labels, noise) for noise in _NOISES]
    best = min(fits, key=lambda fit: fit.mae)
    middle = _robust(np.zeros_like(kernel), labels, 1.0)
    if best.mae < middle.mae:
        return _as_head(labels, best, width)
    return _middle_head(labels, middle)


def answer_middle(labels: NewLabels, seed: int) -> Solved:
    """Return a head that answers the middle of what was measured: the least that can be said.

    Args: as for :func:`solve`.
    """
    labels = _drawn(labels, seed)
    n_labels = len(labels.shift_ppm)
    return _middle_head(labels, _robust(np.zeros((n_labels, n_labels)), labels, 1.0))


def few_factors(scores: Floats, levels: tuple[float, ...]) -> tuple[float, ...]:
    """Return interval factors from few scores, one a molecule.

    Up to the level ``n / (n + 1)`` they are those of split conformal calibration; above, where
    nothing is guaranteed, errors are taken to have an exponential tail from the largest score on.

    Args:
        scores: largest error of each molecule in units of its error scale ``[n]``.
        levels: nominal coverages.
    """
    ordered = np.sort(scores)
    n = len(ordered)
    factors = []
    for level in levels:
        rank = int(np.ceil((n + 1) * level - 1e-9))
        tail = np.log(1 - level) / -np.log(n + 1)
        factors.append(ordered[rank - 1] if rank <= n else ordered[-1] * max(1.0, tail))
    return tuple(round(float(factor), 5) for factor in factors)


@dataclass(frozen=True, slots=True)
class _Fit:
    """A process: inverse of its matrix, coefficients, and labels without their molecule.

    ``left`` is what remains of each label, ``variance`` that of the left-out process.
    """

    inverse: Floats
    alpha: Floats
    noise: float
    left: Floats
    variance: Floats
    mae: float


def _drawn(labels: NewLabels, seed: int) -> NewLabels:
    n_labels = len(labels.shift_ppm)
    if n_labels <= MOST_CENTRES:
        return labels
    rows = np.sort(np.random.default_rng(seed).permutation(n_labels)[:MOST_CENTRES])
    _, group = np.unique(labels.group[rows], return_inverse=True)
    return NewLabels(labels.h[rows], labels.shift_ppm[rows], group, labels.weight[rows])


def _unit(labels: NewLabels) -> tuple[float, float]:
    mean = float(np.average(labels.shift_ppm, weights=labels.weight))
    spread = float(np.average((labels.shift_ppm - mean) ** 2, weights=labels.weight)) ** 0.5
    return round(mean, 4), max(_LEAST_SPREAD_PPM, round(spread, 4))


def _robust(kernel: Floats, labels: NewLabels, noise: float) -> _Fit:
    """Solve with weights that fall with a label's error beyond the median one."""
    mean_ppm, spread_ppm = _unit(labels)
    target = (labels.shift_ppm - mean_ppm) / spread_ppm
    weight = labels.weight
    fit = solve_process(kernel, target, weight, labels.group, noise)
    for _ in range(_ROUNDS):
        off = np.abs(fit.left)
        delta = max(_LEAST_DELTA, float(np.median(off)))
        weight = labels.weight * np.minimum(1.0, delta / np.maximum(off, delta))
        fit = solve_process(kernel, target, weight, labels.group, noise)
    mae = float(np.average(np.abs(fit.left), weights=labels.weight))
    return _Fit(fit.inverse, fit.alpha, noise, fit.left, fit.variance, mae)


def solve_process(
    kernel: Floats, target: Floats, weight: Floats, group: NDArray[np.int64], noise: float
) -> _Fit:
    """Solve a Gaussian process, and leave every molecule out of it.

    Args:
        kernel: likeness of labelled atoms ``[n_labels, n_labels]``.
        target: their labels ``[n_labels]``.
        weight: trust in each ``[n_labels]``.
        group: its molecule ``[n_labels]``.
        noise: variance of a label of weight 1.
    """
    matrix = kernel + CONSTANT_KERNEL + np.diag(noise / weight)
    inverse = np.asarray(np.linalg.inv(matrix), dtype=np.float64)
    alpha = inverse @ target
    left, variance = np.empty_like(target), np.empty_like(target)
    for number in range(int(group.max()) + 1):
        rows = np.flatnonzero(group == number)
        spread = np.linalg.inv(inverse[np.ix_(rows, rows)])
        left[rows] = spread @ alpha[rows]
        variance[rows] = np.diag(spread) - noise / weight[rows]
    return _Fit(inverse, alpha, noise, left, np.maximum(variance, 0.0), float("nan"))


@torch.no_grad()
def _as_head(labels: NewLabels, fit: _Fit, width: float) -> Solved:
    """Make a head of a process; its error scale is the left-out error on average."""
    head = KernelHead(labels.h.shape[1], len(labels.shift_ppm))
    head.alpha.copy_(torch.from_numpy(fit.alpha))
    head.centres.copy_(torch.from_numpy(labels.h))
    head.precision.copy_(torch.from_numpy(fit.inverse))
    head.width.fill_(width)
    head.noise.fill_(fit.noise)
    return _solved(head, labels, fit, np.sqrt(fit.variance + fit.noise))


@torch.no_grad()
def _middle_head(labels: NewLabels, fit: _Fit) -> Solved:
    head = KernelHead(labels.h.shape[1], 1)
    head.noise.zero_()
    everywhere = np.full(len(labels.shift_ppm), (1 + CONSTANT_KERNEL) ** 0.5)
    return _solved(head, labels, fit, everywhere)


def _solved(head: KernelHead, labels: NewLabels, fit: _Fit, scale: Floats) -> Solved:
    mean_ppm, spread_ppm = _unit(labels)
    error = max(fit.mae, _LEAST_ERROR_PPM / spread_ppm)
    unit = error / float(np.average(scale, weights=labels.weight))
    head.bias.fill_(CONSTANT_KERNEL * float(fit.alpha.sum()))
    head.log_unit.fill_(float(np.log(unit)))
    scores = np.zeros(labels.n_molecules)
    np.maximum.at(scores, labels.group, np.abs(fit.left) / (unit * scale))
    return Solved(NewHead(head, mean_ppm, spread_ppm), error * spread_ppm, scores)
