"""The loss of one batch, and the network's answers on labelled molecules."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from nmrshift.chem.solvents import normalise
from nmrshift.data.dataset import LabelBatch, ShiftDataset
from nmrshift.data.peak_lists import ListBatch
from nmrshift.graph.batch import GraphBatch
from nmrshift.graph.environments import environment_codes
from nmrshift.model.network import NetworkConfig, ShiftNetwork
from nmrshift.model.tensors import Conditions, conditions
from nmrshift.train.config import Optimisation
from nmrshift.train.pairing import pair
from nmrshift.train.precision import mixed_precision

Criterion = Callable[[Tensor, Tensor, Tensor, Tensor, Optimisation], Tensor]
"""From means ``[n]``, log scales ``[n]`` (or what stands for them in another network ``[n, ...]``),
labels ``[n]`` in units of the nucleus' spread, trust in them ``[n]`` and settings to the loss of
the error scales, summed."""


@dataclass(frozen=True, slots=True)
class Targets:
    """What is known of the shifts of a batch.

    Attributes:
        labels: assigned shifts.
        lists: unassigned peak lists.
        condition_rows: row of the condition table for every condition of the data set.
    """

    labels: LabelBatch
    lists: ListBatch
    condition_rows: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class LabelledBatch:
    """Molecules on their way through the network.

    Attributes:
        graphs: the molecules.
        targets: what is known of their shifts.
    """

    graphs: GraphBatch
    targets: Targets


@dataclass(frozen=True, slots=True)
class Scored:
    """Predictions on labels; all arrays ``[n_labels]``, in the data set's label order.

    Attributes:
        mol: molecule of the label.
        nucleus: number of its nucleus.
        shift_ppm: the label.
        predicted_ppm: the network's mean.
        scale_ppm: the network's own error scale.
        measured: whether the label is a measurement, not a calculation.
    """

    mol: NDArray[np.int64]
    nucleus: NDArray[np.int64]
    shift_ppm: NDArray[np.float64]
    predicted_ppm: NDArray[np.float64]
    scale_ppm: NDArray[np.float64]
    measured: NDArray[np.bool_]


def dataset_conditions(dataset: ShiftDataset, config: NetworkConfig) -> Conditions:
    """Describe every condition of a data set four times.

    As it is, then with its solvent, its source, or both hidden: variant ``v`` of condition ``c``
    is row ``v * n_conditions + c``. The source of a calculation is never hidden: "general" is
    what is measured.
    """
    pairs = []
    keys = list(
        zip(
            dataset.condition_solvent.tolist(),
            dataset.condition_source.tolist(),
            dataset.condition_computed.tolist(),
            strict=True,
        )
    )
    for hide_source, hide_solvent in ((False, False), (False, True), (True, False), (True, True)):
        pairs += [
            (
                normalise(None if hide_solvent else solvent),
                None if hide_source and not computed else source,
            )
            for solvent, source, computed in keys
        ]
    return conditions(pairs, config.solvents, config.sources)


def hide_conditions(
    n_conditions: int, settings: Optimisation, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Choose the row of the condition table for every condition of a batch.

    Solvents and sources are hidden at random; labels of one condition in one batch share the
    choice.
    """
    solvent = rng.random(n_conditions) < settings.drop_solvent
    source = rng.random(n_conditions) < settings.drop_source
    rows: NDArray[np.int64] = (solvent + 2 * source) * n_conditions + np.arange(n_conditions)
    return rows


def laplace_likelihood(
    mean: Tensor, log_scale: Tensor, expected: Tensor, weight: Tensor, settings: Optimisation
) -> Tensor:
    """Return the Laplace likelihood of the errors as they are: the :data:`Criterion` that ships."""
    likelihood = (mean - expected).detach().abs() * torch.exp(-log_scale) + log_scale
    return settings.scale_weight * (weight * likelihood).sum()


def batch_loss(
    network: ShiftNetwork,
    batch: LabelledBatch,
    table: Conditions,
    settings: Optimisation,
    list_weight: float,
    criterion: Criterion = laplace_likelihood,
) -> Tensor:
    """Return the weighted Huber loss of the means plus the loss of the error scales.

    Peaks of unassigned lists count for the atoms they are paired with at this very step. They
    teach the means only, as what is left after pairing is too small to be an error, and so do
    calculations, whose errors are not those of a measurement.

    Args:
        network: what is trained.
        batch: molecules and what is known of them.
        table: the data set's conditions.
        settings: of the optimisation.
        list_weight: weight of unassigned peaks against labels, 0-1.
        criterion: loss of the error scales.
    """
    with (
        torch.set_grad_enabled(not settings.freeze_encoder),
        mixed_precision(enabled=settings.bfloat16),
    ):
        h = network.learn(batch.graphs)
    return encoded_loss(network, h.float(), batch.targets, table, settings, list_weight, criterion)


