"""What a solvent changes against chloroform: a few sensitivities of the atom times descriptors."""

from functools import cache
from typing import Final

import torch
from torch import Tensor, nn

from nmrshift.chem.solvents import SOLVENT_FIELDS, normalise

REFERENCE: Final = "cdcl3"
"""The solvent that everything is compared with: most spectra are measured in it."""

FIELDS: Final = (
    *("permittivity", "refraction", "alpha", "beta", "pi_star"),
    *("aromatic", "protic", "aqueous"),
)
"""Descriptors that count, of ``chem.solvents.SOLVENT_FIELDS``."""


class SolventResponse(nn.Module):
    """The change of one nucleus' shifts from chloroform to another solvent, ppm.

    Linear in how far the solvent's descriptors lie from those of chloroform, as linear solvation
    energy relationships are (Kamlet, Abboud, Abraham, Taft, doi 10.1021/jo00165a018). How sensitive
    an atom is to each descriptor follows from its likeness to some atoms of training. It starts
    from no effect, and has none where the solvent is unknown.
    """

    landmarks: Tensor
    sharpness: Tensor

    def __init__(self, d_h: int, n_landmarks: int) -> None:
        super().__init__()
        self.register_buffer("landmarks", torch.zeros(n_landmarks, d_h))
        self.register_buffer("sharpness", torch.zeros(()))
        self.sensitivity = nn.Linear(n_landmarks, len(FIELDS))
        nn.init.zeros_(self.sensitivity.weight)
        nn.init.zeros_(self.sensitivity.bias)

    def likeness(self, h: Tensor) -> Tensor:
        """Return the likeness to the landmarks, 0-1 ``[n, n_landmarks]``, of ``h`` ``[n, d_h]``."""
        apart = torch.cdist(h, self.landmarks, compute_mode="donot_use_mm_for_euclid_dist")
        return torch.exp(-self.sharpness * apart.square())

    def forward(self, h: Tensor, difference: Tensor) -> Tensor:
        """Return the change ``[n]`` of atoms ``[n, d_h]`` for differences ``[n or 1, n_fields]``.

        Args:
            h: representations.
            difference: as :func:`solvent_difference` returns it.
        """
        if not difference.any():
            return h.new_zeros(len(h))
        change: Tensor = (self.sensitivity(self.likeness(h)) * difference).sum(-1)
        return change


def solvent_difference(vector: Tensor) -> Tensor:
    """Return how far solvents lie from chloroform ``[n, n_fields]``, zero where that is not known.

    Args:
        vector: descriptors as ``Solvent.vector()`` gives them ``[n, solvent_dim]``.
    """
    columns, missing = _columns()
    reference = torch.tensor(normalise(REFERENCE).vector(), device=vector.device)
    difference = vector[:, columns] - reference[columns]
    for field, column in enumerate(missing):
        if column >= 0:
            difference[:, field] *= 1 - vector[:, column]
    return difference * vector[:, :1]  # zero for the unknown solvent


@cache
def _columns() -> tuple[list[int], list[int]]:
    """Return the column of each field, and of the mark that it is missing (-1 for none)."""
    place = {name: column for column, name in enumerate(SOLVENT_FIELDS)}
    return [place[name] for name in FIELDS], [place.get(f"no_{name}", -1) for name in FIELDS]
