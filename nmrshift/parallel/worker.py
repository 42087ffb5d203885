"""One worker: a model loaded once, part after part predicted and written."""

import sys
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, BinaryIO, cast

from nmrshift.io.hashing import HashedStream
from nmrshift.io.stream import predict_rows
from nmrshift.io.tally import Counting
from nmrshift.io.writers import open_writer, write_or_fail
from nmrshift.parallel.job import Job, Part, PartReport
from nmrshift.parallel.manifest import report_values, write_json

if TYPE_CHECKING:
    from nmrshift.predict.predictor import Predictor


class Worker:
    """Predicts parts with a model that it holds.

    Every part is a call of the predictor of its own, on one thread: its bytes depend on its rows
    alone, not on where or after what it is worked off.
    """

    def __init__(self, job: Job, predictor: "Predictor") -> None:
        self._job = job
        self._predictor = predictor

    @classmethod
    def load(cls, job: Job) -> "Worker":
        """Load the model of a job, and compute on one thread from here on."""
        return cls(job, load_predictor(job.model))

    def do(self, part: Part) -> PartReport:
        """Predict and write one part, then its report beside it.

        Raises:
            OSError: the part cannot be written; nothing of it is left.
        """
        job, counting = self._job, Counting()
        predict = partial(self._predictor.predict_many, **job.settings.keywords())
        name = job.part_name(part.number)
        with job.store.whole(name) as stream:
            hashed = HashedStream(stream)
            with open_writer(job.format, cast("BinaryIO", hashed), job.packing) as writer:
                for answer in predict_rows(predict, part.rows):
                    placed = replace(answer, index=part.first_row + answer.index)
                    counting.add(write_or_fail(writer, placed))
        report = PartReport(part.number, name, counting.tally(), hashed.n_bytes, hashed.sha256)
        write_json(job.store, report_name(part.number), report_values(report))
        return report


def load_predictor(model: str | None) -> "Predictor":
    """Load a model folder, the shipped one by default, and compute on one thread from here on."""
    from nmrshift import Predictor

    predictor = Predictor.load(model)
    if torch := sys.modules.get("torch"):
        torch.set_num_threads(1)
    return predictor


def report_name(number: int) -> str:
    """Return the name of the file that says a part is whole; it is merged at the end."""
    return f"_part-{number:06d}.json"
