"""Contrast between a random part of a molecule and one grown around an object.

Object-aware cropping (arXiv 2112.00319): random crops of a cluttered picture rarely show the same
thing, so one of the two views is a random crop and the other a proposed object, somewhat
dilated. A molecule is such a scene: its objects are functional groups, ring systems and
retrosynthetic fragments. Two views of one molecule attract each other, those of different
molecules repel (InfoNCE, arXiv 1807.03748).
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from nmrshift.model.encoder import Encoder, EncoderConfig
from nmrshift.model.tensors import batch_tensors
from nmrshift.pretrain.config import Contrast
from nmrshift.pretrain.masking import Masked, PretrainBatch
from nmrshift.pretrain.objectives.base import Objective
from nmrshift.pretrain.objectives.pooling import mean_over
from nmrshift.pretrain.views import cut_out, object_part, propose, random_part


class ObjectContrast(Objective):
    """Two views of every molecule of a batch; the other molecules are the negatives."""

    needs_mask = False

    def __init__(self, shape: EncoderConfig, settings: Contrast) -> None:
        super().__init__(settings.weight)
        self._settings = settings
        self.project = nn.Sequential(
            nn.Linear(shape.d_h, shape.d_h),
            nn.BatchNorm1d(shape.d_h),
            nn.SiLU(),
            nn.Linear(shape.d_h, settings.width),
        )

    def loss(
        self,
        encoder: Encoder,
        batch: PretrainBatch,
        masked: Masked | None,
        rng: np.random.Generator,
    ) -> Tensor:
        """Return the symmetric cross entropy of finding the other view of each molecule."""
        del masked
        if batch.graph.n_mols < 2:
            return next(encoder.parameters()).sum() * 0.0
        first, second = (
            self._view(encoder, batch, self.part(batch, kind, rng))
            for kind in self._settings.views.split("-")
        )
        alike = first @ second.T / self._settings.temperature
        truth = torch.arange(len(alike), device=alike.device)
        both = functional.cross_entropy(alike, truth) + functional.cross_entropy(alike.T, truth)
        return 0.5 * both

    def part(self, batch: PretrainBatch, kind: str, rng: np.random.Generator) -> NDArray[np.bool_]:
        """Choose the atoms of a view ``[n_atoms]``: around an ``object``, or at ``random``."""
        if kind == "object":
            objects = propose(batch.graph, batch.bonds)
            return object_part(batch.graph, batch.bonds, objects, self._settings.dilation, rng)
        return random_part(batch.graph, batch.bonds, self._settings.share, rng)

    def _view(self, encoder: Encoder, batch: PretrainBatch, part: NDArray[np.bool_]) -> Tensor:
        graph = cut_out(batch.graph, part)
        tensors = batch_tensors(graph, batch.tensors.V.device)
        h = encoder.encode(tensors).float()
        pooled = mean_over(h, tensors.atom_to_mol, tensors.n_mols)
        return functional.normalize(self.project(pooled), dim=-1)
