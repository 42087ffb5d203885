"""What the labels of each environment say: median, spread, and how far they miss a new molecule.

Every molecule has one vote per environment, its own median, so that neither symmetry nor repeated
spectra count twice. All arrays are flat and handled at once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

LEVELS: Final[tuple[float, ...]] = (0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 0.98, 0.99)
"""Coverages at which interval widths are kept; others are interpolated."""

_PRIOR_VOTES: Final = 2.0
_MIN_RESIDUALS: Final = 30

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Keys = NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class Votes:
    """One value per environment and molecule, sorted by environment, then by value.

    Attributes:
        key: environment of each vote ``[n_votes]``.
        mol: molecule of each vote ``[n_votes]``.
        shift_ppm: median of the molecule's labels in that environment ``[n_votes]``.
        start: first vote of each environment ``[n_environments]``.
    """

    key: Keys
    mol: Ints
    shift_ppm: Floats
    start: Ints

    @property
    def count(self) -> Ints:
        """Number of votes of each environment."""
        return np.diff(self.start, append=len(self.key))

    @property
    def group(self) -> Ints:
        """Number of the environment of each vote."""
        return np.repeat(np.arange(len(self.start)), self.count)

    def median_ppm(self) -> Floats:
        """Median of each environment."""
        low, high = self.start + (self.count - 1) // 2, self.start + self.count // 2
        median: Floats = (self.shift_ppm[low] + self.shift_ppm[high]) / 2
        return median

    def spread_ppm(self) -> Floats:
        """Mean absolute deviation from the median, per environment; 0 for a single vote."""
        deviation = np.abs(self.shift_ppm - self.median_ppm()[self.group])
        spread: Floats = np.add.reduceat(deviation, self.start) / self.count
        return spread

    def others_median_ppm(self) -> Floats:
        """Median of the other molecules' votes, for each vote; NaN where there is none."""
        group, count = self.group, self.count
        place = np.arange(len(self.key)) - self.start[group]
        rest = count[group] - 1
        low, high = np.maximum(rest - 1, 0) // 2, rest // 2
        low, high = low + (low >= place), high + (high >= place)
        first, last = self.start[group], len(self.key) - 1
        ends = [self.shift_ppm[np.minimum(first + end, last)] for end in (low, high)]
        return np.where(rest > 0, (ends[0] + ends[1]) / 2, np.nan)


def collect_votes(key: Keys, mol: Ints, shift_ppm: Floats) -> Votes:
    """Reduce labels ``[n_labels]`` (environment, molecule, value) to one vote a molecule."""
    order = np.lexsort((shift_ppm, mol, key))
    key, mol, shift_ppm = key[order], mol[order], shift_ppm[order]
    is_first = np.ones(len(key), dtype=bool)
    is_first[1:] = (key[1:] != key[:-1]) | (mol[1:] != mol[:-1])
    start = np.flatnonzero(is_first)
    vote = Votes(key, mol, shift_ppm, start).median_ppm()
    key, mol = key[start], mol[start]
    order = np.lexsort((mol, vote, key))
    key = key[order]
    start = np.flatnonzero(np.append(True, key[1:] != key[:-1]))
    return Votes(key, mol[order], vote[order], start)


def shrunk_spread_ppm(spread_ppm: Floats, count: Ints, typical_ppm: Floats | float) -> Floats:
    """Draw the spread of few votes towards what is typical of the sphere."""
    seen = count - 1
    return (seen * spread_ppm + _PRIOR_VOTES * typical_ppm) / (seen + _PRIOR_VOTES)


@dataclass(frozen=True, slots=True)
class Residuals:
    """Misses on left-out molecules, where a sphere is the deepest that answers.

    Attributes:
        miss_ppm: absolute miss ``[n]``.
        spread_ppm: spread of the environment that answered ``[n]``.
        count: other molecules in that environment ``[n]``.
    """

    miss_ppm: Floats
    spread_ppm: Floats
    count: Ints


def calibrate(spheres: Sequence[Residuals]) -> tuple[Floats, Floats]:
    """Learn interval widths from left-out molecules, sphere by sphere.

    Args:
        spheres: residuals for sphere 0 (the nucleus alone; not empty), 1, 2, …

    Returns:
        The typical spread of each sphere, ppm ``[n_spheres]``, and the half-widths in units of
        the shrunk spread at ``LEVELS`` ``[n_spheres, n_levels]``. A sphere with few residuals
        takes those of the sphere before.
    """
    typical: list[float] = []
    widths: list[Floats] = []
    for number, rest in enumerate(spheres):
        if number > 0 and len(rest.miss_ppm) < _MIN_RESIDUALS:
            typical.append(typical[-1])
            widths.append(widths[-1])
            continue
        usual = max(float(np.median(rest.miss_ppm)), 1e-3)
        scale = shrunk_spread_ppm(rest.spread_ppm, rest.count, usual)
        typical.append(usual)
        widths.append(np.quantile(rest.miss_ppm / scale, LEVELS))
    return np.array(typical), np.array(widths)


def width_factor(widths: Floats, interval: float) -> Floats:
    """Interpolate half-width factors ``[..., n_levels]`` at a coverage within ``LEVELS``."""
    after = int(np.clip(np.searchsorted(LEVELS, interval), 1, len(LEVELS) - 1))
    low, high = LEVELS[after - 1], LEVELS[after]
    share = (interval - low) / (high - low)
    factor: Floats = widths[..., after - 1] * (1 - share) + widths[..., after] * share
    return factor
