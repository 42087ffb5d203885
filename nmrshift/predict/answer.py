"""From prepared molecules to predictions: batches through the network, ppm and intervals out."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nmrshift.chem.solvents import UNKNOWN
from nmrshift.graph.batch import GraphBatch, batch_graphs
from nmrshift.graph.environments import N_RADII, environment_codes
from nmrshift.model.artifact import Artifact
from nmrshift.model.evidence import N_SPHERES, EvidenceTable, Support, atom_kinds
from nmrshift.model.kernels import Kernel
from nmrshift.model.network import ShiftNetwork
from nmrshift.model.tensors import batch_tensors, conditions
from nmrshift.predict.calibrate import Calibration
from nmrshift.predict.domain import INSIDE, Verdict, atom_verdicts, molecule_verdict, worst
from nmrshift.predict.prepare import Prepared, Target
from nmrshift.types import AtomShift, Domain, Evidence, Notice, Prediction, Reference

_BATCH_ATOMS = 20_000

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _Found:
    """Answers on the wanted atoms of one nucleus and batch, row by row."""

    shift_ppm: list[float]
    low_ppm: list[float]
    high_ppm: list[float]
    verdicts: list[Verdict]
    evidence: list[Evidence | None]


@dataclass(frozen=True, slots=True)
class Answerer:
    """A network with what turns its numbers into answers.

    Attributes:
        network: the network.
        calibration: interval factors, and what evidence changes.
        evidence: measured environments.
        identity: stands in every prediction.
        kernel: compute every atom with these kernels; ``None`` computes equal environments once.
    """

    network: ShiftNetwork
    calibration: Calibration
    evidence: EvidenceTable | None
    identity: str
    kernel: Kernel | None

    @classmethod
    def of(cls, artifact: Artifact, kernel: Kernel | None) -> "Answerer":
        """Take a loaded model folder apart."""
        calibration = Calibration.from_dict(artifact.card.calibration)
        return cls(artifact.network, calibration, artifact.evidence, artifact.identity, kernel)

    def answer(
        self, prepared: Sequence[Prepared], interval: float, n_references: int
    ) -> Iterator[Prediction]:
        """Predict molecules in batches of bounded size, in order.

        Args:
            prepared: molecules read with the network's feature preset.
            interval: nominal coverage of the interval, 0.5-0.99.
            n_references: measured shifts to name as evidence of each atom, at most.
        """
        for batch in _batches(prepared):
            yield from self._batch(batch, interval, n_references)

    @torch.inference_mode()
    def _batch(
        self, batch: Sequence[Prepared], interval: float, n_references: int
    ) -> list[Prediction]:
        config = self.network.config
        graphs = batch_graphs([item.graph for item in batch])
        codes = environment_codes(graphs, N_SPHERES)
        h = self._represent(graphs, codes[:, :N_RADII])
        condition = self._condition(batch)
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
            nodes = np.concatenate(
                [np.array(target.nodes) + graphs.first_atom[place] for place, target in wanted]
            )
            shift_ppm, scale_ppm, offset_ppm = self._read_out(nucleus, nodes, graphs, h, condition)
            factor = self._factors(nucleus, batch, wanted, interval)
            found = self._judged(
                nucleus,
                shift_ppm,
                scale_ppm,
                offset_ppm,
                codes[nodes],
                graphs.atom_to_mol[nodes],
                factor,
                n_references,
            )
            start = 0
            for place, target in wanted:
                end = start + len(target.nodes)
                atoms[place].extend(_atom_shifts(batch[place], target, found, start))
                start = end
        unseen = self._unseen_atoms(batch, graphs)
        return [
            self._prediction(item, tuple(shifts), unseen.get(place, ()), interval)
            for place, (item, shifts) in enumerate(zip(batch, atoms, strict=True))
        ]

    def _unseen_atoms(self, batch: Sequence[Prepared], graphs: GraphBatch) -> dict[int, list[int]]:
        """Return, molecule by molecule, input indices of atoms of a kind that training lacks."""
        if self.evidence is None:
            return {}
        unseen: dict[int, list[int]] = {}
        for row in np.flatnonzero(~self.evidence.seen(atom_kinds(graphs.V))).tolist():
            place = int(graphs.atom_to_mol[row])
            node = row - int(graphs.first_atom[place])
            unseen.setdefault(place, []).append(int(batch[place].graph.atom_index[node]))
        return unseen

    def _condition(self, batch: Sequence[Prepared]) -> Tensor:
        """Return the condition of each molecule, or a single one if all have the same."""
        pairs = [(item.solvent, item.source) for item in batch]
        if len(set(pairs)) == 1:
            pairs = pairs[:1]
        config = self.network.config
        return self.network.condition(conditions(pairs, config.solvents, config.sources))

    def _represent(self, graphs: GraphBatch, codes: NDArray[np.int64]) -> Tensor:
        if self.kernel is None:
            return self.network.represent(graphs, codes)
        tensors = batch_tensors(graphs, kernel=self.kernel, environments=codes)
        return self.network.encode(tensors)

    def _prediction(
        self,
        item: Prepared,
        atoms: tuple[AtomShift, ...],
        unseen_atoms: Sequence[int],
        interval: float,
    ) -> Prediction:
        notices = item.notices + self._solvent_notices(item)
        domain: Domain = "inside"
        if self.evidence is not None:
            largest = self.evidence.largest_atoms
            domain, more = molecule_verdict(item.graph.n_atoms, largest, unseen_atoms)
            notices += more
        return Prediction(
            index=item.index,
            input=item.text,
            name=item.name,
            solvent=item.solvent.key,
            interval=interval,
            atoms=atoms,
            model=self.identity,
            notices=notices,
            molblock=item.molblock,
            domain=worst({domain, *(atom.domain for atom in atoms)}),
        )

    def _read_out(
        self,
        nucleus: str,
        nodes: NDArray[np.int64],
        graphs: GraphBatch,
        h: Tensor,
        condition: Tensor,
    ) -> tuple[Array, Array, Array]:
        """Return the network's shift and error scale of wanted nodes and their offset, ppm."""
        if len(condition) > 1:
            condition = condition[torch.from_numpy(graphs.atom_to_mol[nodes])]
        mean, log_scale = self.network.read_out(nucleus, h[torch.from_numpy(nodes)], condition)
        shift_ppm = self.network.to_ppm(nucleus, mean).numpy()
        scale_ppm = self.network.scale_ppm(nucleus, log_scale).numpy()
        return shift_ppm, scale_ppm, self.network.offset_ppm(nucleus, condition).numpy()

    def _factors(
        self,
        nucleus: str,
        batch: Sequence[Prepared],
        wanted: Sequence[tuple[int, Target]],
        interval: float,
    ) -> Array:
        """Return how far the intervals of wanted atoms reach, in expected errors ``[n]``."""
        sources = [batch[place].source for place, _ in wanted]
        known = {
            source: self.calibration.factor(nucleus, interval, source) for source in set(sources)
        }
        counts = [len(target.nodes) for _, target in wanted]
        return np.repeat([known[source] for source in sources], counts)

    def _judged(
        self,
        nucleus: str,
        shift_ppm: Array,
        scale_ppm: Array,
        offset_ppm: Array,
        codes: NDArray[np.int64],
        mol: NDArray[np.int64],
        factor: Array,
        n_references: int,
    ) -> "_Found":
        """Weigh the network's answers on wanted atoms against the evidence.

        An interval reaches ``factor`` expected errors to either side ``[n]``. Evidence is on the
        general reference, from which the convention asked for lies ``offset_ppm`` apart.
        """
        verdicts = [INSIDE] * len(codes)
        evidence: list[Evidence | None] = [None] * len(codes)
        table = self.evidence
        if table is not None:
            support = table.support(nucleus, codes)
            own_ppm = shift_ppm - offset_ppm
            judge = self.calibration.judges[nucleus]
            shift_ppm, scale_ppm = judge(own_ppm, scale_ppm, support, mol)
            shift_ppm = shift_ppm + offset_ppm
            limit_ppm = self.calibration.uncertain_ppm[nucleus]
            verdicts = atom_verdicts(support, own_ppm, scale_ppm, limit_ppm)
            evidence = list(_evidence(table, nucleus, support, n_references))
        reach_ppm = scale_ppm * factor
        return _Found(
            shift_ppm.tolist(),
            (shift_ppm - reach_ppm).tolist(),
            (shift_ppm + reach_ppm).tolist(),
            verdicts,
            evidence,
        )

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


