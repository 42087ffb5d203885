"""Attacks find what was learned by heart, and no more than chance where nothing was."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from laboratory import records_of, write_lines
from sklearn.metrics import roc_auc_score, roc_curve
from toy import SMILES

from nmrshift import Predictor
from nmrshift.adapt.attack import attack, caught, likelihoods
from nmrshift.adapt.audit import audit
from nmrshift.cli.app import main
from nmrshift.errors import NmrshiftError


def test_figures_are_those_of_scikit_learn() -> None:
    rng = np.random.default_rng(4)
    members, others = rng.normal(0.7, 1, 300).round(1), rng.normal(0, 1, 200).round(1)
    found = attack("loss", members, others)
    truth = np.repeat([1, 0], [300, 200])
    scores = np.concatenate([members, others])
    assert found.auc == pytest.approx(roc_auc_score(truth, scores), abs=1e-4)
    false, true, _ = roc_curve(truth, scores, drop_intermediate=False)
    assert found.advantage == pytest.approx((true - false).max(), abs=1e-4)
    for one in found.caught:
        best = true[false <= one.false_positive_rate].max()
        assert one.true_positive_rate == pytest.approx(best, abs=1e-4)
        assert one.low <= one.true_positive_rate <= one.high


def test_guessing_finds_as_many_members_as_others() -> None:
    rng = np.random.default_rng(5)
    found = attack("loss", rng.normal(size=4000), rng.normal(size=4000))
    assert found.auc == pytest.approx(0.5, abs=0.02)
    assert found.advantage < 0.05
    assert [one.true_positive_rate for one in found.caught] == pytest.approx(
        [0.01, 0.05, 0.1], abs=0.02
    )


def test_all_or_none() -> None:
    above, below = np.arange(10.0, 20.0), np.arange(10.0)
    everyone, no_one = caught(above, below, 0.01), caught(below, above, 0.01)
    assert (everyone.true_positive_rate, everyone.high) == (1.0, 1.0)
    assert (no_one.true_positive_rate, no_one.low) == (0.0, 0.0)
    assert (
        everyone.low == pytest.approx(1 - no_one.high, abs=1e-4) == pytest.approx(0.6915, abs=1e-3)
    )


def test_likelihood_is_that_of_laplace() -> None:
    (found,) = likelihoods([np.array([0.0, 2.0])], [np.array([0.5, 1.0])])
    assert found == pytest.approx((np.log(1 / 1.0) + np.log(np.exp(-2.0) / 2)) / 2)


@pytest.fixture(scope="module")
def files(toy_model: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Members are what the model says of them; the others are off by some ppm."""
    folder = tmp_path_factory.mktemp("audit")
    predictor, rng = Predictor.load(toy_model), np.random.default_rng(1)
    by_heart = records_of(predictor, smiles=SMILES[::2])
    others = records_of(
        predictor, lambda _, shift: shift + float(rng.normal(0, 30)), smiles=SMILES[1::2]
    )
    return write_lines(folder / "in.jsonl", by_heart), write_lines(folder / "out.jsonl", others)


def test_what_was_learned_by_heart_is_found(toy_model: Path, files: tuple[Path, Path]) -> None:
    members, others = files
    predictor = Predictor.load(toy_model)
    found = audit(predictor, [members], [others])
    (by_loss,) = found.attacks
    assert by_loss.auc > 0.8
    assert found.reference is None
    turned = audit(predictor, [others], [members], reference=predictor)
    assert turned.attacks[0].auc == pytest.approx(1 - by_loss.auc, abs=1e-3)
    assert turned.attacks[1].name == "likelihood ratio"
    assert turned.attacks[1].auc == pytest.approx(0.5)


def test_too_few_are_refused(toy_model: Path, files: tuple[Path, Path], tmp_path: Path) -> None:
    few = tmp_path / "few.jsonl"
    few.write_text("".join(files[1].read_text().splitlines(keepends=True)[:19]))
    with pytest.raises(NmrshiftError, match="19 assigned spectra of non-members") as caught_error:
        audit(Predictor.load(toy_model), [files[0]], [few])
    assert caught_error.value.code == "too_few_spectra"


def test_the_command(toy_model: Path, files: tuple[Path, Path]) -> None:
    line: list[Any] = ["audit", str(toy_model), "--members", str(files[0])]
    line += ["--non-members", str(files[1]), "--reference", str(toy_model)]
    done = CliRunner().invoke(main, [*line, "--json"])
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert [one["name"] for one in found["attacks"]] == ["loss", "likelihood ratio"]
    assert "likelihood ratio" in CliRunner().invoke(main, line).stdout
