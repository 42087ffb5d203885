"""What goes to a reader and what comes back; nothing here needs more than the chemistry."""

from dataclasses import dataclass
from typing import Any, Protocol

from nmrshift.predict.prepare import Prepared
from nmrshift.predict.stream import prepare_chunk
from nmrshift.types import Failure, Query


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
    """Work for one process: molecules to read, or pictures to draw; each is answered by itself.

    Attributes:
        queries: the molecules, or the pictures.
        reading: how to read them; nothing for pictures.
        deadline_s: seconds for each, after which the reader ends itself should nobody kill it.
    """

    queries: tuple[Any, ...]
    reading: Reading | None
    deadline_s: float


@dataclass(frozen=True, slots=True)
class Fault:
    """An unforeseen exception in a reader, by its place: its message may hold a structure."""

    kind: str
    places: str


class Read(Protocol):
    """Reads one molecule, or draws one picture."""

    def __call__(self, query: Any, reading: Any) -> object:
        """Return what is wanted, or why there is none."""
        ...


def read_query(query: Query, reading: Reading) -> Prepared | Failure:
    """Read one molecule; its index is 0."""
    (ready,) = prepare_chunk(0, [query], reading.nuclei, reading.known, reading.features)
    return ready
