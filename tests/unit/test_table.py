"""The table of a molecule against RDKit asked atom by atom and bond by bond."""

import pytest

from nmrshift.chem.parse import parse
from nmrshift.chem.table import hybridisations, read_table
from nmrshift.chem.toolkit import Chem

MOLECULES = [
    "C",
    "[Na+].CC(=O)[O-]",
    "C[C@H]1CC[C@@H](O)CC1",
    "OC[C@H]1O[C@@H](O)[C@H](O)[C@@H](O)[C@@H]1O",
    "F[P-](F)(F)(F)(F)F",
    "FS(F)(F)(F)(F)C#N",
    "[CH3]",
    "[CH2][CH2]",
    "C[N+](C)(C)CC([O-])=O",
    "B->O",
    "[H]C([H])([2H])c1ccc[nH]1",
    "F/C=C/Cl",
    "[O-][Cl+3]([O-])([O-])[O-]",
    "N[Pt@SP1](N)(Cl)Cl",
    "[Xe](F)F",
    "C$C",
]
SIGNS = {
    Chem.ChiralType.CHI_TETRAHEDRAL_CCW: 1,
    Chem.ChiralType.CHI_TETRAHEDRAL_CW: -1,
}


@pytest.mark.parametrize("smiles", MOLECULES)
def test_every_value_as_rdkit_has_it(smiles: str) -> None:
    mol = parse(smiles).mol
    table = read_table(mol)
    atoms, bonds = list(mol.GetAtoms()), list(mol.GetBonds())
    assert table.numbers == [atom.GetAtomicNum() for atom in atoms]
    assert table.degrees == [atom.GetDegree() for atom in atoms]
    assert table.hydrogens == [atom.GetTotalNumHs() for atom in atoms]
    assert table.aromatic == [atom.GetIsAromatic() for atom in atoms]
    assert hybridisations(table) == [int(atom.GetHybridization()) for atom in atoms]
    assert [table.charges.get(i, 0) for i in range(len(atoms))] == [
        atom.GetFormalCharge() for atom in atoms
    ]
    assert [table.radicals.get(i, 0) for i in range(len(atoms))] == [
        atom.GetNumRadicalElectrons() for atom in atoms
    ]
    assert [table.signs.get(i, 0) for i in range(len(atoms))] == [
        SIGNS.get(atom.GetChiralTag(), 0) for atom in atoms
    ]
    ends = [(bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()) for bond in bonds]
    assert list(zip(table.begins, table.ends, strict=True)) == ends
    assert table.types == [int(bond.GetBondType()) for bond in bonds]


def test_rare_values_are_among_the_molecules() -> None:
    tables = [read_table(parse(smiles).mol) for smiles in MOLECULES]
    assert any(table.charges for table in tables)
    assert any(table.radicals for table in tables)
    assert {sign for table in tables for sign in table.signs.values()} == {1, -1}
    types = {kind for table in tables for kind in table.types}
    assert {int(Chem.BondType.DATIVE), int(Chem.BondType.QUADRUPLE)} < types


@pytest.mark.parametrize("smiles", ["CC(C)C(N)C=CC1CCC(O)CC1", "c1ccccc1-c1ccncc1", "CC(F)=NO"])
def test_without_stereo_marks_there_is_nothing_to_assign(smiles: str) -> None:
    mol = parse(smiles).mol
    assigned = Chem.Mol(mol)
    Chem.AssignStereochemistry(assigned, cleanIt=True, force=True)
    assert assigned.ToBinary(0) == mol.ToBinary(0)
    assert Chem.MolToCXSmiles(assigned) == Chem.MolToCXSmiles(mol)
