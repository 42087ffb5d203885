"""From a file's atom order to a SMILES: every atom keeps its shift, whatever the order was."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nmrshift.chem.parse import parse
from nmrshift.chem.toolkit import Chem
from nmrshift.data import structures
from nmrshift.data.structures import read_structure
from nmrshift.errors import RecordError

SMILES = (
    "FC(F)(F)c1ccc(cn1)[C@@H](N)C(=O)[O-].[Na+]",
    "C/C(F)=C/c1c[nH]c2c1cc(F)cc2",
    "O=S(=O)(F)c1ccc2ccc3cccc4ccc1c2c34",
    "[2H]C(F)(Cl)[N+](=O)[O-]",
    "[H]OC([H])([H])C([H])([H])F",
    "F[B-](F)(F)F.C[n+]1ccn(CC)c1",
)


@given(st.sampled_from(SMILES), st.randoms(use_true_random=False))
def test_every_atom_is_found_again(smiles: str, chance: object) -> None:
    mol = parse(smiles, kind="smiles").mol
    order = list(range(mol.GetNumAtoms()))
    chance.shuffle(order)
    shuffled = Chem.RenumberAtoms(mol, order)
    found = read_structure(Chem.MolToMolBlock(shuffled), "molblock")
    copy = parse(found.smiles, kind="smiles").mol
    assert Chem.MolToSmiles(Chem.RemoveHs(mol)) == Chem.MolToSmiles(copy)
    for index, atom in enumerate(shuffled.GetAtoms()):
        place = copy.GetAtomWithIdx(found.position[index])
        assert found.elements[index] == atom.GetSymbol()
        carrier = atom
        if atom.GetSymbol() == "H" and place.GetSymbol() != "H":
            (carrier,) = atom.GetNeighbors()
        assert place.GetSymbol() == carrier.GetSymbol()
        hydrogens = carrier.GetTotalNumHs(includeNeighbors=True)
        assert place.GetTotalNumHs(includeNeighbors=True) == hydrogens
    for bond in shuffled.GetBonds():
        ends = found.position[bond.GetBeginAtomIdx()], found.position[bond.GetEndAtomIdx()]
        assert ends[0] == ends[1] or copy.GetBondBetweenAtoms(*ends) is not None


def test_smiles_without_written_hydrogens_stays_as_it_is() -> None:
    found = read_structure(" OCC(F)F ", "smiles")
    assert (found.smiles, found.position) == ("OCC(F)F", (0, 1, 2, 3, 4))
    assert found.n_hydrogens == (1, 2, 1, 0, 0)


@pytest.mark.parametrize("n_refused", [0, 1, 2, 3])
def test_a_smiles_that_does_not_read_back_gives_way_to_another(
    monkeypatch: pytest.MonkeyPatch, n_refused: int
) -> None:
    genuine = structures._read_back
    tried: list[str] = []

    def refuse(smiles: str, mol: Chem.Mol, order: list[int]) -> Chem.Mol | None:
        tried.append(smiles)
        return None if len(tried) <= n_refused else genuine(smiles, mol, order)

    monkeypatch.setattr(structures, "_read_back", refuse)
    block = Chem.MolToMolBlock(parse("Fc1ccccc1C").mol)
    if n_refused == 3:
        with pytest.raises(RecordError):
            read_structure(block, "molblock")
        assert "=" in tried[-1]
        return
    found = read_structure(block, "molblock")
    assert found.smiles == tried[-1]
    assert [found.elements[i] for i in range(8)].count("F") == 1
    fluorine = parse(found.smiles, kind="smiles").mol.GetAtomWithIdx(found.position[0])
    assert fluorine.GetSymbol() == "F"


@pytest.mark.parametrize("other", ["CCF", "CC(F)C", "C(", "FCC", "C[CH]F", "C1CF1", "CC.F"])
def test_another_molecule_is_not_taken_for_the_same(other: str) -> None:
    mol = parse("CCCF").mol if other == "CC(F)C" else parse("CCF").mol
    order = list(range(mol.GetNumAtoms()))
    same = structures._read_back(other, mol, order)
    assert (same is None) == (other != "CCF")


def test_rings_wired_differently_are_told_apart() -> None:
    mol = parse("C1CCCCC1").mol
    assert structures._read_back("C1CC1.C1CC1", mol, list(range(6))) is None
    assert structures._read_back("C1CCCCC1", mol, list(range(6))) is not None
