"""A loaded model with what the service must know of it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from nmrshift.types import Prediction, Query, ShiftPredictor
from service.tickets import Item

CANARY: Final[Query] = Query("OC(=O)c1ccc(F)cc1C", solvent="CDCl3")
CANARY_TOLERANCE_PPM: Final[float] = 0.01


class About(Protocol):
    """What is known of a model; ``identity``, ``info`` and ``sources`` where it has them."""

    @property
    def nuclei(self) -> tuple[str, ...]:
        """Nuclei that can be asked for."""
        ...


class Answerers(Protocol):
    """Answers molecules with one model."""

    @property
    def about(self) -> About:
        """The model."""
        ...

    @property
    def key(self) -> str:
        """What tells its results from those of other models."""
        ...

    def put(self, items: Sequence[Item]) -> None:
        """Line up molecules of one request, from any thread; their tickets get the answers."""
        ...

    async def canary_ppm(self) -> tuple[float, ...]:
        """Predict the canary molecule; return its shifts, ppm.

        Raises:
            RuntimeError: it cannot be predicted.
        """
        ...

    async def close(self, *, when_done: bool) -> None:
        """End, at once or when what is in line has been answered."""
        ...


@dataclass(frozen=True, slots=True)
class Loaded:
    """A model that has predicted the canary molecule.

    Attributes:
        answerers: answer with it.
        canary_ppm: shifts of the canary molecule, ppm; it must keep them.
    """

    answerers: Answerers
    canary_ppm: tuple[float, ...]

    @property
    def about(self) -> About:
        """The model."""
        return self.answerers.about

    async def is_as_before(self) -> bool:
        """Predict the canary again and compare."""
        now_ppm = await self.answerers.canary_ppm()
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
    return shifts_of_canary(answer)


def shifts_of_canary(answer: object) -> tuple[float, ...]:
    """Return the shifts in ppm of an answer to the canary.

    Raises:
        RuntimeError: there are none.
    """
    atoms = answer.atoms if isinstance(answer, Prediction) else ()
    shifts_ppm = tuple(atom.shift_ppm for atom in atoms)
    if not shifts_ppm or not all(map(math.isfinite, shifts_ppm)):
        raise RuntimeError("the canary molecule cannot be predicted")
    return shifts_ppm
