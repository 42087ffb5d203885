"""How far an atom's representation is from those of training atoms."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_SHRINKAGE = 1e-3
_BLOCK_ROWS = 1000


@dataclass(frozen=True, slots=True)
class Normal:
    """Mahalanobis distance (Lee et al. 2018, arXiv 1807.03888), without classes.

    Attributes:
        centre: mean of the training atoms ``[d]``.
        whiten: what makes their covariance one ``[d, d]``.
    """

    centre: Floats
    whiten: Floats

    @classmethod
    def fit(cls, known: Floats) -> "Normal":
        """Take representations of training atoms ``[n, d]``."""
        centre = known.mean(axis=0)
        values, vectors = np.linalg.eigh(np.cov(known - centre, rowvar=False))
        return cls(centre, vectors / np.sqrt(values + _SHRINKAGE * values.mean()))

    def __call__(self, h: Floats) -> Floats:
        """Return the distance of atoms ``[n, d]``."""
        distance: Floats = np.linalg.norm((h - self.centre) @ self.whiten, axis=1)
        return distance


@dataclass(frozen=True, slots=True)
class Nearest:
    """Distance to the nearest of some training atoms (Sun et al. 2022, arXiv 2204.06507).

    Attributes:
        landmarks: training atoms of unit length ``[n, d]``.
    """

    landmarks: Floats

    @classmethod
    def fit(cls, known: Floats, n: int) -> "Nearest":
        """Choose atoms at random, always the same, from representations ``[n, d]``."""
        order = np.random.default_rng(1).permutation(len(known))[:n]
        return cls(_unit(known[order]))

    def __call__(self, h: Floats) -> Floats:
        """Return the distance of atoms ``[n, d]``."""
        blocks = np.array_split(_unit(h), len(h) // _BLOCK_ROWS + 1)
        likeness = [(block @ self.landmarks.T).max(axis=1) for block in blocks]
        return 1 - np.concatenate(likeness)


def _unit(h: Floats) -> Floats:
    unit: Floats = h / np.linalg.norm(h, axis=1, keepdims=True)
    return unit
