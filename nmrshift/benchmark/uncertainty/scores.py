"""Split-conformal intervals of every method in one way, and what they are worth."""

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import spearmanr

from nmrshift.benchmark.uncertainty.methods import Spread
from nmrshift.benchmark.uncertainty.quantiles import LEVELS

_DROPPED = 0.2


@dataclass(frozen=True, slots=True)
class Factors:
    """By how much the intervals of one nucleus are stretched.

    Attributes:
        interval: factor of each of :data:`LEVELS`.
        laplace: factor that makes a method's scale that of a Laplace law.
    """

    interval: tuple[float, ...]
    laplace: float


@dataclass(frozen=True, slots=True)
class Scores:
    """What a method's intervals are worth on one test.

    Attributes:
        n_labels: labels scored.
        mae_ppm: mean absolute error.
        held: share of labels within the interval of each of :data:`LEVELS`.
        width_ppm: mean width of those intervals.
        rank_correlation: of width and error (Spearman).
        kept_mae_ppm: mean absolute error without the fifth with the widest intervals.
        log_loss: mean negative log likelihood under a Laplace law.
    """

    n_labels: int
    mae_ppm: float
    held: tuple[float, ...]
    width_ppm: tuple[float, ...]
    rank_correlation: float
    kept_mae_ppm: float
    log_loss: float

    def to_dict(self) -> dict[str, Any]:
        """Return plain lists and numbers."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "Scores":
        """Read what :meth:`to_dict` wrote and JSON kept."""
        tuples = {name: tuple(values[name]) for name in ("held", "width_ppm")}
        return cls(**{**values, **tuples})


def stretches(answers: Spread) -> NDArray[np.float64]:
    """Return the factor at which each interval would just reach its label ``[n, 4]``."""
    error_ppm = (answers.observed_ppm - answers.shift_ppm)[:, None]
    reach_ppm = np.where(error_ppm < 0, answers.below_ppm, answers.above_ppm)
    stretch: NDArray[np.float64] = np.abs(error_ppm) / reach_ppm
    return stretch


def fit_factors(held_out: Spread) -> Factors:
    """Calibrate on labels of one nucleus of molecules that no network saw.

    For a method with one scale this is the calibration that ships; for quantiles it is conformal
    quantile regression (doi 10.48550/arXiv.1905.03222) with a factor in place of a summand.
    """
    ordered = np.sort(stretches(held_out), axis=0)
    n = len(ordered)
    ranks = [min(n, math.ceil((n + 1) * level)) - 1 for level in LEVELS]
    interval = tuple(float(ordered[rank, column]) for column, rank in enumerate(ranks))
    return Factors(interval, float((held_out.error_ppm / held_out.scale_ppm).mean()))


def scores(answers: Spread, factors: Factors) -> Scores:
    """Score labels of one nucleus."""
    factor = np.array(factors.interval)
    width_ppm = (answers.below_ppm + answers.above_ppm) * factor
    error_ppm = answers.error_ppm
    by_width = np.argsort(answers.scale_ppm, kind="stable")
    kept = by_width[: int(len(by_width) * (1 - _DROPPED))]
    laplace_ppm = factors.laplace * answers.scale_ppm
    return Scores(
        n_labels=len(error_ppm),
        mae_ppm=float(error_ppm.mean()),
        held=tuple((stretches(answers) <= factor).mean(axis=0).tolist()),
        width_ppm=tuple(width_ppm.mean(axis=0).tolist()),
        rank_correlation=float(spearmanr(answers.scale_ppm, error_ppm)[0]),
        kept_mae_ppm=float(error_ppm[kept].mean()),
        log_loss=float((error_ppm / laplace_ppm + np.log(2 * laplace_ppm)).mean()),
    )
