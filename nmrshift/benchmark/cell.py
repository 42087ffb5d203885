"""One measurement of a protocol: who learned from what, and how far off it is."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from nmrshift.benchmark.methods import Method
from nmrshift.data.records import ShiftRecord
from nmrshift.errors import FileFormatError
from nmrshift.evaluate.metrics import Metrics
from nmrshift.evaluate.score import Selection
from nmrshift.train.checkpoint import write_whole


@dataclass(frozen=True, slots=True)
class Test:
    """What a method is measured on.

    Attributes:
        name: of the test.
        records: its spectra.
        selection: which labels count.
        matched: score unassigned peak lists after matching, not assigned spectra.
    """

    name: str
    records: Sequence[ShiftRecord]
    selection: Selection
    matched: bool = False

    __test__ = False  # not a test case for pytest

    @property
    def nucleus(self) -> str:
        """The one nucleus that is scored."""
        (nucleus,) = self.selection.nuclei
        return nucleus


@dataclass(frozen=True, slots=True)
class Cell:
    """A method, its training spectra and its tests.

    Attributes:
        protocol: name of the protocol.
        method: who learns.
        training: spectra learned from; empty for the shipped model.
        tests: what it is measured on.
        size: the size of the training set, in words; tells cells of one method apart.
        seed: of choice and training.
        members: cells of the same spectra whose networks answer together; none where one does.
    """

    protocol: str
    method: Method
    training: Sequence[ShiftRecord]
    tests: Sequence[Test]
    size: str = ""
    seed: int = 1
    members: "tuple[Cell, ...]" = ()

    @property
    def networks(self) -> "tuple[Cell, ...]":
        """The cells that are trained for it: its members, or itself."""
        return self.members or (self,)

    @property
    def name(self) -> str:
        """Name of the cell's folder."""
        parts = (self.method, self.size.replace(" ", "-").replace("+", "plus"), f"seed{self.seed}")
        return "_".join(part for part in parts if part)


@dataclass(frozen=True, slots=True)
class Result:
    """What came out for one test.

    Attributes:
        protocol: name of the protocol.
        method: who learned.
        size: the size of the training set, in words.
        seed: of choice and training.
        test: name of the test.
        nucleus: what was scored.
        n_spectra: training spectra.
        metrics: error measures, ppm.
        model: identity of what answered.
        seconds: training time, 0 where nothing was trained.
    """

    protocol: str
    method: Method
    size: str
    seed: int
    test: str
    nucleus: str
    n_spectra: int
    metrics: Metrics
    model: str
    seconds: float = 0.0


def write_results(path: Path, results: Sequence[Result]) -> None:
    """Write the results of one cell, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps([asdict(result) for result in results], indent=1)
    write_whole(path, (text + "\n").encode())


def read_results(path: Path) -> list[Result]:
    """Read the results of one cell.

    Raises:
        FileFormatError: the file does not hold results.
    """
    try:
        rows: list[dict[str, Any]] = json.loads(path.read_text("utf-8"))
        return [Result(**{**row, "metrics": Metrics(**row["metrics"])}) for row in rows]
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise FileFormatError(f"{path} holds no benchmark results: {error}") from None
