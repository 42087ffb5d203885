"""The pretraining loop: streamed, seeded by step, resumed to the same weights after a kill."""

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from tqdm import tqdm

from nmrshift.graph.features import preset
from nmrshift.model.encoder import Encoder, EncoderConfig
from nmrshift.pretrain.config import PretrainConfig
from nmrshift.pretrain.masking import Masking, make_batch
from nmrshift.pretrain.objectives import build_objectives
from nmrshift.pretrain.objectives.base import Objective
from nmrshift.pretrain.shards import Shard
from nmrshift.pretrain.stream import MoleculeStream
from nmrshift.train.average import averaged, move_average
from nmrshift.train.checkpoint import Progress, RunState, append_line
from nmrshift.train.loop import METRICS, learning_rate, save_run, take_up
from nmrshift.train.optimiser import Optimiser
from nmrshift.train.precision import mixed_precision
from nmrshift.train.sampling import epoch_batches

_REPORT_STEPS = 50


class Pretrainer(nn.Module):
    """An encoder with everything that is learned beside it."""

    def __init__(self, config: PretrainConfig) -> None:
        super().__init__()
        shape = EncoderConfig(**config.network.model_dump())
        self.encoder = Encoder(shape)
        self.masking = Masking(shape.d_h, shape.d_e, config.mask_atoms, config.mask_bonds)
        self.objectives = build_objectives(config, shape)

    def parts(self) -> Iterator[tuple[str, Objective]]:
        """Yield the objectives by name."""
        for name, objective in self.objectives.items():
            if isinstance(objective, Objective):
                yield name, objective


@dataclass(slots=True)
class Run(RunState[Pretrainer]):
    """The moving parts of a run.

    Attributes:
        device: where it runs.
    """

    device: torch.device


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run has learned.

    Attributes:
        encoder: with averaged weights, in evaluation mode.
        molecules: shown in all.
        molecules_per_second: while training, preparation included.
        losses: of the last steps, by objective.
    """

    encoder: Encoder
    molecules: int
    molecules_per_second: float
    losses: dict[str, float]


class _Meter:
    """Losses and molecules since the last line of metrics."""

    def __init__(self) -> None:
        self.losses: dict[str, list[float]] = {}
        self.molecules = 0
        self.started = time.monotonic()

    def add(self, losses: dict[str, float], molecules: int) -> None:
        for name, value in losses.items():
            self.losses.setdefault(name, []).append(value)
        self.molecules += molecules

    def line(self) -> dict[str, float]:
        values = {name: round(sum(seen) / len(seen), 5) for name, seen in self.losses.items()}
        values["molecules_per_second"] = round(self.rate, 1)
        return values

    @property
    def rate(self) -> float:
        return self.molecules / max(1e-9, time.monotonic() - self.started)


def pretrain(
    config: PretrainConfig,
    stream: MoleculeStream,
    folder: Path,
    *,
    resume: bool,
    report: Callable[[str], None],
    quiet: bool = False,
) -> Outcome:
    """Pretrain an encoder, or go on with a run that was cut off.

    Args:
        config: the run's settings.
        stream: its molecules.
        folder: run folder; takes checkpoints and metrics.
        resume: go on from the folder's checkpoint, if it has one.
        report: told in words how it goes.
        quiet: show no progress bar.

    Raises:
        ConfigError: the folder's checkpoint belongs to another configuration or other data.
        ArithmeticError: the loss is no longer finite.
    """
    torch.set_num_threads(config.threads)
    run = _begin(config, stream)
    take_up(run, folder, resume=resume, report=report)
    whole, recent = _Meter(), _Meter()
    total = stream.n_rows * config.optimisation.epochs
    saved = time.monotonic()
    with tqdm(total=total, unit="mol", disable=quiet) as bar:
        for shown, share, shard, mols in _batches(config, stream, run.progress.step):
            bar.update(max(0, shown - bar.n))
            losses = _step(config, run, shard, mols, share)
            for meter in (whole, recent):
                meter.add(losses, len(mols))
            step = run.progress.step
            if step % _REPORT_STEPS == 0:
                append_line(folder / METRICS, {"step": step, **recent.line()})
                bar.set_postfix_str(" ".join(f"{k} {v:.3g}" for k, v in recent.line().items()))
                recent = _Meter()
            if time.monotonic() - saved > config.checkpoint_seconds:
                save_run(folder, run)
                saved = time.monotonic()
    save_run(folder, run)
    encoder = averaged(run.network, run.average).encoder.cpu()
    last = {
        name: sum(v[-_REPORT_STEPS:]) / len(v[-_REPORT_STEPS:]) for name, v in whole.losses.items()
    }
    return Outcome(encoder, whole.molecules, whole.rate, last)


def run_hash(config: PretrainConfig, stream: MoleculeStream) -> str:
    """Return the hash of everything that shapes a run's result."""
    hidden = {"cache", "checkpoint_seconds", "threads", "molecules", "exclude_connectivities"}
    return sha256(
        (config.model_dump_json(exclude=hidden) + stream.fingerprint).encode()
    ).hexdigest()


