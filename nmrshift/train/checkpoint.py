"""Checkpoints: one safetensors file, written whole or not at all, no pickle.

Everything random in training is drawn from the seed and the step's number, so weights, their
average, the optimiser's moments and that number are the whole state.
"""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from safetensors import safe_open
from safetensors.torch import save
from torch import Tensor, nn

from nmrshift.errors import ConfigError
from nmrshift.train.optimiser import Optimiser


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a run stands.

    Attributes:
        step: optimiser steps done.
        config_hash: of the configuration and the data the run began with.
        loss_sum: sum of the losses since the epoch began.
        seconds: time spent training, over all sessions.
    """

    step: int
    config_hash: str
    loss_sum: float
    seconds: float


Network = TypeVar("Network", bound=nn.Module)


@dataclass(slots=True)
class RunState(Generic[Network]):
    """What a checkpoint keeps of a run.

    Attributes:
        network: what is being trained.
        average: moving average of its weights, by name.
        optimiser: with its moments.
        progress: where the run stands.
    """

    network: Network
    average: dict[str, Tensor]
    optimiser: Optimiser
    progress: Progress


def save_checkpoint(
    path: Path,
    network: nn.Module,
    average: dict[str, Tensor],
    optimiser: Optimiser,
    progress: Progress,
) -> None:
    """Write the state of a run; a kill at any moment leaves the old or the new one."""
    tensors = {f"network.{name}": value for name, value in network.state_dict().items()}
    tensors |= {f"average.{name}": value for name, value in average.items()}
    tensors |= {f"moment.{name}": value for name, value in optimiser.tensors().items()}
    contiguous = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
    metadata = {
        "step": str(progress.step),
        "config_hash": progress.config_hash,
        "loss_sum": repr(progress.loss_sum),
        "seconds": repr(progress.seconds),
    }
    write_whole(path, save(contiguous, metadata))


def load_checkpoint(
    path: Path,
    network: nn.Module,
    average: dict[str, Tensor],
    optimiser: Optimiser,
    config_hash: str,
) -> Progress:
    """Put the state of a run back in place and return where it stands.

    Raises:
        ConfigError: the checkpoint belongs to another configuration or other data.
    """
    with safe_open(path, framework="pt") as file:
        metadata = file.metadata()
        if metadata["config_hash"] != config_hash:
            raise ConfigError(
                "the checkpoint was made with another configuration or other data",
                hint="Start in a new run folder, or restore the configuration.",
            )
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    network.load_state_dict(_under("network.", tensors), strict=True)
    for name, value in _under("average.", tensors).items():
        average[name].copy_(value)
    optimiser.load(_under("moment.", tensors))
    return Progress(
        step=int(metadata["step"]),
        config_hash=metadata["config_hash"],
        loss_sum=float(metadata["loss_sum"]),
        seconds=float(metadata["seconds"]),
    )


def write_whole(path: Path, data: bytes) -> None:
    """Write a file so that a reader or a kill sees the old content or the new, never a part."""
    partial = path.with_name(path.name + ".partial")
    with partial.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)


def append_line(path: Path, values: dict[str, object]) -> None:
    """Append one JSON line."""
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(values) + "\n")


def _under(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {
        name.removeprefix(prefix): value
        for name, value in tensors.items()
        if name.startswith(prefix)
    }
