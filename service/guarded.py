"""The loaded model for work that wants a predictor; molecules are answered where models are."""

from collections.abc import Iterable, Iterator
from concurrent.futures import Future
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from nmrshift.types import DEFAULT_NUCLEI, Failure, Prediction, Query
from service.loaded import Loaded
from service.mapping import ProblemError, check_source
from service.options import Options
from service.pipeline import Pipeline
from service.tickets import Answers

if TYPE_CHECKING:
    from rdkit.Chem import Mol

_CHUNK: Final[int] = 256
_DESCRIPTION: Final[frozenset[str]] = frozenset({"identity", "info", "sources"})


class GuardedPredictor:
    """A ``ShiftPredictor`` that sends its molecules through the pipeline.

    Args:
        pipeline: answers them.
        loaded: the model.
        timeout_s: seconds for each 256 molecules.
    """

    def __init__(self, pipeline: Pipeline, loaded: Loaded, timeout_s: float) -> None:
        self._pipeline = pipeline
        self._loaded = loaded
        self._timeout_s = timeout_s

    def __getattr__(self, name: str) -> Any:
        """Leave what the model says of itself to the model, and nothing that predicts."""
        if name not in _DESCRIPTION:
            raise AttributeError(name)
        return getattr(self._loaded.about, name)

    @property
    def nuclei(self) -> tuple[str, ...]:
        """Nuclei that can be asked for."""
        return self._loaded.about.nuclei

    def predict_many(
        self,
        queries: "Iterable[str | Mol | Query]",
        *,
        solvent: str | None = None,
        nuclei: tuple[str, ...] = DEFAULT_NUCLEI,
        source: str | None = None,
        interval: float = 0.9,
        references: int = 0,
    ) -> Iterator[Prediction | Failure]:
        """Predict a stream: one answer a query, in order, failures as values.

        Raises:
            ProblemError: a source that the model does not know; later, ``deadline``.
        """
        check_source(self._loaded.about, source)
        options = Options(tuple(nuclei), solvent, source, interval, references)
        return self._stream(iter(queries), options)

    def _stream(
        self, queries: "Iterator[str | Mol | Query]", options: Options
    ) -> Iterator[Prediction | Failure]:
        first = 0
        while chunk := list(islice(queries, _CHUNK)):
            rows = [one if isinstance(one, Query) else Query(one) for one in chunk]
            future = self._pipeline.submit(self._loaded, rows, options, first=first)
            for answer in self._wait(future):
                assert isinstance(answer, Prediction | Failure)  # none is wanted as text
                yield answer
            first += len(rows)

    def _wait(self, future: "Future[Answers]") -> Answers:
        try:
            return future.result(self._timeout_s)
        except TimeoutError:
            future.cancel()
            raise ProblemError("deadline", "The answer took too long.") from None
