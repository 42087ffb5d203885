"""A nucleus that the base does not have is added from tens of shifts, and nothing else changes."""

import json
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from client import serving
from laboratory import records_of, shifts, write_lines
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel
from toy import SMILES

from nmrshift import Predictor
from nmrshift.adapt import AdaptReport, adapt
from nmrshift.adapt import run as adapt_run
from nmrshift.adapt.answers import encode
from nmrshift.adapt.new_head import NewLabels, few_factors, labels_of, solve, solve_process
from nmrshift.adapt.new_nuclei import assign_forced
from nmrshift.adapt.settings import AdaptSettings
from nmrshift.cli.app import main
from nmrshift.data.dataset import as_dataset
from nmrshift.data.records import Peak, ShiftRecord
from nmrshift.errors import NmrshiftError
from nmrshift.model.artifact import load_artifact
from nmrshift.model.heads import CONSTANT_KERNEL
from nmrshift.predict.calibrate import LEVELS, conformal_factors

LAB = AdaptSettings(name="silanes", epochs=3)
GROUPS = {"C": 0.0, "F": 25.0, "Cl": 14.0, "OC": -12.0, "c1ccccc1": -6.0}


def silanes() -> list[tuple[str, float]]:
    """Molecules with a shift that is a sum over what silicon is bonded to, ppm."""
    names = sorted(GROUPS)
    chosen = [
        (a, b, c)
        for a, b, c in product(names, repeat=3)
        if names.index(a) <= names.index(b) <= names.index(c)
    ]
    return [(f"C[Si]({a})({b}){c}", 10.0 + GROUPS[a] + GROUPS[b] + GROUPS[c]) for a, b, c in chosen]


def record(number: int, smiles: str, shift_ppm: float) -> dict[str, Any]:
    return {
        "id": f"si:{number}",
        "smiles": smiles,
        "nucleus": "29Si",
        "solvent": "CDCl3",
        "shifts": [[1, round(shift_ppm, 2)]],
    }


@pytest.fixture(scope="module")
def rows() -> list[dict[str, Any]]:
    return [record(number, *pair) for number, pair in enumerate(silanes())]


@pytest.fixture(scope="module")
def added(
    toy_model: Path, rows: list[Any], tmp_path_factory: pytest.TempPathFactory
) -> AdaptReport:
    folder = tmp_path_factory.mktemp("silanes")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(adapt_run, "WAYS", ())
        return adapt(
            [write_lines(folder / "lab.jsonl", rows)],
            folder / "model",
            model=toy_model,
            settings=LAB,
        )


def test_a_nucleus_is_added(toy_model: Path, added: AdaptReport) -> None:
    assert (added.way, added.verdict) == ("new-head", "better")
    (silicon,) = added.before_after
    assert silicon.nucleus == "29Si"
    assert silicon.mae_after_ppm < 0.5 * silicon.mae_before_ppm
    assert added.evidence_added == {"29Si": added.n_molecules}
    assert any(notice.code == "nucleus_added" for notice in added.notices)
    assert shifts(added.folder) == shifts(toy_model)
    old, new = load_artifact(toy_model), load_artifact(added.folder)
    assert new.network.config.nuclei == (*old.network.config.nuclei, "29Si")
    assert any(molecule.nucleus == "29Si" for molecule in new.card.golden)


def test_it_is_asked_for_by_name(added: AdaptReport) -> None:
    predictor = Predictor.load(added.folder)
    known = dict(silanes())
    errors = []
    for smiles, shift_ppm in known.items():
        (atom,) = predictor.predict(smiles, nuclei=("29Si",), interval=0.9).atoms
        assert atom.atom_index == 1
        errors.append(abs(atom.shift_ppm - shift_ppm) / (atom.high_ppm - atom.shift_ppm))
    assert np.mean(np.array(errors) <= 1.0) >= 0.85
    line = ["predict", "C[Si](C)(C)F", "--model", str(added.folder), "--nucleus", "29Si"]
    done = CliRunner().invoke(main, [*line, "--format", "jsonl"])
    assert done.exit_code == 0, done.output
    (atom,) = json.loads(done.stdout)["atoms"]
    with serving(predictor) as client:
        body = {"smiles": "C[Si](C)(C)F", "nuclei": ["29Si", "13C"]}
        reply = client.post("/v1/predict", json=body).json()
        nuclei = [row["nucleus"] for row in client.get("/v1/nuclei").json()["nuclei"]]
    answered = [a for a in reply["predictions"][0]["atoms"] if a["nucleus"] == "29Si"]
    assert answered[0]["shift_ppm"] == pytest.approx(atom["shift_ppm"], abs=0.01)
    assert "29Si" in nuclei


