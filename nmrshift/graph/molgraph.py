"""One molecule as arrays: heavy atoms are nodes, hydrogens are counted on them.

The letters are those of message passing: ``V`` atoms, ``E`` edges.
"""

from array import array
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from nmrshift.chem import table as bond_types
from nmrshift.chem.table import MolTable, hybridisations, read_table
from nmrshift.chem.toolkit import Chem
from nmrshift.graph.features import ATOM_VALUES, BOND_KINDS, OTHER_BOND, FeaturePreset
from nmrshift.graph.stereo import alkene_pairs, ring_pairs, stereo_pair

_BOND_KIND = {
    bond_types.SINGLE: BOND_KINDS["single"],
    bond_types.DOUBLE: BOND_KINDS["double"],
    bond_types.TRIPLE: BOND_KINDS["triple"],
    bond_types.AROMATIC: BOND_KINDS["aromatic"],
    bond_types.DATIVE: BOND_KINDS["dative"],
}
_NOBLE_GASES = (0, 2, 10, 18, 36, 54, 86, 118)


def _place(atomic_number: int) -> tuple[int, int]:
    """Return group (1-18; 3 for lanthanides and actinides) and period; 0, 0 for no element."""
    if not 0 < atomic_number <= _NOBLE_GASES[-1]:
        return 0, 0
    period = bisect_left(_NOBLE_GASES, atomic_number)
    column = atomic_number - _NOBLE_GASES[period - 1]
    length = _NOBLE_GASES[period] - _NOBLE_GASES[period - 1]
    if column <= 2 and not (period == 1 and column == 2):
        return column, period
    return max(3, column + 18 - length), period


_GROUP, _PERIOD = zip(*(_place(z) for z in range(128)), strict=True)


@dataclass(frozen=True, slots=True)
class MolGraph:
    """A molecular graph. Every edge stands once in each direction.

    Attributes:
        V: atom codes ``[n_atoms, n_atom_features]``.
        E: edge codes ``[n_edges, n_bond_features]``.
        edge_src: node the edge comes from ``[n_edges]``.
        edge_dst: node the edge goes to ``[n_edges]``.
        atom_index: index of the node's atom in the input ``[n_atoms]``.
        atomic_number: ``[n_atoms]``.
        n_hydrogens: hydrogens of ordinary mass counted on the node ``[n_atoms]``.
    """

    V: NDArray[np.int16]
    E: NDArray[np.int16]
    edge_src: NDArray[np.int32]
    edge_dst: NDArray[np.int32]
    atom_index: NDArray[np.int32]
    atomic_number: NDArray[np.int16]
    n_hydrogens: NDArray[np.int16]

    @property
    def n_atoms(self) -> int:
        """Number of nodes."""
        return len(self.V)

    @property
    def n_edges(self) -> int:
        """Number of directed edges."""
        return len(self.E)


def mol_graph(mol: Chem.Mol, preset: FeaturePreset) -> MolGraph:
    """Turn a sanitised molecule into a graph; hydrogen atoms on one heavy atom are folded into it.

    Args:
        mol: sanitised, stereo assigned; it is not changed.
        preset: which features to compute.
    """
    return table_graph(read_table(mol), preset)


def table_graph(table: MolTable, preset: FeaturePreset) -> MolGraph:
    """Turn a molecule that has been read into a graph, as :func:`mol_graph` does."""
    folded = _folded(table)
    kept = [i for i in range(len(table.atoms)) if i not in folded]
    values = _atom_values(table, kept, folded)
    edges = _edges(table, folded)
    codes = preset.encode_bonds(edges.features)
    return MolGraph(
        V=preset.encode_atoms([values[feature.name] for feature in preset.atom]),
        E=np.concatenate([codes, codes]),
        edge_src=np.frombuffer(array("i", edges.begins + edges.ends), dtype=np.int32),
        edge_dst=np.frombuffer(array("i", edges.ends + edges.begins), dtype=np.int32),
        atom_index=np.array(kept, dtype=np.int32),
        atomic_number=_small(values["element"]),
        n_hydrogens=_small(values["n_hydrogens"]),
    )


def _small(values: Sequence[int]) -> NDArray[np.int16]:
    """Return numbers below 256 as an array."""
    return np.frombuffer(bytes(values), dtype=np.uint8).astype(np.int16)


def _folded(table: MolTable) -> set[int]:
    """Return the hydrogen atoms whose one neighbour is a heavy atom."""
    numbers = table.numbers
    if 1 not in numbers:
        return set()
    found = set()
    for a, b in zip(table.begins, table.ends, strict=True):
        if numbers[a] == 1 and table.degrees[a] == 1 and numbers[b] > 1:
            found.add(a)
        if numbers[b] == 1 and table.degrees[b] == 1 and numbers[a] > 1:
            found.add(b)
    return found


