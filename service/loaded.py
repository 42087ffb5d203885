"""A loaded model with what the service must know of it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol, cast

from nmrshift.predict.prepare import Prepared
from nmrshift.types import Failure, Prediction, Query, ShiftPredictor
from service.options import Options
from service.reading.task import Reading

CANARY: Final[Query] = Query("OC(=O)c1ccc(F)cc1C", solvent="CDCl3")
CANARY_TOLERANCE_PPM: Final[float] = 0.01


class _InTwoSteps(Protocol):
    """A predictor whose molecules can be read elsewhere."""

    def answer(self, prepared: Sequence[Prepared], *, interval: float, references: int) -> Any:
        """Predict molecules that have been read."""
        ...


@dataclass(frozen=True, slots=True)
class Loaded:
    """A model that has predicted the canary molecule.

    Attributes:
        predictor: the predictor.
        canary_ppm: shifts of the canary molecule, ppm; it must keep them.
        features: preset by which its molecules are read in other processes; ``None`` for a
            predictor that reads them itself.
        key: tells its results from those of other models.
    """

    predictor: ShiftPredictor
    canary_ppm: tuple[float, ...]
    features: str | None
    key: str

    @classmethod
    def of(cls, predictor: ShiftPredictor) -> "Loaded":
        """Try a predictor.

        Raises:
            RuntimeError: it cannot predict the canary molecule.
        """
        info = getattr(predictor, "info", None)
        key = getattr(info, "sha256", None) or f"{type(predictor).__name__}-{id(predictor)}"
        features = getattr(predictor, "features", None)
        return cls(predictor, canary_shifts(predictor), features, key)

    def reading(self, options: Options) -> Reading:
        """Return how molecules are to be read for this model."""
        return Reading(options.nuclei, self.predictor.nuclei, self.features or "")

    def answer(
        self, ready: Sequence[Prepared | Query], options: Options
    ) -> list[Prediction | Failure]:
        """Predict molecules together: prepared ones, or queries if it reads them itself.

        Raises:
            NmrshiftError: a setting that the predictor does not know.
        """
        settings: dict[str, Any] = {
            "interval": options.interval,
            "references": options.references,
        }
        if self.features is None:
            queries = cast("Sequence[Query]", ready)
            many = self.predictor.predict_many
            answers = list(many(queries, nuclei=options.nuclei, **settings))
        else:
            predictor = cast("_InTwoSteps", self.predictor)
            prepared = cast("Sequence[Prepared]", ready)
            answers = list(predictor.answer(prepared, **settings))
        if len(answers) != len(ready):
            raise RuntimeError("the predictor gave another number of answers than queries")
        return answers

    def is_as_before(self) -> bool:
        """Predict the canary again and compare."""
        return self.is_canary(canary_shifts(self.predictor))

    def is_canary(self, now_ppm: tuple[float, ...]) -> bool:
        """Return whether shifts, ppm, are those that the canary molecule must keep."""
        if len(now_ppm) != len(self.canary_ppm):
            return False
        pairs = zip(now_ppm, self.canary_ppm, strict=True)
        return all(abs(now - then) <= CANARY_TOLERANCE_PPM for now, then in pairs)


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
