"""The model behind the service: loaded, watched, replaced, and asked by a bounded number."""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from functools import partial
from typing import TypeVar

import anyio
from anyio import CapacityLimiter, to_thread

from nmrshift.errors import NmrshiftError
from nmrshift.io.options import parse_nuclei
from nmrshift.types import Failure, Query, ShiftPredictor
from service.admission import RETRY_AFTER_S, Admission
from service.guarded import GuardedPredictor
from service.loaded import Loaded
from service.mapping import ProblemError, check_source, problem_of
from service.metrics import Metrics
from service.options import Options
from service.pipeline import READ, Pipeline
from service.problems import log_bug
from service.reading.drawers import DRAW, Drawers
from service.settings import BYTES_PER_MB, Settings
from service.tickets import Answers

_Document = TypeVar("_Document", str, bytes)
_LOG = logging.getLogger("nmrshift.service")


class Engine:
    """Holds the model and hands it a bounded number of requests at a time.

    Nothing is predicted before :meth:`load` has ended well. The shifts that a canary molecule
    has then are those that it must keep: :meth:`check` predicts it again.

    Attributes:
        admission: counts what is being answered.
        is_draining: whether the service is about to end.

    Args:
        load: returns a verified predictor.
        settings: sizes and deadlines.
        metrics: told what happens.
        read: ``module:function`` that reads one molecule in a reading process.
        draw: ``module:function`` that draws one picture in a drawing process.
    """

    def __init__(
        self,
        load: Callable[[], ShiftPredictor],
        settings: Settings,
        metrics: Metrics,
        *,
        read: str = READ,
        draw: str = DRAW,
    ) -> None:
        self._load = load
        self._metrics = metrics
        self._timeout_s = settings.request_timeout_s
        self._slots = CapacityLimiter(settings.threads)
        self._health_slots = CapacityLimiter(1)
        self._drawing_slots = CapacityLimiter(settings.readers)
        self._pipeline = Pipeline(settings, metrics, read)
        self._drawers = Drawers(
            draw,
            deadline_s=settings.draw_timeout_s,
            memory_bytes=settings.reader_memory_mb * BYTES_PER_MB,
            metrics=metrics,
        )
        self.admission = Admission(
            max_requests=settings.threads + settings.max_waiting,
            max_molecules=settings.max_waiting_molecules,
            on_change=metrics.queued_molecules.set,
        )
        self._loaded: Loaded | None = None
        self._is_reloading = False
        self.is_draining = False
        self._why_not = "The model is being loaded."

    def start(self) -> None:
        """Start the threads that answer."""
        self._pipeline.start()
        self._drawers.start()

    def close(self) -> None:
        """Stop them; requests under way must have ended."""
        self._pipeline.close()
        self._drawers.close()

    def drain(self) -> None:
        """Say from now on that the service is not ready, so that no more is sent to it."""
        self.is_draining = True

    async def load(self) -> None:
        """Load the predictor; a model that cannot be loaded leaves the service not ready."""
        start = time.monotonic()
        try:
            self._loaded = await to_thread.run_sync(self._load_and_try, abandon_on_cancel=True)
        except Exception as error:  # noqa: BLE001 - the process must live to say it is not ready
            self._why_not = "The model cannot be loaded."
            _log_failed_load(error)
        else:
            _LOG.info("model loaded in %.1f s", time.monotonic() - start)

    async def reload(self) -> Loaded:
        """Load the model again and let it replace the one that answers, if it can be verified.

        Requests under way end with the model that they began with.

        Raises:
            ProblemError: ``reload_failed``; the old model goes on.
        """
        if self._is_reloading:
            raise ProblemError("reload_failed", "A reload is under way.")
        self._is_reloading = True
        try:
            self._loaded = await to_thread.run_sync(self._load_and_try)
        except Exception as error:  # noqa: BLE001 - whatever it is, the old model goes on
            _log_failed_load(error)
            self._metrics.reloads.labels("failed").inc()
            detail = "The new model cannot be loaded; the old one goes on."
            raise ProblemError("reload_failed", detail) from None
        finally:
            self._is_reloading = False
        self._metrics.reloads.labels("ok").inc()
        _LOG.info("model reloaded")
        return self._loaded

    def _load_and_try(self) -> Loaded:
        loaded = Loaded.of(self._load())
        self._pipeline.try_out(loaded)
        return loaded

    @property
    def loaded(self) -> Loaded:
        """The model that answers now.

        Raises:
            ProblemError: ``not_ready``.
        """
        if self._loaded is None:
            raise ProblemError("not_ready", self._why_not, retry_after_s=RETRY_AFTER_S)
        return self._loaded

    @property
    def predictor(self) -> ShiftPredictor:
        """The predictor, to be asked what it knows; :meth:`run` hands out one to predict with.

        Raises:
            ProblemError: ``not_ready``.
        """
        return self.loaded.predictor

    async def check(self) -> None:
        """Predict the canary again.

        Raises:
            ProblemError: ``not_ready``, because no model is loaded, it now predicts otherwise, or
                the service is about to end.
        """
        loaded = self.loaded
        if self.is_draining:
            raise ProblemError("not_ready", "The service is shutting down.")
        try:
            is_good = await to_thread.run_sync(loaded.is_as_before, limiter=self._health_slots)
        except Exception as error:  # noqa: BLE001 - whatever it is, the model does not predict
            log_bug(error)
            is_good = False
        if not is_good:
            raise ProblemError("not_ready", "The canary molecule is not predicted as before.")

    async def answers(self, rows: Sequence[Query | Failure], options: Options) -> Answers:
        """Answer the molecules of one request, in order.

        Raises:
            ProblemError: not ready, too many requests waiting, past the deadline, or a setting
                that the model does not know.
        """
        loaded = self.loaded
        self.admission.enter(len(rows))
        try:
            future = self._pipeline.submit(loaded, rows, options)
        except BaseException:
            self.admission.leave(len(rows))
            raise
        self.admission.leave_with(future, len(rows))
        try:
            return await asyncio.wait_for(asyncio.wrap_future(future), self._timeout_s)
        except TimeoutError:
            raise ProblemError("deadline", "The answer took too long.") from None
        except NmrshiftError as error:
            raise problem_of(error) from None

    def in_background(
        self, rows: Sequence[Query | Failure], options: Options, *, first: int
    ) -> "Future[Answers]":
        """Answer rows of something longer when nobody else asks for anything.

        Args:
            rows: queries and failures.
            options: settings of queries that name none.
            first: index of the first row.

        Raises:
            ProblemError: ``not_ready``, or a source that the model does not know.
            UnknownNucleusError: the model that answers now lacks a nucleus.
        """
        loaded = self.loaded
        parse_nuclei(options.nuclei, loaded.predictor.nuclei)
        check_source(loaded.predictor, options.source)
        return self._pipeline.submit(loaded, rows, options, first=first, is_background=True)

    async def run(self, work: Callable[[ShiftPredictor], _Document]) -> _Document:
        """Do the work of one request when its turn comes, off the event loop.

        Args:
            work: makes a document with the predictor that it is given.

        Raises:
            ProblemError: not ready, too many requests waiting, past the deadline, or what the
                work refuses.
        """
        return await self._in_turn(work, self._slots)

    async def draw(self, work: Callable[..., bytes]) -> bytes:
        """Draw when its turn comes; neither predictions nor :meth:`run` wait for it.

        Args:
            work: makes a picture with the predictor and the function ``draw`` that it is given.

        Raises:
            ProblemError: as :meth:`run`.
        """
        return await self._in_turn(partial(work, draw=self._drawers.draw), self._drawing_slots)

    async def _in_turn(
        self, work: Callable[[ShiftPredictor], _Document], slots: CapacityLimiter
    ) -> _Document:
        guarded = GuardedPredictor(self._pipeline, self.loaded, self._timeout_s)
        self.admission.enter(1)
        try:
            with anyio.fail_after(self._timeout_s):
                return await to_thread.run_sync(
                    work, guarded, limiter=slots, abandon_on_cancel=True
                )
        except NmrshiftError as error:  # before the builtin: our own DeadlineError is one, too
            raise problem_of(error) from None
        except TimeoutError:
            raise ProblemError("deadline", "The answer took too long.") from None
        finally:
            self.admission.leave(1)


def _log_failed_load(error: Exception) -> None:
    if isinstance(error, NmrshiftError | OSError):
        _LOG.error("the model cannot be loaded: %s", error)
    else:
        log_bug(error)
