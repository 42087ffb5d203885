"""Encoder folders: what pretraining leaves and training starts from."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from nmrshift.chem.toolkit import RDKIT_VERSION, RING_FINDER
from nmrshift.errors import ArtifactError
from nmrshift.model.artifact import DataSource
from nmrshift.model.encoder import Encoder, EncoderConfig
from nmrshift.model.folder import (
    WEIGHTS,
    check_feature_slots,
    check_ring_finder,
    fill,
    verify_folder,
    weight_bytes,
    write_folder,
)

SCHEMA_VERSION: Final = 1
ENCODER: Final = "encoder.json"


class EncoderCard(BaseModel):
    """What ``encoder.json`` holds.

    Attributes:
        schema_version: of this file.
        name: of the encoder.
        version: of the encoder.
        encoder: its shape.
        feature_slots: atom and edge codes the weights were trained for.
        training: how it was pretrained.
        sources: where its molecules came from.
        rdkit_version: RDKit that read them.
        ring_finder: ring finder set in RDKit.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: Annotated[int, Field(ge=SCHEMA_VERSION, le=SCHEMA_VERSION)] = SCHEMA_VERSION
    name: str
    version: str
    encoder: dict[str, Any]
    feature_slots: tuple[int, int]
    training: dict[str, Any]
    sources: tuple[DataSource, ...]
    rdkit_version: str = RDKIT_VERSION
    ring_finder: str = RING_FINDER


@dataclass(frozen=True, slots=True)
class EncoderArtifact:
    """An encoder folder in memory.

    Attributes:
        path: the folder.
        card: its ``encoder.json``.
        encoder: the encoder, in evaluation mode.
        sha256: hash of the list of hashes: one name for the whole content.
    """

    path: Path
    card: EncoderCard
    encoder: Encoder
    sha256: str


def is_encoder(folder: Path) -> bool:
    """Say whether a folder holds an encoder rather than a model."""
    return (folder / ENCODER).exists()


def save_encoder(folder: Path, encoder: Encoder, card: EncoderCard) -> None:
    """Write an encoder folder; files of the same names are replaced."""
    text = (card.model_dump_json(indent=1) + "\n").encode()
    write_folder(folder, {WEIGHTS: weight_bytes(encoder), ENCODER: text})


def load_encoder(folder: Path) -> EncoderArtifact:
    """Read and verify an encoder folder.

    Raises:
        ArtifactError: a file is missing or altered, the schema, features or ring finder are
            others, or a weight is missing, superfluous, misshapen or not finite.
    """
    sums, sha256 = verify_folder(folder)
    if not {WEIGHTS, ENCODER} <= sums:
        raise ArtifactError(f"{folder}: no list of {WEIGHTS} and {ENCODER}")
    try:
        card = EncoderCard.model_validate_json((folder / ENCODER).read_bytes())
        encoder = Encoder(EncoderConfig.model_validate(card.encoder, strict=False))
    except ValidationError as error:
        where = ".".join(map(str, error.errors()[0]["loc"]))
        raise ArtifactError(f"{folder}: {where}: {error.errors()[0]['msg']}") from None
    check_ring_finder(folder, card.ring_finder)
    check_feature_slots(folder, card.feature_slots, encoder.feature_slots)
    fill(encoder, folder / WEIGHTS)
    return EncoderArtifact(folder, card, encoder.eval(), sha256)
