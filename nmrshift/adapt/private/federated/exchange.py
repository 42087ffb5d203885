"""What a federation agrees on, and the names of the files it exchanges."""

import base64
import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from nmrshift.adapt.private.federated.messages import Body, digest, unseal
from nmrshift.adapt.private.learner import Plan
from nmrshift.adapt.private.ledger import Budget
from nmrshift.adapt.private.mechanism import Floats, Units, is_clipped
from nmrshift.adapt.private.space import Space
from nmrshift.errors import ConfigError, ExchangeError

FEDERATION: Final = "federation.json"
FINAL: Final = "final.json"
_ROUND: Final = re.compile(r"round-(\d{4})\.json")


@dataclass(frozen=True, slots=True)
class Federation:
    """What everybody agrees on before the first round.

    Attributes:
        token: drawn at random, so that no two federations are alike.
        name: of the convention that is learned.
        base: identity of the model that all begin with.
        base_sha256: its hash.
        laboratories: who is on the list; known to all.
        space: where the convention is sought.
        plan: rounds, clipping and noise.
        budget: the limit that the plan keeps.
    """

    token: str
    name: str
    base: str
    base_sha256: str
    laboratories: tuple[str, ...]
    space: Space
    plan: Plan
    budget: Budget

    def to_body(self) -> Body:
        """Return it as a message."""
        return {
            "kind": "federation",
            "schema_version": 1,
            "token": self.token,
            "name": self.name,
            "base": self.base,
            "base_sha256": self.base_sha256,
            "laboratories": list(self.laboratories),
            "nuclei": list(self.space.nuclei),
            "axes": _packed(self.space.axes),
            "n_directions": self.space.n_directions,
            "plan": self.plan.to_dict(),
            "epsilon": self.budget.epsilon,
            "delta": self.budget.delta,
        }

    @classmethod
    def from_body(cls, body: Body) -> "Federation":
        """Read a message.

        Raises:
            ExchangeError: it is of another version, or makes no sense.
        """
        try:
            axes = _unpacked(body["axes"], "<f8")
            federation = cls(
                token=str(body["token"]),
                name=str(body["name"]),
                base=str(body["base"]),
                base_sha256=str(body["base_sha256"]),
                laboratories=tuple(map(str, body["laboratories"])),
                space=Space(
                    tuple(map(str, body["nuclei"])),
                    axes.astype(np.float64).reshape(-1, int(body["n_directions"])),
                ),
                plan=Plan(**body["plan"]),
                budget=Budget(float(body["epsilon"]), float(body["delta"])),
            )
            federation.check()
        except (KeyError, TypeError, ValueError, ConfigError) as error:
            raise ExchangeError(f"{FEDERATION} makes no sense: {error}") from None
        return federation

    def check(self) -> None:
        """Check what a coordinator could get wrong.

        Raises:
            ValueError: something is out of range.
        """
        plan = self.plan
        is_sound = (
            plan.n_contributors == len(self.laboratories) == len(set(self.laboratories))
            and 0 < plan.rate <= 1
            and 1 <= plan.n_rounds <= 9999
            and math.isfinite(plan.clip_norm)
            and plan.clip_norm > 0
            and math.isfinite(plan.noise_multiplier)
            and plan.noise_multiplier > 0
            and bool(np.isfinite(self.space.axes).all())
        )
        if not is_sound:
            raise ValueError("a setting is out of range")

    @property
    def digest(self) -> str:
        """Name by which all other messages refer to it."""
        return digest(self.to_body())


def round_path(folder: Path, number: int) -> Path:
    """Return the file of a round, counted from 1."""
    return folder / f"round-{number:04d}.json"


def update_path(folder: Path, number: int, laboratory: str) -> Path:
    """Return the file of a laboratory's update."""
    return folder / f"update-{number:04d}-{laboratory}.sealed"


def last_round(folder: Path) -> int:
    """Return the number of the latest round in a folder, 0 if there is none."""
    found = [_ROUND.fullmatch(path.name) for path in folder.iterdir()]
    return max((int(match[1]) for match in found if match), default=0)


def round_body(federation: Federation, number: int, place: Floats) -> Body:
    """Return the message of a round: the model that updates are to be made with."""
    return {
        "kind": "round",
        "federation": federation.digest,
        "number": number,
        "place": place.tolist(),
    }


def place_of(body: Body, federation: Federation) -> Floats:
    """Return the place that a round or the end names ``[n_directions]``.

    Raises:
        ExchangeError: it is of another federation, or no place.
    """
    _check_federation(body, federation)
    place = body.get("place")
    if not isinstance(place, list) or not all(type(value) is float for value in place):
        raise ExchangeError("a place is no list of numbers")
    if len(place) != federation.space.n_directions:
        raise ExchangeError("a place has too few or too many numbers")
    return np.array(place)


def update_body(federation: Federation, asked: Body, laboratory: str, update: Units) -> Body:
    """Return the message of a laboratory: its clipped update for a round.

    All updates are equally long, so that the size of a sealed file tells nothing.
    """
    return {
        "kind": "update",
        "federation": federation.digest,
        "laboratory": laboratory,
        "number": asked["number"],
        "round": digest(asked),
        "update": _packed(update),
    }


def read_update(
    path: Path, federation: Federation, asked: Body, laboratory: str, key: bytes
) -> Units:
    """Read a laboratory's update for a round ``[n_directions]``.

    Raises:
        ExchangeError: it is missing, altered, by somebody else, for another round, or too long.
    """
    body = unseal(path, "update", key)
    _check_federation(body, federation)
    if body.get("laboratory") != laboratory or body.get("round") != digest(asked):
        raise ExchangeError(f"{path.name} answers another round, or is of another laboratory")
    try:
        update = _unpacked(body["update"], "<i8").astype(np.int64)
    except (KeyError, TypeError, ValueError):
        raise ExchangeError(f"{path.name} holds no update") from None
    if len(update) != federation.space.n_directions or not is_clipped(update):
        raise ExchangeError(f"{path.name} holds an update of a wrong length")
    return update


def _packed(values: NDArray[Any]) -> str:
    """Return numbers of eight bytes as text."""
    return base64.b64encode(values.astype(values.dtype.newbyteorder("<")).tobytes()).decode()


def _unpacked(text: str, dtype: str) -> NDArray[Any]:
    return np.frombuffer(base64.b64decode(text, validate=True), dtype=dtype)


def _check_federation(body: Body, federation: Federation) -> None:
    if body.get("federation") != federation.digest:
        raise ExchangeError("a file is of another federation")
