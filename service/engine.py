"""The model behind the service: loaded, watched, replaced, and asked by a bounded number."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Future
from functools import partial
from typing import Final, TypeVar

import anyio
from anyio import CapacityLimiter, to_thread

from nmrshift.errors import NmrshiftError
from nmrshift.io.options import parse_nuclei
from nmrshift.types import Failure, Query, ShiftPredictor
from service.admission import RETRY_AFTER_S, Admission, Load
from service.apart.drawers import DRAW, Drawers
from service.apart.owner import BrokenNurseryError
from service.estimate import estimated_atoms
from service.guarded import GuardedPredictor
from service.loaded import About, Answerers, Loaded
from service.mapping import ProblemError, check_source, problem_of
from service.metrics import Metrics
from service.options import Options
from service.pipeline import Pipeline
from service.problems import log_bug
from service.settings import BYTES_PER_MB, Settings
from service.tickets import Answers

_Document = TypeVar("_Document", str, bytes)
_LOG = logging.getLogger("nmrshift.service")

_ONE: Final = Load(1, 40)
"""What a request counts that is answered in a thread of its own."""


class Engine:
    """Holds the model and hands it a bounded number of requests at a time.

    Nothing is predicted before :meth:`load` has ended well. The shifts that a canary molecule
    has then are those that it must keep: :meth:`check` predicts it again.

    Attributes:
        admission: counts what is being answered.
        is_draining: whether the service is about to end.

    Args:
        load: returns a verified model, ready to answer.
        settings: sizes and deadlines.
        metrics: told what happens.
        draw: ``module:function`` that draws one picture in a drawing process.
    """

    def __init__(
        self,
        load: Callable[[], Awaitable[Answerers]],
        settings: Settings,
        metrics: Metrics,
        *,
        draw: str = DRAW,
    ) -> None:
        self._load = load
        self._metrics = metrics
        self._timeout_s = settings.request_timeout_s
        self._slots = CapacityLimiter(settings.processes)
        self._drawing_slots = CapacityLimiter(settings.processes)
        self._pipeline = Pipeline(settings, metrics)
        self._drawers = Drawers(
            draw,
            deadline_s=settings.draw_timeout_s,
            memory_bytes=settings.process_memory_mb * BYTES_PER_MB,
            metrics=metrics,
        )
        self.admission = Admission(
            max_requests=1 + settings.max_waiting,
            max_atoms=settings.max_waiting_atoms,
            on_change=metrics.queued_molecules.set,
        )
        self._loaded: Loaded | None = None
        self._replaced: set[asyncio.Task[None]] = set()
        self._is_reloading = False
        self.is_draining = False
        self._why_not = "The model is being loaded."

    def start(self) -> None:
        """Start what draws."""
        self._drawers.start()

    async def close(self) -> None:
        """End everything that was started; requests under way must have ended."""
        for task in self._replaced:
            task.cancel()
        if self._loaded is not None:
            await self._loaded.answerers.close(when_done=False)
        await to_thread.run_sync(self._drawers.close)

    def drain(self) -> None:
        """Say from now on that the service is not ready, so that no more is sent to it."""
        self.is_draining = True

    async def load(self) -> None:
        """Load the model; one that cannot be loaded leaves the service not ready."""
        start = time.monotonic()
        try:
            self._loaded = await self._load_and_try()
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
        before = self._loaded
        try:
            self._loaded = await self._load_and_try()
        except Exception as error:  # noqa: BLE001 - whatever it is, the old model goes on
            _log_failed_load(error)
            self._metrics.reloads.labels("failed").inc()
            detail = "The new model cannot be loaded; the old one goes on."
            raise ProblemError("reload_failed", detail) from None
        finally:
            self._is_reloading = False
        if before is not None and before.answerers is not self._loaded.answerers:
            task = asyncio.ensure_future(before.answerers.close(when_done=True))
            self._replaced.add(task)
            task.add_done_callback(self._replaced.discard)
        self._metrics.reloads.labels("ok").inc()
        _LOG.info("model reloaded")
        return self._loaded

    async def _load_and_try(self) -> Loaded:
        """Load a model and send the canary molecule all the way."""
        answerers = await self._load()
        try:
            return Loaded(answerers, await answerers.canary_ppm())
        except BaseException:
            await answerers.close(when_done=False)
            raise

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
    def about(self) -> About:
        """The model that answers now, to be asked what it knows.

        Raises:
            ProblemError: ``not_ready``.
        """
        return self.loaded.about

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
            is_good = await loaded.is_as_before()
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
        n_atoms = sum(estimated_atoms(row) for row in rows if isinstance(row, Query))
        load = Load(len(rows), n_atoms)
        self.admission.enter(load)
        try:
            future = self._pipeline.submit(loaded, rows, options)
        except BaseException:
            self.admission.leave(load)
            raise
        self.admission.leave_with(future, load)
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
        parse_nuclei(options.nuclei, loaded.about.nuclei)
        check_source(loaded.about, options.source)
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
        self.admission.enter(_ONE)
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
            self.admission.leave(_ONE)


def _log_failed_load(error: Exception) -> None:
    if isinstance(error, NmrshiftError | OSError | BrokenNurseryError):
        _LOG.error("the model cannot be loaded: %s", error)
    else:
        log_bug(error)
