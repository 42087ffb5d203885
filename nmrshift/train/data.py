"""What a run trains on, what it keeps back, and the scales it learns in."""

import hashlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from nmrshift.chem.solvents import UNKNOWN
from nmrshift.data.dataset import ShiftDataset, load_dataset
from nmrshift.data.gather import DataPart
from nmrshift.data.peak_lists import PeakLists
from nmrshift.data.splits import read_connectivities
from nmrshift.errors import ConfigError
from nmrshift.graph.environments import environment_codes
from nmrshift.train.config import TrainConfig


@dataclass(frozen=True, slots=True)
class TrainingData:
    """A data set with its split and its statistics.

    Attributes:
        dataset: all molecules.
        shown: molecules of one epoch, repeats included.
        held_out: molecules never trained on.
        labelled: whether a molecule has any assigned label ``[n_mols]``.
        shift_mean_ppm: centre of each nucleus' training labels.
        shift_scale_ppm: standard deviation of each nucleus' training labels.
        solvents: keys of the solvents with an embedding of their own.
        sources: reference conventions.
        environments: codes of the environments that have a vector of their own, ascending, at
            radius 1, 2 ...; empty where environments are no input.
        calibrates: whether a molecule's file may calibrate intervals ``[n_mols]``.
        fingerprint: SHA-256 of everything the data set holds.
    """

    dataset: ShiftDataset
    shown: NDArray[np.int64]
    held_out: NDArray[np.int64]
    labelled: NDArray[np.bool_]
    shift_mean_ppm: tuple[float, ...]
    shift_scale_ppm: tuple[float, ...]
    solvents: tuple[str, ...]
    sources: tuple[str, ...]
    environments: tuple[NDArray[np.int64], ...]
    calibrates: NDArray[np.bool_]
    fingerprint: str


def prepare(config: TrainConfig, report: Callable[[str], None]) -> TrainingData:
    """Read, check and split a run's data.

    Raises:
        ConfigError: a data file is missing, or a nucleus has no training label.
    """
    parts = [
        DataPart(
            item.path,
            item.weight,
            item.uncertain_weight,
            item.list_weight,
            item.without,
            item.doubt_weight,
        )
        for item in config.data
    ]
    missing = [str(part.path) for part in parts if not part.path.exists()]
    if missing:
        raise ConfigError(f"no such data file: {', '.join(missing)}")
    dataset = load_dataset(
        parts, config.nuclei, config.network.features, config.cache, report=report
    )
    excluded = _excluded(config, dataset)
    held_out = _held_out(config, dataset, ~excluded) & ~excluded
    repeat = _repeats(config, dataset)
    labelled = np.diff(dataset.first_label) > 0
    trained = np.flatnonzero(~held_out & ~excluded)
    label_trained = np.repeat(~held_out & ~excluded, np.diff(dataset.first_label))
    mean, scale = _scales(dataset, label_trained)
    report(
        f"{len(trained)} molecules to train on, {int(held_out.sum())} held out, "
        f"{int(excluded.sum())} left out as test molecules or salts of them"
    )
    return TrainingData(
        dataset=dataset,
        shown=np.repeat(trained, repeat[trained]),
        held_out=np.flatnonzero(held_out & labelled),
        labelled=labelled,
        shift_mean_ppm=mean,
        shift_scale_ppm=scale,
        solvents=_solvents(config, dataset, label_trained),
        sources=tuple(sorted({str(name) for name in dataset.condition_source if name})),
        environments=_environments(config, dataset, trained),
        calibrates=np.array([item.calibrate for item in config.data])[dataset.part],
        fingerprint=_fingerprint(dataset),
    )


def in_validation(key: str, fraction: float) -> bool:
    """Say whether a connectivity or scaffold is held out: by its own hash."""
    digest = hashlib.blake2b(key.encode(), digest_size=8, person=b"validation").digest()
    return int.from_bytes(digest, "big") < fraction * 2**64


def _excluded(config: TrainConfig, dataset: ShiftDataset) -> NDArray[np.bool_]:
    """Mark the molecules that are test molecules, whole or as their largest fragment."""
    if config.exclude_connectivities is None:
        return np.zeros(dataset.n_mols, dtype=bool)
    banned = read_connectivities(config.exclude_connectivities)
    keys = zip(dataset.connectivity.tolist(), dataset.parent.tolist(), strict=True)
    return np.array([whole in banned or parent in banned for whole, parent in keys])


