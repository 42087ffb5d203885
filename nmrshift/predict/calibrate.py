"""Intervals that hold what they say, by split conformal calibration.

Scores are absolute errors divided by the network's own error scale, on molecules it never saw. The
``ceil((n + 1) * level)``-th smallest score bounds a new one with at least that probability, if it
is exchangeable with those (Vovk et al. 2005, doi 10.1007/b106715; Lei et al. 2018,
doi 10.1080/01621459.2017.1307116). Sources of shifts differ in how far off the network is on them,
so each has factors of its own, for which those of all others count two fifths: few labels of its
own alone would leave too much to chance (a compromise between Mondrian and marginal calibration,
weighted as in Tibshirani et al. 2019, arXiv 1904.06019).
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from nmrshift.errors import ConfigError
from nmrshift.predict.judge import Answers, ErrorRule, Judge, fit_judge

MIN_LEVEL: Final = 0.5
MAX_LEVEL: Final = 0.99
_UNCERTAIN: Final = 0.95
_OTHER_SOURCES: Final = 0.4
_ROUNDING: Final = 1e-9
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
        source_factors: for every nucleus the factors of each source of its calibration labels, if
            there is more than one.
    """

    factors: Mapping[str, tuple[float, ...]]
    n_atoms: Mapping[str, int]
    judges: Mapping[str, Judge]
    uncertain_ppm: Mapping[str, float]
    source_factors: Mapping[str, Mapping[str, tuple[float, ...]]]

    def factor(self, nucleus: str, level: float, source: str | None = None) -> float:
        """Return the half-width of a nucleus' interval in error scales.

        Args:
            nucleus: a calibrated nucleus.
            level: nominal coverage, 0.5-0.99.
            source: the reference convention asked for; one without factors has the nucleus'.

        Raises:
            ConfigError: the level is out of range.
        """
        known = self.source_factors.get(nucleus, {})
        factors = known.get(source or "", self.factors[nucleus])
        return float(np.interp(check_level(level), LEVELS, factors))

    def to_dict(self) -> dict[str, Any]:
        """Return plain lists and numbers."""
        return {
            nucleus: {
                "n_atoms": self.n_atoms[nucleus],
                "factors": list(values),
                "uncertain_ppm": self.uncertain_ppm[nucleus],
                "source_factors": {
                    source: list(factors)
                    for source, factors in self.source_factors.get(nucleus, {}).items()
                },
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
        by_source = {
            nucleus: {source: tuple(own) for source, own in entry.get("source_factors", {}).items()}
            for nucleus, entry in values.items()
        }
        of_sources = [own for found in by_source.values() for own in found.values()]
        if any(len(entry) != len(LEVELS) for entry in (*factors.values(), *of_sources)):
            raise ConfigError("calibration factors do not match the levels")
        return cls(
            factors,
            {nucleus: entry["n_atoms"] for nucleus, entry in values.items()},
            {nucleus: Judge.from_dict(entry) for nucleus, entry in values.items()},
            {nucleus: entry.get("uncertain_ppm", math.inf) for nucleus, entry in values.items()},
            by_source,
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


def conformal_factors(
    scores: NDArray[np.float64], weight: NDArray[np.float64] | None = None
) -> tuple[float, ...]:
    """Return the factor of every level from calibration scores ``[n]``.

    Where there are too few scores for a level, the largest one stands in, which is the best that
    can be said and is no longer guaranteed.

    Args:
        scores: absolute errors in error scales.
        weight: how much each counts, a new one counting 1; by default all count 1.
    """
    order = np.argsort(scores, kind="stable")
    ordered = scores[order]
    before = np.cumsum(np.ones(len(scores)) if weight is None else weight[order])
    asked = (before[-1] + 1) * np.array(LEVELS)
    ranks = np.searchsorted(before, asked - _ROUNDING)
    return tuple(round(float(ordered[min(rank, len(ordered) - 1)]), 5) for rank in ranks)


def calibrate(answers: Mapping[str, Answers]) -> Calibration:
    """Calibrate every nucleus on labels of held-out molecules.

    The nucleus with the most labels lends its error rule to those that have none of their own.

    Raises:
        ConfigError: a nucleus has no calibration label.
    """
    factors, counts, judges, uncertain, by_source = {}, {}, {}, {}, {}
    lent: ErrorRule | None = None
    for name in sorted(answers, key=lambda name: -len(answers[name].mol)):
        found = answers[name]
        if not len(found.mol):
            raise ConfigError(f"{name}: no held-out label to calibrate on")
        judges[name], shift_ppm, scale_ppm = fit_judge(found, lent)
        lent = lent or judges[name].error_rule
        scores = np.abs(shift_ppm - found.observed_ppm) / scale_ppm
        factors[name] = conformal_factors(scores)
        by_source[name] = _source_factors(scores, found.source)
        counts[name] = len(found.mol)
        uncertain[name] = round(float(np.quantile(scale_ppm, _UNCERTAIN)), 5)
    factors = {name: factors[name] for name in answers}
    return Calibration(factors, counts, judges, uncertain, by_source)


def _source_factors(
    scores: NDArray[np.float64], source: NDArray[np.str_]
) -> dict[str, tuple[float, ...]]:
    """Return the factors of each source, or none where there is only one."""
    names = np.unique(source).tolist()
    if len(names) < 2:
        return {}
    return {
        name: conformal_factors(scores, np.where(source == name, 1.0, _OTHER_SOURCES))
        for name in names
        if name
    }
