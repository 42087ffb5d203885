"""The spectra that protocols train and test on, read from the project's data folder."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from nmrshift.chem.solvents import normalise
from nmrshift.data.importing import import_file
from nmrshift.data.records import ShiftRecord, read_records
from nmrshift.errors import FileFormatError


@dataclass(frozen=True)
class Library:
    """A data folder as ``docs/data.md`` describes it.

    Attributes:
        folder: where it is.
    """

    folder: Path

    def read(self, name: str) -> tuple[ShiftRecord, ...]:
        """Read a file of records, by its name without ``.jsonl.gz``.

        Raises:
            FileFormatError: there is no such file.
        """
        path = self.folder / f"{name}.jsonl.gz"
        return tuple(item for item in read_records(path) if isinstance(item, ShiftRecord))

    @cached_property
    def seed_records(self) -> tuple[ShiftRecord, ...]:
        """Spectra of the seed paper's own SD file."""
        path = self.folder / "seed_19f" / "nmrshiftdb2withsignals_fl.sd.gz"
        return tuple(item for item in import_file(path) if isinstance(item, ShiftRecord))

    def seed_ids(self, part: str) -> frozenset[str]:
        """Return the molecule numbers of ``train`` or ``test``.

        Raises:
            FileFormatError: the split is missing or does not name the part.
        """
        path = self.folder / "seed_19f" / "split.json"
        try:
            return frozenset(str(item) for item in json.loads(path.read_text("utf-8"))[part])
        except (OSError, ValueError, KeyError) as error:
            raise FileFormatError(f"{path}: {error}") from None


def in_solvent(records: Iterable[ShiftRecord], nucleus: str, solvent: str) -> list[ShiftRecord]:
    """Return the spectra of one nucleus in one solvent.

    Args:
        records: spectra of any kind.
        nucleus: for example ``13C``.
        solvent: key of the solvent, for example ``cdcl3``.
    """
    return [
        record
        for record in records
        if record.nucleus == nucleus and normalise(record.solvent).key == solvent
    ]


def choose(records: Sequence[ShiftRecord], n: int, seed: int) -> list[ShiftRecord]:
    """Choose spectra at random, the same for the same seed; a larger choice holds a smaller one."""
    order = np.random.default_rng([seed, len(records)]).permutation(len(records))
    return [records[row] for row in sorted(order[:n].tolist())]
