"""How a run went: rows in, predicted, failed and why."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from nmrshift.types import Failure, Prediction


@dataclass(frozen=True, slots=True)
class Tally:
    """Numbers of answers.

    Attributes:
        predicted: predictions.
        failed: failures by code, codes in alphabetical order.
    """

    predicted: int = 0
    failed: Mapping[str, int] = field(default_factory=dict)

    @property
    def n_failed(self) -> int:
        """Number of failures of any kind."""
        return sum(self.failed.values())

    @property
    def rows(self) -> int:
        """Number of rows, each of which has one answer."""
        return self.predicted + self.n_failed

    def __add__(self, other: "Tally") -> "Tally":
        failed = Counter(self.failed) + Counter(other.failed)
        return Tally(self.predicted + other.predicted, dict(sorted(failed.items())))

    def summary(self) -> str:
        """Return one line for people, the most frequent failure first."""
        text = f"{self.rows} rows: {self.predicted} predicted, {self.n_failed} failed"
        if not self.failed:
            return text
        ordered = sorted(self.failed.items(), key=lambda item: (-item[1], item[0]))
        return f"{text} ({', '.join(f'{code} {n}' for code, n in ordered)})"


class Counting:
    """Counts answers as they pass."""

    def __init__(self) -> None:
        self._predicted = 0
        self._failed: Counter[str] = Counter()

    def add(self, answer: Prediction | Failure) -> None:
        """Count one answer."""
        if isinstance(answer, Failure):
            self._failed[answer.code] += 1
        else:
            self._predicted += 1

    def tally(self) -> Tally:
        """Return the numbers so far."""
        return Tally(self._predicted, dict(sorted(self._failed.items())))
