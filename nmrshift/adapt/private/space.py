"""Where a convention is sought: the few directions in which public shifts move most.

A convention has hundreds of numbers, and noise grows with every one of them. Shifts of public
structures say which combinations matter (public subspaces: Zhou, Wu & Banerjee, arXiv 2007.03813;
Yu et al., arXiv 2102.12677); no spectrum has a say in it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nmrshift.adapt.rehearsal import Rehearsal
from nmrshift.errors import ConfigError
from nmrshift.model.heads import ShiftHead
from nmrshift.model.network import ShiftNetwork
from nmrshift.model.tensors import Conditions

_LEAST_SIZE: Final = 0.1
"""Of a direction, of the largest: smaller ones are not made as long as their whitening asks."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Space:
    """How a convention may modulate the heads of some nuclei.

    Attributes:
        nuclei: whose heads.
        axes: directions as columns, each so long that a step of 1 moves public shifts by one
            spread of their nucleus, root mean square; the modulations of the nuclei one after
            the other ``[n_nuclei * 2 * d_head, n_directions]``.
    """

    nuclei: tuple[str, ...]
    axes: Floats

    @property
    def n_directions(self) -> int:
        """Number of directions."""
        return int(self.axes.shape[1])

    def first(self, n_directions: int) -> "Space":
        """Return the space of the first, largest directions."""
        return Space(self.nuclei, self.axes[:, :n_directions])

    def set(self, network: ShiftNetwork, place: Floats) -> None:
        """Give a network the convention at a place ``[n_directions]``."""
        columns = self.columns(network)
        values = torch.from_numpy(self.axes @ place).float().reshape(len(columns), -1)
        with torch.no_grad():
            for column, value in zip(columns, values, strict=True):
                column[:, -1] = value

    def columns(self, network: ShiftNetwork) -> list[Tensor]:
        """Return the weights of a network whose last columns are the convention's."""
        return [_head(network, nucleus).modulate.weight for nucleus in self.nuclei]


def public_space(
    network: ShiftNetwork, rehearsal: Rehearsal, nuclei: Sequence[str], n_directions: int
) -> Space:
    """Return the directions in which shifts of public structures move most.

    Args:
        network: knows the convention, which equals the general one.
        rehearsal: the public structures.
        nuclei: whose shifts; each counts alike.
        n_directions: how many, at most, over all nuclei.

    Raises:
        ConfigError: none of the nuclei has a head that can be modulated, or a public structure.
    """
    known = tuple(
        nucleus
        for nucleus in nuclei
        if isinstance(network.heads[nucleus], ShiftHead) and len(rehearsal.nodes[nucleus])
    )
    if not known:
        raise ConfigError("no nucleus can be learned privately from this base")
    found = [_jacobian(network, rehearsal, nucleus) for nucleus in known]
    size, axes = _directions(found, n_directions)
    return Space(known, axes / np.maximum(size, _LEAST_SIZE * size.max()))


def _directions(jacobians: Sequence[Floats], most: int) -> tuple[Floats, Floats]:
    """Return the largest singular values over all nuclei and their directions, as columns."""
    width = sum(jacobian.shape[1] for jacobian in jacobians)
    pairs: list[tuple[float, Floats]] = []
    first = 0
    for jacobian in jacobians:
        scale = (len(jacobian) * len(jacobians)) ** -0.5
        _, sizes, vectors = np.linalg.svd(jacobian * scale, full_matrices=False)
        for size, vector in zip(sizes[:most], vectors[:most], strict=True):
            column = np.zeros(width)
            column[first : first + len(vector)] = vector
            pairs.append((float(size), column))
        first += jacobian.shape[1]
    pairs = sorted(pairs, key=lambda pair: -pair[0])[:most]
    pairs = [pair for pair in pairs if pair[0] > 0]
    if not pairs:
        raise ConfigError("the base model's shifts cannot be modulated")
    return np.array([size for size, _ in pairs]), np.stack([axis for _, axis in pairs], axis=1)


def _jacobian(network: ShiftNetwork, rehearsal: Rehearsal, nucleus: str) -> Floats:
    """Return how public shifts move with the modulation of a head ``[n_atoms, 2 * d_head]``.

    In spreads of the nucleus, under an unknown solvent and the general convention.
    """
    atoms = torch.from_numpy(rehearsal.nodes[nucleus])
    table = Conditions(
        rehearsal.table.vector[:1], rehearsal.table.solvent[:1], torch.zeros(1, dtype=torch.long)
    )
    condition = network.condition(table).detach().expand(len(atoms), -1)
    seen: list[Tensor] = []

    def keep(_: object, __: object, output: Tensor) -> None:
        seen.append(output)

    modulate = _head(network, nucleus).modulate
    modulate.weight.requires_grad_()
    handle = modulate.register_forward_hook(keep)
    try:
        mean, _ = network.read_out(nucleus, rehearsal.h[atoms], condition)
    finally:
        handle.remove()
    (gradient,) = torch.autograd.grad(mean.sum(), seen)
    modulate.weight.requires_grad_(False)
    return gradient.double().numpy().astype(np.float64)


def _head(network: ShiftNetwork, nucleus: str) -> ShiftHead:
    head = network.heads[nucleus]
    if not isinstance(head, ShiftHead):
        raise TypeError(f"the head of {nucleus} is not modulated")
    return head
