"""Faults that only a comparison with the base model shows: signs, exchanged columns, references."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from nmrshift.adapt.answers import Answered
from nmrshift.errors import FlippedSignError, WrongAtomsError
from nmrshift.types import Notice

_LEAST_SHIFTS: Final = 20
_FLIPPED: Final = -0.4
_MIRRORED: Final = 0.2
_EXCHANGED: Final = 4.0
_FAR: Final = 0.15
_CLEAR: Final = 3.0
_EXPLAINED: Final = 0.25


@dataclass(frozen=True, slots=True)
class Offset:
    """A constant distance between a laboratory's shifts and the base's.

    Attributes:
        nucleus: for example ``19F``.
        offset_ppm: measured minus predicted, the middle of the molecules.
        standard_error_ppm: of it.
        is_clear: whether it is more than chance, and explains a good part of all errors: what
            lies off in some kinds of atoms only is no reference.
    """

    nucleus: str
    offset_ppm: float
    standard_error_ppm: float
    is_clear: bool

    @property
    def notice(self) -> Notice:
        """The offset in words."""
        text = (
            f"{self.nucleus} shifts lie {self.offset_ppm:+.2f} +/- {self.standard_error_ppm:.2f} "
            "ppm from what the base model expects: another reference? It is learned as this "
            "laboratory's convention, and these shifts are no evidence for others."
        )
        return Notice("reference_offset", text)


def check_against(base: Answered, nuclei: tuple[str, ...], spread_ppm: tuple[float, ...]) -> None:
    """Refuse shifts that contradict the base model as a whole.

    Args:
        base: the base's answers on all spectra.
        nuclei: names of the nuclei.
        spread_ppm: spread of each nucleus' shifts in the base's training.

    Raises:
        FlippedSignError: with the opposite sign shifts are near what is predicted, and as they
            are they are not; or measured and predicted shifts run against each other.
        WrongAtomsError: they agree as lists, but not atom by atom.
    """
    for number, nucleus in enumerate(nuclei):
        _check_sign(base, number, nucleus, spread_ppm[number])
        rows = np.flatnonzero((base.nucleus == number) & ~base.listed)
        if len(rows) < _LEAST_SHIFTS:
            continue
        observed, predicted = base.observed_ppm[rows], base.predicted_ppm[rows]
        far = float(np.median(np.abs(observed - predicted))) > _FAR * spread_ppm[number]
        sorted_error = _as_lists(base.mol[rows], observed, predicted)
        error = float(np.mean(np.abs(observed - predicted)))
        if far and error > _EXCHANGED * sorted_error:
            raise WrongAtomsError(
                f"{nucleus} shifts fit the molecules but not their atoms: {error:.1f} ppm off atom "
                f"by atom, {sorted_error:.1f} ppm as lists",
                hint="Check the order of atoms; or give bare peak lists, which need no assignment.",
            )
        if far and _correlation(observed, predicted) < _FLIPPED:
            raise FlippedSignError(f"{nucleus} shifts fall where the base model expects a rise")


def _check_sign(base: Answered, number: int, nucleus: str, spread_ppm: float) -> None:
    """Refuse shifts that fit with the opposite sign; lists count, as their peaks are paired."""
    observed, predicted = base.observed_ppm, base.predicted_ppm
    rows = base.nucleus == number
    if not rows.any():
        return
    error = float(np.median(np.abs(observed - predicted)[rows]))
    mirrored = float(np.median(np.abs(observed + predicted)[rows]))
    if error > _FAR * spread_ppm and mirrored < _MIRRORED * error:
        raise FlippedSignError(
            f"{nucleus} shifts are {error:.1f} ppm off what the base model expects, and "
            f"{mirrored:.1f} ppm with the opposite sign"
        )


def offsets(base: Answered, nuclei: tuple[str, ...]) -> tuple[Offset, ...]:
    """Return the constant offset of every nucleus that has three molecules or more.

    Args:
        base: the base's answers on all spectra.
        nuclei: names of the nuclei.
    """
    found = []
    for number, nucleus in enumerate(nuclei):
        rows = base.nucleus == number
        apart = base.observed_ppm[rows] - base.predicted_ppm[rows]
        mols = base.mol[rows]
        middles = np.array([np.median(apart[mols == mol]) for mol in np.unique(mols)])
        if len(middles) < 3:
            continue
        offset = float(np.median(middles))
        error = float(1.25 * middles.std(ddof=1) / len(middles) ** 0.5)  # of a median
        left = float(np.abs(apart - offset).mean()) / max(float(np.abs(apart).mean()), 1e-9)
        clear = abs(offset) > _CLEAR * error and left < 1 - _EXPLAINED
        found.append(Offset(nucleus, round(offset, 3), round(error, 3), clear))
    return tuple(found)


def _correlation(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    if min(x.std(), y.std()) < 1e-9:
        return 0.0
    return float(np.corrcoef(x, y)[0, 1])


def _as_lists(
    mol: NDArray[np.int64], observed: NDArray[np.float64], predicted: NDArray[np.float64]
) -> float:
    """Return the mean error once each molecule's shifts are sorted."""
    first, second = np.lexsort((observed, mol)), np.lexsort((predicted, mol))
    return float(np.mean(np.abs(observed[first] - predicted[second])))
