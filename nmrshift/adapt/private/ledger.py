"""What has been spent of a privacy budget, and how much noise it takes not to exceed it.

Rounds are Poisson-sampled Gaussian mechanisms; Renyi divergences add up (Mironov, arXiv 1702.07476;
Mironov, Talwar & Zhang, arXiv 1908.10530). The accountant is Google's ``dp-accounting``. Its
figures are upper bounds: what is stated is never less than what was spent. Neighbours differ in
the spectra of one contributor, who stays on the list but has none ("zero-out"; Kairouz et al.,
arXiv 2103.00039): who is on the list, and how many, is taken to be known.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from nmrshift.errors import BudgetError, ConfigError
from nmrshift.io.extras import load_extra

_EXTRA: Final = "private"
_LEAST_NOISE: Final = 0.2
_MOST_NOISE: Final = 1e4
_PRECISION: Final = 1e-3
_ORDERS: Final = (*range(2, 65), 80, 96, 128, 192, 256, 512)
"""Whole orders of divergences: any choice is an upper bound, and these have a closed form."""


@dataclass(frozen=True, slots=True)
class Budget:
    """A limit to what a contributor gives away.

    Attributes:
        epsilon: largest privacy loss, but for ``delta``.
        delta: probability with which more may be lost.
    """

    epsilon: float
    delta: float

    def __post_init__(self) -> None:
        """Check the limit.

        Raises:
            ConfigError: it is out of range.
        """
        if not (math.isfinite(self.epsilon) and 0.01 <= self.epsilon <= 100):
            raise ConfigError("--epsilon is out of range", hint="Choose 0.01 to 100.")
        if not (math.isfinite(self.delta) and 0 < self.delta <= 0.01):
            raise ConfigError("--delta is out of range", hint="Choose 1e-5, or less.")


@dataclass(frozen=True, slots=True)
class Spent:
    """Rounds of one kind that were carried out, or may have been.

    Attributes:
        noise_multiplier: standard deviation of the noise, in clip norms.
        rate: chance of a contributor to take part.
        n_rounds: how many.
    """

    noise_multiplier: float
    rate: float
    n_rounds: int

    def __post_init__(self) -> None:
        """Check the figures.

        Raises:
            ConfigError: they are those of no mechanism.
        """
        if not (
            math.isfinite(self.noise_multiplier)
            and self.noise_multiplier > 0
            and 0 < self.rate <= 1
            and self.n_rounds >= 0
        ):
            raise ConfigError("a ledger holds figures of no mechanism")


def epsilon_of(spent: Sequence[Spent], delta: float) -> float:
    """Return an upper bound of the privacy loss of all rounds together.

    Args:
        spent: the rounds.
        delta: probability with which more may be lost.

    Raises:
        MissingExtraError: ``dp-accounting`` is not installed.
    """
    return _epsilon(tuple(item for item in spent if item.n_rounds), delta)


def with_round(spent: Sequence[Spent], noise_multiplier: float, rate: float) -> tuple[Spent, ...]:
    """Return what is spent after one round more."""
    last = spent[-1] if spent else None
    if last is not None and (last.noise_multiplier, last.rate) == (noise_multiplier, rate):
        return (*spent[:-1], Spent(noise_multiplier, rate, last.n_rounds + 1))
    return (*spent, Spent(noise_multiplier, rate, 1))


def noise_for(budget: Budget, rate: float, n_rounds: int, before: Sequence[Spent] = ()) -> float:
    """Return the least noise multiplier with which some rounds stay within a budget, rounded up.

    Args:
        budget: the limit.
        rate: chance of a contributor to take part in a round.
        n_rounds: how many.
        before: what the same contributors have spent already.

    Raises:
        BudgetError: no noise is enough.
        MissingExtraError: ``dp-accounting`` is not installed.
    """

    def enough(noise_multiplier: float) -> bool:
        spent = (*before, Spent(noise_multiplier, rate, n_rounds))
        return epsilon_of(spent, budget.delta) <= budget.epsilon

    low, high = _LEAST_NOISE, _LEAST_NOISE
    while not enough(high):
        low, high = high, 2 * high
        if high > _MOST_NOISE:
            if before:
                raise spent_already(budget, before)
            raise BudgetError(f"no noise keeps within epsilon {budget.epsilon:g}")
    while high - low > _PRECISION * high:
        middle = (low + high) / 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def spent_already(budget: Budget, spent: Sequence[Spent]) -> BudgetError:
    """Return the error of a budget of which too little is left."""
    return BudgetError(
        f"epsilon {epsilon_of(spent, budget.delta):.3f} of {budget.epsilon:g} is spent on these "
        "contributors already",
        hint="What else is learned from them costs more: state an --epsilon for both together, "
        "or use another --journal for other contributors.",
    )


@lru_cache(maxsize=1024)
def _epsilon(spent: tuple[Spent, ...], delta: float) -> float:
    if not spent:
        return 0.0
    accounting: Any = load_extra("dp_accounting", _EXTRA)
    rdp: Any = load_extra("dp_accounting.rdp", _EXTRA)
    accountant = rdp.RdpAccountant(_ORDERS, accounting.NeighboringRelation.REPLACE_SPECIAL)
    for item in spent:
        event = accounting.GaussianDpEvent(item.noise_multiplier)
        if item.rate < 1:
            event = accounting.PoissonSampledDpEvent(item.rate, event)
        accountant.compose(event, item.n_rounds)
    return float(accountant.get_epsilon(delta))
