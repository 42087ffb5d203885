"""Output atom i is input atom i, however the input is ordered or written."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nmrshift.chem.parse import parse
from nmrshift.chem.symmetry import signal_classes
from nmrshift.chem.toolkit import Chem

MOLECULES = [
    "CC(C)[C@H](N)C(=O)O",
    "C[C@H](F)C(c1ccccc1)c1ccccc1",
    "FC1(F)CCC(C)CC1",
    "CC(C)=CC/C=C/C(F)(F)[C@@H](C)O",
    "CC(=O)[O-].[Na+]",
    "Cn1c(=O)c2c(ncn2C)n(C)c1=O",
    "C[C@H](O)C(O)[C@H](C)O",
    "C[C@H]1CC[C@@H](O)C1",
    "[13CH3]OP(=O)(OC)[C@@H](C)N",
    "O=[N+]([O-])c1ccc(C(F)(F)F)cc1",
]


def marked(smiles):
    """A molecule whose atom i carries map number i + 1: its identity under any order."""
    mol = Chem.MolFromSmiles(smiles)
    for atom in mol.GetAtoms():
        atom.SetAtomMapNum(atom.GetIdx() + 1)
    return mol


def environment(mol, index):
    atom = mol.GetAtomWithIdx(index)
    around = sorted((n.GetSymbol(), n.GetIsAromatic(), n.GetDegree()) for n in atom.GetNeighbors())
    return (
        atom.GetSymbol(),
        atom.GetIsotope(),
        atom.GetFormalCharge(),
        atom.GetTotalNumHs(),
        around,
    )


def written(mol, form, seed):
    if form == "smiles":
        return Chem.MolToRandomSmilesVect(mol, 1, randomSeed=seed)[0]
    if form == "molblock":
        return Chem.MolToMolBlock(mol)
    return Chem.MolToV3KMolBlock(mol) if form == "v3000" else mol


@given(
    smiles=st.sampled_from(MOLECULES),
    form=st.sampled_from(["smiles", "molblock", "v3000", "mol"]),
    seed=st.integers(1, 10_000),
    data=st.data(),
)
@settings(max_examples=120, deadline=None, derandomize=True)
def test_shuffled_atoms_keep_their_identity(smiles, form, seed, data):
    original = parse(smiles)
    count = original.mol.GetNumAtoms()
    order = data.draw(st.permutations(range(count)))
    shuffled = parse(written(Chem.RenumberAtoms(marked(smiles), order), form, seed))
    identity = [number - 1 for number in shuffled.atom_maps]
    assert sorted(identity) == list(range(count))
    if form != "smiles":
        assert identity == order
    classes, moved = signal_classes(original.mol), signal_classes(shuffled.mol)
    for new, old in enumerate(identity):
        assert environment(shuffled.mol, new) == environment(original.mol, old)
    pairs = {(moved[new], classes[old]) for new, old in enumerate(identity)}
    assert len(pairs) == len(set(classes)) == len(set(moved))
    assert Chem.MolToSmiles(shuffled.mol) == Chem.MolToSmiles(original.mol)


@pytest.mark.parametrize("smiles", MOLECULES)
def test_smiles_order_is_the_order_of_its_letters(smiles):
    mol = Chem.MolFromSmiles(smiles)
    text = Chem.MolToSmiles(mol)
    order = list(
        mol.GetPropsAsDict(includePrivate=True, includeComputed=True)["_smilesAtomOutputOrder"]
    )
    parsed = parse(text)
    for new, old in enumerate(order):
        assert environment(parsed.mol, new) == environment(mol, old)
