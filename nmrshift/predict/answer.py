"""From prepared molecules to predictions: batches through the network, ppm and intervals out."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nmrshift.chem.solvents import UNKNOWN
from nmrshift.graph.batch import GraphBatch, batch_graphs
from nmrshift.model.artifact import Artifact
from nmrshift.model.kernels import Kernel
from nmrshift.model.network import ShiftNetwork
from nmrshift.model.tensors import batch_tensors, conditions
from nmrshift.predict.calibrate import Calibration
from nmrshift.predict.prepare import Prepared, Target
from nmrshift.types import AtomShift, Notice, Prediction

_BATCH_ATOMS = 2400

Wanted = list[tuple[int, Target]]
Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Answerer:
    """A network with what turns its numbers into answers.

    Attributes:
        network: the network.
        calibration: interval factors.
        identity: stands in every prediction.
        kernel: kernels of the sums over neighbours; ``None`` for the fastest there are.
    """

    network: ShiftNetwork
    calibration: Calibration
    identity: str
    kernel: Kernel | None

    @classmethod
    def of(cls, artifact: Artifact, kernel: Kernel | None) -> "Answerer":
        """Take a loaded model folder apart."""
        calibration = Calibration.from_dict(artifact.card.calibration)
        return cls(artifact.network, calibration, artifact.identity, kernel)

    def answer(self, prepared: Sequence[Prepared], interval: float) -> Iterator[Prediction]:
        """Predict molecules in batches of bounded size, in order.

        Args:
            prepared: molecules read with the network's feature preset.
            interval: nominal coverage of the interval, 0.5-0.99.
        """
        for batch in _batches(prepared):
            yield from self._batch(batch, interval)

    @torch.inference_mode()
    def _batch(self, batch: Sequence[Prepared], interval: float) -> list[Prediction]:
        config = self.network.config
        graphs = batch_graphs([item.graph for item in batch])
        h = self.network.encode(batch_tensors(graphs, kernel=self.kernel))
        pairs = [(item.solvent, item.source) for item in batch]
        condition = self.network.condition(conditions(pairs, config.solvents, config.sources))
        atoms: list[list[AtomShift]] = [[] for _ in batch]
        for nucleus in config.nuclei:
            wanted = [
                (place, target)
                for place, item in enumerate(batch)
                for target in item.targets
                if target.nucleus == nucleus
            ]
            if not wanted:
                continue
            shift_ppm, scale_ppm = self._read_out(nucleus, wanted, graphs, h, condition)
            reach_ppm = scale_ppm * self.calibration.factor(nucleus, interval)
            start = 0
            for place, target in wanted:
                end = start + len(target.nodes)
                found = _atom_shifts(
                    batch[place], target, shift_ppm[start:end], reach_ppm[start:end]
                )
                atoms[place].extend(found)
                start = end
        return [
            Prediction(
                index=item.index,
                input=item.text,
                name=item.name,
                solvent=item.solvent.key,
                interval=interval,
                atoms=tuple(shifts),
                model=self.identity,
                notices=item.notices + self._solvent_notices(item),
                molblock=item.molblock,
            )
            for item, shifts in zip(batch, atoms, strict=True)
        ]

    def _read_out(
        self, nucleus: str, wanted: Wanted, graphs: GraphBatch, h: Tensor, condition: Tensor
    ) -> tuple[Array, Array]:
        """Return shift and error scale of every wanted atom, ppm."""
        nodes = np.concatenate(
            [np.array(target.nodes) + graphs.first_atom[place] for place, target in wanted]
        )
        rows = np.repeat([place for place, _ in wanted], [len(t.nodes) for _, t in wanted])
        mean, log_scale = self.network.read_out(
            nucleus, h[torch.from_numpy(nodes)], condition[torch.from_numpy(rows)]
        )
        shift_ppm = self.network.to_ppm(nucleus, mean).numpy()
        return shift_ppm, self.network.scale_ppm(nucleus, log_scale).numpy()

    def _solvent_notices(self, item: Prepared) -> tuple[Notice, ...]:
        key = item.solvent.key
        if key == UNKNOWN.key or key in self.network.config.solvents:
            return ()
        text = f"Few or no training spectra in {key}; its physical descriptors stand for it."
        return (Notice("solvent_unseen", text),)


def _batches(items: Sequence[Prepared]) -> Iterator[list[Prepared]]:
    """Cut molecules into batches of bounded size, in order."""
    batch: list[Prepared] = []
    n_atoms = 0
    for item in items:
        if batch and n_atoms + item.graph.n_atoms > _BATCH_ATOMS:
            yield batch
            batch, n_atoms = [], 0
        batch.append(item)
        n_atoms += item.graph.n_atoms
    if batch:
        yield batch


def _atom_shifts(
    item: Prepared, target: Target, shift_ppm: Array, reach_ppm: Array
) -> Iterator[AtomShift]:
    graph = item.graph
    low_ppm = (shift_ppm - reach_ppm).tolist()
    high_ppm = (shift_ppm + reach_ppm).tolist()
    for row, shift in enumerate(shift_ppm.tolist()):
        node = target.nodes[row]
        yield AtomShift(
            atom_index=int(graph.atom_index[node]),
            element=item.symbols[node],
            nucleus=target.nucleus,
            shift_ppm=shift,
            low_ppm=low_ppm[row],
            high_ppm=high_ppm[row],
            signal=target.signals[row],
            n_hydrogens=int(graph.n_hydrogens[node]),
            flags=target.flags[row],
        )
