"""What is matched: the signals of one nucleus, each with the spread of its prediction."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from scipy.special import stdtrit

from nmrshift.types import AtomShift, Prediction

DEGREES_OF_FREEDOM: Final[float] = 4.0
"""Of the t density of errors; a judgement: tails of shift errors are heavier than normal."""

MISS_PROBABILITY: Final[float] = 0.03
"""Probability that a list lacks a signal; a judgement."""

EXCHANGING_MISS_PROBABILITY: Final[float] = 0.5
"""The same for hydrogens on O, N and S, which exchange and are often left out."""

MIN_SCALE_PPM: Final[float] = 0.01
"""Least scale of an error, ppm: lists are rounded."""


@dataclass(frozen=True, slots=True)
class Signal:
    """Symmetry-equivalent atoms of one nucleus.

    Attributes:
        signal: their number, as in :class:`~nmrshift.types.AtomShift`.
        atom_indices: the atoms, indices of the input; for 1H those that carry the hydrogens.
        n_nuclei: nuclei of the signal, for 1H all its hydrogens.
        n_hydrogens: hydrogens on each atom.
        shift_ppm: predicted shift, ppm.
        low_ppm: lower end of the predicted interval, ppm.
        high_ppm: upper end, ppm.
        scale_ppm: scale of the t density of its error, ppm.
        miss: probability that a list lacks it.
    """

    signal: int
    atom_indices: tuple[int, ...]
    n_nuclei: int
    n_hydrogens: int
    shift_ppm: float
    low_ppm: float
    high_ppm: float
    scale_ppm: float
    miss: float


def signals_of(prediction: Prediction, nucleus: str) -> tuple[Signal, ...]:
    """Return the signals of one nucleus, in the order of their first atoms.

    The scale is such that the central part of the t density that holds the nominal coverage of
    the prediction is as wide as the predicted interval.
    """
    groups: dict[int, list[AtomShift]] = {}
    for atom in prediction.of(nucleus):
        groups.setdefault(atom.signal, []).append(atom)
    return tuple(_signal(atoms, nucleus, prediction.interval) for atoms in groups.values())


def half_width_ppm(signal: Signal, level: float) -> float:
    """Return the half-width of the interval that holds a share ``level`` of the errors, ppm."""
    return signal.scale_ppm * _quantile(level)


def _quantile(level: float) -> float:
    return float(stdtrit(DEGREES_OF_FREEDOM, (1.0 + level) / 2.0))


def _signal(atoms: Sequence[AtomShift], nucleus: str, interval: float) -> Signal:
    first = atoms[0]
    exchanges = nucleus == "1H" and first.element in ("O", "N", "S")
    half_width = 0.5 * (first.high_ppm - first.low_ppm)
    return Signal(
        signal=first.signal,
        atom_indices=tuple(atom.atom_index for atom in atoms),
        n_nuclei=sum(atom.n_hydrogens if nucleus == "1H" else 1 for atom in atoms),
        n_hydrogens=first.n_hydrogens,
        shift_ppm=first.shift_ppm,
        low_ppm=first.low_ppm,
        high_ppm=first.high_ppm,
        scale_ppm=max(half_width / _quantile(interval), MIN_SCALE_PPM),
        miss=EXCHANGING_MISS_PROBABILITY if exchanges else MISS_PROBABILITY,
    )
