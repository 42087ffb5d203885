"""The answer for one candidate: frozen values."""

from dataclasses import dataclass
from typing import Final

from nmrshift.types import Notice

_KEPT_SHARE: Final[float] = 0.01
"""Probability below which an alternative is not reported."""


@dataclass(frozen=True, slots=True)
class Alternative:
    """A peak that a signal may belong to.

    Attributes:
        peak: its position in the list, from 0.
        probability: marginal probability of the pair, 0-1.
    """

    peak: int
    probability: float


@dataclass(frozen=True, slots=True)
class SignalMatch:
    """One signal of a candidate and its peak in the best assignment.

    Attributes:
        signal: number of the signal.
        atom_indices: its atoms, indices of the input, from 0.
        n_hydrogens: hydrogens on each of them.
        shift_ppm: predicted shift, ppm.
        low_ppm: lower end of the predicted 90 % interval, ppm.
        high_ppm: upper end, ppm.
        peak: position of the peak in the list, from 0; ``None`` if it has none.
        observed_ppm: shift of that peak, ppm.
        error_ppm: observed minus predicted, ppm.
        probability: marginal probability of this peak, or of having none, 0-1.
        alternatives: all peaks with at least 0.01, the likeliest first.
        flags: ``missing`` no peak; ``poor_fit`` outside the 99 % interval; ``uncertain`` less
            than even.
    """

    signal: int
    atom_indices: tuple[int, ...]
    n_hydrogens: int
    shift_ppm: float
    low_ppm: float
    high_ppm: float
    peak: int | None
    observed_ppm: float | None
    error_ppm: float | None
    probability: float
    alternatives: tuple[Alternative, ...]
    flags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PeakMatch:
    """One peak and the signals it was given.

    Attributes:
        peak: position in the list, from 0.
        shift_ppm: its shift, ppm.
        signals: numbers of the signals under it in the best assignment.
        extra_probability: marginal probability that it belongs to no signal, 0-1.
        flags: ``extra`` no signal; ``shared`` several; ``miscounted`` the number of nuclei stated
            is not that of its signals; ``poor_fit`` a signal of it fits badly.
    """

    peak: int
    shift_ppm: float
    signals: tuple[int, ...]
    extra_probability: float
    flags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CandidateMatch:
    """One structure against the spectrum.

    Attributes:
        index: position of the structure in the call, from 0.
        input: the structure as given.
        name: the user's identifier, if any.
        solvent: key of the solvent used.
        model: name, version and hash of the model.
        log_evidence: log density of the spectrum, summed over assignments (natural log).
        probability: relative to the other candidates, 0-1; they sum to one.
        mean_abs_error_ppm: of the best assignment, ppm; ``None`` if nothing is assigned.
        n_missing: signals without a peak.
        n_extra: peaks without a signal.
        signals: one value a signal, by its first atom.
        peaks: one value a peak, in the order of the list.
        notices: warnings on the structure.
        molblock: whose atom order is used, where the input has none (InChI).
    """

    index: int
    input: str
    name: str | None
    solvent: str
    model: str
    log_evidence: float
    probability: float
    mean_abs_error_ppm: float | None
    n_missing: int
    n_extra: int
    signals: tuple[SignalMatch, ...]
    peaks: tuple[PeakMatch, ...]
    notices: tuple[Notice, ...] = ()
    molblock: str | None = None


def kept(alternatives: list[Alternative]) -> tuple[Alternative, ...]:
    """Return the alternatives worth reporting, the likeliest first."""
    worth = [one for one in alternatives if one.probability >= _KEPT_SHARE]
    return tuple(sorted(worth, key=lambda one: (-one.probability, one.peak)))