def _held_out(
    config: TrainConfig, dataset: ShiftDataset, usable: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Mark what is held out; molecules of one parent go together, whatever their scaffolds."""
    chosen = np.array([item.validation for item in config.data])[dataset.part]
    if config.validation_split == "scaffold":
        chosen |= _chosen_scaffolds(dataset.scaffold, usable, config.validation_fraction)
    parents = set(dataset.parent[chosen].tolist())
    if config.validation_split == "connectivity":
        names = np.unique(dataset.parent).tolist()
        parents |= {key for key in names if in_validation(key, config.validation_fraction)}
    return np.array([key in parents for key in dataset.parent.tolist()])


def _chosen_scaffolds(
    scaffold: NDArray[np.str_], usable: NDArray[np.bool_], fraction: float
) -> NDArray[np.bool_]:
    """Mark the molecules of scaffolds that are held out.

    A scaffold with more molecules than are to be held out in all (benzene is one) is never chosen.
    """
    names, group = np.unique(scaffold, return_inverse=True)
    n_usable = np.bincount(group[usable], minlength=len(names))
    small = n_usable <= max(1.0, fraction * n_usable.sum())
    drawn = np.array([in_validation(name, fraction) for name in names.tolist()])
    marked: NDArray[np.bool_] = (small & drawn)[group]
    return marked


def _repeats(config: TrainConfig, dataset: ShiftDataset) -> NDArray[np.int64]:
    """Return how often an epoch shows each molecule: as its file says, or its rarest nucleus."""
    repeat = np.array([item.repeat for item in config.data])[dataset.part]
    label_mol = np.repeat(np.arange(dataset.n_mols), np.diff(dataset.first_label))
    for nucleus, times in config.optimisation.nucleus_repeat.items():
        if nucleus not in config.nuclei:
            raise ConfigError(f"nucleus_repeat names {nucleus}, which is not trained")
        carriers = np.unique(label_mol[dataset.label_nucleus == config.nuclei.index(nucleus)])
        repeat[carriers] = np.maximum(repeat[carriers], times)
    return repeat


def _environments(
    config: TrainConfig, dataset: ShiftDataset, trained: NDArray[np.int64]
) -> tuple[NDArray[np.int64], ...]:
    """Return the environments that enough atoms of training molecules have."""
    least = config.network.environment_min_count
    if least is None:
        return ()
    chunks = np.array_split(trained, len(trained) // 4096 + 1)
    codes = np.concatenate([environment_codes(dataset.graphs.batch(chunk)) for chunk in chunks])
    known = []
    for column in codes.T:
        found, counts = np.unique(column, return_counts=True)
        known.append(found[counts >= least])
    return tuple(known)


def _scales(
    dataset: ShiftDataset, trained: NDArray[np.bool_]
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    means, scales = [], []
    for number, nucleus in enumerate(dataset.nuclei):
        shifts_ppm = dataset.label_ppm[trained & (dataset.label_nucleus == number)]
        if len(shifts_ppm) < 2:
            raise ConfigError(f"{nucleus}: fewer than two training labels")
        means.append(round(float(shifts_ppm.mean(dtype=np.float64)), 4))
        scales.append(max(0.1, round(float(shifts_ppm.std(dtype=np.float64)), 4)))
    return tuple(means), tuple(scales)


def _solvents(
    config: TrainConfig, dataset: ShiftDataset, trained: NDArray[np.bool_]
) -> tuple[str, ...]:
    counts = Counter(dataset.condition_solvent[dataset.label_condition[trained]].tolist())
    return tuple(
        sorted(
            key
            for key, count in counts.items()
            if count >= config.solvent_min_labels and key != UNKNOWN.key
        )
    )


def _fingerprint(dataset: ShiftDataset) -> str:
    digest = hashlib.sha256()
    for array in (
        dataset.graphs.V,
        dataset.graphs.E,
        dataset.graphs.edge_src,
        dataset.graphs.edge_dst,
        dataset.label_node,
        dataset.label_nucleus,
        dataset.label_condition,
        dataset.label_ppm,
        dataset.label_weight,
        *(getattr(dataset.lists, item.name) for item in fields(PeakLists)),
    ):
        digest.update(np.ascontiguousarray(array).tobytes())
    digest.update("\n".join(dataset.connectivity.tolist()).encode())
    digest.update("\n".join(dataset.parent.tolist()).encode())
    return digest.hexdigest()
