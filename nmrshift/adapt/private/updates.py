"""A contributor's side: what it keeps to itself, and the update that it gives away clipped."""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import torch
from torch import Tensor

from nmrshift.adapt.answers import answer, encode
from nmrshift.adapt.private.learner import Plan
from nmrshift.adapt.private.mechanism import Floats, Units, clipped
from nmrshift.adapt.private.space import Space
from nmrshift.data.dataset import ShiftDataset
from nmrshift.model.network import ShiftNetwork
from nmrshift.model.tensors import Conditions
from nmrshift.train.config import Optimisation
from nmrshift.train.objective import Targets, dataset_conditions, encoded_loss

_LOSS: Final = Optimisation(bfloat16=False)


@dataclass(frozen=True, slots=True)
class Local:
    """What a contributor keeps to itself.

    Attributes:
        dataset: its spectra.
        h: what the encoder makes of its atoms ``[n_atoms, d_h]``.
        targets: what was measured on them.
        table: the conditions it was measured under.
    """

    dataset: ShiftDataset
    h: Tensor
    targets: Targets
    table: Conditions


def localise(network: ShiftNetwork, dataset: ShiftDataset) -> Local:
    """Prepare a contributor's spectra once for all rounds; the encoder does not learn."""
    _, labels, lists = dataset.batch(np.arange(dataset.n_mols))
    rows = np.arange(len(dataset.condition_solvent))
    return Local(
        dataset,
        encode(network, dataset.graphs),
        Targets(labels, lists, rows),
        dataset_conditions(dataset, network.config),
    )


class Asker:
    """A network whose convention is set round by round, and contributors' updates under it."""

    def __init__(self, network: ShiftNetwork, space: Space, plan: Plan) -> None:
        self.network = network.requires_grad_(requires_grad=False)
        self._space, self._plan = space, plan

    def set(self, place: Floats) -> None:
        """Move to a place in the space of conventions ``[n_directions]``."""
        self._space.set(self.network, place)

    def update(self, local: Local | None) -> Units:
        """Return the clipped update of a contributor; one without spectra has nothing to say."""
        if local is None:
            return np.zeros(self._space.n_directions, dtype=np.int64)
        return clipped(self.gradient(local), self._plan.clip_norm)

    def gradient(self, local: Local) -> Floats:
        """Return the gradient of a contributor's own loss by the place ``[n_directions]``."""
        targets = local.targets
        if self._plan.own_references:
            targets = referenced(targets, own_references(self.network, local))
        columns = [column.requires_grad_() for column in self._space.columns(self.network)]
        loss = encoded_loss(self.network, local.h, targets, local.table, _LOSS, 1.0)
        gradients = torch.autograd.grad(loss, columns, materialize_grads=True)
        for column in columns:
            column.requires_grad_(False)
        found: Floats = torch.cat([g[:, -1] for g in gradients]).double().numpy() @ self._space.axes
        return found


def own_references(network: ShiftNetwork, local: Local) -> Floats:
    """Return by how much a contributor's shifts lie off the network's, ppm ``[n_nuclei]``.

    The middle of the differences, nucleus by nucleus; 0 where nothing was measured. It is found
    anew from each round's model and never leaves (Singhal et al., arXiv 2102.03448).
    """
    found = answer(network, local.dataset, np.arange(local.dataset.n_mols), local.table, h=local.h)
    apart = found.observed_ppm - found.predicted_ppm
    numbers = range(len(network.config.nuclei))
    groups = [apart[found.nucleus == number] for number in numbers]
    return np.array([float(np.median(group)) if len(group) else 0.0 for group in groups])


def referenced(targets: Targets, offset_ppm: Floats) -> Targets:
    """Return targets with each nucleus' offset taken out.

    Args:
        targets: what was measured.
        offset_ppm: of each nucleus ``[n_nuclei]``.
    """
    labels, lists = targets.labels, targets.lists
    off, peaks_off = offset_ppm[labels.nucleus], offset_ppm[lists.nucleus[lists.peak_group]]
    return replace(
        targets,
        labels=replace(labels, shift_ppm=(labels.shift_ppm - off).astype(np.float32)),
        lists=replace(lists, shift_ppm=(lists.shift_ppm - peaks_off).astype(np.float32)),
    )
