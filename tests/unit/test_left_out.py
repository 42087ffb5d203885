"""Classes left out of training, signals of the edge, and how well they tell it from the rest."""

import gzip
import json
from pathlib import Path

import numpy as np
import pytest
from toy import SMILES, records

from nmrshift.benchmark.spectra import Library
from nmrshift.benchmark.uncertainty.classes import has_class, mark
from nmrshift.benchmark.uncertainty.distance import Nearest, Normal
from nmrshift.benchmark.uncertainty.left_out import Edge, auroc, left_out_files, p_values
from nmrshift.benchmark.uncertainty.setting import TRAINING, Setting
from nmrshift.data.records import ShiftRecord, read_records
from nmrshift.train.config import NetworkShape, Optimisation

RNG = np.random.default_rng(8)


def spectrum(smiles: str, *lines: tuple[int, float], nucleus: str = "13C") -> ShiftRecord:
    return ShiftRecord("toy:1", smiles, nucleus, shifts=lines)


def test_lines_are_divided_by_class() -> None:
    found = mark(spectrum("CC(C#N)OO", (0, 20.0), (1, 70.0), (2, 118.0)))
    assert {record.id: record.shifts for record in found.inside} == {
        "nitrile:toy:1": ((2, 118.0),),
        "peroxide:toy:1": ((1, 70.0),),
    }
    assert found.beside is not None
    assert found.beside.shifts == ((0, 20.0),)
    assert mark(spectrum("C#N", (0, 110.0))).beside is None


def test_classes_of_other_nuclei_leave_out_a_molecule_and_judge_none_of_its_atoms() -> None:
    carbon = spectrum("CCC(F)=C", (0, 10.0), (2, 160.0), (4, 90.0))
    assert has_class(carbon)
    found = mark(carbon)
    assert found.inside == ()
    assert found.beside is not None
    assert found.beside.shifts == ((0, 10.0),)
    fluorine = mark(spectrum("CCC(F)=C", (3, -95.0), nucleus="19F"))
    assert [record.id for record in fluorine.inside] == ["fluoroalkene:toy:1"]
    assert not has_class(spectrum("CCO", (0, 18.0)))
    assert not has_class(spectrum("C1CC", (0, 18.0)))


def test_auroc_is_the_share_of_pairs_in_order() -> None:
    inside, rest = RNG.integers(0, 5, 40) + 1.0, RNG.integers(0, 5, 60).astype(float)
    pairs = np.sign(inside[:, None] - rest[None, :])
    assert auroc(inside, rest) == pytest.approx((pairs.mean() + 1) / 2)


def test_p_values_say_how_rare_a_signal_is() -> None:
    rarity = p_values(np.arange(99.0))
    assert rarity(np.array([-1.0, 89.5, 98.0, 200.0])) == pytest.approx([1.0, 0.1, 0.02, 0.01])


def test_distances_are_those_of_their_definitions() -> None:
    known = RNG.normal(size=(4000, 3)) @ np.diag([1.0, 5.0, 0.2]) + 7.0
    asked = RNG.normal(size=(20, 3)) * 4
    offset = asked - known.mean(axis=0)
    inverse = np.linalg.inv(np.cov(known, rowvar=False))
    expected = np.sqrt(np.einsum("ni,ij,nj->n", offset, inverse, offset))
    assert Normal.fit(known)(asked) == pytest.approx(expected, rel=0.15)
    few = known[:30]
    cosine = [
        max(float(row @ one / np.linalg.norm(row) / np.linalg.norm(one)) for one in few)
        for row in asked
    ]
    assert Nearest.fit(few, 30)(asked) == pytest.approx(1 - np.array(cosine))
    assert Nearest.fit(few, 30)(few) == pytest.approx(np.zeros(30), abs=1e-12)


@pytest.fixture
def setting(tmp_path: Path) -> Setting:
    rows = list(records(SMILES))
    for name in {name for name, _ in TRAINING}:
        path = tmp_path / "data" / f"{name}.jsonl.gz"
        path.parent.mkdir(parents=True, exist_ok=True)
        with gzip.open(path, "wt", encoding="utf-8") as file:
            file.writelines(json.dumps(row) + "\n" for row in rows)
    (tmp_path / "data" / "test_connectivities.json").write_text("[]")
    return Setting(
        Library(tmp_path / "data"),
        tmp_path / "out",
        lambda _: None,
        NetworkShape(n_layers=1, d_h=16, d_e=8, d_ffn=16, d_c=8, d_head=16),
        Optimisation(epochs=1, batch_atoms=300, bfloat16=False),
    )


def test_what_was_left_out_is_noticed(setting: Setting) -> None:
    edge = Edge.train(setting, quiet=True)
    inside, beside = (setting.dataset([path]) for path in left_out_files(setting))
    assert not {*edge.data.dataset.connectivity} & {*inside.connectivity, *beside.connectivity}
    found = edge.signals(inside, np.arange(inside.n_mols), named=True)["13C"]
    rest = edge.signals(edge.data.dataset, edge.data.held_out, named=False)["13C"]
    assert {"nitrile", "alkyne", "boron", "phosphorus"} <= set(found.name)
    assert set(rest.name) == {""}
    nitrile = found.name == "nitrile"
    assert (found.values["support sphere"][nitrile] == 0).all()
    assert (found.values["verdict"][nitrile] == 2).all()
    for name in ("support sphere", "verdict"):
        assert auroc(found.values[name], rest.values[name]) > 0.8
    assert all(np.isfinite(values).all() for values in found.values.values())
    listed = [r for path in left_out_files(setting) for r in read_records(path)]
    assert all(isinstance(record, ShiftRecord) and has_class(record) for record in listed)
