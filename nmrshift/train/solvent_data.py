"""Shifts in known solvents beside what a network says for no solvent."""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nmrshift.data.dataset import LabelBatch, ShiftDataset
from nmrshift.data.peak_lists import ListBatch
from nmrshift.model.network import ShiftNetwork
from nmrshift.model.solvent_response import solvent_difference
from nmrshift.model.tensors import batch_tensors
from nmrshift.train.objective import dataset_conditions
from nmrshift.train.pairing import pair

_BATCH_ATOMS: Final = 4000

Array = NDArray[np.float64]
Numbers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Observations:
    """Shifts in known solvents beside the network's answer for no solvent.

    Attributes:
        h: representations ``[n, d_h]``.
        residual_ppm: measured less predicted ``[n]``.
        difference: of the solvent from chloroform ``[n, n_fields]``.
        weight: trust in the measurement ``[n]``.
        atom: number of the atom in the data set ``[n]``.
        spectrum: number of molecule and condition ``[n]``.
    """

    h: Array
    residual_ppm: Array
    difference: Array
    weight: Array
    atom: NDArray[np.int64]
    spectrum: NDArray[np.int64]

    def take(self, rows: NDArray[np.int64] | NDArray[np.bool_]) -> "Observations":
        """Return some of them."""
        return Observations(
            self.h[rows],
            self.residual_ppm[rows],
            self.difference[rows],
            self.weight[rows],
            self.atom[rows],
            self.spectrum[rows],
        )


@torch.inference_mode()
def observe(
    network: ShiftNetwork, dataset: ShiftDataset, mols: NDArray[np.int64], nucleus: str
) -> Observations:
    """Set the shifts of molecules in known solvents beside the network's answers for no solvent.

    Args:
        network: says what no solvent gives, and which peak of a list is whose.
        dataset: its computed spectra and unknown solvents are passed over.
        mols: molecules to look at.
        nucleus: one of the network's.
    """
    number = network.config.nuclei.index(nucleus)
    table = dataset_conditions(dataset, network.config)
    n_conditions = len(dataset.condition_solvent)
    difference = solvent_difference(table.vector[:n_conditions]).double().numpy()
    usable = (table.vector[:n_conditions, 0] > 0).numpy() & ~dataset.condition_computed
    plain = network.condition(table)[n_conditions : 2 * n_conditions]  # the solvent is hidden
    pieces = []
    starts = dataset.graphs.first_atom
    for chunk in _chunks(dataset, _with_shifts(dataset, mols, number, usable)):
        graphs, labels, lists = dataset.batch(chunk)
        h = network.encode(batch_tensors(graphs))
        found = _measured(network, number, h, plain, (labels, lists.of(number)))
        found = found.take(usable[found.condition] & (found.weight > 0))
        rows = torch.from_numpy(found.atom)
        base, _ = network.read_out(nucleus, h[rows], plain[torch.from_numpy(found.condition)])
        place = graphs.atom_to_mol[found.atom]
        pieces.append(
            Observations(
                h=h[rows].double().numpy(),
                residual_ppm=found.shift_ppm - network.to_ppm(nucleus, base).numpy(),
                difference=difference[found.condition],
                weight=found.weight,
                atom=starts[chunk[place]] + found.atom - graphs.first_atom[place],
                spectrum=chunk[place] * n_conditions + found.condition,
            )
        )
    names = [item.name for item in fields(Observations)]
    return Observations(**{n: np.concatenate([getattr(p, n) for p in pieces]) for n in names})


@dataclass(frozen=True, slots=True)
class _Measured:
    """Shifts on atoms of one batch; all arrays ``[n]``."""

    atom: Numbers
    shift_ppm: Array
    condition: Numbers
    weight: Array

    def take(self, rows: NDArray[np.bool_]) -> "_Measured":
        return _Measured(
            self.atom[rows], self.shift_ppm[rows], self.condition[rows], self.weight[rows]
        )


def _measured(
    network: ShiftNetwork,
    number: int,
    h: Tensor,
    plain: Tensor,
    known: tuple[LabelBatch, ListBatch],
) -> _Measured:
    """Return labels of a nucleus, and peaks of trusted lists by the network's own pairing.

    Lists of common trust are passed over: pairing them with what no solvent gives hides changes.
    """
    labels, lists = known
    config = network.config
    centre, spread = config.shift_mean_ppm[number], config.shift_scale_ppm[number]
    rows = np.flatnonzero(labels.nucleus == number)
    condition = lists.condition[lists.atom_group]
    mean, log_scale = network.read_out(
        config.nuclei[number], h[torch.from_numpy(lists.atom)], plain[torch.from_numpy(condition)]
    )
    paired = pair(
        mean.double().numpy(),
        log_scale.double().exp().numpy(),
        (lists.shift_ppm.astype(np.float64) - centre) / spread,
        lists,
    )
    own = lists.weight[lists.atom_group]
    trust = np.where(own > 1, own, 0.0) * paired.confidence
    return _Measured(
        atom=np.concatenate([labels.atom[rows], lists.atom]),
        shift_ppm=np.concatenate([labels.shift_ppm[rows], paired.target * spread + centre]),
        condition=np.concatenate([labels.condition[rows], condition]),
        weight=np.concatenate([labels.weight[rows], trust]),
    )


def _with_shifts(
    dataset: ShiftDataset, mols: Numbers, number: int, usable: NDArray[np.bool_]
) -> Numbers:
    """Return the molecules that have a shift of the nucleus under one of the conditions."""
    label_mol = np.repeat(np.arange(dataset.n_mols), np.diff(dataset.first_label))
    labels = (dataset.label_nucleus == number) & usable[dataset.label_condition]
    lists = dataset.lists
    group_mol = np.repeat(np.arange(dataset.n_mols), np.diff(lists.first_group))
    groups = (lists.nucleus == number) & usable[lists.condition]
    return mols[np.isin(mols, np.concatenate([label_mol[labels], group_mol[groups]]))]


def _chunks(dataset: ShiftDataset, mols: Numbers) -> Iterator[Numbers]:
    n_atoms = np.cumsum(dataset.graphs.n_atoms[mols])
    bins = (n_atoms - 1) // _BATCH_ATOMS
    yield from (part for part in np.split(mols, np.flatnonzero(np.diff(bins)) + 1) if len(part))
