"""What a process does that answers molecules: reading, the network, answers, their JSON."""

from collections.abc import Sequence
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, cast

from nmrshift.errors import OutputError
from nmrshift.io.wire import WrittenPrediction, written
from nmrshift.predict.prepare import Prepared
from nmrshift.types import Failure, Prediction, Query
from service.apart.frames import Channel
from service.apart.nursery import Ready, alarm
from service.apart.page import Page
from service.apart.task import (
    GRACE_S,
    NETWORK_DEADLINES,
    Described,
    Fault,
    Read,
    Reading,
    Task,
)
from service.loaded import canary_shifts
from service.options import Options
from service.places import places_of

if TYPE_CHECKING:
    from nmrshift.predict.predictor import Predictor

Outcome = Prediction | WrittenPrediction | Failure | Fault


def load(read: str, model: str) -> Ready:
    """Load a model, and predict with it once so that all that it takes is there.

    Args:
        read: ``module:function`` that reads one molecule.
        model: the model folder; empty for the shipped one.

    Raises:
        NmrshiftError: it cannot be loaded.
        RuntimeError: it cannot predict the canary molecule.
    """
    import torch

    from nmrshift.predict.predictor import Predictor

    torch.set_num_threads(1)
    module, name = read.split(":")
    chosen = cast("Read", getattr(import_module(module), name))
    predictor = Predictor.load(Path(model) if model else None)
    answerer = Answerer(predictor, chosen)

    def work(channel: Channel, page: Page) -> None:
        channel.send(answerer.answer(channel.receive(), page))

    told = Described(predictor.info, canary_shifts(predictor))
    return Ready(work, told, partial(canary_shifts, predictor))


class Answerer:
    """Answers tasks with a model.

    Args:
        predictor: the model.
        read: reads one molecule.
    """

    def __init__(self, predictor: "Predictor", read: Read) -> None:
        self._predictor = predictor
        self._read = read
        self._known = predictor.nuclei
        self._features = predictor.features

    def answer(self, task: Task, page: Page) -> list[Outcome | None]:
        """Answer the molecules of a task, in order; what fails is a value in its place.

        Args:
            task: the molecules.
            page: told which one is being read, and when all are; says whether the others are still
                wanted. Those that are not may have no outcome.
        """
        outcomes: dict[int, Outcome] = {}
        ready: dict[Options, list[tuple[int, Prepared]]] = {}
        for place, (query, number) in enumerate(task.queries):
            page.mark(place)
            alarm(task.deadline_s + GRACE_S)
            options = task.options[number]
            found = self._guarded(query, options)
            if isinstance(found, Prepared):
                ready.setdefault(options, []).append((place, found))
            else:
                outcomes[place] = found
            if page.is_aside:
                break
        page.mark(len(task.queries))
        alarm(NETWORK_DEADLINES * task.deadline_s + GRACE_S)
        for options, items in ready.items():
            answers = self._predict([item for _, item in items], options)
            outcomes.update(zip([place for place, _ in items], answers, strict=True))
        alarm(0)
        return [outcomes.get(place) for place in range(len(task.queries))]

    def _guarded(self, query: Query, options: Options) -> Prepared | Failure | Fault:
        try:
            return self._read(query, Reading(options.nuclei, self._known, self._features))
        except Exception as error:  # noqa: BLE001 - one molecule's fault is that molecule's
            return _fault(error)

    def _predict(self, items: Sequence[Prepared], options: Options) -> list[Outcome]:
        """Predict molecules together; a fault of one is not that of the others."""
        ask = self._predictor.answer
        try:
            answers = ask(items, interval=options.interval, references=options.references)
            return [_formed(answer, options) for answer in answers]
        except Exception as error:  # noqa: BLE001 - as above
            if len(items) == 1:
                return [_fault(error)]
            return [self._predict([item], options)[0] for item in items]


def _formed(answer: Prediction, options: Options) -> Outcome:
    """Return an answer in the form that is wanted."""
    if not options.as_text:
        return answer
    try:
        return written(answer)
    except (OutputError, ValueError) as error:
        return _fault(error)


def _fault(error: Exception) -> Fault:
    return Fault(type(error).__name__, places_of(error))
