"""Kinds of atom in chemists' words, to see where a model is good and where it is not."""

from typing import Final

from nmrshift.chem.toolkit import Chem
from nmrshift.constants import ELEMENT_OF_NUCLEUS

_METHYL_TO_QUATERNARY: Final = ("C sp3", "CH", "CH2", "CH3")
_FLUORINES: Final = {1: "CF", 2: "CF2", 3: "CF3"}


def environment(mol: Chem.Mol, atom_index: int, nucleus: str) -> str:
    """Name the kind of an atom.

    Args:
        mol: sanitised molecule.
        atom_index: the labelled atom; for 1H the one that carries the hydrogens.
        nucleus: nucleus of the label.

    Returns:
        For 13C hybridisation and hydrogens (``CH3`` … ``C=O``), for 19F what it is bound to
        (``CF3`` … ``N-F``), for 1H the carrier, else the element and its number of neighbours.
    """
    atom = mol.GetAtomWithIdx(atom_index)
    element = ELEMENT_OF_NUCLEUS.get(nucleus)
    if element == "C":
        return _carbon(atom)
    if element == "F":
        return _fluorine(atom)
    if element == "H":
        return _hydrogen(atom)
    return f"{atom.GetSymbol()}, {atom.GetTotalDegree()} neighbours"


def bonded_elements(mol: Chem.Mol, atom_index: int) -> frozenset[str]:
    """Return the element symbols of an atom's neighbours, hydrogens included."""
    atom = mol.GetAtomWithIdx(atom_index)
    found = {neighbour.GetSymbol() for neighbour in atom.GetNeighbors()}
    return frozenset(found | {"H"} if atom.GetTotalNumHs() else found)


def n_hydrogens(atom: Chem.Atom) -> int:
    """Count the hydrogens of an atom, written or not."""
    return int(atom.GetTotalNumHs(includeNeighbors=True))


def _partners(atom: Chem.Atom, order: Chem.BondType) -> set[str]:
    return {b.GetOtherAtom(atom).GetSymbol() for b in atom.GetBonds() if b.GetBondType() == order}


def _carbon(atom: Chem.Atom) -> str:
    hydrogens = n_hydrogens(atom)
    if atom.GetIsAromatic():
        return "aromatic CH" if hydrogens else "aromatic C"
    double = _partners(atom, Chem.BondType.DOUBLE)
    triple = _partners(atom, Chem.BondType.TRIPLE)
    if "N" in triple:
        return "C#N"
    if triple or len([b for b in atom.GetBonds() if b.GetBondTypeAsDouble() == 2]) > 1:
        return "C sp"
    if "O" in double:
        return "C=O"
    if double:
        return "sp2 CH" if hydrogens else "sp2 C"
    return _METHYL_TO_QUATERNARY[min(hydrogens, 3)]


def _fluorine(atom: Chem.Atom) -> str:
    neighbours = atom.GetNeighbors()
    if len(neighbours) != 1:
        return "other"
    carrier = neighbours[0]
    if carrier.GetSymbol() != "C":
        return f"{carrier.GetSymbol()}-F"
    if carrier.GetIsAromatic():
        return "aryl-F"
    double = _partners(carrier, Chem.BondType.DOUBLE)
    if double:
        return "vinyl-F" if double == {"C"} else "C(=X)F"
    if _partners(carrier, Chem.BondType.TRIPLE):
        return "other"
    return _FLUORINES.get(sum(n.GetSymbol() == "F" for n in carrier.GetNeighbors()), "other")


def _hydrogen(carrier: Chem.Atom) -> str:
    element = carrier.GetSymbol()
    if element != "C":
        return f"{element}-H"
    kind = _carbon(carrier)
    return {"C=O": "CHO", "aromatic CH": "aromatic H", "sp2 CH": "vinyl H"}.get(kind, kind)
