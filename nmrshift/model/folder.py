"""Folders of weights and descriptions under a list of hashes, loaded strictly."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor, nn

from nmrshift.chem.toolkit import RING_FINDER
from nmrshift.errors import ArtifactError

WEIGHTS: Final = "weights.safetensors"
SUMS: Final = "SHA256SUMS"
_HALF: Final = (torch.bfloat16, torch.float16)


def weight_bytes(network: nn.Module) -> bytes:
    """Return weights as safetensors, in half precision where that holds them without loss.

    Only matrices are so small; what else is in half precision is stored in single.
    """
    return save(
        {
            name: _stored(value).detach().cpu().contiguous()
            for name, value in network.state_dict().items()
        }
    )


def _stored(value: Tensor) -> Tensor:
    if value.dtype in _HALF:
        value = value.float()
    half = halved(value)
    return half if torch.equal(half.to(value.dtype), value) else value


def halved(value: Tensor) -> Tensor:
    """Return a matrix of single precision in half; anything else as it is."""
    return value.half() if value.ndim > 1 and value.dtype == torch.float32 else value


def write_folder(folder: Path, contents: Mapping[str, bytes]) -> None:
    """Write files and the list of their hashes.

    Args:
        folder: made if need be; files of the same names are replaced.
        contents: files by name.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in contents.items():
        (folder / name).write_bytes(data)
    sums = [f"{_sha256(data)}  {name}" for name, data in sorted(contents.items())]
    (folder / SUMS).write_text("\n".join(sums) + "\n", "ascii")


def verify_folder(folder: Path) -> tuple[set[str], str]:
    """Check every file against the list; return the names and the list's own hash.

    Raises:
        ArtifactError: the list or a file is missing, altered, or outside the folder.
    """
    try:
        text = (folder / SUMS).read_bytes()
        rows = [line.split("  ", 1) for line in text.decode("ascii").splitlines()]
        listed = {name: digest for digest, name in rows}
    except (OSError, ValueError) as error:
        raise ArtifactError(f"{folder}: {SUMS} cannot be read: {error}") from None
    for name, digest in listed.items():
        if Path(name).name != name:
            raise ArtifactError(f"{folder}: {SUMS} names a file outside the folder")
        try:
            found = _sha256((folder / name).read_bytes())
        except OSError as error:
            raise ArtifactError(f"{folder}: {name} cannot be read: {error}") from None
        if found != digest:
            raise ArtifactError(f"{folder}: {name} is not the file that was released")
    return set(listed), _sha256(text)


def fill(network: nn.Module, path: Path) -> None:
    """Load weights into a network of their shape.

    Raises:
        ArtifactError: a weight is missing, superfluous, misshapen or not finite.
    """
    try:
        weights = load(path.read_bytes())
        network.load_state_dict(weights, strict=True)
    except (OSError, SafetensorError, RuntimeError) as error:
        raise ArtifactError(f"{path}: {str(error).splitlines()[0]}") from None
    broken = [name for name, value in weights.items() if not torch.isfinite(value).all()]
    if broken:
        raise ArtifactError(f"{path}: {broken[0]} is not finite")


def check_ring_finder(folder: Path, ring_finder: str) -> None:
    """Check that training molecules were read with the ring finder that runs now.

    Raises:
        ArtifactError: they were read with another.
    """
    if ring_finder != RING_FINDER:
        raise ArtifactError(
            f"{folder}: trained with the {ring_finder} ring finder, running {RING_FINDER}"
        )


def check_feature_slots(folder: Path, trained: tuple[int, int], known: tuple[int, int]) -> None:
    """Check that the feature codes of training are those that are known now.

    Raises:
        ArtifactError: there are more or fewer.
    """
    if trained != known:
        raise ArtifactError(f"{folder}: trained on {trained} feature codes, not {known}")


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