def _evidence(
    table: EvidenceTable, nucleus: str, support: Support, n_references: int
) -> Iterator[Evidence]:
    columns = (
        support.sphere.tolist(),
        support.start.tolist(),
        support.n_measured.tolist(),
        support.mean_ppm.tolist(),
        support.spread_ppm.tolist(),
    )
    for sphere, start, n, mean_ppm, spread_ppm in zip(*columns, strict=True):
        references: tuple[Reference, ...] = ()
        if n_references:
            chosen = table.references(nucleus, start, n, n_references)
            references = tuple(Reference(record, shift) for record, shift in chosen)
        yield Evidence(
            sphere, n, mean_ppm if n else None, spread_ppm if n > 1 else None, references
        )


def _atom_shifts(item: Prepared, target: Target, found: _Found, start: int) -> Iterator[AtomShift]:
    atom_index, n_hydrogens = item.graph.atom_index.tolist(), item.graph.n_hydrogens.tolist()
    for row, node in enumerate(target.nodes):
        place = start + row
        verdict = found.verdicts[place]
        yield AtomShift(
            atom_index=atom_index[node],
            element=item.symbols[node],
            nucleus=target.nucleus,
            shift_ppm=found.shift_ppm[place],
            low_ppm=found.low_ppm[place],
            high_ppm=found.high_ppm[place],
            signal=target.signals[row],
            n_hydrogens=n_hydrogens[node],
            flags=target.flags[row] + verdict.flags,
            domain=verdict.domain,
            evidence=found.evidence[place],
        )