def _begin(config: PretrainConfig, stream: MoleculeStream) -> Run:
    torch.manual_seed(config.seed)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    network = Pretrainer(config).to(device).train()
    return Run(
        network=network,
        average={name: value.clone() for name, value in network.state_dict().items()},
        optimiser=Optimiser(network, config.optimisation, rounds="encoder.layers."),
        progress=Progress(0, run_hash(config, stream), 0.0, 0.0),
        device=device,
    )


def _batches(
    config: PretrainConfig, stream: MoleculeStream, done: int
) -> Iterator[tuple[int, float, Shard, NDArray[np.int64]]]:
    """Yield rows shown before, share of the run, and a batch, from the step on that is next."""
    step = rows = 0
    total = stream.n_rows * config.optimisation.epochs
    for epoch in range(config.optimisation.epochs):
        order = np.random.default_rng([config.seed, epoch]).permutation(len(stream.places))
        for number, shard in zip(order.tolist(), stream.shards(order.tolist()), strict=True):
            place = stream.places[number]
            if shard is not None:
                batches = epoch_batches(
                    np.arange(shard.graphs.n_mols),
                    shard.graphs.n_atoms,
                    config.optimisation.batch_atoms,
                    config.seed,
                    epoch * len(stream.places) + number,
                )
                for index, mols in enumerate(batches):
                    if step + index >= done:
                        shown = rows + place.rows * index // len(batches)
                        yield shown, shown / total, shard, mols
                step += len(batches)
            rows += place.rows


def _step(
    config: PretrainConfig, run: Run, shard: Shard, mols: NDArray[np.int64], share: float
) -> dict[str, float]:
    """Show one batch; return the loss of every objective."""
    settings, step = config.optimisation, run.progress.step
    torch.manual_seed(config.seed * 1_000_003 + step)
    rng = np.random.default_rng([config.seed, step, 1])
    batch = make_batch(shard, mols, preset(config.network.features), run.device)
    network = run.network
    parts = list(network.parts())
    run.optimiser.zero_grad()
    with mixed_precision(enabled=settings.bfloat16):
        wanted = any(objective.needs_mask for _, objective in parts)
        masked = network.masking(network.encoder, batch, rng) if wanted else None
        losses = {name: o.loss(network.encoder, batch, masked, rng) for name, o in parts}
    total = torch.stack([o.weight * losses[name].float() for name, o in parts]).sum()
    if not math.isfinite(float(total.detach())):
        raise ArithmeticError(f"the loss is not finite at step {step}")
    total.backward()  # type: ignore[no-untyped-call]
    learned = [p for p in network.parameters() if p.requires_grad]
    nn.utils.clip_grad_norm_(learned, settings.clip_norm)
    run.optimiser.step(learning_rate(int(share * 1_000_000), 1_000_000, settings))
    for _, objective in parts:
        objective.after_step(network.encoder)
    move_average(run.average, network, min(settings.average_decay, (1 + step) / (10 + step)))
    run.progress = Progress(step + 1, run.progress.config_hash, 0.0, 0.0)
    return {name: float(value.detach()) for name, value in losses.items()}
