"""Protocols: everyone learns from the same spectra, nobody from a test molecule, once."""

import gzip
import json
from pathlib import Path
from typing import get_args

import pytest
from click.testing import CliRunner
from toy import SMILES, records

from nmrshift.benchmark import recipes
from nmrshift.benchmark.cell import Cell, Result, read_results, write_results
from nmrshift.benchmark.methods import METHODS, Method
from nmrshift.benchmark.protocols import PROTOCOLS
from nmrshift.benchmark.runner import Runner
from nmrshift.benchmark.spectra import Library, choose, in_solvent
from nmrshift.benchmark.table import markdown
from nmrshift.cli.app import main
from nmrshift.cli.benchmark import NAMES, SOLVENTS
from nmrshift.errors import FileFormatError
from nmrshift.evaluate.metrics import Metrics
from nmrshift.model.artifact import load_artifact
from nmrshift.model.encoder import Encoder, EncoderConfig
from nmrshift.model.encoder_artifact import EncoderCard, save_encoder
from nmrshift.train.config import NetworkShape


def silent(_: str) -> None:
    return


def write(folder: Path, name: str, rows: list[dict[str, object]]) -> None:
    path = folder / f"{name}.jsonl.gz"
    path.parent.mkdir(parents=True, exist_ok=True)
    with gzip.open(path, "wt", encoding="utf-8") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows)


def save_encoder_of(folder: Path, shape: EncoderConfig) -> Path:
    encoder = Encoder(shape)
    card = EncoderCard(
        name="toy-encoder",
        version="0",
        encoder=shape.model_dump(mode="json"),
        feature_slots=encoder.feature_slots,
        training={},
        sources=(),
    )
    save_encoder(folder, encoder, card)
    return folder


@pytest.fixture
def library(tmp_path: Path) -> Library:
    """Fluorine spectra; one test molecule stands in the training file too, by mistake."""
    fluorines = [row for row in records(SMILES) if row["nucleus"] == "19F"]
    write(tmp_path / "data", "pfas_19f/train", fluorines[:-4])
    write(tmp_path / "data", "pfas_19f/test", [fluorines[0], *fluorines[-4:]])
    return Library(tmp_path / "data")


@pytest.fixture(autouse=True)
def short_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recipes, "_EXPOSURES", 60)
    monkeypatch.setattr(recipes, "_MIN_EPOCHS", 3)
    monkeypatch.setattr(recipes, "_SEED_EPOCHS", 4)
    small = NetworkShape(n_layers=2, d_h=16, d_e=8, d_ffn=16, d_c=8, d_head=16)
    monkeypatch.setattr(recipes, "_SHAPE", small)
    monkeypatch.setattr(recipes, "_WIDE_SHAPE", small.model_copy(update={"d_h": 24}))


def test_every_method_is_measured_once(library: Library, tmp_path: Path) -> None:
    named = [c for c in PROTOCOLS["pfas"](library, 2) if c.method != "shipped"]
    cells = [c for c in named if "pretrained" not in c.method]
    assert [(c.method, c.seed) for c in cells] == [
        ("hose", 1),
        ("seed", 1),
        ("nmrshift", 1),
        ("seed", 2),
        ("nmrshift", 2),
        ("several", 2),
    ]
    heard: list[str] = []
    runner = Runner(tmp_path / "out", None, None, heard.append, quiet=True)
    results = list(runner.run(named))  # without an encoder those that ask for one are left out
    assert [result.method for result in results] == [cell.method for cell in cells]
    assert all(result.metrics.n_labels == results[0].metrics.n_labels for result in results)
    assert len({result.metrics.mae_ppm for result in results}) == len(results)
    heard.clear()
    assert list(runner.run(cells)) == results
    assert heard == []
    text = markdown(results)
    assert text.count("\n") == 1 + 4
    assert " ± " in text


def test_networks_that_answer_together(library: Library, tmp_path: Path) -> None:
    runner = Runner(tmp_path / "out", None, None, silent, quiet=True)
    cells = list(PROTOCOLS["pfas"](library, 2))
    (several,) = runner.run([c for c in cells if c.method == "several"])  # trains its members
    one, other = runner.run([c for c in cells if c.method == "nmrshift"])
    apart_ppm = (one.metrics.mae_ppm + other.metrics.mae_ppm) / 2
    assert several.metrics.mae_ppm < apart_ppm + 0.05  # the matrices are rounded
    assert several.model not in {one.model, other.model}
    assert not [c for c in PROTOCOLS["pfas"](library, 1) if c.members]


def test_test_molecules_are_not_trained_on(library: Library, tmp_path: Path) -> None:
    cells = [c for c in PROTOCOLS["pfas"](library, 1) if c.method == "nmrshift"]
    heard: list[str] = []
    list(Runner(tmp_path / "out", None, None, heard.append, quiet=True).run(cells))
    assert any("1 left out as test molecules" in line for line in heard)


