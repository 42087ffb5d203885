"""Which way is taken: a freer one only for a clear gain, and none that costs public knowledge."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from nmrshift.adapt.answers import Answered, joined
from nmrshift.adapt.new_head import Solved
from nmrshift.adapt.ways import WayName
from nmrshift.model.network import ShiftNetwork

Verdict = Literal["better", "no difference", "worse"]

MOST_GROWTH: Final = 0.05
"""Share by which the error on public molecules may grow."""

_LEAVE_BASE: Final = 2.0
"""Standard errors that a gain over the base must have where weights change that the public shares:
several ways try, and one may be lucky ..."""

_GO_ON: Final = 1.0
"""... and where they do not, or over a more cautious way that has shown its gain."""

_LEAST_GAIN: Final = 0.01
_LEAST_HARM: Final = 0.05
"""Shares of the error below which a difference is none, however sure it is."""

_READ_TO_PPM: Final = 1e-3
"""No spectrum is read finer: errors below it are not told apart."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Trial:
    """One way with its errors on held-out molecules.

    Attributes:
        way: name of the way.
        network: what it came to.
        answered: on the held-out molecules.
        growth: share by which the error on public molecules grows, by nucleus.
        share: of what was learned that is kept, 0-1: the rest was led back to the base.
        epochs: passes it learned.
        seconds: time it took.
        solved: heads of new nuclei as they were solved for, by nucleus.
        left_out: errors on the molecules that were learned from, each left out of what was learned,
            for ways that are solved for; the base has not learned from any.
    """

    way: WayName
    network: ShiftNetwork
    answered: Answered
    growth: Mapping[str, float]
    share: float = 1.0
    epochs: int = 0
    seconds: float = 0.0
    solved: Mapping[str, Solved] = field(default_factory=dict)
    left_out: Answered | None = None

    @property
    def private(self) -> bool:
        """Whether public answers are untouched."""
        return not any(self.growth.values())

    @property
    def harmful(self) -> bool:
        """Whether it costs too much public knowledge."""
        return max(self.growth.values(), default=0.0) > MOST_GROWTH


@dataclass(frozen=True, slots=True)
class Choice:
    """What was chosen, and why.

    Attributes:
        trial: the chosen way.
        verdict: what the laboratory gains.
        reason: the same in a sentence.
    """

    trial: Trial
    verdict: Verdict
    reason: str


def choose(base: Trial, trials: Sequence[Trial]) -> Choice:
    """Go from the base to freer ways as long as each has a clear gain.

    Two ways are compared on the molecules that neither learned from: the held-out ones, and where
    both can leave out one at a time, all others too; these are enough to count molecules far off.

    Args:
        base: the base as it is.
        trials: ways, from cautious to free.
    """
    unit = _unit(base.answered)
    sums = {trial.way: _sums(_all(trial), unit) for trial in (base, *trials)}

    def gains(
        before: Trial, after: Trial, standard_errors: float, least: float = _LEAST_GAIN
    ) -> bool:
        far_off = before.left_out is not None and after.left_out is not None
        return is_clear(sums[before.way], sums[after.way], standard_errors, least, far_off=far_off)

    chosen = base
    for trial in trials:
        need = _LEAVE_BASE if chosen is base and not trial.private else _GO_ON
        if not trial.harmful and gains(chosen, trial, need):
            chosen = trial
    if chosen is not base:
        gain = 1 - relative_error(chosen, base)
        return Choice(chosen, "better", f"The error on held-out molecules falls by {gain:.0%}.")
    if any(trial.harmful and gains(base, trial, _LEAVE_BASE) for trial in trials):
        words = "The base model is kept: every gain would have cost public knowledge."
        return Choice(base, "no difference", words)
    tried = [trial for trial in trials if not trial.harmful and trial.epochs]
    if tried and all(gains(trial, base, _LEAVE_BASE, _LEAST_HARM) for trial in tried):
        words = "Learning raised the error on held-out molecules; the base model is kept."
        return Choice(base, "worse", words)
    words = "No way of learning gains more than chance would; the base model is kept."
    return Choice(base, "no difference", words)


def relative_error(trial: Trial, base: Trial) -> float:
    """Return a way's mean error in units of the base's, each shift in its nucleus' unit."""
    unit = _unit(base.answered)
    (n, total), (n_base, total_base) = (
        _sums(one.answered, unit).sum(axis=0) for one in (trial, base)
    )
    return float((total / n) / max(total_base / n_base, 1e-12))


def is_clear(
    before: Floats, after: Floats, standard_errors: float, least: float, *, far_off: bool = False
) -> bool:
    """Say whether an error falls by more than chance, molecules independent.

    The mean error must fall, and the relative gains of molecules must lie above zero by more than
    their standard error. In the mean alone a few molecules far off have the say, so that a gain on
    nearly all others could not be told from chance.

    Args:
        before: number of answers and sum of errors of each molecule, in units of the mean error
            ``[n_mols, 2]``.
        after: the same for the other model; of a list it may pair other peaks.
        standard_errors: how many of them the gain must have.
        least: share of the mean error that must go.
        far_off: whether gains in the mean will do as well, where it is molecules far off that gain;
            a few held-out ones are too few for that.
    """
    n_mols = max(len(before), len(after))
    (n, total), (n_after, total_after) = (
        np.pad(sums, ((0, n_mols - len(sums)), (0, 0))).T for sums in (before, after)
    )
    both = (n > 0) & (n_after > 0)
    if int(both.sum()) < 2:
        return False
    n, old, new = n[both], total[both] / n[both], total_after[both] / n_after[both]
    gained = n * (old - new)
    falls = float(gained.sum()) > least * float((n * old).sum())
    kinds = [(old - new) / (old + new + 1.0), *([gained] if far_off else [])]
    return falls and any(_lies_above_zero(gains, standard_errors) for gains in kinds)


def _lies_above_zero(gains: Floats, standard_errors: float) -> bool:
    error: float = gains.std(ddof=1) / len(gains) ** 0.5
    return float(gains.mean()) > standard_errors * error


def _unit(base: Answered) -> dict[int, float]:
    """Return the base's mean error of each nucleus, ppm: the unit in which nuclei are alike."""
    return {
        number: max(float(base.error_ppm[base.nucleus == number].mean()), _READ_TO_PPM)
        for number in np.unique(base.nucleus).tolist()
    }


def _all(trial: Trial) -> Answered:
    """Return all answers that say what a way is worth."""
    return trial.answered if trial.left_out is None else joined([trial.answered, trial.left_out])


def _sums(found: Answered, unit: Mapping[int, float]) -> Floats:
    """Return number of answers and sum of errors of each molecule ``[n_mols, 2]``."""
    scale = np.array([unit.get(number, 1.0) for number in found.nucleus.tolist()])
    counts = np.bincount(found.mol).astype(np.float64)
    error_ppm = np.maximum(found.error_ppm, _READ_TO_PPM)
    return np.stack([counts, np.bincount(found.mol, error_ppm / scale)], axis=1)
