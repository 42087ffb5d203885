"""The base model's own answers on public structures: rehearsed, so that they are not unlearned.

Rehearsal on a model's own answers instead of lost training data: Robins, Connection Science 1995,
doi 10.1080/09540099550039318; Li & Hoiem, arXiv 1606.09282.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from nmrshift.adapt.answers import encode, rows_of
from nmrshift.adapt.public import is_kept_back
from nmrshift.chem.solvents import normalise
from nmrshift.data.gather import Parsed, carriers_of, parse_all
from nmrshift.graph.batch import GraphStore, store_graphs
from nmrshift.graph.features import preset
from nmrshift.model.network import ShiftNetwork
from nmrshift.model.tensors import Conditions, batch_tensors, conditions

_SCALE_WEIGHT: Final = 0.1


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """Public structures with what the base says of them.

    Attributes:
        base: the network before it learns.
        graphs: the structures.
        nodes: for each nucleus the rows of ``h`` whose atoms carry it.
        h: what the base makes of every atom ``[n_atoms, d_h]``.
        table: conditions that are rehearsed: every solvent and source of the base; the first is
            unknown and general.
        practised: structures that are rehearsed.
        kept_back: structures that measure drift.
    """

    base: ShiftNetwork
    graphs: GraphStore
    nodes: Mapping[str, NDArray[np.int64]]
    h: Tensor
    table: Conditions
    practised: NDArray[np.int64]
    kept_back: NDArray[np.int64]

    def loss(
        self,
        network: ShiftNetwork,
        mols: NDArray[np.int64],
        rng: np.random.Generator,
        huber_delta: float,
        *,
        encoder: bool,
    ) -> Tensor:
        """Return how far a network has moved from the base, each atom under a random condition.

        Args:
            network: what learns.
            mols: structures.
            rng: draws the conditions.
            huber_delta: where the loss turns from square to absolute, in units of the spread.
            encoder: whether its encoder differs from the base's.
        """
        rows = rows_of(self.graphs, mols)
        old = self.h[rows]
        new = network.encode(batch_tensors(self.graphs.batch(mols))) if encoder else old
        here, there = network.condition(self.table), self.base.condition(self.table).detach()
        total, n = new.new_zeros(()), 0
        for nucleus, carriers in self.nodes.items():
            atoms = torch.from_numpy(np.flatnonzero(np.isin(rows.numpy(), carriers)))
            if not len(atoms):
                continue
            drawn = torch.from_numpy(rng.integers(0, len(self.table.solvent), len(atoms)))
            with torch.no_grad():
                mean, log_scale = self.base.read_out(nucleus, old[atoms], there[drawn])
            found, found_scale = network.read_out(nucleus, new[atoms], here[drawn])
            off = functional.huber_loss(found, mean, reduction="sum", delta=huber_delta)
            unsure = functional.huber_loss(found_scale, log_scale, reduction="sum")
            total = total + off / huber_delta + _SCALE_WEIGHT * unsure
            n += len(atoms)
        return total / max(1, n)

    def batches(self, size: int, rng: np.random.Generator) -> Iterator[NDArray[np.int64]]:
        """Yield practised structures without end, every one once before any comes again."""
        while True:
            order = rng.permutation(self.practised)
            yield from np.split(order, range(size, len(order), size))

    @torch.inference_mode()
    def drift(self, network: ShiftNetwork) -> dict[str, tuple[float, float]]:
        """Return the base's expected error and the mean change on kept-back structures, ppm."""
        rows = rows_of(self.graphs, self.kept_back)
        old, new = self.h[rows], network.encode(batch_tensors(self.graphs.batch(self.kept_back)))
        here, there = network.condition(self.table)[:1], self.base.condition(self.table)[:1]
        found = {}
        for nucleus, carriers in self.nodes.items():
            atoms = torch.from_numpy(np.flatnonzero(np.isin(rows.numpy(), carriers)))
            if len(atoms):
                before, log_scale = self.base.read_out(nucleus, old[atoms], there)
                after, _ = network.read_out(nucleus, new[atoms], here)
                moved = (network.to_ppm(nucleus, after) - self.base.to_ppm(nucleus, before)).abs()
                expected = self.base.scale_ppm(nucleus, log_scale)
                found[nucleus] = (float(expected.mean()), float(moved.mean()))
        return found


def rehearse(base: ShiftNetwork, smiles: Sequence[str], name: str) -> Rehearsal:
    """Ask the base for its answers.

    Args:
        base: the network before it learns.
        smiles: public structures; those it cannot read are passed over.
        name: of the laboratory, whose convention is not public.
    """
    config = base.config
    features = preset(config.features)
    parsed = [item for item in parse_all(list(smiles), features, 1) if item is not None]
    graphs = store_graphs([item.graph for item in parsed])
    sources = [None, *(source for source in config.sources if source != name)]
    pairs = [
        (normalise(solvent), source) for solvent in (None, *config.solvents) for source in sources
    ]
    kept_back = np.array([is_kept_back(number) for number in range(len(parsed))])
    return Rehearsal(
        base=base,
        graphs=graphs,
        nodes={nucleus: _carriers(parsed, graphs, nucleus) for nucleus in config.nuclei},
        h=encode(base, graphs),
        table=conditions(pairs, config.solvents, config.sources),
        practised=np.flatnonzero(~kept_back),
        kept_back=np.flatnonzero(kept_back),
    )


def expected_growth(error_ppm: float, moved_ppm: float) -> float:
    """Return the share by which an error grows if answers move independently of it."""
    return math.hypot(1.0, moved_ppm / max(error_ppm, 1e-9)) - 1.0


def _carriers(parsed: Sequence[Parsed], graphs: GraphStore, nucleus: str) -> NDArray[np.int64]:
    found = [
        int(graphs.first_atom[number]) + carrier.node
        for number, item in enumerate(parsed)
        for carrier in carriers_of(item, nucleus)
    ]
    return np.array(found, dtype=np.int64)
