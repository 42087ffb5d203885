"""The owner's record of what was spent, and of a run that was cut off.

It belongs to who holds the spectra and goes nowhere: not into a model folder, not to anybody.
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from nmrshift.adapt.private.ledger import Spent
from nmrshift.errors import ConfigError
from nmrshift.io.store import LocalStore

LEDGER: Final = "ledger.json"
RUN: Final = "run.json"


@dataclass(frozen=True, slots=True)
class Journal:
    """A folder with a ledger and, while a run goes on, its state.

    Attributes:
        folder: where it is.
    """

    folder: Path

    @contextmanager
    def opened(self) -> Iterator[None]:
        """Keep other runs out for as long as the block lasts.

        Raises:
            BatchError: another run uses this journal.
        """
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with LocalStore(str(self.folder)).lock():
            yield

    def spent(self) -> tuple[Spent, ...]:
        """Return all rounds that were ever entered.

        Raises:
            ConfigError: the ledger cannot be read: then nothing may be spent.
        """
        found = self._read(LEDGER)
        try:
            return () if found is None else tuple(Spent(**item) for item in found["rounds"])
        except (TypeError, KeyError) as error:
            raise ConfigError(f"{self.folder / LEDGER} is no ledger: {error}") from None

    def enter(self, spent: Sequence[Spent]) -> None:
        """Put what is spent on disk; rounds are entered before they are carried out."""
        self._write(LEDGER, {"schema_version": 1, "rounds": [asdict(item) for item in spent]})

    def run(self) -> dict[str, Any] | None:
        """Return the state of a run that was cut off, if there is one.

        Raises:
            ConfigError: it cannot be read.
        """
        return self._read(RUN)

    def keep_run(self, state: dict[str, Any]) -> None:
        """Put the state of a run on disk."""
        self._write(RUN, state)

    def end_run(self) -> None:
        """Forget the state of a run that is complete."""
        LocalStore(str(self.folder)).remove(RUN)

    def _read(self, name: str) -> dict[str, Any] | None:
        try:
            found = json.loads((self.folder / name).read_text("utf-8"))
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise ConfigError(f"{self.folder / name} cannot be read: {error}") from None
        if not isinstance(found, dict):
            raise ConfigError(f"{self.folder / name} cannot be read: no object")
        return found

    def _write(self, name: str, values: dict[str, Any]) -> None:
        with LocalStore(str(self.folder)).whole(name) as stream:
            stream.write(json.dumps(values, indent=1).encode())
