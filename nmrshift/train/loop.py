"""The training loop: seeded by step, so that a killed run resumes to the same result."""

import hashlib
import json
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from tqdm import tqdm

from nmrshift.chem.solvents import SOLVENT_DIM
from nmrshift.errors import ConfigError
from nmrshift.model.artifact import load_artifact
from nmrshift.model.build import build_network
from nmrshift.model.encoder_artifact import is_encoder, load_encoder
from nmrshift.model.ensemble import joined
from nmrshift.model.folder import verify_folder
from nmrshift.model.network import NetworkConfig, ShiftNetwork
from nmrshift.model.tensors import Conditions
from nmrshift.train.average import averaged, move_average
from nmrshift.train.checkpoint import (
    Network,
    Progress,
    RunState,
    append_line,
    load_checkpoint,
    save_checkpoint,
    write_whole,
)
from nmrshift.train.config import Optimisation, Schedule, TrainConfig
from nmrshift.train.data import TrainingData
from nmrshift.train.objective import (
    Criterion,
    LabelledBatch,
    Targets,
    batch_loss,
    dataset_conditions,
    hide_conditions,
    laplace_likelihood,
    mean_errors,
    score,
)
from nmrshift.train.optimiser import Optimiser
from nmrshift.train.sampling import epoch_batches

CHECKPOINT = "checkpoint.safetensors"
METRICS = "metrics.jsonl"
_HEADS = ("heads.", "conditioner.", "responses.")
_SHAPE = (
    *("features", "n_layers", "d_h", "d_e", "d_ffn", "n_environments"),
    *("aggregation", "edge_update", "read_out"),
)


@dataclass(slots=True)
class Run(RunState[ShiftNetwork]):
    """The moving parts of a run.

    Attributes:
        table: conditions of the data set, plain and hidden.
        criterion: loss of the error scales.
    """

    table: Conditions
    criterion: Criterion


def fit(
    config: TrainConfig,
    data: TrainingData,
    folder: Path,
    *,
    resume: bool,
    report: Callable[[str], None],
    quiet: bool = False,
    build: Callable[[NetworkConfig], ShiftNetwork] = build_network,
    criterion: Criterion = laplace_likelihood,
) -> ShiftNetwork:
    """Train a network, or go on with a run that was cut off.

    Args:
        config: the run's settings.
        data: what it trains on.
        folder: run folder; takes checkpoints and metrics.
        resume: go on from the folder's checkpoint, if it has one.
        report: told in words how it goes.
        quiet: show no progress bar.
        build: makes a network with fresh weights.
        criterion: loss of its error scales.

    Returns:
        The network with averaged weights.

    Raises:
        ConfigError: the folder's checkpoint belongs to another configuration or other data.
        ArithmeticError: the loss is no longer finite.
    """
    torch.set_num_threads(config.threads)
    run = _begin(config, data, build, criterion)
    take_up(run, folder, resume=resume, report=report)
    epochs = range(config.optimisation.epochs)
    ends = np.cumsum([len(_batches(config, data, epoch)) for epoch in epochs])
    total = int(ends[-1]) if len(ends) else 0
    with tqdm(total=total, initial=run.progress.step, unit="step", disable=quiet) as bar:
        for epoch in epochs:
            if run.progress.step < ends[epoch]:
                _epoch(config, data, run, folder, epoch, int(ends[epoch]), total, bar)
    return averaged(run.network, run.average)


def take_up(
    run: RunState[Network], folder: Path, *, resume: bool, report: Callable[[str], None]
) -> None:
    """Go on from a folder's checkpoint if that is asked for, and forget what was said after it.

    Raises:
        ConfigError: the checkpoint belongs to another configuration or other data.
    """
    checkpoint = folder / CHECKPOINT
    if resume and checkpoint.exists():
        run.progress = load_checkpoint(
            checkpoint, run.network, run.average, run.optimiser, run.progress.config_hash
        )
        report(f"resumed at step {run.progress.step}")
    _forget_later_lines(folder / METRICS, run.progress.step)


def network_config(config: TrainConfig, data: TrainingData) -> NetworkConfig:
    """Join the configured shape with what the data fix."""
    return NetworkConfig(
        **config.network.model_dump(exclude={"environment_min_count"}),
        n_environments=tuple(len(codes) for codes in data.environments),
        nuclei=config.nuclei,
        shift_mean_ppm=data.shift_mean_ppm,
        shift_scale_ppm=data.shift_scale_ppm,
        solvent_dim=SOLVENT_DIM,
        solvents=data.solvents,
        sources=data.sources,
    )


