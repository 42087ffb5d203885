"""What a run in parts is made of: values that travel to the processes that do the work."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from nmrshift.io.packing import PACKINGS, Packing
from nmrshift.io.store import Store
from nmrshift.io.tally import Tally
from nmrshift.io.writers import PART_SUFFIX, OutputFormat
from nmrshift.types import DEFAULT_NUCLEI, Failure, Query

_PACKING_SUFFIX: Final[dict[Packing, str]] = {value: key for key, value in PACKINGS.items()}


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of ``predict_many`` that hold for all rows.

    Attributes:
        nuclei: nuclei to predict.
        solvent: solvent of rows that name none.
        source: reference convention.
        interval: nominal coverage of the intervals, 0.5-0.99.
        references: measured shifts to name as evidence of each atom.
    """

    nuclei: tuple[str, ...] = DEFAULT_NUCLEI
    solvent: str | None = None
    source: str | None = None
    interval: float = 0.9
    references: int = 0

    def keywords(self) -> dict[str, Any]:
        """Return the arguments of ``predict_many``."""
        return {
            "nuclei": self.nuclei,
            "solvent": self.solvent,
            "source": self.source,
            "interval": self.interval,
            "references": self.references,
        }


@dataclass(frozen=True, slots=True)
class Job:
    """Everything that a worker must know.

    Attributes:
        store: the folder of the parts.
        model: a model folder; ``None`` is the shipped one.
        settings: of the prediction.
        format: of the parts.
        packing: compression of the parts.
    """

    store: Store
    model: str | None = None
    settings: Settings = field(default_factory=Settings)
    format: OutputFormat = "jsonl"
    packing: Packing | None = None

    def part_name(self, number: int) -> str:
        """Return the name of a part's file."""
        ending = "" if self.packing is None else _PACKING_SUFFIX[self.packing]
        return f"part-{number:06d}{PART_SUFFIX[self.format]}{ending}"


@dataclass(frozen=True, slots=True)
class Part:
    """Rows that are predicted together and written as one file.

    Attributes:
        number: position of the part, from 0.
        first_row: position of its first row in the input, from 0.
        rows: queries, and failures that the reader met.
    """

    number: int
    first_row: int
    rows: tuple[Query | Failure, ...]


@dataclass(frozen=True, slots=True)
class PartReport:
    """A part that is written.

    Attributes:
        number: position of the part, from 0.
        name: of its file.
        tally: its answers.
        n_bytes: size of the file.
        sha256: hash of the file.
    """

    number: int
    name: str
    tally: Tally
    n_bytes: int
    sha256: str


class Engine(Protocol):
    """Maps a worker over parts."""

    def run(self, job: Job, parts: Iterable[Part]) -> Iterator[PartReport]:
        """Predict and write every part; yield reports as parts are finished, in any order.

        Parts are drawn only as fast as they are worked off, so that memory stays bounded.

        Raises:
            BatchError: a worker was lost and cannot be replaced.
        """
        ...
