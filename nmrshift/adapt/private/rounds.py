"""Rounds of private learning: a reference convention, and nothing else, from clipped updates."""

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nmrshift.adapt.answers import encode
from nmrshift.adapt.private.ledger import Ledger
from nmrshift.adapt.private.mechanism import noisy_mean, takes_part
from nmrshift.adapt.rehearsal import Rehearsal
from nmrshift.data.dataset import ShiftDataset
from nmrshift.model.network import ShiftNetwork
from nmrshift.model.tensors import Conditions
from nmrshift.train.config import Optimisation
from nmrshift.train.objective import Targets, dataset_conditions, encoded_loss

_RATE: Final = 0.05
_LEAST_CLIP: Final = 1e-6
_LOSS: Final = Optimisation(bfloat16=False)

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _Local:
    """What a contributor keeps to itself: encoded molecules and what was measured on them."""

    h: Tensor
    targets: Targets
    table: Conditions


def learn_convention(
    network: ShiftNetwork,
    row: int,
    contributors: Sequence[ShiftDataset],
    ledger: Ledger,
    n_rounds: int,
    clip_norm: float,
    rng: np.random.Generator,
    report: Callable[[str], None],
) -> ShiftNetwork:
    """Learn one row of the table of conventions; stop at the limit of the budget.

    In a round some contributors, drawn at random, compute the gradient of their own loss; what is
    used of it is the noisy mean of the clipped gradients. All that follows depends on it alone:
    Adam's steps, and the average of the second half of them, which is returned.

    Args:
        network: knows the convention.
        row: of the table.
        contributors: their spectra.
        ledger: takes every round down before it is carried out.
        n_rounds: how many, at most.
        clip_norm: largest norm of a contributor's update; it must not depend on the spectra.
        rng: draws who takes part and the noise.
        report: told in words how it goes.
    """
    network = copy.deepcopy(network).requires_grad_(requires_grad=False)
    local = [_localise(network, dataset) for dataset in contributors]
    sources = network.conditioner.sources.weight
    value = sources[row].detach().clone().requires_grad_()
    optimiser = torch.optim.Adam([value], lr=_RATE)
    expected = ledger.rate * len(local)
    kept: list[Tensor] = []
    while ledger.n_rounds < n_rounds and ledger.allows_another():
        ledger.enter()
        with torch.no_grad():
            sources[row] = value
        updates = [
            update_of(network, row, local[number])
            for number in takes_part(len(local), ledger.rate, rng)
        ]
        mean = noisy_mean(updates, len(value), clip_norm, ledger.noise_multiplier, expected, rng)
        value.grad = torch.from_numpy(mean).to(value.dtype)
        optimiser.step()
        if ledger.n_rounds > n_rounds // 2:
            kept.append(value.detach().clone())
    with torch.no_grad():
        sources[row] = torch.stack(kept or [value.detach()]).mean(dim=0)
    report(f"{ledger.n_rounds} rounds, epsilon {ledger.epsilon:.2f} spent")
    return network.eval()


def update_of(network: ShiftNetwork, row: int, local: _Local) -> Floats:
    """Return the gradient of a contributor's own loss by its convention ``[d_c]``."""
    sources = network.conditioner.sources.weight.requires_grad_()
    loss = encoded_loss(network, local.h, local.targets, local.table, _LOSS, 1.0)
    (gradient,) = torch.autograd.grad(loss, sources)
    sources.requires_grad_(False)
    found: Floats = gradient[row].double().numpy()
    return found


def public_clip_norm(
    network: ShiftNetwork, row: int, rehearsal: Rehearsal, nuclei: Sequence[str]
) -> float:
    """Return how fast shifts of public structures move with the convention: what to clip to.

    It is the norm that the update of a contributor with a constant offset has, so that those are
    hardly clipped; no spectrum has a say in it.

    Args:
        network: knows the convention.
        row: of the table of conventions.
        rehearsal: the public structures.
        nuclei: whose shifts.
    """
    network = copy.deepcopy(network).requires_grad_(requires_grad=False)
    sources = network.conditioner.sources.weight.requires_grad_()
    slot = torch.tensor([row])
    table = Conditions(rehearsal.table.vector[:1], rehearsal.table.solvent[:1], slot)
    norms = []
    for nucleus in nuclei:
        atoms = torch.from_numpy(rehearsal.nodes[nucleus])
        if len(atoms):
            mean, _ = network.read_out(nucleus, rehearsal.h[atoms], network.condition(table))
            (gradient,) = torch.autograd.grad(mean.mean(), sources)
            norms.append(float(gradient[row].norm()))
    return max(_LEAST_CLIP, float(np.mean(norms))) if norms else _LEAST_CLIP


def _localise(network: ShiftNetwork, dataset: ShiftDataset) -> _Local:
    _, labels, lists = dataset.batch(np.arange(dataset.n_mols))
    rows = np.arange(len(dataset.condition_solvent))
    return _Local(
        encode(network, dataset.graphs),
        Targets(labels, lists, rows),
        dataset_conditions(dataset, network.config),
    )
