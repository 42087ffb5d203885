"""The methods that are compared, and what each says of labels."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from nmrshift.benchmark.uncertainty.propagation import PropagatedNetwork, propagated_likelihood
from nmrshift.benchmark.uncertainty.quantiles import LEVELS, QuantileNetwork, pinball, reaches
from nmrshift.data.dataset import LabelBatch, ShiftDataset
from nmrshift.model.build import build_network
from nmrshift.model.network import NetworkConfig, ShiftNetwork
from nmrshift.model.tensors import Conditions, batch_tensors
from nmrshift.train.objective import Criterion, dataset_conditions, laplace_likelihood

Floats = NDArray[np.float64]

_BATCH_ATOMS = 4000


@dataclass(frozen=True, slots=True)
class Training:
    """How a network is made and learns its error scales."""

    build: Callable[[NetworkConfig], ShiftNetwork]
    criterion: Criterion


@dataclass(frozen=True, slots=True)
class Method:
    """A way to know errors.

    Attributes:
        title: its name in tables.
        training: key of :data:`TRAININGS`.
        members: networks trained from different seeds.
        passes: passes with dropout on; 0 is one pass without.
    """

    title: str
    training: str
    members: int = 1
    passes: int = 0


TRAININGS: Final = {
    "variance": Training(build_network, laplace_likelihood),
    "quantile": Training(QuantileNetwork, pinball),
    "propagated": Training(PropagatedNetwork, propagated_likelihood),
}

METHODS: Final = {
    "variance": Method("variance head (ships)", "variance"),
    "quantile": Method("quantile heads", "quantile"),
    "ensemble": Method("ensemble of four", "variance", members=4),
    "dropout": Method("Monte Carlo dropout, 16 passes", "variance", passes=16),
    "propagated": Method("uncertainty propagation", "propagated"),
}


@dataclass(frozen=True, slots=True)
class Spread:
    """What a method says of labels, in the data set's label order.

    Attributes:
        mol: molecule of each label ``[n]``.
        nucleus: number of its nucleus ``[n]``.
        observed_ppm: the label ``[n]``.
        shift_ppm: the prediction ``[n]``.
        below_ppm: how far the interval of each of :data:`LEVELS` reaches below it ``[n, 4]``; one
            that is a multiple of an error scale is given by that scale.
        above_ppm: the same above it ``[n, 4]``.
    """

    mol: NDArray[np.int64]
    nucleus: NDArray[np.int64]
    observed_ppm: Floats
    shift_ppm: Floats
    below_ppm: Floats
    above_ppm: Floats

    @property
    def error_ppm(self) -> Floats:
        """Absolute errors ``[n]``."""
        return np.abs(self.shift_ppm - self.observed_ppm)

    @property
    def scale_ppm(self) -> Floats:
        """One error scale a label ``[n]``."""
        return (self.below_ppm[:, 0] + self.above_ppm[:, 0]) / 2

    def at(self, rows: NDArray[np.bool_]) -> "Spread":
        """Choose labels."""
        return Spread(
            self.mol[rows],
            self.nucleus[rows],
            self.observed_ppm[rows],
            self.shift_ppm[rows],
            self.below_ppm[rows],
            self.above_ppm[rows],
        )


@torch.inference_mode()
def spread(
    networks: Sequence[ShiftNetwork], passes: int, dataset: ShiftDataset, mols: NDArray[np.int64]
) -> Spread:
    """Predict the labels of molecules under their own conditions.

    Args:
        networks: members of an ensemble, or one.
        passes: passes with dropout on, seeded; 0 is one without.
        dataset: its molecules.
        mols: those wanted.
    """
    table = dataset_conditions(dataset, networks[0].config)
    found = []
    for network in networks:
        _set_dropout(network, on=passes > 0)
        for number in range(max(1, passes)):
            torch.manual_seed(number)
            found.append(_answers(network, dataset, mols, table))
        network.eval()
    shifts, below, above = (np.stack(parts) for parts in zip(*found, strict=True))
    doubt = shifts.var(axis=0)[:, None] / 2
    labels = [dataset.batch(part)[1] for part in _parts(dataset, mols)]
    return Spread(
        mol=np.repeat(mols, np.diff(dataset.first_label)[mols]),
        nucleus=np.concatenate([item.nucleus for item in labels]),
        observed_ppm=np.concatenate([item.shift_ppm for item in labels]).astype(np.float64),
        shift_ppm=shifts.mean(axis=0),
        below_ppm=np.sqrt((below**2).mean(axis=0) + doubt) if len(found) > 1 else below[0],
        above_ppm=np.sqrt((above**2).mean(axis=0) + doubt) if len(found) > 1 else above[0],
    )


def _answers(
    network: ShiftNetwork, dataset: ShiftDataset, mols: NDArray[np.int64], table: Conditions
) -> tuple[Floats, Floats, Floats]:
    """Return shifts ``[n]`` and what intervals reach below and above ``[n, 4]`` in one pass."""
    condition = network.condition(table)
    pieces: list[tuple[Tensor, Tensor, Tensor]] = []
    for part in _parts(dataset, mols):
        graphs, labels, _ = dataset.batch(part)
        h = network.encode(batch_tensors(graphs))
        pieces.append(_read_out(network, labels, h, condition))
    shifts, below, above = (torch.cat(column).numpy() for column in zip(*pieces, strict=True))
    return shifts, below, above


def _read_out(
    network: ShiftNetwork, labels: LabelBatch, h: Tensor, condition: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    n = len(labels.atom)
    shift = torch.empty(n, dtype=torch.float64)
    below, above = (torch.empty(n, len(LEVELS), dtype=torch.float64) for _ in range(2))
    for number, nucleus in enumerate(network.config.nuclei):
        rows = torch.from_numpy(np.flatnonzero(labels.nucleus == number))
        if len(rows):
            atom = torch.from_numpy(labels.atom)[rows]
            key = torch.from_numpy(labels.condition)[rows]
            mean, logs = network.read_out(nucleus, h[atom], condition[key])
            shift[rows] = network.to_ppm(nucleus, mean)
            below[rows], above[rows] = _reaches_ppm(network, nucleus, logs)
    return shift, below, above


def _reaches_ppm(network: ShiftNetwork, nucleus: str, logs: Tensor) -> tuple[Tensor, Tensor]:
    if isinstance(network, QuantileNetwork):
        width_ppm = network.config.shift_scale_ppm[network.config.nuclei.index(nucleus)]
        below, above = reaches(logs.double())
        return below * width_ppm, above * width_ppm
    scale_ppm = network.scale_ppm(nucleus, logs).unsqueeze(-1).expand(-1, len(LEVELS))
    return scale_ppm, scale_ppm


def _parts(dataset: ShiftDataset, mols: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    """Cut molecules into batches of bounded size, in order."""
    ends = np.cumsum(dataset.graphs.n_atoms[mols])
    yield from np.split(mols, np.flatnonzero(np.diff((ends - 1) // _BATCH_ATOMS)) + 1)


def _set_dropout(network: nn.Module, *, on: bool) -> None:
    """Switch dropout alone; what else a network does in training stays off."""
    network.eval()
    for module in network.modules():
        if isinstance(module, nn.Dropout):
            module.train(on)
