"""The configuration of a pretraining run: a TOML file, frozen and checked before anything runs."""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from nmrshift.model.encoder import ReadOut
from nmrshift.model.layers import Aggregation, EdgeUpdate
from nmrshift.train.config import Fraction, Positive, Schedule
from nmrshift.train.settings import EXAMPLES, Frozen, checked, read_toml

Views = Literal["object-random", "random-random", "object-object"]


class MoleculeFile(Frozen):
    """A file of molecules: gzipped CSV with a column ``smiles``, or shift records (``.jsonl.gz``).

    Attributes:
        path: relative paths start at the configuration's folder.
        source_name: what the card calls it.
        licence: what the card says of it.
        take: rows to take from its beginning; all by default.
        peaks: the text of a record's molecule is its spectrum rather than its SMILES.
        computed: records are computed spectra, which the objective ``shifts`` learns from; those of
            one molecule follow each other and make one row.
        repeat: how often a pass shows its molecules.
    """

    path: Path
    source_name: str
    licence: str
    take: Annotated[int, Field(ge=1)] | None = None
    peaks: bool = False
    computed: bool = False
    repeat: Annotated[int, Field(ge=1, le=1000)] = 1


class EncoderShape(Frozen):
    """Shape of the encoder."""

    features: str = "v1"
    n_layers: Annotated[int, Field(ge=1, le=32)] = 6
    d_h: Annotated[int, Field(ge=8, le=2048)] = 256
    d_e: Annotated[int, Field(ge=8, le=2048)] = 128
    d_ffn: Annotated[int, Field(ge=8, le=8192)] = 512
    dropout: Fraction = 0.05
    aggregation: Aggregation = "sum"
    edge_update: EdgeUpdate = "residual"
    read_out: ReadOut = "last"


class Chemistry(Frozen):
    """Cheap chemistry targets.

    Attributes:
        weight: share in the loss.
        environment_buckets: identities that environments of masked atoms are told apart by.
    """

    weight: Positive = 1.0
    environment_buckets: Annotated[int, Field(ge=16, le=65536)] = 2048


class Hierarchy(Frozen):
    """Masking of features in representation space.

    Attributes:
        weight: share in the loss.
        groups: masks a molecule on one encoding.
        visible: share of atoms that a mask leaves visible.
        width: of the predictor.
        teacher_decay: of the slowly moving copy that makes the targets.
    """

    weight: Positive = 1.0
    groups: Annotated[int, Field(ge=1, le=32)] = 4
    visible: Annotated[float, Field(gt=0, lt=1)] = 0.3
    width: Annotated[int, Field(ge=8, le=1024)] = 128
    teacher_decay: Fraction = 0.995


class Contrast(Frozen):
    """Contrast between two parts of a molecule.

    Attributes:
        weight: share in the loss.
        views: what the two parts are grown around.
        share: share of atoms in a random part.
        dilation: bonds by which a part grows beyond its object, at most.
        width: of the projection.
        temperature: of the softmax.
    """

    weight: Positive = 1.0
    views: Views = "object-random"
    share: Annotated[float, Field(gt=0, lt=1)] = 0.6
    dilation: Annotated[int, Field(ge=1, le=8)] = 3
    width: Annotated[int, Field(ge=8, le=1024)] = 128
    temperature: Positive = 0.1


class Generation(Frozen):
    """Generation of the masked graph and of the text that goes with it.

    Attributes:
        weight: share in the loss.
        graph: weight of the graph within it.
        text: weight of the text within it.
        width: of the text decoder.
        layers: of the text decoder.
    """

    weight: Positive = 1.0
    graph: Annotated[float, Field(ge=0)] = 1.0
    text: Annotated[float, Field(ge=0)] = 1.0
    width: Annotated[int, Field(ge=16, le=1024)] = 128
    layers: Annotated[int, Field(ge=1, le=8)] = 1


