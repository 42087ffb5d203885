"""The training configuration: a TOML file, frozen and checked before anything runs."""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from nmrshift.errors import ConfigError
from nmrshift.model.encoder import ReadOut
from nmrshift.model.layers import Aggregation, EdgeUpdate
from nmrshift.train.settings import EXAMPLES, Frozen, checked, read_toml
from nmrshift.types import NUCLEI

Positive = Annotated[float, Field(gt=0)]
Fraction = Annotated[float, Field(ge=0, lt=1)]


class DataFile(Frozen):
    """One file of shift records.

    Attributes:
        path: relative paths start at the configuration's folder.
        source_name: what the model card calls it.
        licence: what the model card says of it.
        weight: trust in its labels.
        uncertain_weight: trust in labels whose atom order was recovered indirectly.
        list_weight: trust in its unassigned peak lists; 0 leaves them out.
        without: SMILES of its records to leave out, because their structure is known to be wrong.
        doubt_weight: trust in labels that ``nmrshift data mend`` doubts, times that in the others;
            0 leaves them out.
        repeat: how often an epoch shows its molecules.
        calibrate: whether its held-out molecules calibrate intervals (computed shifts do not).
        validation: the whole file is validation, none of it is trained on.
    """

    path: Path
    source_name: str
    licence: str
    weight: Positive = 1.0
    uncertain_weight: Positive = 0.5
    list_weight: Annotated[float, Field(ge=0)] = 0.0
    without: tuple[str, ...] = ()
    doubt_weight: Annotated[float, Field(ge=0, le=1)] = 0.25
    repeat: Annotated[int, Field(ge=1, le=1000)] = 1
    calibrate: bool = True
    validation: bool = False


class NetworkShape(Frozen):
    """Kind, widths and depth of the network.

    ``environment_min_count`` is the number of training atoms from which an environment (radius 1,
    2, 3) gets a vector of its own; without it environments are no input.
    """

    architecture: Literal["gated", "seed2023"] = "gated"
    features: str = "v1"
    n_layers: Annotated[int, Field(ge=1, le=32)] = 6
    d_h: Annotated[int, Field(ge=8, le=2048)] = 256
    d_e: Annotated[int, Field(ge=8, le=2048)] = 128
    d_ffn: Annotated[int, Field(ge=8, le=8192)] = 512
    d_c: Annotated[int, Field(ge=4, le=512)] = 32
    d_head: Annotated[int, Field(ge=8, le=2048)] = 256
    dropout: Fraction = 0.05
    aggregation: Aggregation = "sum"
    edge_update: EdgeUpdate = "residual"
    read_out: ReadOut = "last"
    d_env: Annotated[int, Field(ge=4, le=512)] = 48
    hide_environments: Fraction = 0.2
    environment_min_count: Annotated[int, Field(ge=1)] | None = None


class Schedule(Frozen):
    """How weights move, whatever the loss.

    Attributes:
        epochs: passes over the data.
        batch_atoms: atoms a batch holds, about; molecules of like size share a batch.
        learning_rate: peak of a linear warm-up and cosine decay.
        warmup_fraction: share of all steps that warms up.
        weight_decay: on matrices only.
        clip_norm: largest norm of a gradient.
        average_decay: of the moving average of weights, which is what is kept.
        bfloat16: run the encoder's matrix products in bfloat16 while training, on a processor that
            has instructions for it; heads, weights and prediction stay in single precision.
    """

    epochs: Annotated[int, Field(ge=1, le=10_000)] = 20
    batch_atoms: Annotated[int, Field(ge=16, le=100_000)] = 2000
    learning_rate: Positive = 1e-3
    warmup_fraction: Fraction = 0.05
    weight_decay: Annotated[float, Field(ge=0)] = 0.01
    clip_norm: Positive = 1.0
    average_decay: Fraction = 0.998
    bfloat16: bool = True


