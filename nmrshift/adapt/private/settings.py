"""What may be set for private learning: public, and fixed before any spectrum is read."""

from dataclasses import dataclass

from nmrshift.adapt.private.ledger import Budget
from nmrshift.errors import ConfigError, UnknownNucleusError


@dataclass(frozen=True, slots=True)
class PrivacySettings:
    """How private learning is carried out.

    None of it may be tried out on the spectra: every try would cost budget of its own.

    Attributes:
        budget: what may be spent.
        nuclei: whose shifts are learned from; all of the base's if empty.
        n_rounds: how often contributors are asked.
        rate: chance of each to take part in a round.
        clip_norm: largest norm of a contributor's gradient, in spreads of a nucleus.
        n_directions: in how many directions the convention is sought, at most.
        own_references: whether each contributor takes its own constant offset out first.
    """

    budget: Budget
    nuclei: tuple[str, ...] = ()
    n_rounds: int = 40
    rate: float = 0.5
    clip_norm: float = 0.5
    n_directions: int = 32
    own_references: bool = False

    def __post_init__(self) -> None:
        """Check the settings.

        Raises:
            ConfigError: one of them is out of range.
        """
        if not 1 <= self.n_rounds <= 1000:
            raise ConfigError("--rounds is out of range", hint="Choose 1 to 1000.")
        if not 0.01 <= self.rate <= 1:
            raise ConfigError("the sampling rate is out of range", hint="Choose 0.01 to 1.")
        if not 1e-6 <= self.clip_norm <= 1e6:
            raise ConfigError("the clip norm is out of range", hint="Choose 1e-6 to 1e6.")
        if not 1 <= self.n_directions <= 512:
            raise ConfigError("the number of directions is out of range", hint="Choose 1 to 512.")

    def learned(self, nuclei: tuple[str, ...]) -> tuple[str, ...]:
        """Return the nuclei to learn from.

        Args:
            nuclei: those of the base.

        Raises:
            UnknownNucleusError: one that is asked for is none of them.
        """
        unknown = [nucleus for nucleus in self.nuclei if nucleus not in nuclei]
        if unknown:
            raise UnknownNucleusError(
                f"the base model does not predict {unknown[0][:20]}",
                hint=f"It predicts {', '.join(nuclei)}; new nuclei are not added privately.",
            )
        return self.nuclei or nuclei
