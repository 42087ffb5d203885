"""``nmrshift evaluate`` from the command line."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from nmrshift.baselines.hose_build import build_hose_table
from nmrshift.cli.app import main
from nmrshift.data.records import Peak, ShiftRecord, write_records


def chain(length: int, end: str = "", *, first: int = 0, **more: object) -> ShiftRecord:
    """Return an invented fluoride F-(CH2)n-end with one 19F shift."""
    smiles = "F" + "C" * length + end
    return ShiftRecord(
        id=f"invented:{first + length}/19F/0",
        smiles=smiles,
        nucleus="19F",
        source="invented",
        **({"solvent": "CDCl3", "shifts": ((0, -218.0 + 0.1 * length),)} | more),
    )


@pytest.fixture
def training(tmp_path: Path) -> Path:
    path = tmp_path / "train.jsonl.gz"
    write_records(path, [chain(n) for n in range(2, 30)])
    return path


@pytest.fixture
def measured(tmp_path: Path) -> Path:
    path = tmp_path / "test.jsonl"
    records = [
        chain(3, "O", first=100),
        chain(5, "Cl", first=100, shifts=((0, -200.0),)),
        chain(4),
        chain(9, "O", first=100, shifts=None, peaks=(Peak(-217.0),)),
        ShiftRecord("invented:7/31P/0", "CP", "31P", shifts=((1, -160.0),)),
    ]
    write_records(path, records)
    return path


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["evaluate", *map(str, arguments)])


def report(*arguments: object) -> dict[str, object]:
    result = run(*arguments, "--json")
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def n_labels(found: dict[str, object]) -> dict[str, int]:
    return {
        f"{row['nucleus']} {row['part']}": row["metrics"]["n_labels"]
        for row in found["rows"]
        if row["part"] in {"all", "peaks"}
    }


def test_the_baseline_never_learns_what_it_is_measured_on(measured: Path, training: Path) -> None:
    found = report(measured, "--baseline", "hose", "--train", training)
    assert found["model"] == "hose-table"
    assert found["notes"] == ["1 training structures left out because they are evaluated"]
    assert n_labels(found) == {"19F all": 3, "19F peaks": 1}
    assert found["counts"]["n_skipped"] == {"31P": 1}
    assert found["rows"][0]["metrics"]["mae_ppm"] > 5


def test_the_table_is_the_default(measured: Path, training: Path) -> None:
    result = run(measured, "--baseline", "hose", "--train", training)
    assert result.exit_code == 0
    assert result.stdout.startswith("model hose-table, intervals of 90%")
    assert "  in cdcl3" in result.stdout
    assert "spectra skipped: 1 (31P 1)" in result.stdout


def test_options_select_labels(measured: Path, training: Path, tmp_path: Path) -> None:
    hose = ("--baseline", "hose", "--train", training)
    near = report(measured, *hose, "--window", -219, -216, "--bonded-to", "C")
    assert n_labels(near) == {"19F all": 2, "19F peaks": 1}
    assert near["notes"][:2] == [
        "measured shifts from -219 to -216 ppm only",
        "atoms bound to C only",
    ]
    split = tmp_path / "split.json"
    split.write_text(json.dumps({"train": [], "test": ["103", 4]}))
    listed = report(measured, *hose, "--ids", f"{split}:test", "--nucleus", "19F")
    assert n_labels(listed) == {"19F all": 2}
    plain = tmp_path / "ids.json"
    plain.write_text(json.dumps(["109"]))
    assert n_labels(report(measured, *hose, "--ids", plain)) == {"19F peaks": 1}


def test_a_model_is_loaded_by_its_folder(
    measured: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = build_hose_table([chain(n) for n in range(2, 20)])
    loaded: list[Path | None] = []

    def load(path: Path | None = None) -> object:
        loaded.append(path)
        return table

    monkeypatch.setattr("nmrshift.predict.predictor.Predictor.load", staticmethod(load))
    found = report(measured, "--model", tmp_path, "--interval", 0.5)
    assert loaded == [tmp_path]
    assert found["interval"] == 0.5
    assert n_labels(found)["19F all"] == 3
    report(measured)
    assert loaded[1] is None


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--baseline", "hose"), "--baseline and --train go together"),
        (("--train", "TRAIN"), "--baseline and --train go together"),
        (("--baseline", "hose", "--train", "TRAIN", "--model", "x"), "not both"),
        (("--interval", "0.3"), "0.3"),
        (("--window", "1"), "2"),
    ],
)
def test_contradictions_are_usage_errors(
    arguments: tuple[str, ...], message: str, measured: Path, training: Path
) -> None:
    filled = [str(training) if argument == "TRAIN" else argument for argument in arguments]
    result = run(measured, *filled)
    assert result.exit_code == 2
    assert message in result.stderr


def test_unusable_lists_and_empty_selections(
    measured: Path, training: Path, tmp_path: Path
) -> None:
    hose = ("--baseline", "hose", "--train", training)
    ids = tmp_path / "ids.json"
    for text in ("no json", "{}", "7"):
        ids.write_text(text)
        for option in (str(ids), f"{ids}:test"):
            result = run(measured, *hose, "--ids", option)
            assert result.exit_code == 1
            assert "ids.json" in result.stderr
    ids.write_text("[]")
    result = run(measured, *hose, "--ids", ids)
    assert result.exit_code == 1
    assert "no spectrum is selected" in result.stderr
    result = run(measured, *hose, "--ids", tmp_path / "absent.json")
    assert result.exit_code == 1
    assert "absent.json" in result.stderr


def test_lines_that_are_no_record_are_counted(measured: Path, training: Path) -> None:
    with measured.open("a") as file:
        file.write("{broken\n")
    found = report(measured, "--baseline", "hose", "--train", training)
    assert sum(found["counts"]["n_issues"].values()) == 1


SD_EXPORT = """fluoroethane
  written by hand

  3  2  0  0  0  0  0  0  0  0999 V2000
    0.0000    0.0000    0.0000 C   0  0  0  0  0  0  0  0  0  0  0  0
    1.0000    0.0000    0.0000 C   0  0  0  0  0  0  0  0  0  0  0  0
    2.0000    0.0000    0.0000 F   0  0  0  0  0  0  0  0  0  0  0  0
  1  2  1  0  0  0  0
  2  3  1  0  0  0  0
M  END
> <nmrshiftdb2 ID>
4711

> <Spectrum 19F 0>
-211.5;0.0S;2|

> <Solvent>
0:Chloroform-D1 (CDCl3)

$$$$
"""


def test_an_sd_export_is_evaluated_as_it_is(training: Path, tmp_path: Path) -> None:
    path = tmp_path / "export.sd"
    path.write_text(SD_EXPORT)
    ids = tmp_path / "split.json"
    ids.write_text(json.dumps({"test": ["4711"]}))
    found = report(path, "--baseline", "hose", "--train", training, "--ids", f"{ids}:test")
    assert n_labels(found) == {"19F all": 1}
    assert found["rows"][1]["name"] == "cdcl3"
    assert found["notes"][-1].startswith("1 training structures left out")


def test_computed_spectra_need_a_word(training: Path, tmp_path: Path) -> None:
    path = tmp_path / "computed.jsonl"
    write_records(path, [chain(3, "O", level="B3LYP"), chain(4, "O")])
    hose = ("--baseline", "hose", "--train", training)
    assert n_labels(report(path, *hose)) == {"19F all": 1}
    assert n_labels(report(path, *hose, "--computed")) == {"19F all": 2}
