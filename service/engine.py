"""The predictor behind the service: loaded once, watched, and called off the event loop."""

import logging
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from io import StringIO
from typing import Any, Final

from anyio import CapacityLimiter, to_thread

from nmrshift.errors import NmrshiftError
from nmrshift.io.fields import query_from_fields
from nmrshift.io.stream import predict_rows
from nmrshift.io.writers import JsonWriter
from nmrshift.types import Failure, Prediction, Query, ShiftPredictor
from service.mapping import ProblemError, problem_of
from service.problems import log_bug

_LOG = logging.getLogger("nmrshift.service")

CANARY: Final[Query] = Query("OC(=O)c1ccc(F)cc1C", solvent="CDCl3")
CANARY_TOLERANCE_PPM: Final[float] = 0.01
RETRY_AFTER_S: Final[int] = 2


@dataclass(frozen=True, slots=True)
class Options:
    """Settings of one request.

    Attributes:
        nuclei: nuclei by their usual names.
        solvent: solvent of molecules that name none.
        source: reference convention.
        interval: nominal coverage of the intervals, 0-1.
        references: measured shifts to name as evidence of each atom.
    """

    nuclei: tuple[str, ...]
    solvent: str | None
    source: str | None
    interval: float
    references: int = 0


class Engine:
    """Holds the predictor and hands it a bounded number of requests at a time.

    Nothing is predicted before :meth:`load` has ended well. The shifts that a canary molecule
    has then are those that it must keep: :meth:`check` predicts it again.
    """

    def __init__(
        self, load: Callable[[], ShiftPredictor], *, threads: int, max_waiting: int
    ) -> None:
        self._load = load
        self._max_waiting = max_waiting
        self._slots = CapacityLimiter(threads)
        self._health_slots = CapacityLimiter(1)
        self._predictor: ShiftPredictor | None = None
        self._canary_ppm: tuple[float, ...] = ()
        self._why_not = "The model is being loaded."

    async def load(self) -> None:
        """Load the predictor; a model that cannot be loaded leaves the service not ready."""
        start = time.monotonic()
        try:
            predictor, self._canary_ppm = await to_thread.run_sync(
                self._load_and_try, abandon_on_cancel=True
            )
        except (NmrshiftError, OSError) as error:
            self._why_not = "The model cannot be loaded."
            _LOG.error("the model cannot be loaded: %s", error)
        except Exception as error:  # noqa: BLE001 - the process must live to say it is not ready
            self._why_not = "The model cannot be loaded."
            log_bug(error)
        else:
            self._predictor = predictor
            _LOG.info("model loaded in %.1f s", time.monotonic() - start)

    def _load_and_try(self) -> tuple[ShiftPredictor, tuple[float, ...]]:
        predictor = self._load()
        return predictor, canary_shifts(predictor)

    @property
    def predictor(self) -> ShiftPredictor:
        """The predictor.

        Raises:
            ProblemError: ``not_ready``.
        """
        if self._predictor is None:
            raise ProblemError("not_ready", self._why_not, retry_after_s=RETRY_AFTER_S)
        return self._predictor

    async def check(self) -> None:
        """Predict the canary again.

        Raises:
            ProblemError: ``not_ready``, because no model is loaded or it now predicts otherwise.
        """
        predictor = self.predictor
        try:
            now_ppm = await to_thread.run_sync(canary_shifts, predictor, limiter=self._health_slots)
        except Exception as error:  # noqa: BLE001 - whatever it is, the model does not predict
            log_bug(error)
            now_ppm = ()
        if not _agree(now_ppm, self._canary_ppm):
            raise ProblemError("not_ready", "The canary molecule is not predicted as before.")

    async def predict(self, molecules: Sequence[Mapping[str, Any]], options: Options) -> str:
        """Predict the molecules of one request.

        Args:
            molecules: fields of each, see ``nmrshift.io.fields``.
            options: settings of the request.

        Returns:
            The JSON document of the answers.

        Raises:
            ProblemError: not ready, too many requests waiting, or a setting that the model does
                not know.
        """
        return await self.run(partial(predict_document, molecules=molecules, options=options))

    async def run(self, work: Callable[[ShiftPredictor], str]) -> str:
        """Do the work of one request when its turn comes, off the event loop.

        Args:
            work: makes a document with the predictor.

        Raises:
            ProblemError: not ready, too many requests waiting, or what the work refuses.
        """
        predictor = self.predictor
        if self._slots.statistics().tasks_waiting >= self._max_waiting:
            detail = "Too many requests are waiting."
            raise ProblemError("busy", detail, retry_after_s=RETRY_AFTER_S)
        try:
            return await to_thread.run_sync(work, predictor, limiter=self._slots)
        except NmrshiftError as error:
            raise problem_of(error) from None


def predict_document(
    predictor: ShiftPredictor, molecules: Sequence[Mapping[str, Any]], options: Options
) -> str:
    """Return the JSON document of answers, one a molecule, in order.

    Raises:
        NmrshiftError: a setting that the predictor does not know.
    """
    start = time.perf_counter()
    rows = (
        query_from_fields(fields, index, f"molecule {index}")
        for index, fields in enumerate(molecules)
    )
    predict = partial(
        predictor.predict_many,
        solvent=options.solvent,
        nuclei=options.nuclei,
        interval=options.interval,
        references=options.references,
    )
    text = StringIO()
    writer = JsonWriter(text)
    n_failed = 0
    for answer in predict_rows(predict, (_with_source(row, options.source) for row in rows)):
        writer.write(answer)
        n_failed += isinstance(answer, Failure)
    writer.close()
    took_ms = (time.perf_counter() - start) * 1000
    _LOG.info("%d molecules, %d failed, %.0f ms", len(molecules), n_failed, took_ms)
    return text.getvalue()


def _with_source(row: Query | Failure, source: str | None) -> Query | Failure:
    return replace(row, source=source) if source is not None and isinstance(row, Query) else row


def canary_shifts(predictor: ShiftPredictor) -> tuple[float, ...]:
    """Return the canary's shifts in ppm, by nucleus and atom.

    Raises:
        RuntimeError: it cannot be predicted.
    """
    (answer,) = predictor.predict_many([CANARY], nuclei=predictor.nuclei)
    atoms = answer.atoms if isinstance(answer, Prediction) else ()
    shifts_ppm = tuple(atom.shift_ppm for atom in atoms)
    if not shifts_ppm or not all(map(math.isfinite, shifts_ppm)):
        raise RuntimeError("the canary molecule cannot be predicted")
    return shifts_ppm


def _agree(now_ppm: Sequence[float], then_ppm: Sequence[float]) -> bool:
    if len(now_ppm) != len(then_ppm):
        return False
    return all(
        abs(now - then) <= CANARY_TOLERANCE_PPM for now, then in zip(now_ppm, then_ppm, strict=True)
    )
