"""A molecule read once: what the graph and the search for signals need of its atoms and bonds.

Each call into RDKit costs as much as ten steps of Python, so none is made twice, and values that
few atoms have (charges, chiral tags) are asked for by substructure queries that name those atoms.
"""

from dataclasses import dataclass
from typing import Final

from nmrshift.chem.toolkit import Chem, atoms_of, query_of, rdqueries

SINGLE: Final = int(Chem.BondType.SINGLE)
DOUBLE: Final = int(Chem.BondType.DOUBLE)
TRIPLE: Final = int(Chem.BondType.TRIPLE)
AROMATIC: Final = int(Chem.BondType.AROMATIC)
DATIVE: Final = int(Chem.BondType.DATIVE)
MULTIPLE: Final = frozenset(range(DOUBLE, AROMATIC + 1))
"""Types of more than one electron pair: RDKit numbers all of them from double to aromatic."""

_TYPE_OF_ORDER: Final[dict[float, int]] = {1.0: SINGLE, 2.0: DOUBLE, 3.0: TRIPLE, 1.5: AROMATIC}
_OTHER_BONDS: Final = Chem.MolFromSmarts("*!-;!=;!#;!:*")
_SP2: Final = Chem.MolFromSmarts("[^2]")
_RARE: Final = query_of(
    rdqueries.FormalChargeEqualsQueryAtom(0, negate=True),
    rdqueries.NumRadicalElectronsEqualsQueryAtom(0, negate=True),
    rdqueries.HasChiralTagQueryAtom(),
)
_NEITHER_SP2_NOR_SP3: Final = Chem.MolFromSmarts("[!^2!^3]")
_SIGN: Final[dict[Chem.ChiralType, int]] = {
    Chem.ChiralType.CHI_TETRAHEDRAL_CCW: 1,
    Chem.ChiralType.CHI_TETRAHEDRAL_CW: -1,
}


@dataclass(frozen=True, slots=True)
class MolTable:
    """Atoms and bonds of a sanitised molecule, in its own order.

    Attributes:
        mol: the molecule; it must not change while the table is in use.
        atoms: its atoms.
        bonds: its bonds.
        numbers: atomic numbers.
        degrees: neighbours of each atom, written hydrogens included.
        hydrogens: hydrogens of each atom that are not atoms themselves.
        aromatic: whether each atom is.
        begins: first atom of each bond.
        ends: second atom of each bond.
        types: RDKit's number of each bond's type.
        charges: formal charges, of the charged atoms alone.
        radicals: unpaired electrons, of the atoms that have some.
        signs: +1 for a counterclockwise, -1 for a clockwise tag, of the tetrahedral centres.
    """

    mol: Chem.Mol
    atoms: list[Chem.Atom]
    bonds: list[Chem.Bond]
    numbers: list[int]
    degrees: list[int]
    hydrogens: list[int]
    aromatic: list[bool]
    begins: list[int]
    ends: list[int]
    types: list[int]
    charges: dict[int, int]
    radicals: dict[int, int]
    signs: dict[int, int]


def read_table(mol: Chem.Mol) -> MolTable:
    """Read a sanitised molecule with its stereo assigned; it is not changed."""
    atoms = atoms_of(mol)
    bonds = list(map(mol.GetBondWithIdx, range(mol.GetNumBonds())))
    rare = [(i, atoms[i]) for i in matches(mol, _RARE)]
    charges = {i: atom.GetFormalCharge() for i, atom in rare}
    radicals = {i: atom.GetNumRadicalElectrons() for i, atom in rare}
    signs = {i: _SIGN.get(atom.GetChiralTag(), 0) for i, atom in rare}
    return MolTable(
        mol=mol,
        atoms=atoms,
        bonds=bonds,
        numbers=list(map(Chem.Atom.GetAtomicNum, atoms)),
        degrees=list(map(Chem.Atom.GetDegree, atoms)),
        hydrogens=list(map(Chem.Atom.GetTotalNumHs, atoms)),
        aromatic=list(map(Chem.Atom.GetIsAromatic, atoms)),
        begins=list(map(Chem.Bond.GetBeginAtomIdx, bonds)),
        ends=list(map(Chem.Bond.GetEndAtomIdx, bonds)),
        types=_bond_types(mol, bonds),
        charges={i: value for i, value in charges.items() if value},
        radicals={i: value for i, value in radicals.items() if value},
        signs={i: value for i, value in signs.items() if value},
    )


def hybridisations(table: MolTable) -> list[int]:
    """Return RDKit's number of each atom's hybridisation."""
    found = [int(Chem.HybridizationType.SP3)] * len(table.atoms)
    for i in matches(table.mol, _SP2):
        found[i] = int(Chem.HybridizationType.SP2)
    for i in matches(table.mol, _NEITHER_SP2_NOR_SP3):
        found[i] = int(table.atoms[i].GetHybridization())
    return found


def matches(mol: Chem.Mol, query: Chem.Mol) -> list[int]:
    """Return the atoms of ``mol`` that match a query of one atom."""
    n_atoms = mol.GetNumAtoms()
    return [i for (i,) in mol.GetSubstructMatches(query, uniquify=False, maxMatches=n_atoms)]


def _bond_types(mol: Chem.Mol, bonds: list[Chem.Bond]) -> list[int]:
    if mol.HasSubstructMatch(_OTHER_BONDS):
        return [int(bond.GetBondType()) for bond in bonds]
    return [_TYPE_OF_ORDER[bond.GetBondTypeAsDouble()] for bond in bonds]