def test_a_pretrained_encoder_is_started_from(library: Library, tmp_path: Path) -> None:
    shape = EncoderConfig(n_layers=3, d_h=24, d_e=8, d_ffn=16)
    folder = save_encoder_of(tmp_path / "encoder", shape)
    (cell,) = [c for c in PROTOCOLS["pfas"](library, 1) if c.method == "pretrained"]
    runner = Runner(tmp_path / "out", None, folder, silent, quiet=True)
    (result,) = runner.run([cell])
    assert "pretrained" in markdown([result])
    settings = json.loads((tmp_path / "out/pfas" / cell.name / "config.json").read_text())
    assert settings["start_from"] == str(folder)
    assert (settings["network"]["n_layers"], settings["network"]["d_h"]) == (3, 24)
    learned = load_artifact(tmp_path / "out/pfas" / cell.name / "model").network
    assert (learned.config.n_layers, learned.config.d_h) == (3, 24)
    (plain,) = [c for c in PROTOCOLS["pfas"](library, 1) if c.method == "nmrshift"]
    assert next(runner.run([plain])).metrics.mae_ppm != result.metrics.mae_ppm


@pytest.fixture
def curve(tmp_path: Path) -> list[Cell]:
    """The cells of the learning curves, from carbon spectra and a few fluorine ones."""
    rows = {
        nucleus: [row for row in records(SMILES) if row["nucleus"] == nucleus]
        for nucleus in ("13C", "19F")
    }
    parts = {
        "test": [*rows["13C"][:4], *rows["19F"][:2]],
        "unassigned": rows["13C"][4:10],
        "assigned": [*rows["13C"][10:], *rows["19F"][2:]],
    }
    for part, spectra in parts.items():
        write(tmp_path / "data", f"nmrshiftdb2/{part}", spectra)
    return list(PROTOCOLS["seed-curve"](Library(tmp_path / "data"), 2))


def test_fluorines_of_the_curve_are_scored_on_carbon_too(curve: list[Cell]) -> None:
    names = {cell.size[:3]: [test.name for test in cell.tests] for cell in curve}
    assert [len(names["13C"]), len(names["19F"])] == [1, 2]
    on_carbon = next(cell for cell in curve if cell.size.startswith("19F")).tests[1]
    assert on_carbon.selection.bonded_to == "C"


def test_networks_of_the_shipped_shape_learn_from_the_largest_set(
    curve: list[Cell], tmp_path: Path
) -> None:
    wide = [cell for cell in curve if cell.method in ("wide", "several-wide")]
    assert [(cell.method, cell.seed) for cell in wide] == [
        ("wide", 1),
        ("wide", 2),
        ("several-wide", 2),
    ]
    assert all("lists" in cell.size for cell in wide)
    runner = Runner(tmp_path / "out", None, None, silent, quiet=True)
    (together,) = runner.run(wide[-1:])
    (alone,) = runner.run(wide[:1])
    assert together.metrics.mae_ppm != alone.metrics.mae_ppm
    learned = load_artifact(tmp_path / "out/seed-curve" / wide[0].name / "model").network
    assert learned.config.d_h == 24


def test_the_command_measures_the_methods_named(library: Library, tmp_path: Path) -> None:
    where = ("--data", str(library.folder), "--out", str(tmp_path / "out"), "--quiet")
    chosen = ("--method", "hose", "--method", "nmrshift")
    done = CliRunner().invoke(main, ["benchmark", "pfas", *where, *chosen])
    assert done.exit_code == 0, done.output
    rows = [line for line in done.stdout.splitlines() if line.startswith("| pfas")]
    assert len(rows) == 2
    assert "HOSE" in rows[0]
    assert sorted(path.name.split("_")[0] for path in (tmp_path / "out" / "pfas").iterdir()) == [
        "hose",
        "nmrshift",
    ]
    refused = CliRunner().invoke(main, ["benchmark", "pfas", "--method", "guess"])
    assert refused.exit_code == 2
    for method, wanted in (("several", "--seeds"), ("pretrained", "--encoder")):
        nothing = CliRunner().invoke(main, ["benchmark", "pfas", *where, "--method", method])
        assert nothing.exit_code == 2
        assert wanted in nothing.output


def test_choices_are_seeded_and_nested(library: Library) -> None:
    spectra = in_solvent(library.read("pfas_19f/train"), "19F", "cdcl3")
    assert 0 < len(spectra) < len(library.read("pfas_19f/train"))
    small, large = choose(spectra, 3, 1), choose(spectra, 5, 1)
    assert len(small) == 3
    assert {r.id for r in small} <= {r.id for r in large}
    assert choose(spectra, 3, 1) == small
    assert any(choose(spectra, 3, seed) != small for seed in range(2, 6))


def test_the_command_knows_every_protocol() -> None:
    assert set(NAMES) == {*PROTOCOLS, SOLVENTS}
    assert set(METHODS) == set(get_args(Method))
    assert CliRunner().invoke(main, ["benchmark", "nonsense"]).exit_code == 2


def test_a_missing_library_is_said(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    done = CliRunner().invoke(
        main, ["benchmark", "pfas", "--data", str(tmp_path / "empty"), "--out", str(tmp_path)]
    )
    assert done.exit_code not in (0, 2)
    assert "pfas_19f" in done.output
    with pytest.raises(FileFormatError):
        Library(tmp_path).seed_ids("train")


def test_results_go_through_json(tmp_path: Path) -> None:
    metrics = Metrics(3, 2, 1.0, 0.9, 1.2, 2.0, 1.0, 0.9, 0.9, 4.0)
    result = Result("pfas", "hose", "10 spectra", 1, "test", "19F", 10, metrics, "table", 1.5)
    write_results(tmp_path / "a" / "result.json", [result])
    assert read_results(tmp_path / "a" / "result.json") == [result]
    (tmp_path / "broken.json").write_text("[{}]")
    with pytest.raises(FileFormatError):
        read_results(tmp_path / "broken.json")