def test_noise_teaches_nothing(
    toy_model: Path, rows: list[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adapt_run, "WAYS", ())
    rng = np.random.default_rng(4)
    noise = [{**row, "shifts": [[1, float(rng.normal(-20, 30))]]} for row in rows]
    path = write_lines(tmp_path / "lab.jsonl", noise)
    report = adapt([path], tmp_path / "model", model=toy_model, settings=LAB)
    assert (report.way, report.verdict) == ("base", "no difference")
    predictor = Predictor.load(tmp_path / "model")
    found = [predictor.predict(row["smiles"], nuclei=("29Si",)).atoms[0] for row in noise]
    assert np.ptp([atom.shift_ppm for atom in found]) < 1e-3
    measured = np.array([row["shifts"][0][1] for row in noise])
    inside = (measured >= found[0].low_ppm) & (measured <= found[0].high_ppm)
    assert inside.mean() >= 0.8


def test_too_few_are_left_out(toy_model: Path, rows: list[Any], tmp_path: Path) -> None:
    carbon = records_of(Predictor.load(toy_model))
    path = write_lines(tmp_path / "lab.jsonl", [*carbon, *rows[:9]])
    report = adapt([path], tmp_path / "model", model=toy_model, settings=LAB)
    (notice,) = [n for n in report.notices if n.code == "nucleus_left_out"]
    assert "9 molecules" in notice.message
    assert "29Si" not in Predictor.load(tmp_path / "model").nuclei


def test_freer_ways_begin_with_the_new_heads(
    toy_model: Path, rows: list[Any], tmp_path: Path
) -> None:
    carbon = records_of(
        Predictor.load(toy_model), lambda n, shift: shift + 2.0 * (n % 3 - 1), smiles=SMILES[:20]
    )
    path = write_lines(tmp_path / "lab.jsonl", [*carbon, *rows])
    settings = AdaptSettings(name="lab", epochs=1)
    report = adapt([path], tmp_path / "model", model=toy_model, settings=settings)
    assert [tried.way for tried in report.tried] == ["base", "new-head", "convention", "heads"]
    errors = {tried.way: tried.relative_error for tried in report.tried}
    assert max(errors["new-head"], errors["convention"], errors["heads"]) < 0.8 * errors["base"]


@pytest.mark.parametrize(
    ("spoil", "code", "words"),
    [
        ({"nucleus": "119Sn"}, "unknown_nucleus", "not a nucleus that nmrshift knows"),
        ({"shifts": [[0, 1.0]]}, "wrong_atoms", "cannot have them"),
        ({"smiles": "C[Si](C)(C)C"}, "unknown_nucleus", "of 1 molecules"),
    ],
)
def test_bad_data_are_named(
    toy_model: Path,
    rows: list[Any],
    tmp_path: Path,
    spoil: dict[str, Any],
    code: str,
    words: str,
) -> None:
    path = write_lines(tmp_path / "lab.jsonl", [{**row, **spoil} for row in rows])
    with pytest.raises(NmrshiftError, match=words) as caught:
        adapt([path], tmp_path / "model", model=toy_model, settings=LAB)
    assert caught.value.code == code
    assert not (tmp_path / "model").exists()


def test_one_signal_assigns_itself() -> None:
    peaks = (Peak(-19.5), Peak(-19.5))
    ring = ShiftRecord("a", "C[Si]1(C)O[Si](C)(C)O[Si](C)(C)O1", "29Si", peaks=peaks)
    assert assign_forced(ring).shifts == ((1, -19.5), (4, -19.5), (8, -19.5))
    two = ShiftRecord("b", "C[Si](C)(C)O[Si](C)(C)Cl", "29Si", peaks=(Peak(1.0),))
    assert assign_forced(two) == two
    several = ShiftRecord("c", "C[Si](C)(C)C", "29Si", peaks=(Peak(1.0), Peak(2.0)))
    assert assign_forced(several) == several


def labelled(h: np.ndarray, shift_ppm: np.ndarray, group: np.ndarray) -> NewLabels:
    return NewLabels(h, shift_ppm, group, (1.0 / np.bincount(group))[group])


def test_leaving_out_is_leaving_out() -> None:
    """The closed form gives what an independent process without the molecule gives."""
    rng = np.random.default_rng(0)
    h, target = rng.normal(size=(30, 8)), rng.normal(size=30)
    group = np.repeat(np.arange(10), 3)
    weight = rng.uniform(0.2, 1.0, 30)
    oracle_kernel = RBF(3.0) + ConstantKernel(CONSTANT_KERNEL)
    kernel = oracle_kernel(h) - CONSTANT_KERNEL
    fit = solve_process(kernel, target, weight, group, 0.05)
    for number in range(10):
        kept = group != number
        oracle = GaussianProcessRegressor(oracle_kernel, alpha=0.05 / weight[kept], optimizer=None)
        mean, spread = oracle.fit(h[kept], target[kept]).predict(h[~kept], return_std=True)
        assert fit.left[~kept] == pytest.approx(target[~kept] - mean, abs=1e-6)
        assert fit.variance[~kept] == pytest.approx(spread**2, abs=1e-6)


def test_a_head_answers_as_an_independent_process() -> None:
    rng = np.random.default_rng(3)
    h, asked = rng.normal(size=(25, 6)), rng.normal(size=(40, 6))
    shift_ppm = 30 + 20 * np.sin(h[:, 0]) + rng.normal(0, 1, 25)
    new = solve(labelled(h, shift_ppm, np.arange(25)), seed=1).new
    assert len(new.head.alpha) == 25
    with torch.no_grad():
        mean, log_scale = new.head(torch.from_numpy(asked), torch.zeros(1, 4))
    width = float(np.median([((a - b) ** 2).sum() for a in h for b in h if (a != b).any()]))
    kernel = RBF(width**0.5) + ConstantKernel(CONSTANT_KERNEL)
    trust = np.diag(np.linalg.inv(new.head.precision.numpy()) - kernel(h))
    oracle = GaussianProcessRegressor(kernel, alpha=trust, optimizer=None)
    oracle.fit(h, (shift_ppm - new.mean_ppm) / new.spread_ppm)
    expected, spread = oracle.predict(asked, return_std=True)
    assert mean.numpy() == pytest.approx(expected, abs=1e-5)
    scale = np.sqrt(spread**2 + float(new.head.noise))
    assert np.ptp(log_scale.numpy() - np.log(scale)) < 1e-4


def test_one_wrong_label_does_not_bend_the_others() -> None:
    rng = np.random.default_rng(5)
    h = rng.normal(size=(40, 4))
    clean = 5 * h[:, 0]
    spoilt = clean.copy()
    spoilt[7] += 400.0
    new = solve(labelled(h, spoilt, np.arange(40)), seed=1).new
    with torch.no_grad():
        mean, _ = new.head(torch.from_numpy(h), torch.zeros(1, 4))
    error = np.abs(mean.numpy() * new.spread_ppm + new.mean_ppm - clean)
    assert np.median(error) < 1.0


def test_alike_atoms_of_a_molecule_are_one_label(toy_model: Path, tmp_path: Path) -> None:
    ring = {**record(0, "C[Si]1(C)O[Si](C)(C)O[Si](C)(C)O1", 0.0)}
    spectra = [
        ShiftRecord("a", ring["smiles"], "29Si", shifts=((1, -9.0), (4, -9.2), (8, -9.4))),
        ShiftRecord("b", ring["smiles"], "29Si", shifts=((1, -10.0), (4, -10.0), (8, -10.0))),
    ]
    network = load_artifact(toy_model).network
    dataset = as_dataset(spectra, ("29Si",), network.config.features, lambda _: None)
    found = labels_of(dataset, encode(network, dataset.graphs), np.arange(1), 0)
    assert found.shift_ppm == pytest.approx([-9.6], abs=1e-4)
    assert found.weight.tolist() == [1.0]


def test_few_scores_give_wide_intervals_and_no_more() -> None:
    scores = np.random.default_rng(1).exponential(size=30)
    few, conformal = few_factors(scores, LEVELS), conformal_factors(scores)
    safe = [level <= 30 / 31 for level in LEVELS]
    assert [f for f, ok in zip(few, safe, strict=True) if ok] == [
        f for f, ok in zip(conformal, safe, strict=True) if ok
    ]
    assert list(few) == sorted(few)
    assert few[-1] > conformal[-1]
    assert few_factors(np.array([2.0]), (0.5, 0.75)) == (2.0, 4.0)
