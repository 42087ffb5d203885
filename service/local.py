"""A predictor that was handed to the application, asked in this process."""

from collections.abc import Sequence
from typing import Any

from anyio import CapacityLimiter, to_thread

from nmrshift.types import Failure, Prediction, Query, ShiftPredictor
from service.batcher import Batcher
from service.loaded import canary_shifts
from service.metrics import Metrics
from service.options import Options
from service.settings import Settings
from service.tickets import Item


class Local:
    """Answers in a thread, by a predictor that reads its molecules itself.

    For predictors by rule and tables, which cannot hang; a model is better off in a
    :class:`~service.apart.crew.Crew`.

    Attributes:
        about: the predictor.
        key: tells its results from those of others.
    """

    def __init__(self, predictor: ShiftPredictor, settings: Settings, metrics: Metrics) -> None:
        self.about = predictor
        info = getattr(predictor, "info", None)
        found = getattr(info, "sha256", None)
        self.key: str = found or f"{type(predictor).__name__}-{id(predictor)}"
        self._health_slots = CapacityLimiter(1)
        self._batcher = Batcher(
            self._predict, max_molecules=settings.batch_molecules, metrics=metrics
        )

    def put(self, items: Sequence[Item]) -> None:
        """Line up molecules of one request, from any thread; their tickets get the answers."""
        self._batcher.put(items)

    async def canary_ppm(self) -> tuple[float, ...]:
        """Predict the canary molecule, beside whatever else is being predicted.

        Raises:
            RuntimeError: it cannot be predicted.
        """
        return await to_thread.run_sync(canary_shifts, self.about, limiter=self._health_slots)

    async def close(self, *, when_done: bool) -> None:
        """End the thread when what is in line has been answered."""
        del when_done
        await to_thread.run_sync(self._batcher.close, abandon_on_cancel=True)

    def _predict(
        self, queries: Sequence[Query], options: Options
    ) -> Sequence[Prediction | Failure]:
        settings: dict[str, Any] = {
            "interval": options.interval,
            "references": options.references,
        }
        return list(self.about.predict_many(queries, nuclei=options.nuclei, **settings))
