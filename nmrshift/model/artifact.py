"""Model folders: weights as safetensors, everything else as JSON, all under a list of hashes.

Nothing in a model folder is ever executed: there is no pickle.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from safetensors import SafetensorError
from safetensors.numpy import load as load_arrays
from safetensors.numpy import save as save_arrays

from nmrshift.chem.toolkit import RDKIT_VERSION, RING_FINDER
from nmrshift.errors import ArtifactError, NmrshiftError
from nmrshift.model.build import build_network
from nmrshift.model.evidence import EvidenceTable
from nmrshift.model.folder import (
    SUMS,
    WEIGHTS,
    check_feature_slots,
    check_ring_finder,
    fill,
    verify_folder,
    weight_bytes,
    write_folder,
)
from nmrshift.model.network import NetworkConfig, ShiftNetwork

SCHEMA_VERSION: Final = 1
MODEL: Final = "model.json"
EVIDENCE: Final = "evidence.safetensors"


class DataSource(BaseModel):
    """A source of training data and its licence."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    licence: str
    n_molecules: int


class GoldenMolecule(BaseModel):
    """A molecule whose shifts are stored, to prove that a loaded model is the one trained.

    Attributes:
        smiles: its structure.
        solvent: solvent text.
        nucleus: nucleus of the shifts.
        atoms: atom indices.
        shifts_ppm: their shifts when the model was saved.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    smiles: str
    solvent: str | None
    nucleus: str
    atoms: tuple[int, ...]
    shifts_ppm: tuple[float, ...]


class ModelCard(BaseModel):
    """What ``model.json`` holds.

    Attributes:
        schema_version: of this file.
        name: of the model.
        version: of the model.
        units: of every shift.
        network: shape and scales of the network.
        feature_slots: atom and edge codes the weights were trained for.
        calibration: interval factors, by nucleus.
        training_data_sha256: of the prepared training data.
        training: the settings it was trained with.
        sources: data sources with licences.
        metrics: scores on held-out molecules.
        rdkit_version: RDKit that read the training molecules.
        ring_finder: ring finder set in RDKit.
        golden: molecules with stored shifts.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: Annotated[int, Field(ge=SCHEMA_VERSION, le=SCHEMA_VERSION)] = SCHEMA_VERSION
    name: str
    version: str
    units: str = "ppm"
    network: dict[str, Any]
    feature_slots: tuple[int, int]
    calibration: dict[str, Any]
    training_data_sha256: str
    training: dict[str, Any]
    sources: tuple[DataSource, ...]
    metrics: dict[str, Any]
    rdkit_version: str = RDKIT_VERSION
    ring_finder: str = RING_FINDER
    golden: tuple[GoldenMolecule, ...] = ()


@dataclass(frozen=True, slots=True)
class Artifact:
    """A model folder in memory.

    Attributes:
        path: the folder.
        card: its ``model.json``.
        network: the network, ready to predict.
        evidence: measured environments, if the model has them.
        sha256: hash of the list of hashes: one name for the whole content.
    """

    path: Path
    card: ModelCard
    network: ShiftNetwork
    evidence: EvidenceTable | None
    sha256: str

    @property
    def identity(self) -> str:
        """Name, version and the first eight digits of the hash."""
        return f"{self.card.name}-{self.card.version}+{self.sha256[:8]}"


def save_artifact(
    folder: Path,
    network: ShiftNetwork,
    card: ModelCard,
    texts: Mapping[str, str],
    evidence: EvidenceTable | None = None,
) -> None:
    """Write a model folder.

    Args:
        folder: made if need be; files of the same names are replaced.
        network: what is in half precision is stored in single precision, the rest as it is.
        card: its description.
        texts: further text files by name, such as ``CARD.md``.
        evidence: measured environments to go with it.
    """
    contents = {
        WEIGHTS: weight_bytes(network),
        MODEL: (card.model_dump_json(indent=1) + "\n").encode(),
    }
    contents |= {name: text.encode() for name, text in texts.items()}
    if evidence is not None:
        contents[EVIDENCE] = save_arrays(evidence.to_arrays())
    write_folder(folder, contents)


def load_artifact(folder: Path) -> Artifact:
    """Read and verify a model folder.

    Raises:
        ArtifactError: a file is missing, altered or not listed, the schema or the ring finder is
            another, or a weight is missing, superfluous, misshapen or not finite.
    """
    sums, sha256 = verify_folder(folder)
    if not {WEIGHTS, MODEL} <= sums:
        raise ArtifactError(f"{folder}: {SUMS} does not list {WEIGHTS} and {MODEL}")
    card = _read_card(folder / MODEL)
    check_ring_finder(folder, card.ring_finder)
    try:
        network = build_network(NetworkConfig.from_json(card.network))
    except NmrshiftError as error:
        raise ArtifactError(f"{folder}: {error.message}") from None
    check_feature_slots(folder, card.feature_slots, network.feature_slots)
    fill(network, folder / WEIGHTS)
    evidence = _evidence(folder / EVIDENCE) if EVIDENCE in sums else None
    return Artifact(folder, card, network.eval(), evidence, sha256)


def _evidence(path: Path) -> EvidenceTable:
    try:
        return EvidenceTable.from_arrays(load_arrays(path.read_bytes()))
    except (OSError, SafetensorError) as error:
        raise ArtifactError(f"{path}: {str(error).splitlines()[0]}") from None


def _read_card(path: Path) -> ModelCard:
    try:
        values = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise ArtifactError(f"{path}: {error}") from None
    version = values.get("schema_version") if isinstance(values, dict) else None
    if version != SCHEMA_VERSION:
        raise ArtifactError(
            f"{path}: schema version {version}, this nmrshift reads {SCHEMA_VERSION}",
            hint="Install the nmrshift that made the model, or a newer model.",
        )
    try:
        return ModelCard.model_validate(values)
    except ValidationError as error:
        where = ".".join(map(str, error.errors()[0]["loc"]))
        raise ArtifactError(f"{path}: {where}: {error.errors()[0]['msg']}") from None
