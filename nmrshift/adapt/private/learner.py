"""The steps of private learning: what is known of the spectra enters by noisy sums alone."""

import math
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np

from nmrshift.adapt.private.mechanism import UNITS, Floats, Units

_MOST_NOISE_SHARE: Final = 0.5
_FIRST_RATE: Final = 0.05
_LAST_RATE: Final = 0.005
"""Learning rates of the first and the last round, in spreads of a nucleus."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is settled before any spectrum is used.

    Attributes:
        n_contributors: contributors on the list; taken to be known.
        rate: chance of each to take part in a round.
        n_rounds: how often they are asked.
        clip_norm: largest norm of an update.
        noise_multiplier: standard deviation of the noise, in clip norms.
        own_references: whether each contributor takes its own constant offset out first.
    """

    n_contributors: int
    rate: float
    n_rounds: int
    clip_norm: float
    noise_multiplier: float
    own_references: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Return plain numbers, ready for JSON."""
        return asdict(self)

    @property
    def noise_share(self) -> float:
        """Noise of all rounds, in one direction, over the most that all contributors can say."""
        total = self.rate * self.n_contributors * math.sqrt(self.n_rounds)
        return self.noise_multiplier / total

    def n_heard(self, most: int) -> int:
        """Return in how many directions contributors are heard over the noise, so many at most."""
        return min(most, int((_MOST_NOISE_SHARE / self.noise_share) ** 2))


@dataclass(frozen=True, slots=True)
class State:
    """Where learning stands.

    Attributes:
        place: the convention, along the axes of its space ``[n_directions]``.
        kept: sum of the places of the second half of the rounds.
        n_kept: how many those are.
        n_rounds: rounds so far.
    """

    place: tuple[float, ...]
    kept: tuple[float, ...]
    n_kept: int = 0
    n_rounds: int = 0

    @classmethod
    def begin(cls, n_directions: int) -> "State":
        """Return the state before the first round."""
        return cls((0.0,) * n_directions, (0.0,) * n_directions)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "State":
        """Read what :meth:`to_dict` gave."""
        return cls(
            tuple(map(float, values["place"])),
            tuple(map(float, values["kept"])),
            int(values["n_kept"]),
            int(values["n_rounds"]),
        )

    def to_dict(self) -> dict[str, Any]:
        """Return plain numbers and lists, ready for JSON; floats keep every bit."""
        return asdict(self)

    def learned(self) -> Floats:
        """Return the average of the second half of the rounds ``[n_directions]``."""
        found = np.array(self.kept) / self.n_kept if self.n_kept else np.array(self.place)
        return found.astype(np.float64)


def after_round(state: State, total: Units, plan: Plan) -> State:
    """Return the state after a round.

    The sum is divided by the expected number of contributors: how many took part is a secret too.

    Args:
        state: before it.
        total: noisy sum of clipped gradients, in units ``[n_directions]``.
        plan: of the whole.
    """
    mean = total * (plan.clip_norm / UNITS / (plan.rate * plan.n_contributors))
    share = state.n_rounds / max(1, plan.n_rounds - 1)
    place = np.array(state.place) - _FIRST_RATE * (_LAST_RATE / _FIRST_RATE) ** share * mean
    number = state.n_rounds + 1
    is_kept = number > plan.n_rounds // 2
    kept = np.array(state.kept) + place if is_kept else np.array(state.kept)
    return State(tuple(place.tolist()), tuple(kept.tolist()), state.n_kept + is_kept, number)