def run_hash(config: TrainConfig, data: TrainingData) -> str:
    """Return the hash of everything that shapes a run's result."""
    settings = config.model_dump(mode="json", exclude={"cache", "checkpoint_seconds", "threads"})
    for item in settings["data"]:
        item["path"] = Path(item["path"]).name
    settings["exclude_connectivities"] = None
    if config.start_from is not None:
        settings["start_from"] = verify_folder(config.start_from)[1]
    settings["members"] = [verify_folder(member)[1] for member in config.members]
    text = json.dumps(settings, sort_keys=True) + data.fingerprint
    return hashlib.sha256(text.encode()).hexdigest()


def learning_rate(step: int, total: int, settings: Schedule) -> float:
    """Return the rate of a step: linear warm-up, then half a cosine to zero."""
    warmup = max(1, int(total * settings.warmup_fraction))
    if step < warmup:
        return settings.learning_rate * (step + 1) / warmup
    done = (step - warmup) / max(1, total - warmup)
    return settings.learning_rate * 0.5 * (1 + math.cos(math.pi * min(1.0, done)))


def list_weight(step: int, total: int, settings: Optimisation) -> float:
    """Return the weight of unassigned peaks at a step: none at first, then rising to its full."""
    begin, full = settings.lists_begin * total, settings.lists_full * total
    return min(1.0, max(0.0, (step - begin) / max(1.0, full - begin)))


def _begin(
    config: TrainConfig,
    data: TrainingData,
    build: Callable[[NetworkConfig], ShiftNetwork],
    criterion: Criterion,
) -> Run:
    torch.manual_seed(config.seed)
    network = _fresh_network(config, data, build).train()
    return Run(
        network=network,
        average={name: value.clone() for name, value in network.state_dict().items()},
        optimiser=Optimiser(network, config.optimisation),
        table=dataset_conditions(data.dataset, network.config),
        criterion=criterion,
        progress=Progress(0, run_hash(config, data), 0.0, 0.0),
    )


def _fresh_network(
    config: TrainConfig, data: TrainingData, build: Callable[[NetworkConfig], ShiftNetwork]
) -> ShiftNetwork:
    """Make the network a run begins with: new weights, those of an encoder, of models."""
    start = config.start_from
    if config.members:
        return _ensemble(config)
    if start is not None and not is_encoder(start):
        return _trained_network(start, config)
    network = build(network_config(config, data))
    if network.embed_environments is not None:
        network.embed_environments.know([torch.from_numpy(c) for c in data.environments])
    if start is not None:
        _take_encoder(network, start)
    return network


def _ensemble(config: TrainConfig) -> ShiftNetwork:
    members = [_trained_network(folder, config) for folder in config.members]
    first, *others = members
    for folder, other in zip(config.members[1:], others, strict=True):
        if other.config != first.config:
            raise ConfigError(
                f"{folder.name} differs from {config.members[0].name} in shape, scales, solvents "
                "or sources",
                hint="Train one from the other (start_from).",
            )
    if first.config.architecture != "gated" or first.config.offset_sources:
        raise ConfigError("members are plain models: no ensembles, none adapted to a laboratory")
    return joined(members)


def _trained_network(start: Path, config: TrainConfig) -> ShiftNetwork:
    network = load_artifact(start).network
    if network.config.nuclei != config.nuclei or network.config.features != config.network.features:
        raise ConfigError(
            f"{start.name} has other nuclei or features than this run",
            hint=f"It predicts {', '.join(network.config.nuclei)}.",
        )
    return network


def _take_encoder(network: ShiftNetwork, start: Path) -> None:
    """Put a pretrained encoder's weights into a network of the same shape."""
    encoder = load_encoder(start).encoder
    for name in _SHAPE:
        own, given = getattr(network.config, name), getattr(encoder.config, name)
        if own != given:
            raise ConfigError(
                f"the encoder {start.name} has {name} = {given}, this run {own}",
                hint="Give the network of the run the encoder's shape.",
            )
    missing, superfluous = network.load_state_dict(encoder.state_dict(), strict=False)
    if superfluous or any(not name.startswith(_HEADS) for name in missing):
        raise ConfigError(f"{start.name} is not an encoder of this architecture")


