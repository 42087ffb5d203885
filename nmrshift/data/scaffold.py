"""Groups of molecules with one framework, which a split keeps together.

Rings decide where there are any: the Bemis-Murcko framework (doi 10.1021/jm9602928), all rings and
what links them. Molecules without rings would be one giant group, so there the sequence of
functional groups decides: each run of saturated carbons with the same halogens counts as one atom,
however long or branched it is. Homologues are together, an alcohol and a ketone are not.
"""

import hashlib

from nmrshift.chem.toolkit import Chem

_HALOGENS = (9, 17, 35, 53)


def scaffold(mol: Chem.Mol) -> str:
    """Return a name of 16 characters for the framework of a molecule's largest fragment.

    The name does not depend on the order of atoms, nor on stereo, isotopes and charges in chains.

    Args:
        mol: sanitised molecule.
    """
    text = framework(_largest(mol))
    return hashlib.blake2b(text.encode(), digest_size=8, person=b"scaffold").hexdigest()


def framework(mol: Chem.Mol) -> str:
    """Return the framework of a connected molecule as canonical text, not always valid SMILES."""
    if mol.GetNumBonds() >= mol.GetNumAtoms():
        return str(Chem.MolToSmiles(Chem.MurckoDecompose(mol), isomericSmiles=False))
    return _chain_framework(mol)


def _largest(mol: Chem.Mol) -> Chem.Mol:
    """Return the fragment with the most heavy atoms, the first in the alphabet among equals."""
    fragments: tuple[Chem.Mol, ...] = Chem.GetMolFrags(mol, asMols=True)
    if len(fragments) == 1:
        return fragments[0]
    return min(
        fragments,
        key=lambda item: (-item.GetNumHeavyAtoms(), Chem.MolToSmiles(item, isomericSmiles=False)),
    )


def _chain_framework(mol: Chem.Mol) -> str:
    """Draw runs of like saturated carbons together; halogens become a mark on their carbon."""
    marks: dict[int, int | None] = {atom.GetIdx(): _mark(atom) for atom in mol.GetAtoms()}
    run = {number: number for number, mark in marks.items() if mark is None or mark >= 0}

    def head(atom: int) -> int:
        while run[atom] != atom:
            atom = run[atom]
        return atom

    links = []
    for bond in mol.GetBonds():
        ends = bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()
        if not all(end in run for end in ends):
            continue
        first, second = ends
        if marks[first] is not None and marks[first] == marks[second]:
            run[head(second)] = head(first)
        else:
            links.append((first, second, bond.GetBondType()))
    drawn = Chem.RWMol()
    place = {}
    for number in run:
        if head(number) == number:
            atom = Chem.Atom(mol.GetAtomWithIdx(number).GetAtomicNum())
            atom.SetNoImplicit(True)
            atom.SetIsotope(marks[number] or 0)
            place[number] = drawn.AddAtom(atom)
    for first, second, kind in links:
        drawn.AddBond(place[head(first)], place[head(second)], kind)
    return str(Chem.MolToSmiles(drawn))


def _mark(atom: Chem.Atom) -> int | None:
    """Return the halogens on a saturated carbon as bits, -1 for one of them, else ``None``."""
    around = atom.GetNeighbors()
    if atom.GetAtomicNum() in _HALOGENS and [n.GetAtomicNum() for n in around] == [6]:
        return -1 if _saturated(around[0]) else None
    if atom.GetAtomicNum() != 6 or not _saturated(atom):
        return None
    found = {n.GetAtomicNum() for n in around}
    return sum(1 << bit for bit, number in enumerate(_HALOGENS) if number in found)


def _saturated(atom: Chem.Atom) -> bool:
    return all(bond.GetBondType() == Chem.BondType.SINGLE for bond in atom.GetBonds())
