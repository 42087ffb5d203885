"""Signal classes against answers known by hand."""

import pytest

from nmrshift.chem import automorphism, symmetry
from nmrshift.chem.parse import parse
from nmrshift.chem.symmetry import signal_classes
from nmrshift.chem.toolkit import Chem

KNOWN = {
    # One signal: homotopic, enantiotopic, or made equal by fast rotation and ring flip.
    "c1ccccc1": "0 0 0 0 0 0",
    "CC(C)O": "0 1 0 2",
    "CC(C)CC(C)C": "0 1 0 2 1 0 0",
    "CC(C)(C)[C@H](F)C": "0 1 0 0 2 3 4",
    "FC(F)(F)[C@H](O)C": "0 1 0 0 2 3 4",
    "FC1(F)CCCCC1": "0 1 0 2 3 4 3 2",
    "FC1(F)CCC(C)(C)CC1": "0 1 0 2 3 4 5 5 3 2",
    "CC(F)(F)CC(F)(F)C": "0 1 2 2 3 1 2 2 0",
    "FC(F)=C": "0 1 0 2",
    "C[C@H](O)c1ccccc1": "0 1 2 3 4 5 6 5 4",
    "CC1CC(C)CC(C)C1": "0 1 2 1 0 2 1 0 2",
    "C1CC2CCC1CC2": "0 0 1 0 0 1 0 0",
    "CN1C2CCC1CC(O)C2": "0 1 2 3 3 2 4 5 6 4",
    "CN(C)C=O": "0 1 0 2 3",
    "O[C@@H](C(=O)O)[C@@H](O)C(=O)O": "0 1 2 3 4 1 0 2 3 4",
    "O[C@@H](C(=O)O)[C@H](O)C(=O)O": "0 1 2 3 4 1 0 2 3 4",
    "C[C@H](F)C(F)(F)C(F)(F)[C@H](C)F": "0 1 2 3 4 5 3 4 5 1 0 2",
    "C[C@H](O)C(O)[C@@H](C)O": "0 1 2 3 4 1 0 2",
    "CC(C)=C1CCC(C)CC1": "0 1 0 2 3 4 5 6 4 3",
    "CC(C)=C(C)C": "0 1 0 1 0 0",
    "CC(C)S(=O)(=O)O": "0 1 0 2 3 3 4",
    # Two signals: diastereotopic.
    "CC(C)[C@H](N)C(=O)O": "0 1 2 3 4 5 6 7",
    "CC(C)C(N)C(=O)O": "0 1 2 3 4 5 6 7",
    "CC(C)C(C#N)C(C)C": "0 1 2 3 4 5 1 0 2",
    "CC(F)(F)[C@H](C)O": "0 1 2 3 4 5 6",
    "FC1(F)CCC(C)CC1": "0 1 2 3 4 5 6 4 3",
    "CC1(C)CC(O)C1": "0 1 2 3 4 5 3",
    "CC(C)=CCO": "0 1 2 3 4 5",
    "FC(F)=CC": "0 1 2 3 4",
    "CC(C)=NO": "0 1 2 3 4",
    "C[C@H](O)C(O)[C@H](C)O": "0 1 2 3 4 5 6 7",
    "C[C@H](F)C(c1ccccc1)c1ccccc1": "0 1 2 3 4 5 6 7 6 5 8 9 10 11 10 9",
    "CC(C)P(c1ccccc1)C(C)C": "0 1 2 3 4 5 6 7 6 5 1 0 2",
    "CC(C)N(C(C)C)C(=O)[C@H](C)F": "0 1 2 3 1 0 2 4 5 6 7 8",
    "CC(C)S(=O)C": "0 1 2 3 4 5",
    "CCOP(=O)(OCC)[C@H](C)N": "0 1 2 3 4 5 6 7 8 9 10",
    "C[N+](C)(CC)[C@H](C)F": "0 1 2 3 4 5 6 7",
    "CC1(C)[C@H]2CC[C@@]1(C)C(=O)C2": "0 1 2 3 4 5 6 7 8 9 10",
    "Cl[Pt](N)(N)Cl": "0 1 2 2 0",
    "ClC1C2C=CC1C=C2": "0 1 2 3 3 2 4 4",
}


