"""Which molecules say most about all others: greedy reduction of the expected variance.

Errors of a model are taken for a Gaussian process: as large as the model expects them to be, and
alike for atoms with like representations. Measuring a molecule removes variance from its own atoms
and from atoms like them; the molecule that removes most from the pool comes first, and the next
ones are judged by what it leaves. That is diversity in the representation times expected error
(variance reduction, the "ALC" criterion: MacKay, Neural Computation 1992,
doi 10.1162/neco.1992.4.4.590; Cohn, Ghahramani & Jordan, JAIR 1996, doi 10.1613/jair.295).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

MOST_TARGETS: Final = 1500
"""Atoms that stand for the pool, at most."""

_NOISE: Final = 0.1
"""Variance of a measurement, in units of the mean expected squared error of the pool."""

_WIDTH: Final = 2.0
"""Of likeness, in units of the median distance of two atoms."""

_SAMPLED: Final = 1000
_SAME: Final = 1e-4

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Pool:
    """Atoms of candidate molecules, one a signal, sorted by molecule.

    Attributes:
        h: representations ``[n_atoms, d_h]``.
        error: expected error of each, in a unit that makes nuclei alike ``[n_atoms]``.
        nucleus: number of its nucleus; those of different nuclei say nothing of each other
            ``[n_atoms]``.
        mol: number of its molecule, ascending ``[n_atoms]``.
    """

    h: Floats
    error: Floats
    nucleus: Ints
    mol: Ints


@dataclass(frozen=True, slots=True)
class Picked:
    """A molecule in its turn.

    Attributes:
        mol: number of the molecule.
        gain: share of the pool's expected variance that measuring it removes, once those before
            it are measured.
    """

    mol: int
    gain: float


def pick(pool: Pool, n: int, seed: int = 1) -> list[Picked]:
    """Choose molecules one after the other, the one that removes most variance first.

    Args:
        pool: the candidates.
        n: how many to choose, at most.
        seed: draws the atoms that stand for a large pool.
    """
    rng = np.random.default_rng(seed)
    n_atoms = len(pool.mol)
    targets = np.sort(rng.permutation(n_atoms)[:MOST_TARGETS])
    width = _WIDTH * _typical_distance(pool.h, rng)
    atoms = {int(mol): np.flatnonzero(pool.mol == mol) for mol in np.unique(pool.mol)}
    noise = _NOISE * float(np.mean(pool.error**2))
    shared = covariance(pool, targets, np.arange(n_atoms), width)
    whole = float(np.sum(pool.error[targets] ** 2))
    own = {mol: covariance(pool, rows, rows, width) for mol, rows in atoms.items()}
    picked: list[Picked] = []
    removed = np.zeros((n_atoms, 0))
    while atoms and len(picked) < n:
        gains = {
            mol: _gain(shared[:, rows], own[mol] - removed[rows] @ removed[rows].T, noise)
            for mol, rows in atoms.items()
        }
        best = max(gains, key=lambda mol: (gains[mol], -mol))
        picked.append(Picked(best, gains[best] / whole))
        rows = atoms.pop(best)
        towards = covariance(pool, np.arange(n_atoms), rows, width) - removed @ removed[rows].T
        root = np.linalg.cholesky(towards[rows] + noise * np.eye(len(rows)))
        step = np.linalg.solve(root, towards.T).T
        removed = np.concatenate([removed, step], axis=1)
        shared = shared - step[targets] @ step.T
    return picked


def covariance(pool: Pool, first: Ints, second: Ints, width: float) -> Floats:
    """Return the covariance of errors before anything is measured ``[n_first, n_second]``.

    Args:
        pool: the atoms.
        first: rows of it.
        second: rows of it.
        width: distance at which the likeness of atoms has fallen to 1/e.
    """
    a, b = pool.h[first], pool.h[second]
    squared = np.sum(a**2, axis=1)[:, None] + np.sum(b**2, axis=1)[None] - 2 * a @ b.T
    alike = np.exp(-np.sqrt(np.maximum(squared, 0.0)) / width)
    alike *= pool.nucleus[first][:, None] == pool.nucleus[second][None]
    found: Floats = alike * pool.error[first][:, None] * pool.error[second][None]
    return found


def _gain(shared: Floats, own: Floats, noise: float) -> float:
    """Return the variance that a molecule's atoms remove from all targets."""
    solved = np.linalg.solve(own + noise * np.eye(len(own)), shared.T)
    return float(np.sum(shared.T * solved))


def _typical_distance(h: Floats, rng: np.random.Generator) -> float:
    """Return the median distance of two atoms."""
    first, second = (rng.integers(0, len(h), _SAMPLED) for _ in range(2))
    distance = np.sqrt(np.sum((h[first] - h[second]) ** 2, axis=1))
    apart: Sequence[float] = distance[distance > _SAME].tolist()
    return float(np.median(apart)) if apart else 1.0
