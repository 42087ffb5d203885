"""What has been spent of a privacy budget, and how much noise it takes not to exceed it.

Rounds are Poisson-sampled Gaussian mechanisms; Renyi divergences add up (Mironov, arXiv 1702.07476;
Mironov, Talwar & Zhang, arXiv 1908.10530). The accountant is Google's ``dp-accounting``. Its
figures are upper bounds: what is stated is never less than what was spent.
"""

import math
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final

from nmrshift.errors import ConfigError
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


@dataclass(slots=True)
class Ledger:
    """Rounds as they are carried out.

    Attributes:
        budget: the limit.
        noise_multiplier: of every round.
        rate: chance of a contributor to take part in a round.
        n_rounds: rounds so far.
    """

    budget: Budget
    noise_multiplier: float
    rate: float
    n_rounds: int = field(default=0, init=False)

    @property
    def epsilon(self) -> float:
        """What has been spent, at the budget's delta."""
        return epsilon_of(self.noise_multiplier, self.rate, self.n_rounds, self.budget.delta)

    def allows_another(self) -> bool:
        """Say whether one more round stays within the budget."""
        after = epsilon_of(self.noise_multiplier, self.rate, self.n_rounds + 1, self.budget.delta)
        return after <= self.budget.epsilon

    def enter(self) -> None:
        """Enter a round, before it is carried out.

        Raises:
            ConfigError: it would exceed the budget.
        """
        if not self.allows_another():
            raise ConfigError("the privacy budget is spent")
        self.n_rounds += 1


@lru_cache(maxsize=1024)
def epsilon_of(noise_multiplier: float, rate: float, n_rounds: int, delta: float) -> float:
    """Return an upper bound of the privacy loss of some rounds.

    Args:
        noise_multiplier: standard deviation of the noise, in clip norms.
        rate: chance of a contributor to take part in a round.
        n_rounds: how many.
        delta: probability with which more may be lost.

    Raises:
        MissingExtraError: ``dp-accounting`` is not installed.
    """
    if n_rounds == 0:
        return 0.0
    accountant: Any = load_extra("dp_accounting.rdp", _EXTRA).RdpAccountant(_ORDERS)
    events = load_extra("dp_accounting.dp_event", _EXTRA)
    event = events.GaussianDpEvent(noise_multiplier)
    if rate < 1:
        event = events.PoissonSampledDpEvent(rate, event)
    accountant.compose(event, n_rounds)
    return float(accountant.get_epsilon(delta))


def noise_for(budget: Budget, rate: float, n_rounds: int) -> float:
    """Return the least noise multiplier with which some rounds stay within a budget, rounded up.

    Args:
        budget: the limit.
        rate: chance of a contributor to take part in a round.
        n_rounds: how many.

    Raises:
        ConfigError: no noise is enough.
        MissingExtraError: ``dp-accounting`` is not installed.
    """

    def enough(noise_multiplier: float) -> bool:
        return epsilon_of(noise_multiplier, rate, n_rounds, budget.delta) <= budget.epsilon

    low, high = _LEAST_NOISE, _LEAST_NOISE
    while not enough(high):
        low, high = high, 2 * high
        if high > _MOST_NOISE:
            raise ConfigError("no noise keeps within the privacy budget")
    while high - low > _PRECISION * high:
        middle = (low + high) / 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high
