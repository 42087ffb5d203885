"""The shipped model: real shifts, and no change without a word in the changelog."""

import json
from pathlib import Path

import pytest

from nmrshift import Prediction, Predictor
from nmrshift.chem.parse import parse
from nmrshift.data.connectivity import connectivity
from nmrshift.testing import (
    assert_atom_order_kept,
    assert_batch_independent,
    assert_equivalent_atoms_equal,
    assert_mirror_image_equal,
)

GOLDEN = Path(__file__).with_name("shifts.json")

# Everyday molecules, none of them in a test set; the windows are wide enough for any good model.
MOLECULES = (
    "CCO",
    "CC(=O)OCC",
    "c1ccccc1C(=O)N",
    "CN1CCC[C@H]1c1cccnc1",
    "FC(F)(F)c1ccc(OC)cc1",
    "CC(=O)Oc1ccccc1C(=O)O",
    "Cn1c(=O)c2c(ncn2C)n(C)c1=O",
    "CC(C)(C)[C@H]1CC[C@@H](O)CC1",
    "F/C=C/Cl",
    "OC(=O)C(F)(F)C(F)(F)C(F)(F)F",
    "CC(=O)[O-].[Na+]",
    "CCOP(=O)(OCC)Cc1ccccc1",
    "OB(O)c1ccc(F)cc1",
    "OC[C@H]1O[C@@H](O)[C@H](O)[C@@H](O)[C@@H]1O",
)


@pytest.fixture(scope="module")
def predictor() -> Predictor:
    return Predictor.load()


def test_the_readme_molecule(predictor: Predictor) -> None:
    answer = predictor.predict("FC(F)(F)c1ccc(OC)cc1", solvent="CDCl3")
    fluorines = answer.of("19F")
    assert [atom.atom_index for atom in fluorines] == [0, 2, 3]
    assert len({atom.signal for atom in fluorines}) == 1
    assert all(abs(atom.shift_ppm + 61.5) < 3 for atom in fluorines)
    carbons = {atom.atom_index: atom.shift_ppm for atom in answer.of("13C")}
    assert len({atom.signal for atom in answer.of("13C")}) == 6
    # CF3, ipso, ortho, meta, C-O, OCH3; windows of textbook values
    for index, low, high in (
        (1, 119, 130),
        (4, 118, 128),
        (5, 123, 131),
        (6, 110, 118),
        (7, 158, 166),
        (9, 53, 58),
    ):
        assert low < carbons[index] < high, (index, carbons[index])


@pytest.mark.parametrize(
    ("smiles", "nucleus", "atom", "expected_ppm", "within_ppm"),
    [
        ("C[Si](C)(C)C", "13C", 0, 0.0, 5.0),
        ("c1ccccc1", "13C", 0, 128.4, 2.0),
        ("CC(C)=O", "13C", 1, 206.0, 5.0),
        ("FC(Cl)(Cl)Cl", "19F", 0, 0.0, 25.0),
        ("Fc1ccccc1", "19F", 0, -113.1, 4.0),
        ("OC(=O)C(F)(F)F", "19F", 4, -76.5, 4.0),
        ("c1ccccc1", "1H", 0, 7.3, 0.3),
        ("CC#N", "13C", 0, 1.9, 5.0),
        ("OP(O)(O)=O", "31P", 1, 0.0, 15.0),
    ],
)
def test_textbook_values(
    predictor: Predictor,
    smiles: str,
    nucleus: str,
    atom: int,
    expected_ppm: float,
    within_ppm: float,
) -> None:
    answer = predictor.predict(smiles, solvent="CDCl3", nuclei=(nucleus,))
    found = {a.atom_index: a.shift_ppm for a in answer.atoms}
    assert abs(found[atom] - expected_ppm) < within_ppm


def test_invariances(predictor: Predictor) -> None:
    for smiles in MOLECULES:
        assert_atom_order_kept(predictor, smiles, tolerance_ppm=3e-4)
        assert_equivalent_atoms_equal(predictor, smiles, tolerance_ppm=3e-4)
        assert_mirror_image_equal(predictor, smiles, tolerance_ppm=3e-4)


def test_alone_as_in_a_batch_of_64(predictor: Predictor) -> None:
    assert_batch_independent(predictor, (MOLECULES * 5)[:64])


def test_shifts_are_those_of_the_release(predictor: Predictor) -> None:
    golden = json.loads(GOLDEN.read_text("utf-8"))
    if predictor.identity != golden["model"]:
        pytest.fail(f"{GOLDEN.name} belongs to {golden['model']}: refresh it, say so in CHANGELOG")
    for smiles, expected in golden["shifts_ppm"].items():
        answer = predictor.predict(smiles, solvent="CDCl3", nuclei=predictor.nuclei)
        found = {f"{atom.nucleus}/{atom.atom_index}": atom.shift_ppm for atom in answer.atoms}
        assert found.keys() == expected.keys()
        for atom, shift_ppm in expected.items():
            assert abs(found[atom] - shift_ppm) < 0.01, (smiles, atom)


def test_solvent_and_interval_matter(predictor: Predictor) -> None:
    water = predictor.predict("CC(C)=O", solvent="D2O").atoms[1].shift_ppm
    chloroform = predictor.predict("CC(C)=O", solvent="CDCl3").atoms[1].shift_ppm
    assert water - chloroform > 1.0  # 215.9 against 207.1 ppm, doi 10.1021/om100106e


@pytest.mark.shared
def test_golden_molecules_are_no_test_molecules(shared_dir: Path, predictor: Predictor) -> None:
    banned = set(json.loads((shared_dir / "data/test_connectivities.json").read_text("utf-8")))
    for smiles in MOLECULES:
        assert connectivity(parse(smiles).mol) not in banned, smiles
        assert isinstance(predictor.predict(smiles, nuclei=predictor.nuclei), Prediction)
