"""Computed chemical shifts: what quantum chemistry says of an atom, before anything was measured.

Guan et al. train on computed shifts first and on measured ones then (CASCADE, doi
10.1039/D1SC03343C). Here they are one objective among others: bare structures and molecules with
computed shifts come in turn, and the latter are shown unmasked. Each nucleus has a Laplace
likelihood whose width is learned (Kendall et al., arXiv 1705.07115), so that nuclei, and this
objective beside others, weigh what they can be told apart by.
"""

from typing import Final

import numpy as np
import torch
from torch import Tensor, nn

from nmrshift.model.encoder import Encoder, EncoderConfig
from nmrshift.pretrain.config import ComputedShifts
from nmrshift.pretrain.masking import Masked, PretrainBatch
from nmrshift.pretrain.objectives.base import Objective
from nmrshift.types import NUCLEI

_USUAL_PPM: Final = {
    "13C": (90.0, 55.0),
    "19F": (-110.0, 50.0),
    "1H": (3.8, 2.4),
    "31P": (20.0, 70.0),
    "11B": (20.0, 25.0),
}
"""Centre and spread of each nucleus over organic molecules, about: units, nothing more."""


class ComputedShiftTargets(Objective):
    """The computed shift of every atom that has one."""

    needs_mask = False

    def __init__(self, shape: EncoderConfig, settings: ComputedShifts) -> None:
        super().__init__(settings.weight)
        self.head = nn.Sequential(
            nn.Linear(shape.d_h, settings.width),
            nn.SiLU(),
            nn.Linear(settings.width, len(NUCLEI)),
        )
        self.log_width = nn.Parameter(torch.zeros(len(NUCLEI)))
        usual = torch.tensor([_USUAL_PPM[nucleus] for nucleus in NUCLEI])
        self.register_buffer("centre_ppm", usual[:, 0].clone())
        self.register_buffer("spread_ppm", usual[:, 1].clone())

    def loss(
        self,
        encoder: Encoder,
        batch: PretrainBatch,
        masked: Masked | None,
        rng: np.random.Generator,
    ) -> Tensor:
        """Return the mean negative log likelihood of the shifts; 0 where there are none."""
        del masked, rng
        targets = batch.targets
        if not len(targets.atom):
            return self.log_width.sum() * 0.0
        error = self._off_by(encoder, batch)
        width = self.log_width[targets.nucleus]
        total: Tensor = (error * torch.exp(-width) + width).mean()
        return total

    def _off_by(self, encoder: Encoder, batch: PretrainBatch) -> Tensor:
        """Return absolute errors in units of the spread of each nucleus ``[n_targets]``."""
        targets = batch.targets
        h = encoder.encode(batch.tensors).float()[targets.atom]
        expected = self.head(h).gather(1, targets.nucleus[:, None]).squeeze(1)
        centre = self.get_buffer("centre_ppm")[targets.nucleus]
        spread = self.get_buffer("spread_ppm")[targets.nucleus]
        off: Tensor = (expected - (targets.shift_ppm - centre) / spread).abs()
        return off
