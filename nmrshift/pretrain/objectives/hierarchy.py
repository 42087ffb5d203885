"""Masked features of several depths, foretold at the levels of atom, fragment and molecule.

Mask hierarchical features (MaskDeep, arXiv 2304.00218): not the input's patches but features from
several depths of the encoder are masked, in several groups that share one encoding; a small
predictor sees the sparse visible ones of a group and foretells what a slowly moving copy of the
encoder makes of the whole. Patches become atoms, and the picture's high-level targets become three:
the environment of a hidden atom, the fragment, the molecule. The copy's targets are standardised
(data2vec, arXiv 2202.03555), which with the predictor and the slow copy keeps them from collapsing.
"""

from copy import deepcopy

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from nmrshift.graph.batch import starts_of, take_ranges
from nmrshift.model.encoder import Encoder, EncoderConfig
from nmrshift.pretrain.config import Hierarchy
from nmrshift.pretrain.masking import Masked, PretrainBatch
from nmrshift.pretrain.objectives.base import Objective, seen
from nmrshift.pretrain.objectives.pooling import attend, mean_over
from nmrshift.pretrain.views import fragments


class MaskedHierarchy(Objective):
    """Several masks a molecule on one encoding, targets from a slow copy."""

    def __init__(self, shape: EncoderConfig, settings: Hierarchy) -> None:
        super().__init__(settings.weight)
        self._settings = settings
        n = shape.n_layers
        self._depths = sorted({max(0, n // 3 - 1), max(0, 2 * n // 3 - 1), n - 1})
        self.teacher = Encoder(shape).requires_grad_(requires_grad=False)
        self.register_buffer("begun", torch.zeros((), dtype=torch.bool))
        width = settings.width
        self.tokens = nn.ModuleList(nn.Linear(shape.d_h, 2 * width) for _ in self._depths)
        self.query = nn.Linear(shape.d_h, width)
        self.level = nn.Parameter(torch.randn(3, width) * 0.1)
        self.predict = nn.Sequential(
            nn.LayerNorm(2 * width),
            nn.Linear(2 * width, 2 * width),
            nn.SiLU(),
            nn.Linear(2 * width, shape.d_h),
        )

    def loss(
        self,
        encoder: Encoder,
        batch: PretrainBatch,
        masked: Masked | None,
        rng: np.random.Generator,
    ) -> Tensor:
        """Return the mean loss over levels and groups."""
        self._begin(encoder)
        found = seen(masked)
        n_atoms, n_mols = batch.graph.n_atoms, batch.graph.n_mols
        piece = fragments(batch.graph, batch.bonds)
        targets = self._targets(batch, piece)
        every = np.arange(n_mols, dtype=np.int64)
        losses = []
        for _ in range(self._settings.groups):
            visible = rng.random(n_atoms) < self._settings.visible
            hidden = np.flatnonzero(~visible & (rng.random(n_atoms) < self._settings.visible))
            asked = (
                (hidden, batch.graph.atom_to_mol[hidden].astype(np.int64)),
                _one_each(piece, batch.graph.atom_to_mol, rng),
                (every, every),
            )
            losses += self._group(found, batch, visible, asked, targets, piece, rng)
        return torch.stack(losses).mean()

    def _group(
        self,
        found: Masked,
        batch: PretrainBatch,
        visible: NDArray[np.bool_],
        asked: tuple[tuple[NDArray[np.int64], NDArray[np.int64]], ...],
        targets: tuple[Tensor, Tensor, Tensor],
        piece: NDArray[np.int64],
        rng: np.random.Generator,
    ) -> list[Tensor]:
        """Return the losses of one mask, level by level.

        Args:
            found: the masked encoding.
            batch: the molecules.
            visible: atoms whose features the predictor sees.
            asked: numbers of the targets and their molecules, level by level.
            targets: of atoms, fragments and molecules.
            piece: fragment of every atom.
            rng: source of chance.
        """
        device = batch.properties.device
        keys, values, first = self._tokens(found, batch, visible, rng)
        shallow = found.depths[0].float()
        sources = (
            shallow,
            mean_over(shallow, torch.from_numpy(piece).to(device), len(targets[1])),
            mean_over(shallow, batch.tensors.atom_to_mol, batch.graph.n_mols),
        )
        losses = []
        for level, (numbers, mols) in enumerate(asked):
            rows, lengths = take_ranges(first, mols)
            token = torch.from_numpy(rows).to(device)
            query = torch.from_numpy(np.repeat(np.arange(len(mols)), lengths)).to(device)
            chosen = torch.from_numpy(numbers).to(device)
            q = self.query(sources[level][chosen]) + self.level[level]
            logits = (q[query] * keys[token]).sum(-1) / q.shape[1] ** 0.5
            context = attend(logits, values[token], query, len(q))
            answer = self.predict(torch.cat([q, context], dim=-1))
            losses.append(functional.smooth_l1_loss(answer, targets[level][chosen]))
        return losses

    def _tokens(
        self,
        found: Masked,
        batch: PretrainBatch,
        visible: NDArray[np.bool_],
        rng: np.random.Generator,
    ) -> tuple[Tensor, Tensor, NDArray[np.int64]]:
        """Return keys and values of visible atoms, each from one depth; where molecules begin."""
        atoms = np.flatnonzero(visible)
        depth = rng.integers(0, len(self._depths), len(atoms))
        device = batch.properties.device
        made = found.depths[0].new_zeros(len(atoms), 2 * self._settings.width, dtype=torch.float32)
        for number, linear in enumerate(self.tokens):
            rows = torch.from_numpy(np.flatnonzero(depth == number)).to(device)
            source = torch.from_numpy(atoms[depth == number]).to(device)
            features = found.depths[self._depths[number]].float()[source]
            made = made.index_copy(
                0, rows, linear(functional.layer_norm(features, features.shape[1:]))
            )
        counts = np.bincount(batch.graph.atom_to_mol[atoms], minlength=batch.graph.n_mols)
        keys, values = made.chunk(2, dim=-1)
        return keys, values, starts_of(counts.astype(np.int64))

    @torch.no_grad()
    def _targets(
        self, batch: PretrainBatch, piece: NDArray[np.int64]
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return standardised targets of atoms, fragments and molecules."""
        depths = self.teacher.depths(batch.tensors, *self.teacher.embed(batch.tensors))
        n = len(depths)
        h = torch.stack(
            [functional.layer_norm(d.float(), d.shape[1:]) for d in depths[n // 2 :]]
        ).mean(0)
        own = torch.from_numpy(piece).to(h.device)
        levels = (
            h,
            mean_over(h, own, int(piece.max()) + 1),
            mean_over(h, batch.tensors.atom_to_mol, batch.graph.n_mols),
        )
        atom, fragment, molecule = (
            functional.batch_norm(level, None, None, training=True) if len(level) > 1 else level
            for level in levels
        )
        return atom, fragment, molecule

    @torch.no_grad()
    def _begin(self, encoder: Encoder) -> None:
        """Take the encoder's weights before the first step."""
        if not self.get_buffer("begun"):
            self.teacher.load_state_dict(deepcopy(encoder.state_dict()))
            self.get_buffer("begun").fill_(value=True)
        self.teacher.eval()

    @torch.no_grad()
    def after_step(self, encoder: Encoder) -> None:
        """Move the copy towards the encoder."""
        decay = self._settings.teacher_decay
        for slow, fast in zip(self.teacher.parameters(), encoder.parameters(), strict=True):
            slow.lerp_(fast, 1 - decay)


def _one_each(
    piece: NDArray[np.int64], atom_to_mol: NDArray[np.int32], rng: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Choose one fragment of every molecule: its number and the molecule's."""
    numbers, first = np.unique(piece, return_index=True)
    mols = atom_to_mol[first].astype(np.int64)
    order = np.lexsort((rng.random(len(numbers)), mols))
    kept, place = np.unique(mols[order], return_index=True)
    return numbers[order[place]], kept