def _batches(config: TrainConfig, data: TrainingData, epoch: int) -> list[NDArray[np.int64]]:
    lists_on = epoch + 1 > config.optimisation.lists_begin * config.optimisation.epochs
    return epoch_batches(
        data.shown if lists_on else data.shown[data.labelled[data.shown]],
        data.dataset.graphs.n_atoms,
        config.optimisation.batch_atoms,
        config.seed,
        epoch,
    )


def _epoch(
    config: TrainConfig,
    data: TrainingData,
    run: Run,
    folder: Path,
    epoch: int,
    end: int,
    total: int,
    bar: "tqdm[None]",
) -> None:
    batches = _batches(config, data, epoch)
    first = end - len(batches)
    saved = started = time.monotonic()
    loss_sum, before = run.progress.loss_sum, run.progress.seconds
    for step in range(run.progress.step, end):
        loss_sum += _step(config, data, run, batches[step - first], step, total)
        now = time.monotonic()
        run.progress = Progress(
            step + 1, run.progress.config_hash, loss_sum, before + now - started
        )
        bar.update()
        if now - saved > config.checkpoint_seconds:
            save_run(folder, run)
            saved = now
    errors = mean_errors(
        score(averaged(run.network, run.average), data.dataset, data.held_out, run.table),
        config.nuclei,
    )
    seconds = before + time.monotonic() - started
    line = {
        "step": run.progress.step,
        "epoch": epoch + 1,
        "loss": round(loss_sum / len(batches), 6),
        "seconds": round(seconds, 1),
        "held_out_mae_ppm": {nucleus: round(value, 4) for nucleus, value in errors.items()},
    }
    append_line(folder / METRICS, line)
    run.progress = Progress(run.progress.step, run.progress.config_hash, 0.0, seconds)
    save_run(folder, run)
    bar.set_postfix_str(" ".join(f"{n} {v:.3f}" for n, v in errors.items()))


def _step(
    config: TrainConfig,
    data: TrainingData,
    run: Run,
    mols: NDArray[np.int64],
    step: int,
    total: int,
) -> float:
    settings = config.optimisation
    torch.manual_seed(config.seed * 1_000_003 + step)
    rng = np.random.default_rng([config.seed, step, 1])
    graphs, labels, lists = data.dataset.batch(mols)
    rows = hide_conditions(len(data.dataset.condition_solvent), settings, rng)
    batch = LabelledBatch(graphs, Targets(labels, lists, rows))
    run.optimiser.zero_grad()
    loss = batch_loss(
        run.network,
        batch,
        run.table,
        settings,
        list_weight(step, total, settings),
        run.criterion,
    )
    value = float(loss.detach())
    if not math.isfinite(value):
        raise ArithmeticError(f"the loss is not finite at step {step}")
    loss.backward()  # type: ignore[no-untyped-call]
    nn.utils.clip_grad_norm_(run.network.parameters(), settings.clip_norm)
    run.optimiser.step(learning_rate(step, total, settings))
    move_average(run.average, run.network, min(settings.average_decay, (1 + step) / (10 + step)))
    return value


def save_run(folder: Path, run: RunState[Network]) -> None:
    """Write the folder's checkpoint."""
    save_checkpoint(folder / CHECKPOINT, run.network, run.average, run.optimiser, run.progress)


def _forget_later_lines(path: Path, step: int) -> None:
    """Drop metrics written after the checkpoint that the run goes on from."""
    if not path.exists():
        return
    kept = []
    for line in path.read_text("utf-8").splitlines():
        try:
            values = json.loads(line)
        except json.JSONDecodeError:
            continue
        if values["step"] <= step:
            kept.append(line + "\n")
    write_whole(path, "".join(kept).encode())


def fresh_folder(folder: Path, *, resume: bool) -> None:
    """Make a run folder.

    Raises:
        ConfigError: it already holds a run and resuming was not asked for.
    """
    if (folder / CHECKPOINT).exists() and not resume:
        raise ConfigError(
            f"{folder} already holds a run", hint="Go on with --resume, or name another folder."
        )
    folder.mkdir(parents=True, exist_ok=True)