class ComputedShifts(Frozen):
    """Computed chemical shifts.

    Attributes:
        weight: share in the loss.
        width: hidden units of the head.
    """

    weight: Positive = 1.0
    width: Annotated[int, Field(ge=8, le=1024)] = 128


class Objectives(Frozen):
    """The objectives of a run; those that are not named have no share."""

    chemistry: Chemistry | None = None
    hierarchy: Hierarchy | None = None
    contrast: Contrast | None = None
    generation: Generation | None = None
    shifts: ComputedShifts | None = None

    @property
    def bare(self) -> bool:
        """Whether there is one that learns from structures alone."""
        return any((self.chemistry, self.hierarchy, self.contrast, self.generation))

    @model_validator(mode="after")
    def _some(self) -> "Objectives":
        if not self.bare and self.shifts is None:
            raise ValueError("a run needs an objective")
        return self


class PretrainConfig(Frozen):
    """One pretraining run.

    Attributes:
        name: of the encoder.
        version: of the encoder.
        seed: of every random choice.
        molecules: the files, read in turn.
        exclude_connectivities: JSON list of first InChIKey blocks; a molecule that has one of
            them, whole or as a fragment, is left out.
        validation_fraction: that of the training that follows; molecules that it will hold out are
            not shown with a spectrum, as text or as shifts.
        shard_molecules: rows prepared together.
        most_atoms: larger molecules are left out.
        longest_text: characters of a text that are kept.
        mask_atoms: share of atoms that are masked.
        mask_bonds: share of bonds that are masked.
        cache: folder for prepared molecules.
        checkpoint_seconds: time between checkpoints.
        threads: torch threads.
        network: shape of the encoder.
        objectives: what is learned.
        optimisation: how.
    """

    name: str
    version: str
    seed: int = 1
    molecules: tuple[MoleculeFile, ...]
    exclude_connectivities: Path | None = None
    validation_fraction: Fraction = 0.03
    shard_molecules: Annotated[int, Field(ge=16, le=1_000_000)] = 8192
    most_atoms: Annotated[int, Field(ge=2, le=1000)] = 100
    longest_text: Annotated[int, Field(ge=8, le=1000)] = 90
    mask_atoms: Annotated[float, Field(gt=0, lt=1)] = 0.2
    mask_bonds: Annotated[float, Field(ge=0, lt=1)] = 0.2
    cache: Path = Path("cache")
    checkpoint_seconds: Positive = 60.0
    threads: Annotated[int, Field(ge=1, le=256)] = 2
    network: EncoderShape = EncoderShape()
    objectives: Objectives
    optimisation: Schedule = Schedule(epochs=1)

    @model_validator(mode="after")
    def _learns_from_all(self) -> "PretrainConfig":
        computed = [item.computed for item in self.molecules]
        if any(computed) != (self.objectives.shifts is not None):
            raise ValueError("objectives.shifts and files with computed = true need each other")
        if not self.objectives.bare and not all(computed):
            raise ValueError("objectives.shifts learns nothing from files without computed = true")
        return self


def load_pretrain_config(path: Path) -> PretrainConfig:
    """Read a configuration; relative paths in it start at its folder.

    Raises:
        ConfigError: the file is missing, is not TOML, or holds a wrong setting.
    """
    return parse_pretrain_config(read_toml(path), path.parent)


def parse_pretrain_config(values: dict[str, Any], folder: Path) -> PretrainConfig:
    """Check settings; relative paths in them start at a folder.

    Raises:
        ConfigError: a setting is missing, unknown or out of range.
    """
    config = checked(PretrainConfig, values, EXAMPLES)
    exclude = config.exclude_connectivities
    return config.model_copy(
        update={
            "molecules": tuple(
                item.model_copy(update={"path": folder / item.path}) for item in config.molecules
            ),
            "exclude_connectivities": folder / exclude if exclude else None,
            "cache": folder / config.cache,
        }
    )
