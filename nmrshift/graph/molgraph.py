"""One molecule as arrays: heavy atoms are nodes, hydrogens are counted on them.

The letters are those of message passing: ``V`` atoms, ``E`` edges.
"""

from bisect import bisect_left
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nmrshift.chem.toolkit import Chem
from nmrshift.graph.features import ATOM_VALUES, BOND_KINDS, OTHER_BOND, FeaturePreset
from nmrshift.graph.stereo import alkene_pairs, ring_pairs, stereo_pair

_BOND_KIND = {
    Chem.BondType.SINGLE: BOND_KINDS["single"],
    Chem.BondType.DOUBLE: BOND_KINDS["double"],
    Chem.BondType.TRIPLE: BOND_KINDS["triple"],
    Chem.BondType.AROMATIC: BOND_KINDS["aromatic"],
    Chem.BondType.DATIVE: BOND_KINDS["dative"],
}
_DOUBLE = BOND_KINDS["double"]
_ROW = {name: row for row, name in enumerate(ATOM_VALUES)}
_NOBLE_GASES = (0, 2, 10, 18, 36, 54, 86, 118)
_CHIRAL = (Chem.ChiralType.CHI_TETRAHEDRAL_CW, Chem.ChiralType.CHI_TETRAHEDRAL_CCW)

Edge = tuple[int, int]


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


_PLACES = tuple(_place(z) for z in range(128))


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
    # by index: RDKit's sequences of atoms and bonds cost several calls an element
    atoms = [mol.GetAtomWithIdx(i) for i in range(mol.GetNumAtoms())]
    numbers = [atom.GetAtomicNum() for atom in atoms]
    folded = {i for i, z in enumerate(numbers) if z == 1 and _folds(atoms[i], numbers)}
    kept = [i for i in range(len(atoms)) if i not in folded]
    chiral = [atom.GetChiralTag() in _CHIRAL for atom in atoms]
    node_of = {atom: node for node, atom in enumerate(kept)}
    nodes = [atoms[i] for i in kept] if folded else atoms

    pairs, raw_bonds = _edges(mol, atoms, chiral, node_of, folded)
    raw = np.array(_raw_atoms(mol, nodes, folded), dtype=np.int64)
    bond_codes = preset.encode_bonds(np.array(raw_bonds, dtype=np.int64).reshape(-1, 4).T)
    ends = np.array(pairs, dtype=np.int32).reshape(-1, 2)
    return MolGraph(
        V=preset.encode_atoms(raw[[_ROW[feature.name] for feature in preset.atom]]),
        E=np.concatenate([bond_codes, bond_codes]),
        edge_src=np.concatenate([ends[:, 0], ends[:, 1]]),
        edge_dst=np.concatenate([ends[:, 1], ends[:, 0]]),
        atom_index=np.array(kept, dtype=np.int32),
        atomic_number=raw[0].astype(np.int16),
        n_hydrogens=raw[2].astype(np.int16),
    )


def _folds(atom: Chem.Atom, numbers: list[int]) -> bool:
    neighbours = atom.GetNeighbors()
    return len(neighbours) == 1 and numbers[neighbours[0].GetIdx()] > 1


def _raw_atoms(mol: Chem.Mol, nodes: list[Chem.Atom], folded: set[int]) -> list[list[int]]:
    rings = mol.GetRingInfo()
    hydrogens = [atom.GetTotalNumHs(includeNeighbors=True) for atom in nodes]
    degree = [atom.GetDegree() for atom in nodes]
    if folded:
        degree = [
            d - sum(n.GetIdx() in folded for n in atom.GetNeighbors())
            for d, atom in zip(degree, nodes, strict=True)
        ]
    numbers = [atom.GetAtomicNum() for atom in nodes]
    places = [_PLACES[number] for number in numbers]
    return [
        numbers,
        degree,
        hydrogens,
        [atom.GetFormalCharge() for atom in nodes],
        [atom.GetHybridization() for atom in nodes],
        [atom.GetIsAromatic() for atom in nodes],
        [rings.MinAtomRingSize(atom.GetIdx()) for atom in nodes],
        [atom.GetNumRadicalElectrons() for atom in nodes],
        [atom.GetTotalValence() for atom in nodes],
        [atom.GetChiralTag() in _CHIRAL for atom in nodes],
        [group for group, _ in places],
        [period for _, period in places],
    ]


def _edges(
    mol: Chem.Mol,
    atoms: list[Chem.Atom],
    chiral: list[bool],
    node_of: dict[int, int],
    folded: set[int],
) -> tuple[list[Edge], list[tuple[int, int, int, int]]]:
    """Return the undirected edges as node pairs, with their raw features."""
    rings = mol.GetRingInfo()
    pairs: list[Edge] = []
    raw: list[tuple[int, int, int, int]] = []
    has_alkenes = False
    for number in range(mol.GetNumBonds()):
        bond = mol.GetBondWithIdx(number)
        begin, end = bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()
        if begin in folded or end in folded:
            continue
        pairs.append((node_of[begin], node_of[end]))
        kind = _BOND_KIND.get(bond.GetBondType(), OTHER_BOND)
        has_alkenes |= kind == _DOUBLE
        relation = stereo_pair(atoms[begin], atoms[end]) if chiral[begin] and chiral[end] else 0
        raw.append((kind, bond.GetIsConjugated(), rings.MinBondRingSize(number), relation))
    if has_alkenes or any(chiral):
        _add_stereo_edges(mol, node_of, pairs, raw)
    return pairs, raw


def _add_stereo_edges(
    mol: Chem.Mol,
    node_of: dict[int, int],
    pairs: list[Edge],
    raw: list[tuple[int, int, int, int]],
) -> None:
    taken = {frozenset(pair) for pair in pairs}
    across = [("alkene", *found) for found in alkene_pairs(mol)]
    around = [("ring", *found) for found in ring_pairs(mol, mol.GetRingInfo().AtomRings())]
    for where, (x, y), cis in across + around:
        pair = (node_of[x], node_of[y])
        if frozenset(pair) not in taken:
            taken.add(frozenset(pair))
            pairs.append(pair)
            raw.append((BOND_KINDS[f"{where}_{'cis' if cis else 'trans'}"], 0, 0, 0))