def encoded_loss(
    network: ShiftNetwork,
    h: Tensor,
    targets: Targets,
    table: Conditions,
    settings: Optimisation,
    list_weight: float,
    criterion: Criterion = laplace_likelihood,
) -> Tensor:
    """Return the loss of :func:`batch_loss` for molecules that are encoded already.

    Args:
        network: what is trained.
        h: representations of the batch's atoms ``[n_atoms, d_h]``.
        targets: what is known of their shifts.
        table: the data set's conditions.
        settings: of the optimisation.
        list_weight: weight of unassigned peaks against labels, 0-1.
        criterion: loss of the error scales.
    """
    condition = network.condition(table)
    total, weights = 0.0 * condition.sum(), 0.0  # a batch may have nothing that counts yet
    for number, nucleus in enumerate(network.config.nuclei):
        part, weight = _nucleus_loss(
            network, targets, number, h, condition, settings, list_weight, criterion
        )
        total = total + settings.nucleus_weight.get(nucleus, 1.0) * part
        weights += weight
    return total / max(weights, 1.0)


def _nucleus_loss(
    network: ShiftNetwork,
    targets: Targets,
    number: int,
    h: Tensor,
    condition: Tensor,
    settings: Optimisation,
    list_weight: float,
    criterion: Criterion,
) -> tuple[Tensor, float]:
    """Return the loss of one nucleus' labels and listed peaks, summed, and their weight."""
    labels = targets.labels
    lists = targets.lists.of(number)
    chosen = np.flatnonzero(labels.nucleus == number)
    n = len(chosen)
    if not n and not (lists.n_groups and list_weight):
        return h.new_zeros(()), 0.0
    config = network.config
    centre, spread = config.shift_mean_ppm[number], config.shift_scale_ppm[number]
    atoms = np.concatenate([labels.atom[chosen], lists.atom])
    keys = np.concatenate([labels.condition[chosen], lists.condition[lists.atom_group]])
    mean, log_scale = network.read_out(
        config.nuclei[number],
        h[torch.from_numpy(atoms)],
        condition[torch.from_numpy(targets.condition_rows[keys])],
    )
    paired = pair(
        mean[n:].detach().double().numpy(),
        log_scale[n:].detach().double().exp().numpy(),
        (lists.shift_ppm.astype(np.float64) - centre) / spread,
        lists,
    )
    target = np.concatenate([(labels.shift_ppm[chosen] - centre) / spread, paired.target])
    trust = list_weight * lists.weight[lists.atom_group] * paired.confidence
    weight = torch.from_numpy(np.concatenate([labels.weight[chosen], trust])).float()
    expected = torch.from_numpy(target).float()
    delta = settings.huber_delta
    error = functional.huber_loss(mean, expected, reduction="none", delta=delta) / delta
    measured = torch.from_numpy(labels.measured[chosen])
    scales = criterion(mean[:n], log_scale[:n], expected[:n], weight[:n] * measured, settings)
    return (weight * error).sum() + scales, float(weight.sum())


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
        graphs, labels, _ = dataset.batch(part)
        mean, scale = _answers(network, graphs, labels, condition)
        pieces.append((part[graphs.atom_to_mol[labels.atom]], labels, mean, scale))
    return Scored(
        mol=np.concatenate([piece[0] for piece in pieces]),
        nucleus=np.concatenate([piece[1].nucleus for piece in pieces]),
        shift_ppm=np.concatenate([piece[1].shift_ppm for piece in pieces]).astype(np.float64),
        predicted_ppm=np.concatenate([piece[2] for piece in pieces]),
        scale_ppm=np.concatenate([piece[3] for piece in pieces]),
        measured=np.concatenate([piece[1].measured for piece in pieces]),
    )


def mean_errors(scored: Scored, nuclei: Sequence[str]) -> dict[str, float]:
    """Return the mean absolute error of every nucleus that has measured labels, ppm."""
    error_ppm = np.abs(scored.predicted_ppm - scored.shift_ppm)
    chosen = {
        nucleus: scored.measured & (scored.nucleus == number)
        for number, nucleus in enumerate(nuclei)
    }
    return {
        nucleus: float(error_ppm[rows].mean()) for nucleus, rows in chosen.items() if rows.any()
    }


def _answers(
    network: ShiftNetwork, batch: GraphBatch, labels: LabelBatch, condition: Tensor
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    h = network.represent(batch, environment_codes(batch))
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
