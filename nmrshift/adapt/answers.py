"""A network's answers on measured shifts, assigned or not."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nmrshift.data.dataset import LabelBatch, ShiftDataset
from nmrshift.data.peak_lists import ListBatch
from nmrshift.graph.batch import GraphStore, take_ranges
from nmrshift.graph.environments import environment_codes
from nmrshift.model.evidence import N_SPHERES, EvidenceTable
from nmrshift.model.network import ShiftNetwork
from nmrshift.model.tensors import Conditions, batch_tensors
from nmrshift.predict.judge import Judge
from nmrshift.train.pairing import pair

_BATCH_ATOMS: Final = 4000

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Answered:
    """Answers beside what was measured; all arrays ``[n]``.

    Attributes:
        mol: molecule of each.
        nucleus: number of its nucleus.
        observed_ppm: what was measured.
        predicted_ppm: what the model says.
        scale_ppm: its error scale.
        listed: whether the shift is from a list without assignment; it then stands beside the
            atom that this very model pairs it with.
        atom: row of that atom in what :func:`encode` gives.
    """

    mol: NDArray[np.int64]
    nucleus: NDArray[np.int64]
    observed_ppm: Floats
    predicted_ppm: Floats
    scale_ppm: Floats
    listed: NDArray[np.bool_]
    atom: NDArray[np.int64]

    @property
    def error_ppm(self) -> Floats:
        """Absolute errors ``[n]``."""
        return np.abs(self.predicted_ppm - self.observed_ppm)

    def on(self, mols: NDArray[np.int64]) -> "Answered":
        """Return the answers on some molecules."""
        rows = np.isin(self.mol, mols)
        return Answered(*(getattr(self, item.name)[rows] for item in fields(self)))


_NONE: Final = Answered(
    *(np.zeros(0, dtype) for dtype in (np.int64, np.int64, float, float, float, bool, np.int64))
)


def joined(parts: Sequence[Answered]) -> Answered:
    """Join answers."""
    names = [item.name for item in fields(Answered)]
    parts = (_NONE, *parts)
    return Answered(*(np.concatenate([getattr(part, n) for part in parts]) for n in names))


@dataclass(frozen=True, slots=True)
class Judgement:
    """What evidence makes of a network's answers.

    Attributes:
        judges: by nucleus.
        evidence: the table they ask.
    """

    judges: Mapping[str, Judge]
    evidence: EvidenceTable


@torch.no_grad()
def encode(network: ShiftNetwork, graphs: GraphStore) -> Tensor:
    """Return the representation of every atom of a store ``[n_atoms, d_h]``."""
    parts = [
        network.encode(batch_tensors(graphs.batch(mols)))
        for mols in _chunks(graphs, np.arange(graphs.n_mols))
    ]
    return torch.cat(parts)


def rows_of(graphs: GraphStore, mols: NDArray[np.int64]) -> Tensor:
    """Return the rows of molecules' atoms in what :func:`encode` gives."""
    return torch.from_numpy(take_ranges(graphs.first_atom, mols)[0])


@torch.inference_mode()
def answer(
    network: ShiftNetwork,
    dataset: ShiftDataset,
    mols: NDArray[np.int64],
    table: Conditions,
    *,
    h: Tensor | None = None,
    judgement: Judgement | None = None,
) -> Answered:
    """Predict what was measured on molecules, under its own conditions.

    Args:
        network: the network.
        dataset: the molecules' data set.
        mols: molecules.
        table: the data set's conditions.
        h: representations of all atoms of the data set, where the network's are known.
        judgement: weighs the network's answers against evidence; without it they stand alone.
    """
    condition = network.condition(table)
    pieces = []
    for chunk in _chunks(dataset.graphs, mols):
        graphs, labels, lists = dataset.batch(chunk)
        if h is None:
            encoded = network.encode(batch_tensors(graphs))
        else:
            encoded = h[rows_of(dataset.graphs, chunk)]
        codes = None if judgement is None else environment_codes(graphs, N_SPHERES)
        mol, atom = chunk[graphs.atom_to_mol], rows_of(dataset.graphs, chunk).numpy()
        for number in range(len(network.config.nuclei)):
            piece = _nucleus(
                network, number, encoded, condition, labels, lists.of(number), judgement, codes, mol
            )
            which = np.full(len(piece[0]), number)
            pieces.append((mol[piece[0]], which, *piece[1:], atom[piece[0]]))
    columns = [np.concatenate(column) for column in zip(*pieces, strict=True)]
    return Answered(*columns)


def _nucleus(
    network: ShiftNetwork,
    number: int,
    h: Tensor,
    condition: Tensor,
    labels: LabelBatch,
    lists: ListBatch,
    judgement: Judgement | None,
    codes: NDArray[np.int64] | None,
    mol: NDArray[np.int64],
) -> tuple[NDArray[np.int64], Floats, Floats, Floats, NDArray[np.bool_]]:
    """Return node, measured and predicted shift, scale, and whether it is listed."""
    config = network.config
    nucleus = config.nuclei[number]
    chosen = np.flatnonzero(labels.nucleus == number)
    n = len(chosen)
    nodes = np.concatenate([labels.atom[chosen], lists.atom])
    keys = np.concatenate([labels.condition[chosen], lists.condition[lists.atom_group]])
    mean, log_scale = network.read_out(
        nucleus, h[torch.from_numpy(nodes)], condition[torch.from_numpy(keys)]
    )
    shift_ppm = network.to_ppm(nucleus, mean).numpy()
    scale_ppm = network.scale_ppm(nucleus, log_scale).numpy()
    if judgement is not None and codes is not None:
        support = judgement.evidence.support(nucleus, codes[nodes])
        judge = judgement.judges[nucleus]
        offset_ppm = network.offset_ppm(nucleus, condition[torch.from_numpy(keys)]).numpy()
        shift_ppm, scale_ppm = judge(shift_ppm - offset_ppm, scale_ppm, support, mol[nodes])
        shift_ppm = shift_ppm + offset_ppm
    centre, spread = config.shift_mean_ppm[number], config.shift_scale_ppm[number]
    paired = pair(
        (shift_ppm[n:] - centre) / spread,
        scale_ppm[n:] / spread,
        (lists.shift_ppm.astype(np.float64) - centre) / spread,
        lists,
    )
    kept = np.concatenate([np.ones(n, dtype=bool), paired.confidence > 0])
    observed_ppm = np.concatenate(
        [labels.shift_ppm[chosen].astype(np.float64), paired.target * spread + centre]
    )
    listed = np.arange(len(nodes)) >= n
    return nodes[kept], observed_ppm[kept], shift_ppm[kept], scale_ppm[kept], listed[kept]


def _chunks(graphs: GraphStore, mols: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    """Cut molecules into chunks of bounded size, in order."""
    n_atoms = np.cumsum(graphs.n_atoms[mols])
    yield from np.split(mols, np.flatnonzero(np.diff((n_atoms - 1) // _BATCH_ATOMS)) + 1)
