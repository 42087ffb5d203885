"""HOSE codes: texts worked out by hand, and independence of atom numbering."""

import random

import pytest

from nmrshift.chem.hose import hose_code, hose_codes, hose_codes_of_mol
from nmrshift.chem.toolkit import Chem

BY_HAND = [
    ("c1ccccc1", 0, 4, "C-3;*C*C(*C,*C/*C,*&/*&)"),
    ("Oc1ccccc1", 1, 4, "C-3;*C*CO(*C,*C,/*C,*&/*&)"),
    ("CC(C)=O", 0, 2, "C-4;C(=OC)"),
    ("CC(C)=O", 1, 1, "C-3;=OCC"),
    ("OC(=O)C(F)(F)C(F)(F)F", 5, 3, "F-1;C(CCF/=OO,FFF,)"),
    ("C1CCC12CCC2", 3, 3, "C-4;CCCC(C,C,&,&/&,&)"),
    ("ClC(Br)=C[N+](=O)[O-]", 1, 3, "C-3;=CXY(N'+',,/=OO'-')"),
    ("C#N", 0, 1, "C-2;%N"),
    ("C[Si](C)(C)I", 1, 1, "Q-4;CCCI"),
    ("CCCCCCCC", 0, 6, "C-4;C(C/C/C)C/C"),
    ("C[Hg+2]", 0, 1, "C-4;Hg'+2'"),
    ("C[Y]", 0, 1, "C-4;Yt"),
    ("C1CC1", 0, 3, "C-4;CC(&,&/)"),
    ("[H][H]", 0, 1, "H-1;H"),
    ("[F-]", 0, 2, "F'-'-0;()"),
]

AWKWARD = [
    "C1CCC12CCC2",
    "C1CC11CC1",
    "C12C3C4C1C5C2C3C45",
    "C1C2CC3CC1CC(C2)C3",
    "C12C3C4C5C1C6C7C2C8C3C9C4C1C5C6C2C7C8C9C12",
    "C1CCC(CC1)(C1CCCCCCC1)C1CCCCC1",
    "c1cc2ccc1CCc1ccc(cc1)CC2",
    "C1CC2(C1)CC1(CCC1)C2",
    "C12(C3(C1C3)C2)C",
    "P12P3P1P23",
    "C1CC1C1(CC1)C1CC1",
    "C(C1CC1)(C1CC1)(C1CCC1)C1CCC1",
    "C1C2CC12",
    "FC(F)(F)C(F)(C(F)(F)F)C(F)(F)F",
    "O=C(NCc1ccc(F)cc1)c1cc2c(cc1Cl)OCO2",
    "C[N+]1(C)CCC2(CC1)c1ccccc1C(=O)N2C.[Br-]",
    "CC1(C)C2CCC1(C)C(=O)C2",
    "Cn1cnc2c1c(=O)n(C)c(=O)n2C",
]


@pytest.mark.parametrize(("smiles", "atom", "spheres", "code"), BY_HAND)
def test_codes_worked_out_by_hand(smiles: str, atom: int, spheres: int, code: str) -> None:
    assert hose_code(Chem.MolFromSmiles(smiles), atom, spheres) == code


@pytest.mark.parametrize("smiles", AWKWARD)
def test_codes_do_not_depend_on_numbering(smiles: str) -> None:
    mol = Chem.MolFromSmiles(smiles)
    codes = hose_codes_of_mol(mol)
    shuffle = random.Random(smiles)
    for _ in range(5):
        order = list(range(mol.GetNumAtoms()))
        shuffle.shuffle(order)
        again = hose_codes_of_mol(Chem.RenumberAtoms(mol, order))
        assert [codes[atom] for atom in order] == list(again)


@pytest.mark.parametrize("smiles", AWKWARD)
def test_fewer_spheres_are_the_beginning(smiles: str) -> None:
    mol = Chem.MolFromSmiles(smiles)
    codes = hose_codes_of_mol(mol, 6)
    for spheres in range(1, 6):
        assert [code[:spheres] for code in codes] == list(hose_codes_of_mol(mol, spheres))


