"""Groups of molecules with one framework, and a split that keeps them together."""

import json
from pathlib import Path

import numpy as np
import pytest
from toy import write_laboratory

from nmrshift.chem.toolkit import Chem
from nmrshift.data.scaffold import scaffold
from nmrshift.train.config import TrainConfig, load_config
from nmrshift.train.data import TrainingData, prepare


def name(smiles: str) -> str:
    return scaffold(Chem.MolFromSmiles(smiles))


@pytest.mark.parametrize(
    "group",
    [
        ("c1ccccc1CCc1ccccc1", "Clc1ccccc1CC(C)c1ccc(O)cc1"),
        ("C1CCCCC1C", "OC1CCC(F)CC1", "CCCC1CCCCC1"),
        ("CCO", "CC(C)CCO", "OCC(C)(C)C"),
        ("CCOC(C)=O", "COC(=O)CCC"),
        ("OC(=O)CC(O)=O", "OC(=O)CCCC(C)C(O)=O"),
        ("FC(F)(F)C(F)(F)C(=O)O", "O=C(O)C(F)(F)C(F)(F)C(F)(F)F", "FC(F)C(F)(F)C(=O)[O-].[Na+]"),
        ("N[C@@H](C)C(=O)O", "N[C@H](C)C(=O)O", "OC(=O)C(CC)[15NH2]"),
        ("CCCl", "CC(C)CCCl"),
    ],
)
def test_one_framework(group: tuple[str, ...]) -> None:
    assert len({name(smiles) for smiles in group}) == 1


def test_different_frameworks() -> None:
    rings = ["c1ccccc1", "C1CCCCC1", "c1ccncc1", "c1ccccc1Cc1ccccc1", "c1ccccc1CCc1ccccc1"]
    chains = ["CC", "CCO", "CC=O", "CC(=O)C", "CC(=O)O", "COC(C)=O", "OC(=O)CC(=O)O", "C=C", "C#C"]
    others = ["CN", "CCF", "CCCl", "CC(F)(F)Cl", "ClC=C", "C[Si](C)(C)C"]
    apart = [*rings, *chains, *others]
    assert len({name(smiles) for smiles in apart}) == len(apart)


def test_the_order_of_atoms_does_not_matter() -> None:
    rng = np.random.default_rng(3)
    for smiles in ("CC(C)C(F)(F)C(=O)NCCOC(Cl)C", "O=C1CCC(CCc2ccncc2)C1", "FC(F)=C(Cl)CC(C)N"):
        mol = Chem.MolFromSmiles(smiles)
        for _ in range(10):
            order = rng.permutation(mol.GetNumAtoms()).tolist()
            assert scaffold(Chem.RenumberAtoms(mol, order)) == scaffold(mol)


@pytest.fixture
def config(tmp_path: Path) -> TrainConfig:
    found = load_config(write_laboratory(tmp_path))
    return found.model_copy(update={"validation_split": "scaffold"})


def parts(data: TrainingData) -> tuple[set[str], set[str]]:
    names = data.dataset.scaffold
    return set(names[data.shown].tolist()), set(names[data.held_out].tolist())


def test_scaffolds_are_held_out_whole(config: TrainConfig) -> None:
    data = prepare(config, lambda _: None)
    shown, held_out = parts(data)
    assert shown
    assert held_out
    assert not shown & held_out
    again = prepare(config, lambda _: None)
    assert np.array_equal(data.held_out, again.held_out)
    plain = prepare(config.model_copy(update={"validation_split": "connectivity"}), lambda _: None)
    plain_shown, plain_held_out = parts(plain)
    assert plain_shown & plain_held_out
    assert not np.array_equal(plain.held_out, data.held_out)


def test_a_giant_scaffold_is_never_held_out(config: TrainConfig) -> None:
    """Whatever share is asked for: benzene is more than that share of the molecules."""
    for fraction in (0.02, 0.1, 0.2, 0.3, 0.4):
        data = prepare(config.model_copy(update={"validation_fraction": fraction}), lambda _: None)
        counts = np.unique(data.dataset.scaffold, return_counts=True)[1]
        if counts.max() > max(1.0, fraction * data.dataset.n_mols):
            assert len(data.held_out) < fraction * data.dataset.n_mols + counts.max()
            assert name("c1ccccc1") not in parts(data)[1]


def test_salts_stay_with_their_base(config: TrainConfig) -> None:
    path = config.data[0].path
    row = json.loads(path.read_text().splitlines()[0])
    rows = []
    for number, smiles in enumerate(("CC(C)CC(=O)O", "CC(C)CC(=O)[O-].[K+]")):
        spectrum = {"nucleus": "13C", "shifts": [[0, 22.0]], "smiles": smiles}
        rows.append(json.dumps(row | spectrum | {"id": f"toy:salt{number}"}))
    path.write_text(path.read_text() + "\n".join(rows) + "\n")
    for fraction in (0.1, 0.2, 0.3, 0.4):
        data = prepare(config.model_copy(update={"validation_fraction": fraction}), lambda _: None)
        pair = np.flatnonzero(data.dataset.parent == data.dataset.parent[-1])
        assert len(pair) == 2
        assert np.isin(pair, data.held_out).sum() in (0, 2)
