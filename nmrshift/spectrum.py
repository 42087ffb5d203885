"""From shifts of atoms to sticks, and from sticks to a line shape; numpy alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Final

import numpy as np
from numpy.typing import NDArray

from nmrshift.types import AtomShift, Prediction

Array = NDArray[np.float64]

_MIN_MARGIN_PPM: Final[dict[str, float]] = {"1H": 0.5}
_OTHER_MARGIN_PPM: Final[float] = 5.0
_LINE_WIDTH_PPM: Final[dict[str, float]] = {"1H": 0.005}
_OTHER_WIDTH_PPM: Final[float] = 0.05
_MIN_POINTS_A_LINE: Final[int] = 4


@dataclass(frozen=True, slots=True)
class Stick:
    """A signal.

    Attributes:
        nucleus: for example ``13C``.
        atoms: indices of its atoms in the input; for 1H of the atoms that carry the hydrogens.
        shift_ppm: where it stands, ppm: the mean over its atoms.
        low_ppm: lower end of the interval, ppm, the lowest of its atoms.
        high_ppm: upper end of the interval, ppm, the highest of its atoms.
        n_nuclei: nuclei that make the signal: its height.
    """

    nucleus: str
    atoms: tuple[int, ...]
    shift_ppm: float
    low_ppm: float
    high_ppm: float
    n_nuclei: int

    @property
    def half_width_ppm(self) -> float:
        """Half of the interval's width, ppm."""
        return (self.high_ppm - self.low_ppm) / 2


@dataclass(frozen=True, slots=True)
class Trace:
    """A spectrum as a curve, from high to low shift in equal steps.

    Attributes:
        first_ppm: shift of the first point, ppm.
        last_ppm: shift of the last point, ppm.
        width_ppm: full width of a line at half its height, ppm.
        intensity: one number a point, ``[n_points]``; a line of one nucleus has the area 1.
    """

    first_ppm: float
    last_ppm: float
    width_ppm: float
    intensity: Array

    @property
    def axis_ppm(self) -> Array:
        """Shift of every point, ppm, ``[n_points]``."""
        return np.linspace(self.first_ppm, self.last_ppm, len(self.intensity))


def sticks(prediction: Prediction, nucleus: str) -> tuple[Stick, ...]:
    """Return the sticks of one nucleus, from high to low shift.

    Args:
        prediction: what was predicted.
        nucleus: for example ``13C``.
    """
    signals: dict[int, list[AtomShift]] = {}
    for atom in prediction.of(nucleus):
        signals.setdefault(atom.signal, []).append(atom)
    found = [_stick(nucleus, atoms) for atoms in signals.values()]
    return tuple(sorted(found, key=lambda stick: (-stick.shift_ppm, stick.atoms)))


def nuclei_of(prediction: Prediction) -> tuple[str, ...]:
    """Return the nuclei that a prediction holds, in its order."""
    return tuple(dict.fromkeys(atom.nucleus for atom in prediction.atoms))


def lorentzian(axis_ppm: Array, centre_ppm: float, width_ppm: float) -> Array:
    """Return a line of the area 1 on an axis without ends.

    Args:
        axis_ppm: where to compute it, ``[n_points]``.
        centre_ppm: its middle.
        width_ppm: full width at half height.
    """
    half = width_ppm / 2
    line: Array = half / np.pi / ((axis_ppm - centre_ppm) ** 2 + half**2)
    return line


def trace(signals: Sequence[Stick], n_points: int = 8192) -> Trace:
    """Return the curve of the sticks of one nucleus: a Lorentzian each, no couplings.

    The axis reaches beyond the outermost sticks by a twentieth of their distance, at least by
    5 ppm (1H 0.5 ppm). Lines are 0.05 ppm wide (1H 0.005 ppm), or four points where the axis is
    too long for that.

    Args:
        signals: sticks of one nucleus.
        n_points: points of the curve, at least 2.

    Raises:
        ValueError: no stick, or too few points.
    """
    if not signals or n_points < 2:
        raise ValueError("a curve needs a stick and two points")
    nucleus = signals[0].nucleus
    shifts = [stick.shift_ppm for stick in signals]
    spread = max(shifts) - min(shifts)
    margin = max(spread / 20, _MIN_MARGIN_PPM.get(nucleus, _OTHER_MARGIN_PPM))
    first, last = max(shifts) + margin, min(shifts) - margin
    step = (first - last) / (n_points - 1)
    width = max(_LINE_WIDTH_PPM.get(nucleus, _OTHER_WIDTH_PPM), _MIN_POINTS_A_LINE * step)
    axis = np.linspace(first, last, n_points)
    total = np.zeros(n_points)
    for stick in signals:
        total += stick.n_nuclei * lorentzian(axis, stick.shift_ppm, width)
    return Trace(first, last, width, total)


def _stick(nucleus: str, atoms: list[AtomShift]) -> Stick:
    hydrogens = sum(atom.n_hydrogens for atom in atoms)
    return Stick(
        nucleus,
        tuple(sorted(atom.atom_index for atom in atoms)),
        fmean(atom.shift_ppm for atom in atoms),
        min(atom.low_ppm for atom in atoms),
        max(atom.high_ppm for atom in atoms),
        hydrogens if nucleus == "1H" else len(atoms),
    )
