"""The configuration of a search: a TOML file, frozen and checked before anything runs."""

import hashlib
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, ValidationError

from nmrshift.errors import ConfigError
from nmrshift.model.encoder import ReadOut
from nmrshift.model.layers import Aggregation, EdgeUpdate
from nmrshift.pretrain.config import EncoderShape
from nmrshift.probe.settings import FineTuning, LinearGrid
from nmrshift.train.config import Fraction
from nmrshift.train.settings import Frozen, checked, read_toml

Some = Field(min_length=1)


class Space(Frozen):
    """What an architecture is put together from: each setting of the encoder with its choices."""

    n_layers: Annotated[tuple[int, ...], Some] = (2, 3, 4, 6)
    d_h: Annotated[tuple[int, ...], Some] = (64, 128, 192, 256)
    d_e: Annotated[tuple[int, ...], Some] = (32, 64, 128)
    d_ffn: Annotated[tuple[int, ...], Some] = (128, 256, 512)
    dropout: Annotated[tuple[Fraction, ...], Some] = (0.05,)
    aggregation: Annotated[tuple[Aggregation, ...], Some] = ("sum", "mean")
    edge_update: Annotated[tuple[EdgeUpdate, ...], Some] = ("residual", "none")
    read_out: Annotated[tuple[ReadOut, ...], Some] = ("last", "all")

    def choices(self) -> dict[str, tuple[Any, ...]]:
        """Return the choices of every setting, by name."""
        return {name: getattr(self, name) for name in type(self).model_fields}


class Scoring(Frozen):
    """How a pretrained encoder is scored: on training spectra that are held out, never on a test.

    Attributes:
        size: spectra of 13C and of 19F that it is fine-tuned on.
        seeds: fine-tunings of each.
        fine_tuning: the recipe.
        linear: the grid of the linear probe that comes first.
    """

    size: Annotated[int, Field(ge=4)] = 100
    seeds: Annotated[int, Field(ge=1, le=20)] = 1
    fine_tuning: FineTuning = FineTuning()
    linear: LinearGrid = LinearGrid()


class Pruning(Frozen):
    """When an architecture is given up before it is fine-tuned.

    Attributes:
        margin: share by which a rival's linear probe must be better.
        rivals: finished architectures that are both better and at least as fast; so many end it.
        slowest: molecules a CPU second below which it is not even pretrained.
    """

    margin: Annotated[float, Field(ge=0)] = 0.1
    rivals: Annotated[int, Field(ge=1)] = 2
    slowest: Annotated[float, Field(ge=0)] = 0.0


class SearchConfig(Frozen):
    """One search.

    Attributes:
        name: of the study.
        seed: of what is tried.
        trials: architectures to finish or give up.
        data: folder of the spectra.
        pretraining: configuration of the short pretraining; its shape is replaced.
        training: configuration of the full training that a check is made by; its shape is
            replaced too.
        space: what is put together.
        scoring: how it is scored.
        pruning: when it is given up.
    """

    name: str
    seed: int = 1
    trials: Annotated[int, Field(ge=1, le=100_000)] = 30
    data: Path
    pretraining: Path
    training: Path | None = None
    space: Space = Space()
    scoring: Scoring = Scoring()
    pruning: Pruning = Pruning()

    @property
    def identity(self) -> str:
        """Hash of what makes trials comparable: the pretraining and the scoring."""
        digest = hashlib.sha256(self.pretraining.read_bytes())
        digest.update(self.scoring.model_dump_json().encode())
        return digest.hexdigest()


def load_search_config(path: Path) -> SearchConfig:
    """Read a configuration; relative paths in it start at its folder.

    Raises:
        ConfigError: the file is missing, is not TOML, or holds a wrong setting.
    """
    config = checked(SearchConfig, read_toml(path))
    folder = path.parent
    return config.model_copy(
        update={
            "data": folder / config.data,
            "pretraining": folder / config.pretraining,
            "training": folder / config.training if config.training else None,
        }
    )


def shape_of(settings: dict[str, Any], features: str) -> EncoderShape:
    """Put an architecture together.

    Raises:
        ConfigError: a choice is out of range.
    """
    try:
        return EncoderShape(features=features, **settings)
    except ValidationError as error:
        where = ".".join(map(str, error.errors()[0]["loc"]))
        raise ConfigError(f"space.{where}: {error.errors()[0]['msg']}") from None


def name_of(shape: EncoderShape) -> str:
    """Return the name of an architecture's folder, which is all of its settings."""
    values = shape.model_dump(exclude={"features"}).values()
    return "-".join(f"{value:g}" if isinstance(value, float) else str(value) for value in values)