@pytest.mark.parametrize("smiles", AWKWARD)
def test_equal_surroundings_have_equal_codes(smiles: str) -> None:
    """RDKit's rooted fragment text is the oracle: it tells surroundings apart, codes may not."""
    seen: dict[tuple[int, str], str] = {}
    for radius in (1, 2, 3):
        for text in (smiles, f"{smiles}.CCC1CCC1", smiles.replace("F", "Cl", 1)):
            mol = Chem.MolFromSmiles(text)
            for atom, code in enumerate(hose_codes_of_mol(mol, radius)):
                surroundings = radius, rooted_text(mol, atom, radius)
                assert seen.setdefault(surroundings, code[-1]) == code[-1]


def rooted_text(mol: Chem.Mol, atom: int, radius: int) -> str:
    """Write the bonds within the radius as SMILES, hydrogens ignored but for the centre's."""
    bonds: list[int] = []
    for size in range(1, radius + 1):
        bonds = list(Chem.FindAtomEnvironmentOfRadiusN(mol, size, atom)) or bonds
    if not bonds:
        return f"alone {mol.GetAtomWithIdx(atom).GetSymbol()}"
    ends = {end for bond in bonds for end in ends_of(mol.GetBondWithIdx(bond))} | {atom}
    centre = mol.GetAtomWithIdx(atom)
    symbols = [f"[{a.GetSymbol()}{a.GetFormalCharge():+d}]" for a in mol.GetAtoms()]
    marks = [str(bond.GetBondType()) for bond in mol.GetBonds()]
    marks = [{"SINGLE": "-", "DOUBLE": "=", "TRIPLE": "#", "AROMATIC": ":"}[m] for m in marks]
    text = Chem.MolFragmentToSmiles(
        mol,
        atomsToUse=sorted(ends),
        bondsToUse=bonds,
        atomSymbols=symbols,
        bondSymbols=marks,
        rootedAtAtom=atom,
        isomericSmiles=False,
    )
    return f"{centre.GetTotalDegree()} {text}"


def ends_of(bond: Chem.Bond) -> tuple[int, int]:
    return bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()


def test_different_surroundings_differ() -> None:
    ring_six = hose_codes(Chem.MolFromSmiles("C1CCCCC1"), 0)
    ring_eight = hose_codes(Chem.MolFromSmiles("C1CCCCCCC1"), 0)
    assert ring_six[:2] == ring_eight[:2]
    assert ring_six[2] != ring_eight[2]


def test_hydrogens_are_implicit_and_take_the_code_of_their_carrier() -> None:
    plain = Chem.MolFromSmiles("CC(F)Br")
    written = Chem.AddHs(plain)
    codes = hose_codes_of_mol(written)
    assert codes[:4] == hose_codes_of_mol(plain)
    for atom in written.GetAtoms():
        if atom.GetAtomicNum() == 1:
            assert codes[atom.GetIdx()] == codes[atom.GetNeighbors()[0].GetIdx()]


def test_a_bridging_hydrogen_is_an_atom() -> None:
    mol = Chem.MolFromSmiles("B1[H]B[H]1", sanitize=False)
    mol.UpdatePropertyCache(strict=False)
    Chem.FastFindRings(mol)
    assert hose_code(mol, 0, 2) == "B-3;HH(B,&)"


def test_isotopes_and_stereo_are_not_seen() -> None:
    one, other = (Chem.MolFromSmiles(text) for text in ("[2H][C@](F)(Cl)C", "C[C@@H](Cl)F"))
    assert sorted(hose_codes_of_mol(one)[1:]) == sorted(hose_codes_of_mol(other))


def test_the_molecule_is_not_changed() -> None:
    mol = Chem.MolFromSmiles("C[C@H](N)C(=O)O")
    before = mol.ToBinary()
    hose_codes_of_mol(mol)
    assert mol.ToBinary() == before


def test_chosen_atoms_come_in_the_order_asked_for() -> None:
    mol = Chem.MolFromSmiles("CCO")
    codes = hose_codes_of_mol(mol, 2)
    assert hose_codes_of_mol(mol, 2, atoms=(2, 0, 2)) == (codes[2], codes[0], codes[2])


def test_impossible_requests_are_refused() -> None:
    mol = Chem.MolFromSmiles("CCO")
    with pytest.raises(ValueError, match="at least one sphere"):
        hose_code(mol, 0, 0)
    with pytest.raises(IndexError, match="no atom 3"):
        hose_code(mol, 3)
    with pytest.raises(IndexError, match="no atom -1"):
        hose_code(mol, -1)
