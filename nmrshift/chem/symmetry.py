"""Which atoms of a molecule give one signal, diastereotopic ones told apart.

Constitutional classes come from RDKit's canonical ranks. Where two equal groups hang on a
tetrahedral centre or on a double bond, a search for symmetries of the time-averaged molecule
decides whether they are homotopic or enantiotopic (one signal) or diastereotopic (two). Single
bonds rotate, rings flip, amines invert; the two methyls of an amide N(CH3)2 share a class, for
rotation makes them one at high temperature and the shifts are close. Not told apart: groups that
only a chiral allene or a hindered single bond makes different.
"""

from typing import Final

from nmrshift.chem.automorphism import Search
from nmrshift.chem.handedness import Handedness, find_handedness
from nmrshift.chem.table import MolTable, read_table
from nmrshift.chem.toolkit import Chem, atoms_of

__all__ = ["signal_classes"]


def signal_classes(mol: Chem.Mol, table: MolTable | None = None) -> tuple[int, ...]:
    """Number the signals of a molecule.

    Args:
        mol: sanitised molecule with its stereo assigned; not changed.
        table: what :func:`~nmrshift.chem.table.read_table` read of it, if that has been done.

    Returns:
        The class of each atom, from 0 in order of first appearance. Homotopic and enantiotopic
        atoms share a number, diastereotopic atoms do not. Written hydrogens of one isotope on
        one atom share a class, since 1H shifts are filed under the atom that carries them.
        Never fails: where the search takes too many steps, constitutional classes are returned.
    """
    hydrogens = _plain_hydrogens(mol)
    if not hydrogens:
        return _number(_classes(mol, table))
    kept = [index for index in range(mol.GetNumAtoms()) if index not in hydrogens]
    heavy = Chem.RemoveHs(mol, _REMOVAL, sanitize=False)
    heavy.UpdatePropertyCache(strict=False)
    if heavy.GetNumAtoms() != len(kept):
        return _number(_constitution(mol))
    labels: list[tuple[int, int]] = [(0, 0)] * mol.GetNumAtoms()
    for index, label in zip(kept, _classes(heavy), strict=True):
        labels[index] = (0, label)
    for index, parent in hydrogens.items():
        labels[index] = (1, labels[parent][1])
    return _number(labels)


def _number(labels: "list[int] | list[tuple[int, int]]") -> tuple[int, ...]:
    """Return the labels as numbers from 0 in order of first appearance."""
    numbers = {label: number for number, label in enumerate(dict.fromkeys(labels))}
    return tuple([numbers[label] for label in labels])


def _plain_hydrogens(mol: Chem.Mol) -> dict[int, int]:
    """Return the carrier of each hydrogen atom that is the common isotope and has one."""
    found: dict[int, int] = {}
    if mol.GetNumHeavyAtoms() == mol.GetNumAtoms():
        return found
    for atom in atoms_of(mol):
        if atom.GetAtomicNum() == 1 and not atom.GetIsotope() and atom.GetDegree() == 1:
            carrier = atom.GetNeighbors()[0]
            if carrier.GetAtomicNum() > 1:
                found[atom.GetIdx()] = carrier.GetIdx()
    return found


def _removal() -> Chem.RemoveHsParameters:
    params = Chem.RemoveHsParameters()
    for switch, value in (("removeDefiningBondStereo", True), ("showWarnings", False)):
        setattr(params, switch, value)
    return params


_REMOVAL: Final = _removal()


def _constitution(mol: Chem.Mol) -> list[int]:
    ranks = Chem.CanonicalRankAtoms(
        mol, breakTies=False, includeChirality=False, includeAtomMaps=False
    )
    return list(map(ranks.__getitem__, range(len(ranks))))


def _classes(mol: Chem.Mol, table: MolTable | None = None) -> list[int]:
    ranks = _constitution(mol)
    sizes: dict[int, int] = {}
    for rank in ranks:
        sizes[rank] = sizes.get(rank, 0) + 1
    if len(sizes) == len(ranks):
        return ranks
    table = table or read_table(mol)
    handed = find_handedness(table, ranks)
    suspects = _suspect_pairs(handed, ranks, sizes)
    if not suspects:
        return ranks
    search = Search(table, ranks, handed, reflect=not _is_chiral(handed, ranks, sizes))
    if all(search.unite(a, b) for a, b in suspects):
        return ranks
    _unite_all(search, ranks)
    return ranks if search.exhausted else [search.find(index) for index in range(len(ranks))]


def _unite_all(search: Search, ranks: list[int]) -> None:
    """Try each atom against one member of every orbit found so far in its class."""
    members: dict[int, list[int]] = {}
    for index, rank in enumerate(ranks):
        members.setdefault(rank, []).append(index)
    for atoms in members.values():
        heads: list[int] = []
        for atom in atoms:
            if search.find(atom) in {search.find(head) for head in heads}:
                continue
            if not any(search.unite(head, atom) for head in heads):
                heads.append(atom)


def _is_chiral(handed: Handedness, ranks: list[int], sizes: dict[int, int]) -> bool:
    """Return whether one centre with four different groups forbids every reflection."""
    return any(
        sizes[ranks[index]] == 1 and not centre.tied for index, centre in handed.centres.items()
    )


def _suspect_pairs(
    handed: Handedness, ranks: list[int], sizes: dict[int, int]
) -> list[tuple[int, int]]:
    """Return pairs of constitutionally equal atoms that handedness may tell apart."""
    pairs: list[tuple[int, int]] = []
    rivals: dict[int, int] = {}
    for index, centre in handed.centres.items():
        if centre.tied:
            pairs += _equal_pairs(centre.around, ranks)
        if sizes[ranks[index]] > 1:
            other = rivals.setdefault(ranks[index], index)
            if other != index:
                pairs.append((other, index))
    for (low, high), bond in handed.bonds.items():
        if bond.tied:
            pairs += _equal_pairs(bond.first, ranks) + _equal_pairs(bond.second, ranks)
        for index in (low, high):
            if sizes[ranks[index]] > 1:
                other = rivals.setdefault(ranks[index], index)
                if other != index:
                    pairs.append((other, index))
    return pairs


def _equal_pairs(atoms: tuple[int, ...], ranks: list[int]) -> list[tuple[int, int]]:
    first: dict[int, int] = {}
    pairs = [(first.setdefault(ranks[atom], atom), atom) for atom in atoms]
    return [(a, b) for a, b in pairs if a != b]