class Optimisation(Schedule):
    """How the network is fitted to shifts.

    Attributes:
        epochs: passes over the data; with none the model of ``start_from`` stays as it is, save for
            what is fitted in closed form: responses to solvents, evidence, intervals.
        huber_delta: where the loss turns from square to absolute, in units of a nucleus' spread.
        scale_weight: weight of the error-scale loss.
        nucleus_weight: weight of each nucleus in the loss, 1 where it is not named.
        nucleus_repeat: how often an epoch shows molecules with labels of a nucleus, at least.
        drop_solvent: chance that a condition's solvent is hidden, which trains "unknown".
        drop_source: chance that a condition's source is hidden, which trains "general".
        lists_begin: share of the run after which unassigned peak lists begin to count; before, what
            the network expects is no guide to their assignment.
        lists_full: share of the run after which they count in full.
        freeze_encoder: fit heads and conditions only, on the encoder as it is.
    """

    epochs: Annotated[int, Field(ge=0, le=10_000)] = 20
    huber_delta: Positive = 0.01
    scale_weight: Positive = 0.1
    nucleus_weight: dict[str, Positive] = Field(default_factory=dict)
    nucleus_repeat: dict[str, Annotated[int, Field(ge=1, le=20)]] = Field(default_factory=dict)
    drop_solvent: Fraction = 0.15
    drop_source: Fraction = 0.15
    lists_begin: Fraction = 0.15
    lists_full: Fraction = 0.3
    freeze_encoder: bool = False


class TrainConfig(Frozen):
    """One training run.

    Attributes:
        name: of the model.
        version: of the model.
        seed: of every random choice.
        nuclei: what the model predicts.
        data: the files, in order of precedence.
        exclude_connectivities: JSON list of first InChIKey blocks; a molecule that has one of
            them, whole or as its largest fragment, is left out.
        validation_fraction: share of connectivities or scaffolds held out of every file.
        validation_split: what is held out: single connectivities at random, or all molecules of a
            scaffold (:mod:`nmrshift.data.scaffold`), which asks for more than what is near at hand.
        solvent_min_labels: labels from which a solvent gets an embedding of its own.
        start_from: model folder whose network is trained on; it fixes shape, scales, solvents and
            sources, and ``network`` is not used. Or the folder of a pretrained encoder of the
            shape that ``network`` says.
        members: model folders whose networks answer together as they are, an ensemble: no epochs
            then, and no ``start_from``. They have one shape and one set of scales, solvents and
            sources, as models trained from one another have.
        solvent_response: nuclei whose solvent effects are fitted in closed form at the end, linear
            in the solvent's descriptors; their heads no longer see the solvent.
        cache: folder for prepared data.
        checkpoint_seconds: time between checkpoints.
        threads: torch threads.
        network: shape of the network.
        optimisation: how it is fitted.
    """

    name: str
    version: str
    seed: int = 1
    nuclei: tuple[str, ...] = NUCLEI
    data: tuple[DataFile, ...]
    exclude_connectivities: Path | None = None
    validation_fraction: Annotated[float, Field(gt=0, lt=0.5)] = 0.04
    validation_split: Literal["connectivity", "scaffold"] = "connectivity"
    solvent_min_labels: Annotated[int, Field(ge=1)] = 50
    start_from: Path | None = None
    members: Annotated[tuple[Path, ...], Field(max_length=16)] = ()
    solvent_response: tuple[str, ...] = ()
    cache: Path = Path("cache")
    checkpoint_seconds: Positive = 60.0
    threads: Annotated[int, Field(ge=1, le=256)] = 2
    network: NetworkShape = NetworkShape()
    optimisation: Optimisation = Optimisation()


def load_config(path: Path) -> TrainConfig:
    """Read a configuration; relative paths in it start at its folder.

    Raises:
        ConfigError: the file is missing, is not TOML, or holds a wrong setting.
    """
    return parse_config(read_toml(path), path.parent)


def parse_config(values: dict[str, Any], folder: Path) -> TrainConfig:
    """Check settings.

    Args:
        values: as read from TOML.
        folder: where relative paths start.

    Raises:
        ConfigError: a setting is missing, unknown or out of range.
    """
    config = checked(TrainConfig, values, EXAMPLES)
    exclude, start = config.exclude_connectivities, config.start_from
    _check_beginning(config)
    return config.model_copy(
        update={
            "data": tuple(
                item.model_copy(update={"path": folder / item.path}) for item in config.data
            ),
            "exclude_connectivities": folder / exclude if exclude else None,
            "start_from": folder / start if start else None,
            "members": tuple(folder / member for member in config.members),
            "cache": folder / config.cache,
        }
    )


def _check_beginning(config: TrainConfig) -> None:
    """Refuse a run that has nothing to begin with, or too much."""
    epochs, start = config.optimisation.epochs, config.start_from
    if config.members:
        if len(config.members) < 2 or epochs or start or config.solvent_response:
            raise ConfigError(
                "members are two or more models that answer together as they are",
                hint="Set epochs = 0, and leave out start_from and solvent_response.",
            )
    elif not epochs and start is None:
        raise ConfigError("no epochs and no start_from: there is nothing to make a model of")
