"""Which spectra to measure next: telling ones first, none twice, the same for the same pool."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import Matern
from toy import SMILES

from nmrshift import Predictor, Query
from nmrshift.adapt.next_atoms import Pool, covariance, pick
from nmrshift.adapt.next_spectra import _Judged, _pool, learn_next
from nmrshift.cli.app import main
from nmrshift.errors import ConfigError, InputError, UnknownNucleusError
from nmrshift.graph.features import preset
from nmrshift.predict.prepare import prepare


def pool(h: np.ndarray, error: np.ndarray, mol: np.ndarray | None = None) -> Pool:
    n = len(h)
    return Pool(h, error, np.zeros(n, dtype=np.int64), np.arange(n) if mol is None else mol)


def test_errors_and_distance_count(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of three groups the one with the largest errors comes first, then the next one."""
    monkeypatch.setattr("nmrshift.adapt.next_atoms._typical_distance", lambda *_: 2.0)
    rng = np.random.default_rng(1)
    centres = np.repeat([[0.0, 0.0], [9.0, 0.0], [0.0, 9.0]], 10, axis=0)
    h = centres + rng.normal(0, 0.1, (30, 2))
    error = np.repeat([1.0, 3.0, 2.0], 10)
    picked = pick(pool(h, error), 4)
    assert [one.mol // 10 for one in picked[:3]] == [1, 2, 0]
    gains = [one.gain for one in picked]
    assert gains == sorted(gains, reverse=True)
    assert len({one.mol for one in picked}) == 4


def test_gains_are_those_of_an_independent_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a choice removes is the fall of scikit-learn's posterior variance, and the most."""
    monkeypatch.setattr("nmrshift.adapt.next_atoms._typical_distance", lambda *_: 1.0)
    rng = np.random.default_rng(2)
    h, error = rng.normal(size=(24, 3)), rng.uniform(0.5, 2.0, 24)
    mol = np.repeat(np.arange(8), 3)
    noise = 0.1 * float(np.mean(error**2))

    def left(measured: list[int]) -> float:
        rows = np.isin(mol, measured)
        process = GaussianProcessRegressor(
            Matern(2.0, nu=0.5), alpha=noise / error[rows] ** 2, optimizer=None
        )
        process.fit(h[rows], np.zeros(rows.sum()))
        _, spread = process.predict(h, return_std=True)
        return float(np.sum((spread * error) ** 2))

    before, measured = float(np.sum(error**2)), list[int]()
    for one in pick(pool(h, error, mol), 3):
        after = {number: left([*measured, number]) for number in set(range(8)) - set(measured)}
        assert one.mol == min(after, key=lambda number: after[number])
        assert one.gain * np.sum(error**2) == pytest.approx(before - after[one.mol], rel=1e-4)
        measured.append(one.mol)
        before = after[one.mol]


def test_what_is_far_off_counts_as_what_is_not_known() -> None:
    """But what is well known counts for less; units are those of the nucleus."""
    reach_ppm = (0.1, 1.0, 1.0, 1.0, 50.0)
    ethane = prepare(Query("CC"), 0, ("13C",), preset("v1"))
    judged = [
        _Judged(ethane, np.zeros((1, 2)), (scale * reach,), (nucleus,))
        for nucleus, scale in (("13C", 1.0), ("19F", 7.0))
        for reach in reach_ppm
    ]
    found = _pool(judged)
    assert found.error == pytest.approx([0.1, 1, 1, 1, 1] * 2)
    assert found.nucleus.tolist() == [0] * 5 + [1] * 5
    assert found.mol.tolist() == list(range(10))


def test_nuclei_say_nothing_of_each_other() -> None:
    h, error = np.zeros((4, 2)), np.ones(4)
    items = Pool(h, error, np.array([0, 0, 1, 1]), np.arange(4))
    found = covariance(items, np.arange(4), np.arange(4), 1.0)
    assert found.tolist() == [[1, 1, 0, 0], [1, 1, 0, 0], [0, 0, 1, 1], [0, 0, 1, 1]]
    first, second, *_ = pick(items, 2)
    assert {first.mol // 2, second.mol // 2} == {0, 1}


def test_candidates_of_a_model(toy_model: Path) -> None:
    predictor = Predictor.load(toy_model)
    candidates = [*SMILES[:30], "C1CC", Query("CCO", name="ethanol, again")]
    found = learn_next(predictor, candidates, n=5, nuclei=("13C",))
    assert [one.rank for one in found.chosen] == [1, 2, 3, 4, 5]
    assert len({one.index for one in found.chosen}) == 5
    structures = [item.structure if isinstance(item, Query) else item for item in candidates]
    assert all(structures[one.index] == one.input for one in found.chosen)
    assert [failure.index for failure in found.failures if failure.input == "C1CC"] == [30]
    assert found.n_candidates + len(found.failures) == len(candidates)
    assert found == learn_next(predictor, candidates, n=5, nuclei=("13C",))
    ethanols = [one for one in found.chosen if one.index in (0, 31)]
    assert len(ethanols) < 2


@pytest.mark.parametrize(
    ("candidates", "settings", "error"),
    [
        (["CCO"], {"nuclei": ("29Si",)}, UnknownNucleusError),
        (["CCO"], {"source": "nowhere"}, ConfigError),
        (["C1CC", "[Na+].[Cl-]"], {}, InputError),
        ([], {}, InputError),
    ],
)
def test_what_cannot_be_judged(
    toy_model: Path, candidates: list[str], settings: dict, error: type[Exception]
) -> None:
    with pytest.raises(error):
        learn_next(Predictor.load(toy_model), candidates, **settings)


def test_the_command(toy_model: Path, tmp_path: Path) -> None:
    path = tmp_path / "candidates.smi"
    path.write_text("".join(f"{text} =m{n}\n" for n, text in enumerate(SMILES[:12])) + "C1CC bad\n")
    line = ["learn-next", str(path), "--model", str(toy_model), "--nucleus", "13C", "-n", "3"]
    done = CliRunner().invoke(main, [*line, "--format", "json"])
    assert done.exit_code == 3, done.output
    chosen = json.loads(done.stdout)["chosen"]
    assert "bad" in done.stderr
    rows = list(
        csv.DictReader(CliRunner().invoke(main, [*line, "--format", "csv"]).stdout.split("\n"))
    )
    assert [row["name"] for row in rows] == [f"'{one['name']}" for one in chosen]
    table = CliRunner().invoke(main, line).stdout
    assert all(one["name"] in table for one in chosen)
