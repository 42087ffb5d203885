"""One predicted structure against one spectrum."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from nmrshift.errors import NoTargetAtomsError
from nmrshift.match.assign import beliefs, best_assignment
from nmrshift.match.likelihood import prices
from nmrshift.match.matches import Alternative, CandidateMatch, PeakMatch, SignalMatch, kept
from nmrshift.match.peaks import PeakList
from nmrshift.match.signals import Signal, half_width_ppm, signals_of
from nmrshift.types import Notice, Prediction

POOR_FIT_LEVEL: Final[float] = 0.99
"""Share of errors that the interval holds outside of which a pair is flagged."""

UNCERTAIN_BELOW: Final[float] = 0.5
"""Probability of an assignment below which it is flagged."""

Array = NDArray[np.float64]


def match_prediction(prediction: Prediction, spectrum: PeakList) -> CandidateMatch:
    """Assign a spectrum to the atoms of a predicted molecule.

    Args:
        prediction: with the nucleus of the spectrum; any interval will do.
        spectrum: the measured peaks.

    Returns:
        The match; its ``probability`` is 1, as of a single candidate.

    Raises:
        PeakTextError: the spectrum is empty or impossible.
        NoTargetAtomsError: the prediction has no atom of its nucleus.
    """
    spectrum.checked()
    signals = signals_of(prediction, spectrum.nucleus)
    if not signals:
        raise NoTargetAtomsError(f"no {spectrum.nucleus} was predicted")
    problem = prices(signals, spectrum)
    belief = beliefs(problem.log_w)
    partner: list[int | None] = [None] * len(signals)
    for row, column in best_assignment(problem.log_w):
        partner[row] = int(problem.peak[column])
    starts = np.searchsorted(problem.peak, np.arange(len(spectrum.peaks)))
    of_peak = np.add.reduceat(belief.pair, starts, axis=1)
    matches = tuple(
        _signal_match(signal, spectrum, partner[row], of_peak[row], float(belief.row_alone[row]))
        for row, signal in enumerate(signals)
    )
    peaks = _peak_matches(spectrum, signals, matches, belief.column_alone[starts])
    unsettled = Notice("not_settled", "the sums over assignments did not converge")
    notices = prediction.notices + (() if belief.settled else (unsettled,))
    return _candidate(prediction, problem.log_alone + belief.log_sum, matches, peaks, notices)


def _candidate(
    prediction: Prediction,
    log_evidence: float,
    signals: tuple[SignalMatch, ...],
    peaks: tuple[PeakMatch, ...],
    notices: tuple[Notice, ...],
) -> CandidateMatch:
    """Put the match of one prediction together."""
    errors = [abs(one.error_ppm) for one in signals if one.error_ppm is not None]
    return CandidateMatch(
        index=prediction.index,
        input=prediction.input,
        name=prediction.name,
        solvent=prediction.solvent,
        model=prediction.model,
        log_evidence=log_evidence,
        probability=1.0,
        mean_abs_error_ppm=float(np.mean(errors)) if errors else None,
        n_missing=sum(one.peak is None for one in signals),
        n_extra=sum(not one.signals for one in peaks),
        signals=signals,
        peaks=peaks,
        notices=notices,
        molblock=prediction.molblock,
    )


def _signal_match(
    signal: Signal, spectrum: PeakList, peak: int | None, of_peak: Array, alone: float
) -> SignalMatch:
    """Return the match of one signal from its marginals over the peaks ``[n_peaks]``."""
    probability = alone if peak is None else float(of_peak[peak])
    observed_ppm = None if peak is None else spectrum.peaks[peak].shift_ppm
    error_ppm = None if observed_ppm is None else observed_ppm - signal.shift_ppm
    is_poor = error_ppm is not None and abs(error_ppm) > half_width_ppm(signal, POOR_FIT_LEVEL)
    flags = (
        *(("missing",) if peak is None else ()),
        *(("poor_fit",) if is_poor else ()),
        *(("uncertain",) if probability < UNCERTAIN_BELOW else ()),
    )
    alternatives = [Alternative(number, float(one)) for number, one in enumerate(of_peak)]
    return SignalMatch(
        signal=signal.signal,
        atom_indices=signal.atom_indices,
        n_hydrogens=signal.n_hydrogens,
        shift_ppm=signal.shift_ppm,
        low_ppm=signal.low_ppm,
        high_ppm=signal.high_ppm,
        peak=peak,
        observed_ppm=observed_ppm,
        error_ppm=error_ppm,
        probability=probability,
        alternatives=kept(alternatives),
        flags=flags,
    )


def _peak_matches(
    spectrum: PeakList, signals: Sequence[Signal], matches: Sequence[SignalMatch], alone: Array
) -> tuple[PeakMatch, ...]:
    """Return the match of every peak; ``alone`` are the probabilities of being extra."""
    found = []
    for number, peak in enumerate(spectrum.peaks):
        under = [row for row, one in enumerate(matches) if one.peak == number]
        n_nuclei = sum(signals[row].n_nuclei for row in under)
        is_miscounted = bool(under) and peak.n_nuclei not in (None, n_nuclei)
        flags = (
            *(() if under else ("extra",)),
            *(("shared",) if len(under) > 1 else ()),
            *(("miscounted",) if is_miscounted else ()),
            *(("poor_fit",) if any("poor_fit" in matches[row].flags for row in under) else ()),
        )
        numbers = tuple(signals[row].signal for row in under)
        found.append(PeakMatch(number, peak.shift_ppm, numbers, float(alone[number]), flags))
    return tuple(found)
