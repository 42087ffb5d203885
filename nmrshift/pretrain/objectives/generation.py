"""Two generators on one encoder: the masked graph, and the text that goes with it.

Vision learners meet web image-text pairs (MUG, arXiv 2301.07088): from noisy pairs of two
modalities both are generated from one modality's encoder, the picture by masked reconstruction and
the text by a light decoder. Here the picture is the molecular graph, and the text its SMILES from a
random atom or, where the molecule comes with one, the peak list of its spectrum. The graph's
decoder is one more round of message passing with the masked atoms blanked once more (GraphMAE,
arXiv 2205.10803), so that the encoder need not keep room for raw types.
"""

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from nmrshift.graph.features import preset
from nmrshift.model.encoder import Encoder, EncoderConfig
from nmrshift.model.layers import GatedLayer
from nmrshift.pretrain.config import Generation
from nmrshift.pretrain.masking import Masked, PretrainBatch
from nmrshift.pretrain.objectives.base import Objective, seen
from nmrshift.pretrain.objectives.chemistry import bond_loss
from nmrshift.pretrain.objectives.codes import CodeHead
from nmrshift.pretrain.text import N_TOKENS, PAD

_HEADS = 4
_LONGEST = 1024


class TwoModalities(Objective):
    """Generates the masked graph and the text from one masked encoding."""

    def __init__(self, shape: EncoderConfig, settings: Generation) -> None:
        super().__init__(settings.weight)
        self._graph_weight, self._text_weight = settings.graph, settings.text
        self.graph = GraphDecoder(shape) if settings.graph else None
        self.text = TextDecoder(shape.d_h, settings) if settings.text else None

    def loss(
        self,
        encoder: Encoder,
        batch: PretrainBatch,
        masked: Masked | None,
        rng: np.random.Generator,
    ) -> Tensor:
        """Return the weighted sum of both losses."""
        del rng
        found = seen(masked)
        total = found.depths[-1].new_zeros((), dtype=torch.float32)
        if self.graph is not None:
            total = total + self._graph_weight * self.graph(encoder, batch, found)
        if self.text is not None:
            total = total + self._text_weight * self.text(found.depths[-1].float(), batch)
        return total


class GraphDecoder(nn.Module):
    """Restores the codes of masked atoms and bonds with one more round."""

    def __init__(self, shape: EncoderConfig) -> None:
        super().__init__()
        features = preset(shape.features)
        self.blank = nn.Parameter(torch.zeros(shape.d_h))
        self.round = GatedLayer(shape.d_h, shape.d_e, shape.d_ffn, 0.0)
        self.atoms = CodeHead(shape.d_h, features.atom)
        self.bonds = CodeHead(2 * shape.d_h, features.bond)

    def forward(self, encoder: Encoder, batch: PretrainBatch, found: Masked) -> Tensor:
        """Return the loss of the masked codes."""
        h = found.depths[-1].float()
        h = h.index_put((found.atoms,), self.blank.expand(len(found.atoms), -1))
        e = encoder.embed_edges(batch.tensors.E)
        e = e.index_put((found.edges,), torch.zeros_like(e[found.edges]))
        h, _ = self.round(h, e, batch.tensors.edges)
        atoms: Tensor = self.atoms(h[found.atoms], batch.tensors.V[found.atoms])
        return atoms + bond_loss(self.bonds, h, batch, found)


class TextDecoder(nn.Module):
    """Writes a text token by token, looking at the atoms of its molecule."""

    def __init__(self, d_h: int, settings: Generation) -> None:
        super().__init__()
        width = settings.width
        self.embed = nn.Embedding(N_TOKENS, width)
        self.place = nn.Embedding(_LONGEST, width)
        self.memory = nn.Linear(d_h, width)
        self.decoder = nn.ModuleList(
            nn.TransformerDecoderLayer(
                width, _HEADS, 2 * width, dropout=0.0, batch_first=True, norm_first=True
            )
            for _ in range(settings.layers)
        )
        self.out = nn.Linear(width, N_TOKENS)

    def forward(self, h: Tensor, batch: PretrainBatch) -> Tensor:
        """Return the cross entropy of every token given those before it."""
        text = batch.text
        seen_tokens, wanted = text[:, :-1], text[:, 1:]
        n, length = seen_tokens.shape
        memory, empty = _padded(self.memory(h), batch)
        x = self.embed(seen_tokens) + self.place(torch.arange(length, device=text.device))
        later = torch.triu(torch.ones(length, length, dtype=torch.bool, device=text.device), 1)
        for layer in self.decoder:
            x = layer(x, memory, tgt_mask=later, memory_key_padding_mask=empty)
        logits = self.out(x).view(n * length, -1)
        return functional.cross_entropy(logits, wanted.reshape(-1), ignore_index=PAD)


def _padded(x: Tensor, batch: PretrainBatch) -> tuple[Tensor, Tensor]:
    """Return atoms by molecule ``[n_mols, most, d]``, and which places are empty."""
    sizes = torch.from_numpy(np.diff(batch.graph.first_atom)).to(x.device)
    places = torch.arange(int(sizes.max()), device=x.device)
    filled = places < sizes[:, None]
    memory = x.new_zeros(*filled.shape, x.shape[1])
    return memory.masked_scatter(filled[..., None], x), ~filled
