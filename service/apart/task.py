"""What goes to a process that works apart and what comes back; nothing here needs torch."""

from dataclasses import dataclass
from typing import Any, Final, Protocol

from nmrshift.predict.info import ModelInfo
from nmrshift.predict.prepare import Prepared
from nmrshift.predict.stream import prepare_chunk
from nmrshift.types import Failure, Query
from service.options import Options

GRACE_S: Final[float] = 1.0
"""What a process waits longer than its owner before it ends itself."""

NETWORK_DEADLINES: Final[int] = 5
"""Time for all molecules of a task after they have been read, in deadlines of reading one."""


@dataclass(frozen=True, slots=True)
class Reading:
    """How molecules are to be read.

    Attributes:
        nuclei: nuclei of the queries that name none.
        known: nuclei of the model.
        features: name of the model's feature preset.
    """

    nuclei: tuple[str, ...]
    known: tuple[str, ...]
    features: str


@dataclass(frozen=True, slots=True)
class Task:
    """Molecules for one process to answer.

    Attributes:
        queries: the molecules, each with the number of its options.
        options: the options that occur.
        deadline_s: seconds for reading each; its owner keeps the clock.
    """

    queries: tuple[tuple[Query, int], ...]
    options: tuple[Options, ...]
    deadline_s: float


@dataclass(frozen=True, slots=True)
class Fault:
    """An unforeseen exception, by its place: its message may hold a structure."""

    kind: str
    places: str


@dataclass(frozen=True, slots=True)
class Broken:
    """Why a nursery could not load what it was to load, in words that may be logged."""

    reason: str


@dataclass(frozen=True, slots=True)
class Described:
    """A model in another process, as far as it has to be known here.

    Attributes:
        info: what it says of itself.
        canary_ppm: shifts of the canary molecule, read and predicted in one process.
    """

    info: ModelInfo
    canary_ppm: tuple[float, ...]

    @property
    def identity(self) -> str:
        """Name, version and short hash."""
        return self.info.identity

    @property
    def nuclei(self) -> tuple[str, ...]:
        """Nuclei that can be asked for."""
        return self.info.nuclei

    @property
    def sources(self) -> tuple[str, ...]:
        """Reference conventions that can be asked for."""
        return self.info.sources


class Read(Protocol):
    """Reads one molecule."""

    def __call__(self, query: Query, reading: Reading) -> Prepared | Failure:
        """Return the molecule, or why there is none."""
        ...


class Draw(Protocol):
    """Draws one picture."""

    def __call__(self, drawing: Any) -> bytes | Failure:
        """Return the picture, or why there is none."""
        ...


def read_query(query: Query, reading: Reading) -> Prepared | Failure:
    """Read one molecule; its index is 0."""
    (ready,) = prepare_chunk(0, [query], reading.nuclei, reading.known, reading.features)
    return ready