@pytest.mark.parametrize(("smiles", "expected"), KNOWN.items(), ids=KNOWN)
def test_known_answers(smiles, expected):
    classes = signal_classes(parse(smiles).mol)
    assert " ".join(map(str, classes)) == expected


def test_written_hydrogens_follow_their_atom():
    classes = signal_classes(parse("[H]C([H])([H])C([H])(F)C").mol)
    assert classes == (0, 1, 0, 0, 2, 3, 4, 1)
    assert signal_classes(parse("[H]CC").mol) == (0, 1, 1)


def test_hydrogens_written_or_not_give_the_same_classes():
    for smiles in KNOWN:
        mol = parse(smiles).mol
        full = Chem.AddHs(mol)
        assert signal_classes(full)[: mol.GetNumAtoms()] == signal_classes(mol), smiles


def test_isotopes_tell_atoms_apart():
    assert len(set(signal_classes(parse("[13CH3]C").mol))) == 2
    assert len(set(signal_classes(parse("[2H]C([2H])C").mol))) == 3


def test_equal_fragments_share_classes():
    assert signal_classes(parse("CCO.CCO").mol) == (0, 1, 2, 0, 1, 2)
    assert signal_classes(parse("C[C@H](F)O.C[C@@H](F)O").mol) == (0, 1, 2, 3, 0, 1, 2, 3)


def test_double_bond_sides_specified_twice():
    both_e = "C/C=C/C(F)(F)/C=C/C"
    e_and_z = "C/C=C/C(F)(F)/C=C\\C"
    assert len(set(signal_classes(parse(both_e).mol))) == 5
    assert len(set(signal_classes(parse(e_and_z).mol))) > 5


def test_three_centres_of_which_one_differs():
    mol = parse("C[C@H](F)c1cc([C@H](C)F)cc([C@@H](C)F)c1").mol
    classes = signal_classes(mol)
    methyls = [classes[i] for i in (0, 7, 12)]
    assert len(set(methyls)) == 2


def test_molecule_is_not_changed():
    mol = Chem.AddHs(parse("CC(C)[C@H](N)C(=O)O").mol)
    before = mol.ToBinary()
    signal_classes(mol)
    assert mol.ToBinary() == before


def test_unequal_molecule_costs_no_search(monkeypatch):
    monkeypatch.setattr(symmetry, "Search", None)
    assert signal_classes(parse("CCO").mol) == (0, 1, 2)
    assert signal_classes(parse("Cc1ccccc1").mol) == (0, 1, 2, 3, 4, 3, 2)


def test_exhausted_search_falls_back_to_constitution(monkeypatch):
    monkeypatch.setattr(automorphism, "MAX_STEPS", 0)
    assert signal_classes(parse("CC(C)[C@H](N)C(=O)O").mol) == (0, 1, 0, 2, 3, 4, 5, 6)


def test_molecules_without_heavy_atoms():
    assert signal_classes(Chem.MolFromSmiles("[H][H]")) == (0, 0)
    assert signal_classes(Chem.Mol()) == ()


def test_what_turns_freely_or_is_flat_is_no_centre():
    assert signal_classes(parse("CC(C)=C=CC").mol) == (0, 1, 0, 2, 3, 4)
    assert signal_classes(parse("CC(C)=N").mol) == (0, 1, 0, 2)
    assert signal_classes(parse("CN(C)C(=N[C@H](C)F)N(C)C").mol)[:3] == (0, 1, 0)
    assert signal_classes(parse("CC[NH+](CC)[C@H](C)F").mol)[:6] == (0, 1, 2, 1, 0, 3)
