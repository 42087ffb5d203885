"""What a laboratory may set, checked before anything runs."""

import re
from dataclasses import dataclass
from typing import Final

from nmrshift.errors import ConfigError

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")


@dataclass(frozen=True, slots=True)
class AdaptSettings:
    """Settings of one adaptation.

    Attributes:
        name: of the laboratory; the reference convention it is asked for by.
        solvent: of spectra that name none.
        validation: share of the molecules that are held out.
        seed: of every random choice.
        epochs: passes over the spectra, at most; ``None`` is what each way takes.
    """

    name: str = "laboratory"
    solvent: str | None = None
    validation: float = 0.2
    seed: int = 1
    epochs: int | None = None

    def __post_init__(self) -> None:
        """Check the settings.

        Raises:
            ConfigError: one of them is out of range.
        """
        check_laboratory_name(self.name)
        if not 0.05 <= self.validation <= 0.5:
            raise ConfigError("--validation is out of range", hint="Choose 0.05 to 0.5.")
        if self.epochs is not None and not 1 <= self.epochs <= 10_000:
            raise ConfigError("--epochs is out of range", hint="Choose 1 to 10000.")
        if not 0 <= self.seed < 2**31:
            raise ConfigError("--seed is out of range", hint="Choose 0 to 2147483647.")


def check_laboratory_name(name: str) -> None:
    """Check a name that becomes a convention, and part of names of files.

    Raises:
        ConfigError: it cannot.
    """
    if not _NAME.fullmatch(name):
        raise ConfigError(
            f"{name[:50]!r} cannot be the name of a laboratory",
            hint="Up to 40 letters, digits, dots, hyphens; a letter or digit first.",
        )
