"""The loss of one batch, and the network's answers on labelled molecules."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from nmrshift.chem.solvents import normalise
from nmrshift.data.dataset import LabelBatch, ShiftDataset
from nmrshift.model.network import NetworkConfig, ShiftNetwork
from nmrshift.model.tensors import BatchTensors, Conditions, batch_tensors, conditions
from nmrshift.train.config import Optimisation


@dataclass(frozen=True, slots=True)
class Scored:
    """Predictions on labels; all arrays ``[n_labels]``, in the data set's label order.

    Attributes:
        mol: molecule of the label.
        nucleus: number of its nucleus.
        shift_ppm: the label.
        predicted_ppm: the network's mean.
        scale_ppm: the network's own error scale.
    """

    mol: NDArray[np.int64]
    nucleus: NDArray[np.int64]
    shift_ppm: NDArray[np.float64]
    predicted_ppm: NDArray[np.float64]
    scale_ppm: NDArray[np.float64]


def dataset_conditions(dataset: ShiftDataset, config: NetworkConfig) -> Conditions:
    """Describe every condition of a data set four times.

    As it is, then with its solvent, its source, or both hidden: variant ``v`` of condition ``c``
    is row ``v * n_conditions + c``.
    """
    pairs = []
    for hide_source, hide_solvent in ((False, False), (False, True), (True, False), (True, True)):
        pairs += [
            (normalise(None if hide_solvent else str(key)), None if hide_source else str(source))
            for key, source in zip(dataset.condition_solvent, dataset.condition_source, strict=True)
        ]
    return conditions(pairs, config.solvents, config.sources)


def hide_conditions(
    labels: LabelBatch, n_conditions: int, settings: Optimisation, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Choose the row of the condition table for every label, hiding solvents and sources at random.

    Labels of one condition in one batch share the choice.
    """
    solvent = rng.random(n_conditions) < settings.drop_solvent
    source = rng.random(n_conditions) < settings.drop_source
    variant = solvent + 2 * source
    rows: NDArray[np.int64] = variant[labels.condition] * n_conditions + labels.condition
    return rows


def batch_loss(
    network: ShiftNetwork,
    batch: BatchTensors,
    labels: LabelBatch,
    rows: NDArray[np.int64],
    table: Conditions,
    settings: Optimisation,
) -> Tensor:
    """Return the weighted Huber loss of the means plus the Laplace likelihood of the errors."""
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=settings.bfloat16):
        h = network.encode(batch)
    h = h.float()
    condition = network.condition(table)
    config = network.config
    total = h.new_zeros(())
    for number, nucleus in enumerate(config.nuclei):
        chosen = np.flatnonzero(labels.nucleus == number)
        if not len(chosen):
            continue
        atoms = torch.from_numpy(labels.atom[chosen])
        mean, log_scale = network.read_out(
            nucleus, h[atoms], condition[torch.from_numpy(rows[chosen])]
        )
        shift_ppm = torch.from_numpy(labels.shift_ppm[chosen])
        target = (shift_ppm - config.shift_mean_ppm[number]) / config.shift_scale_ppm[number]
        weight = torch.from_numpy(labels.weight[chosen])
        error = functional.huber_loss(mean, target, reduction="none", delta=settings.huber_delta)
        error = error / settings.huber_delta
        likelihood = (mean - target).detach().abs() * torch.exp(-log_scale) + log_scale
        both = error + settings.scale_weight * likelihood
        total = total + settings.nucleus_weight.get(nucleus, 1.0) * (weight * both).sum()
    return total / float(labels.weight.sum())


@torch.inference_mode()
def score(
    network: ShiftNetwork,
    dataset: ShiftDataset,
    mols: NDArray[np.int64],
    table: Conditions,
    batch_atoms: int = 4000,
) -> Scored:
    """Predict the labels of molecules under their own conditions."""
    pieces: list[tuple[NDArray[np.int64], LabelBatch, NDArray[np.float64], NDArray[np.float64]]]
    pieces = []
    condition = network.condition(table)
    n_atoms = np.cumsum(dataset.graphs.n_atoms[mols])
    for part in np.split(mols, np.flatnonzero(np.diff((n_atoms - 1) // batch_atoms)) + 1):
        graphs, labels = dataset.batch(part)
        mean, scale = _answers(network, batch_tensors(graphs), labels, condition)
        pieces.append((part[graphs.atom_to_mol[labels.atom]], labels, mean, scale))
    return Scored(
        mol=np.concatenate([piece[0] for piece in pieces]),
        nucleus=np.concatenate([piece[1].nucleus for piece in pieces]),
        shift_ppm=np.concatenate([piece[1].shift_ppm for piece in pieces]).astype(np.float64),
        predicted_ppm=np.concatenate([piece[2] for piece in pieces]),
        scale_ppm=np.concatenate([piece[3] for piece in pieces]),
    )


def mean_errors(scored: Scored, nuclei: Sequence[str]) -> dict[str, float]:
    """Return the mean absolute error of every nucleus that has labels, ppm."""
    error_ppm = np.abs(scored.predicted_ppm - scored.shift_ppm)
    return {
        nucleus: float(error_ppm[scored.nucleus == number].mean())
        for number, nucleus in enumerate(nuclei)
        if (scored.nucleus == number).any()
    }


def _answers(
    network: ShiftNetwork, batch: BatchTensors, labels: LabelBatch, condition: Tensor
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    h = network.encode(batch)
    mean_ppm = np.empty(len(labels.atom))
    scale_ppm = np.empty(len(labels.atom))
    for number, nucleus in enumerate(network.config.nuclei):
        chosen = np.flatnonzero(labels.nucleus == number)
        if len(chosen):
            mean, log_scale = network.read_out(
                nucleus,
                h[torch.from_numpy(labels.atom[chosen])],
                condition[torch.from_numpy(labels.condition[chosen])],
            )
            mean_ppm[chosen] = network.to_ppm(nucleus, mean).numpy()
            scale_ppm[chosen] = network.scale_ppm(nucleus, log_scale).numpy()
    return mean_ppm, scale_ppm
