"""The spectra that encoders are judged by: those of the benchmark ``seed-curve``."""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from nmrshift.benchmark.protocols import CDCL3
from nmrshift.benchmark.spectra import Library, choose, in_solvent
from nmrshift.chem.toolkit import Chem
from nmrshift.constants import CF_WINDOW_PPM
from nmrshift.data.dataset import ShiftDataset, as_dataset
from nmrshift.data.records import ShiftRecord
from nmrshift.graph.features import BOND_KINDS, preset

NUCLEI: Final = ("13C", "19F")

HELD_OUT_SHARE: Final = 0.2
"""Share of the training connectivities that choices are made on."""

_DATIVE: Final = BOND_KINDS["dative"]


@dataclass(frozen=True, slots=True)
class Labels:
    """Shifts of one nucleus, sorted by molecule; all arrays ``[n_labels]``.

    Attributes:
        mol: number of the molecule in the data set.
        node: node within its molecule.
        shift_ppm: measured shift.
        record: number of its spectrum in the data set.
        ordinary: what is no rarity: 13C all, 19F on carbon and between -300 and 100 ppm.
    """

    mol: NDArray[np.int64]
    node: NDArray[np.int64]
    shift_ppm: NDArray[np.float32]
    record: NDArray[np.int64]
    ordinary: NDArray[np.bool_]

    def of(self, chosen: NDArray[np.bool_]) -> "Labels":
        """Return some of the labels, in the same order."""
        return Labels(
            self.mol[chosen],
            self.node[chosen],
            self.shift_ppm[chosen],
            self.record[chosen],
            self.ordinary[chosen],
        )

    def __len__(self) -> int:
        return len(self.mol)


@dataclass(frozen=True, slots=True)
class Spectra:
    """Spectra of one nucleus: those to learn from, and the test.

    Attributes:
        nucleus: for example ``13C``.
        dataset: the molecules of both nuclei.
        pool: labels of all training spectra, CDCl3 only.
        test: labels of ``nmrshiftdb2/test``, any solvent.
        records: the training spectra, in the order that a choice of them is drawn from.
    """

    nucleus: str
    dataset: ShiftDataset
    pool: Labels
    test: Labels
    records: tuple[ShiftRecord, ...]

    def held_out(self) -> NDArray[np.bool_]:
        """Mark the pool's labels that choices are made on ``[n_labels]``.

        A connectivity is held out, with its salts, by its own hash.
        """
        keys = self.dataset.parent.tolist()
        chosen = np.array([_in_held_out(key) for key in keys])
        return chosen[self.pool.mol]

    def chosen(self, size: int, seed: int, *, without_held_out: bool = False) -> NDArray[np.bool_]:
        """Mark the pool's labels of some spectra ``[n_labels]``.

        Args:
            size: spectra.
            seed: of the choice; with it they are those of ``seed-curve``.
            without_held_out: choose among spectra that are not held out.
        """
        records = self.not_held_out() if without_held_out else self.records
        wanted = {record.id for record in choose(records, size, seed)}
        rows = np.array([name in wanted for name in self.dataset.record_id.tolist()])
        return rows[self.pool.record]

    def not_held_out(self) -> tuple[ShiftRecord, ...]:
        """Return the training spectra that no choice is made on."""
        free = set(self.dataset.record_id[self.pool.record[~self.held_out()]].tolist())
        return tuple(record for record in self.records if record.id in free)

    def unrelated(self, learned: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Mark the pool's labels whose connectivity no learned label shares ``[n_labels]``."""
        parent = self.dataset.parent[self.pool.mol]
        return ~np.isin(parent, parent[learned])

    @property
    def fingerprint(self) -> str:
        """Hash of all labels and of where they stand."""
        digest = hashlib.sha256()
        for labels in (self.pool, self.test):
            digest.update("\n".join(self.dataset.connectivity[labels.mol].tolist()).encode())
            digest.update(labels.node.tobytes() + labels.shift_ppm.tobytes())
        return digest.hexdigest()


def judging_spectra(
    library: Library, features: str, report: Callable[[str], None]
) -> Mapping[str, Spectra]:
    """Read the spectra of both nuclei and turn them into graphs.

    Args:
        library: the project's data.
        features: feature preset of the encoder.
        report: told in words what was read.

    Raises:
        FileFormatError: a file is missing.
        RecordError: there is nothing to judge by.
    """
    assigned, test = library.read("nmrshiftdb2/assigned"), library.read("nmrshiftdb2/test")
    pools = {nucleus: in_solvent(assigned, nucleus, CDCL3) for nucleus in NUCLEI}
    tests = [record for record in test if record.nucleus in NUCLEI]
    records = [record for pool in pools.values() for record in pool] + tests
    dataset = as_dataset(records, NUCLEI, features, report)
    ordinary = _on_carbon(dataset, features)
    return {
        nucleus: Spectra(
            nucleus=nucleus,
            dataset=dataset,
            pool=_labels(dataset, nucleus, pool, ordinary),
            test=_labels(dataset, nucleus, tests, ordinary),
            records=tuple(pool),
        )
        for nucleus, pool in pools.items()
    }


def _labels(
    dataset: ShiftDataset,
    nucleus: str,
    records: Iterable[ShiftRecord],
    on_carbon: NDArray[np.bool_],
) -> Labels:
    """Return the labels that spectra gave."""
    names = {record.id for record in records if record.nucleus == nucleus}
    known = np.array([name in names for name in dataset.record_id.tolist()])
    rows = np.flatnonzero(
        known[dataset.label_record] & (dataset.label_nucleus == NUCLEI.index(nucleus))
    )
    mol = np.repeat(np.arange(dataset.n_mols), np.diff(dataset.first_label))[rows]
    node, shift_ppm = dataset.label_node[rows], dataset.label_ppm[rows]
    ordinary = np.ones(len(rows), dtype=bool)
    if nucleus == "19F":
        low, high = CF_WINDOW_PPM
        ordinary = on_carbon[dataset.graphs.first_atom[mol] + node]
        ordinary &= (low <= shift_ppm) & (shift_ppm <= high)
    return Labels(mol, node, shift_ppm, dataset.label_record[rows], ordinary)


def _on_carbon(dataset: ShiftDataset, features: str) -> NDArray[np.bool_]:
    """Mark the atoms of the data set that are bound to carbon ``[n_atoms]``."""
    graphs = dataset.graphs
    carbon = Chem.GetPeriodicTable().GetAtomicNumber("C")
    is_carbon = graphs.V[:, 0] == preset(features).atom[0].choices.index(carbon)
    first = np.repeat(graphs.first_atom[:-1], np.diff(graphs.first_edge))
    bound = (graphs.E[:, 0] < _DATIVE) & is_carbon[first + graphs.edge_src]
    found = np.zeros(len(graphs.V), dtype=bool)
    found[(first + graphs.edge_dst)[bound]] = True
    return found


def _in_held_out(connectivity: str) -> bool:
    digest = hashlib.blake2b(connectivity.encode(), digest_size=8, person=b"probe").digest()
    return int.from_bytes(digest, "big") < HELD_OUT_SHARE * 2**64
