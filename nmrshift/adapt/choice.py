"""Which way is taken: a freer one only for a clear gain, and none that costs public knowledge."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from nmrshift.adapt.answers import Answered
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

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Trial:
    """One way with its errors on held-out molecules.

    Attributes:
        way: name of the way.
        network: what it came to.
        answered: on the held-out molecules.
        growth: share by which the error on public molecules grows, by nucleus.
        epochs: passes it learned.
        seconds: time it took.
        solved: heads of new nuclei as they were solved for, by nucleus.
    """

    way: WayName
    network: ShiftNetwork
    answered: Answered
    growth: Mapping[str, float]
    epochs: int = 0
    seconds: float = 0.0
    solved: Mapping[str, Solved] = field(default_factory=dict)

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

    Args:
        base: the base as it is.
        trials: ways, from cautious to free.
    """
    unit = _unit(base.answered)
    sums = {trial.way: _sums(trial, unit) for trial in (base, *trials)}

    def gains(
        before: Trial, after: Trial, standard_errors: float, least: float = _LEAST_GAIN
    ) -> bool:
        return is_clear(sums[before.way], sums[after.way], standard_errors, least)

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
    (n, total), (n_base, total_base) = (_sums(t, unit).sum(axis=0) for t in (trial, base))
    return float((total / n) / max(total_base / n_base, 1e-12))


def is_clear(before: Floats, after: Floats, standard_errors: float, least: float) -> bool:
    """Say whether an error falls by more than its standard error, molecules independent.

    Args:
        before: number of answers and sum of errors of each molecule ``[n_mols, 2]``.
        after: the same for the other model; of a list it may pair other peaks.
        standard_errors: how many of them the gain must have.
        least: share of the error that it must have too.
    """
    n_mols = max(len(before), len(after))
    (n, total), (n_after, total_after) = (
        np.pad(sums, ((0, n_mols - len(sums)), (0, 0))).T for sums in (before, after)
    )
    both = (n > 0) & (n_after > 0)
    if int(both.sum()) < 2:
        return False
    n, total, mean_after = n[both], total[both], total_after[both] / n_after[both]
    gain = total - n * mean_after
    mean = float(gain.sum() / n.sum())
    correction = len(n) / (len(n) - 1)
    error = float(np.sqrt(((gain - n * mean) ** 2).sum() * correction) / n.sum())
    return mean > max(standard_errors * error, least * float(total.sum() / n.sum()))


def _unit(base: Answered) -> dict[int, float]:
    """Return the base's mean error of each nucleus, ppm: the unit in which nuclei are alike."""
    return {
        number: max(float(base.error_ppm[base.nucleus == number].mean()), 1e-6)
        for number in np.unique(base.nucleus).tolist()
    }


def _sums(trial: Trial, unit: Mapping[int, float]) -> Floats:
    """Return number of answers and sum of errors of each molecule ``[n_mols, 2]``."""
    found = trial.answered
    scale = np.array([unit.get(number, 1.0) for number in found.nucleus.tolist()])
    counts = np.bincount(found.mol).astype(np.float64)
    return np.stack([counts, np.bincount(found.mol, found.error_ppm / scale)], axis=1)
