"""Intervals that hold what they say, by split conformal calibration.

Scores are absolute errors divided by the network's own error scale, on molecules it never saw. The
``ceil((n + 1) * level)``-th smallest score bounds a new one with at least that probability, if it
is exchangeable with those (Vovk et al. 2005, doi 10.1007/b106715; Lei et al. 2018,
doi 10.1080/01621459.2017.1307116).
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from nmrshift.errors import ConfigError
from nmrshift.predict.judge import Answers, Judge, fit_judge

MIN_LEVEL: Final = 0.5
MAX_LEVEL: Final = 0.99
_UNCERTAIN: Final = 0.95
LEVELS: Final[tuple[float, ...]] = tuple(round(0.5 + 0.01 * step, 2) for step in range(50))


@dataclass(frozen=True, slots=True)
class Calibration:
    """How many error scales an interval reaches to either side.

    Attributes:
        factors: for every nucleus, one factor for each of :data:`LEVELS`.
        n_atoms: calibration labels behind each nucleus' factors.
        judges: what evidence changes in shifts and error scales of each nucleus.
        uncertain_ppm: for every nucleus the error scale that one in twenty calibration labels
            exceeds.
    """

    factors: Mapping[str, tuple[float, ...]]
    n_atoms: Mapping[str, int]
    judges: Mapping[str, Judge]
    uncertain_ppm: Mapping[str, float]

    def factor(self, nucleus: str, level: float) -> float:
        """Return the half-width of a nucleus' interval in error scales.

        Args:
            nucleus: a calibrated nucleus.
            level: nominal coverage, 0.5-0.99.

        Raises:
            ConfigError: the level is out of range.
        """
        return float(np.interp(check_level(level), LEVELS, self.factors[nucleus]))

    def to_dict(self) -> dict[str, Any]:
        """Return plain lists and numbers."""
        return {
            nucleus: {
                "n_atoms": self.n_atoms[nucleus],
                "factors": list(values),
                "uncertain_ppm": self.uncertain_ppm[nucleus],
                **self.judges[nucleus].to_dict(),
            }
            for nucleus, values in self.factors.items()
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Calibration":
        """Read what :meth:`to_dict` wrote.

        Raises:
            ConfigError: a nucleus has another number of factors than there are levels.
        """
        factors = {nucleus: tuple(entry["factors"]) for nucleus, entry in values.items()}
        if any(len(entry) != len(LEVELS) for entry in factors.values()):
            raise ConfigError("calibration factors do not match the levels")
        return cls(
            factors,
            {nucleus: entry["n_atoms"] for nucleus, entry in values.items()},
            {nucleus: Judge.from_dict(entry) for nucleus, entry in values.items()},
            {nucleus: entry.get("uncertain_ppm", math.inf) for nucleus, entry in values.items()},
        )


def check_level(level: float) -> float:
    """Return the level.

    Raises:
        ConfigError: it is not a number within 0.5-0.99.
    """
    if not MIN_LEVEL <= level <= MAX_LEVEL:
        raise ConfigError(
            f"interval {level} is out of range", hint=f"Choose {MIN_LEVEL} to {MAX_LEVEL}."
        )
    return level


def conformal_factors(scores: NDArray[np.float64]) -> tuple[float, ...]:
    """Return the factor of every level from calibration scores ``[n]``.

    Where there are too few scores for a level, the largest one stands in, which is the best that
    can be said and is no longer guaranteed.
    """
    ordered = np.sort(scores)
    n = len(ordered)
    ranks = [min(n, math.ceil((n + 1) * level)) for level in LEVELS]
    return tuple(round(float(ordered[rank - 1]), 5) for rank in ranks)


def calibrate(answers: Mapping[str, Answers]) -> Calibration:
    """Calibrate every nucleus on labels of held-out molecules.

    Raises:
        ConfigError: a nucleus has no calibration label.
    """
    factors, counts, judges, uncertain = {}, {}, {}, {}
    for name, found in answers.items():
        if not len(found.mol):
            raise ConfigError(f"{name}: no held-out label to calibrate on")
        judges[name], shift_ppm, scale_ppm = fit_judge(found)
        factors[name] = conformal_factors(np.abs(shift_ppm - found.observed_ppm) / scale_ppm)
        counts[name] = len(found.mol)
        uncertain[name] = round(float(np.quantile(scale_ppm, _UNCERTAIN)), 5)
    return Calibration(factors, counts, judges, uncertain)
