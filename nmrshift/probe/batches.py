"""Labelled molecules on their way through an encoder, cut once and used at every step."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nmrshift.data.dataset import ShiftDataset
from nmrshift.model.encoder import Encoder
from nmrshift.model.tensors import BatchTensors, batch_tensors
from nmrshift.probe.spectra import Labels


@dataclass(frozen=True, slots=True)
class LabelledGraphs:
    """Molecules and the shifts of some of their atoms.

    Attributes:
        graphs: the molecules.
        atom: node of the batch that carries each label ``[n_labels]``.
        shift_ppm: the labels ``[n_labels]``, float32.
    """

    graphs: BatchTensors
    atom: Tensor
    shift_ppm: Tensor


def cut(
    dataset: ShiftDataset, labels: Labels, batch_atoms: int, seed: int | None = None
) -> list[LabelledGraphs]:
    """Cut the molecules of labels into batches of about equal numbers of atoms.

    Args:
        dataset: holds the molecules.
        labels: at least one.
        batch_atoms: atoms of a batch, about.
        seed: of the order of molecules; without one the labels keep their order.
    """
    mols = np.unique(labels.mol)
    if seed is not None:
        mols = np.random.default_rng([seed, len(mols)]).permutation(mols)
    ends = np.cumsum(dataset.graphs.n_atoms[mols])
    n_batches = max(1, round(int(ends[-1]) / batch_atoms))
    number = np.minimum((ends - 1) * n_batches // int(ends[-1]), n_batches - 1)
    parts = np.split(mols, np.flatnonzero(np.diff(number)) + 1)
    return [_batch(dataset, labels, part) for part in parts]


def _batch(dataset: ShiftDataset, labels: Labels, mols: NDArray[np.int64]) -> LabelledGraphs:
    graphs = dataset.graphs.batch(mols)
    place = np.full(dataset.n_mols, -1)
    place[mols] = np.arange(len(mols))
    rows = np.flatnonzero(place[labels.mol] >= 0)
    rows = rows[np.argsort(place[labels.mol[rows]], kind="stable")]
    atom = graphs.first_atom[place[labels.mol[rows]]] + labels.node[rows]
    return LabelledGraphs(
        batch_tensors(graphs), torch.from_numpy(atom), torch.from_numpy(labels.shift_ppm[rows])
    )


@torch.inference_mode()
def features(encoder: Encoder, batches: Sequence[LabelledGraphs]) -> Tensor:
    """Return the frozen representation of every labelled atom ``[n_labels, d_h]``."""
    encoder.eval()
    return torch.cat([encoder.encode(batch.graphs)[batch.atom] for batch in batches])
