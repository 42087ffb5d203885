"""What a loaded model says of itself."""

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nmrshift.model.artifact import Artifact


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """How well a loaded model repeats the shifts stored with it.

    Attributes:
        max_deviation_ppm: largest deviation over all golden molecules.
        n_golden: number of golden molecules.
        ok: there are some and all lie within the tolerance.
    """

    max_deviation_ppm: float
    n_golden: int
    ok: bool


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """A loaded model in plain values.

    Attributes:
        identity: name, version and the first eight digits of the hash.
        name: of the model.
        version: of the model.
        sha256: hash of the folder's list of hashes.
        path: the folder.
        nuclei: what it predicts.
        sources: reference conventions that can be asked for.
        solvents: solvents with training spectra enough for an embedding of their own.
        data: sources of the training data, with licences.
        metrics: scores on held-out molecules.
        training_data_sha256: hash of the prepared training data.
        rdkit_version: RDKit that read the training molecules.
        ring_finder: ring finder set in RDKit.
    """

    identity: str
    name: str
    version: str
    sha256: str
    path: str
    nuclei: tuple[str, ...]
    sources: tuple[str, ...]
    solvents: tuple[str, ...]
    data: tuple[dict[str, Any], ...]
    metrics: dict[str, Any]
    training_data_sha256: str
    rdkit_version: str
    ring_finder: str

    def to_dict(self) -> dict[str, Any]:
        """Return plain dicts, lists and strings, ready for JSON."""
        return asdict(self)


def model_info(artifact: "Artifact") -> ModelInfo:
    """Describe a loaded model."""
    card, config = artifact.card, artifact.network.config
    return ModelInfo(
        identity=artifact.identity,
        name=card.name,
        version=card.version,
        sha256=artifact.sha256,
        path=str(artifact.path),
        nuclei=config.nuclei,
        sources=config.sources,
        solvents=config.solvents,
        data=tuple(source.model_dump() for source in card.sources),
        metrics=card.metrics,
        training_data_sha256=card.training_data_sha256,
        rdkit_version=card.rdkit_version,
        ring_finder=card.ring_finder,
    )