def _atom_values(table: MolTable, kept: list[int], folded: set[int]) -> dict[str, Sequence[int]]:
    """Return the values of every node, by their names in ``ATOM_VALUES``."""
    degrees, hydrogens, numbers = table.degrees, table.hydrogens, table.numbers
    if 1 in numbers:
        hydrogens = [atom.GetTotalNumHs(includeNeighbors=True) for atom in table.atoms]
    if folded:
        degrees = degrees.copy()
        for a, b in zip(table.begins, table.ends, strict=True):
            degrees[a] -= b in folded
            degrees[b] -= a in folded
    none = [0] * len(numbers)
    columns: tuple[Sequence[int], ...] = (
        *(numbers, degrees, hydrogens, _filled(none, table.charges), hybridisations(table)),
        *(table.aromatic, list(map(table.mol.GetRingInfo().MinAtomRingSize, range(len(numbers))))),
        *(_filled(none, table.radicals), list(map(Chem.Atom.GetTotalValence, table.atoms))),
        *(_filled(none, dict.fromkeys(table.signs, 1)), [_GROUP[z] for z in numbers]),
        [_PERIOD[z] for z in numbers],
    )
    values = dict(zip(ATOM_VALUES, columns, strict=True))
    if not folded:
        return values
    return {name: [column[i] for i in kept] for name, column in values.items()}


def _filled(blank: list[int], values: dict[int, int]) -> list[int]:
    """Return a list with the given values in their places."""
    if not values:
        return blank
    filled = blank.copy()
    for place, value in values.items():
        filled[place] = value
    return filled


@dataclass(frozen=True, slots=True)
class _Edges:
    """Undirected edges: the two nodes of each, and its raw features, a list a feature."""

    begins: list[int]
    ends: list[int]
    features: list[list[int]]


def _edges(table: MolTable, folded: set[int]) -> _Edges:
    """Return the bonds between nodes, then the edges that carry relative configuration."""
    numbers = range(len(table.bonds))
    rings = table.mol.GetRingInfo()
    columns: list[list[int]] = [
        table.begins,
        table.ends,
        [_BOND_KIND.get(kind, OTHER_BOND) for kind in table.types],
        list(map(Chem.Bond.GetIsConjugated, table.bonds)),
        list(map(rings.MinBondRingSize, numbers)),
        _relations(table),
    ]
    node_of = list(range(len(table.atoms)))
    if folded:
        node_of = list(accumulate((atom not in folded for atom in node_of), initial=0))
        ends = list(zip(table.begins, table.ends, strict=True))
        chosen = [n for n, (a, b) in enumerate(ends) if a not in folded and b not in folded]
        columns = [[column[number] for number in chosen] for column in columns]
        columns[:2] = [[node_of[atom] for atom in column] for column in columns[:2]]
    return _with_stereo_edges(table, node_of, columns)


def _relations(table: MolTable) -> list[int]:
    """Return for each bond how the descriptors of its stereocentres compare."""
    relations = [0] * len(table.bonds)
    if len(table.signs) > 1:
        for number, (a, b) in enumerate(zip(table.begins, table.ends, strict=True)):
            if a in table.signs and b in table.signs:
                relations[number] = stereo_pair(table.atoms[a], table.atoms[b])
    return relations


def _with_stereo_edges(table: MolTable, node_of: list[int], columns: list[list[int]]) -> _Edges:
    begins, ends, kinds, *others = columns
    found = [("alkene", *pair) for pair in alkene_pairs(table)]
    found += [("ring", *pair) for pair in ring_pairs(table)]
    if not found:
        return _Edges(begins, ends, [kinds, *others])
    new: dict[frozenset[int], tuple[int, int, int]] = {}
    bonded = {frozenset(pair) for pair in zip(begins, ends, strict=True)}
    for where, (x, y), cis in found:
        begin, end = node_of[x], node_of[y]
        pair = frozenset((begin, end))
        if pair not in bonded:
            kind = BOND_KINDS[f"{where}_{'cis' if cis else 'trans'}"]
            new.setdefault(pair, (begin, end, kind))
    more = list(new.values())
    return _Edges(
        begins + [begin for begin, _, _ in more],
        ends + [end for _, end, _ in more],
        [kinds + [kind for _, _, kind in more], *(column + [0] * len(more) for column in others)],
    )
