"""How well each signal explains each peak, as prices of a matching.

A spectrum is taken for a point process. Every signal (equivalent atoms) shows with probability
``1 - miss``, at its predicted shift plus a Student t error whose central part is the predicted
interval; other peaks fall anywhere in the window of the nucleus. Two signals may be reported as
one peak if they lie within the resolution. The densities of all matchings are comparable between
structures, because all explain the same peaks.

The t density is that of DP4 (doi 10.1021/ja105035r), but scaled by the model's own interval of each
atom instead of one width for all, and with heavier tails: one gross error must not decide.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import lgamma, log, pi
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr

from nmrshift.constants import PLAUSIBLE_RANGE_PPM
from nmrshift.match.peaks import Peak, PeakList
from nmrshift.match.signals import DEGREES_OF_FREEDOM, Signal

EXPECTED_EXTRA_PEAKS: Final[float] = 0.5
"""Peaks of solvent, impurities or misprints in a published list; a judgement."""

RESOLUTION_PPM: Final[dict[str, float]] = {"13C": 0.2, "1H": 0.05, "19F": 0.2}
"""Distance below which two signals may be reported as one peak, ppm; a judgement."""

MISCOUNT_PROBABILITY: Final[float] = 0.1
"""Probability that a stated number of nuclei (``2C``) is not that of the signal; a judgement."""

SHARING_SLOTS: Final[int] = 2
"""Further signals that may share a peak whose number of nuclei is not stated."""

_MAX_DECLARED_SLOTS: Final[int] = 5
_MAX_SHARED_PAIRS: Final[int] = 20_000
_OTHER_RESOLUTION_PPM: Final[float] = 0.2
_OTHER_WINDOW_PPM: Final[float] = 1000.0


@dataclass(frozen=True, slots=True)
class Prices:
    """A matching problem of ``n`` signals and ``m`` slots; a peak has one slot or more.

    Attributes:
        log_w: log of the weight of each pair relative to leaving both alone ``[n, m]``; ``-inf``
            where a pair is impossible.
        peak: peak of each slot ``[m]``; slots of one peak stand together, the first is its own.
        log_alone: log density of the spectrum if no peak belongs to any signal.
    """

    log_w: NDArray[np.float64]
    peak: NDArray[np.int64]
    log_alone: float


def prices(signals: Sequence[Signal], spectrum: PeakList) -> Prices:
    """Return the prices of matching the signals of a molecule to a spectrum.

    Args:
        signals: of the nucleus of the spectrum; at least one.
        spectrum: at least one peak.
    """
    low, high = PLAUSIBLE_RANGE_PPM.get(spectrum.nucleus, (0.0, _OTHER_WINDOW_PPM))
    log_extra = log(EXPECTED_EXTRA_PEAKS / (high - low))
    resolution_ppm = RESOLUTION_PPM.get(spectrum.nucleus, _OTHER_RESOLUTION_PPM)
    few = len(signals) * len(spectrum.peaks) <= _MAX_SHARED_PAIRS
    miss = np.array([signal.miss for signal in signals])
    log_seen = np.log((1.0 - miss) / miss)
    columns: list[NDArray[np.float64]] = []
    slots: list[int] = []
    for number, peak in enumerate(spectrum.peaks):
        base = log_seen + _log_density(signals, peak) + _log_fit(signals, peak, spectrum.nucleus)
        declared = peak.n_nuclei is not None
        columns.append(base - log_extra + (_log_miscount(signals, peak) if declared else 0.0))
        n_more = _n_sharing(peak) if few else 0
        if n_more:
            columns += [base + _log_share(peak, n_more, resolution_ppm)] * n_more
        slots.extend([number] * (1 + n_more))
    log_alone = float(np.log(miss).sum()) + len(spectrum.peaks) * log_extra
    return Prices(np.stack(columns, axis=1), np.array(slots, dtype=np.int64), log_alone)


def _log_density(signals: Sequence[Signal], peak: Peak) -> NDArray[np.float64]:
    """Return the log density of the peak under each signal ``[n]``, 1/ppm; a range is averaged."""
    shift = np.array([signal.shift_ppm for signal in signals])
    scale = np.array([signal.scale_ppm for signal in signals])
    nu = DEGREES_OF_FREEDOM
    z = (peak.shift_ppm - shift) / scale
    constant = lgamma((nu + 1) / 2) - lgamma(nu / 2) - 0.5 * log(nu * pi)
    at_middle: NDArray[np.float64] = constant - np.log(scale) - (nu + 1) / 2 * np.log1p(z**2 / nu)
    if peak.range_ppm is None:
        return at_middle
    width = peak.range_ppm[1] - peak.range_ppm[0]
    half = 0.5 * width / scale
    # On the side of the left tail, where differences of the distribution function keep digits.
    held = stdtr(nu, -np.abs(z) + half) - stdtr(nu, -np.abs(z) - half)
    tiny = (half < 1e-3) | (held <= 0.0)
    averaged = np.log(np.where(tiny, 1.0, held)) - log(width)
    return np.where(tiny, at_middle, averaged)


def _log_fit(signals: Sequence[Signal], peak: Peak, nucleus: str) -> NDArray[np.float64]:
    """Return ``-inf`` where the hydrogens on the carbon contradict those of the peak ``[n]``."""
    if nucleus != "13C" or peak.n_hydrogens is None:
        return np.zeros(len(signals))
    fits = [min(signal.n_hydrogens, 3) == min(peak.n_hydrogens, 3) for signal in signals]
    return np.where(fits, 0.0, -np.inf)


def _log_miscount(signals: Sequence[Signal], peak: Peak) -> NDArray[np.float64]:
    fits = [signal.n_nuclei == peak.n_nuclei for signal in signals]
    return np.where(fits, log(1.0 - MISCOUNT_PROBABILITY), log(MISCOUNT_PROBABILITY))


def _n_sharing(peak: Peak) -> int:
    """Return how many further signals a peak has room for."""
    if peak.n_nuclei is None:
        return SHARING_SLOTS
    return min(peak.n_nuclei - 1, _MAX_DECLARED_SLOTS)


def _log_share(peak: Peak, n_more: int, resolution_ppm: float) -> float:
    """Return the log width within which a signal joins a peak, shared among its equal slots.

    The slots of a peak can be told apart, the signals under it not: ``n_more + 1`` signals fill
    them in ``(n_more + 1)!`` ways that are one. Where the number of nuclei is stated, sharing is
    what the statement says, and the price of a wrong count is given back.
    """
    width = max(resolution_ppm, peak.range_ppm[1] - peak.range_ppm[0] if peak.range_ppm else 0.0)
    back = 0.0 if peak.n_nuclei is None else -log(MISCOUNT_PROBABILITY)
    return log(width) - lgamma(n_more + 2) / n_more + (back / n_more)
