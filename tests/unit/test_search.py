"""The search: no test in a score, resumed after a kill, the beaten given up, ranks compared."""

import gzip
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from structures import write_pretraining
from toy import SMILES, records, write_laboratory

from nmrshift.cli.app import main
from nmrshift.errors import ConfigError, FileFormatError
from nmrshift.pretrain.config import EncoderShape, PretrainConfig
from nmrshift.pretrain.run import run_pretraining
from nmrshift.probe.settings import FineTuning, LinearGrid
from nmrshift.search import trial as search_trial
from nmrshift.search.check import spaced
from nmrshift.search.config import (
    Pruning,
    Scoring,
    SearchConfig,
    Space,
    load_search_config,
    name_of,
    shape_of,
)
from nmrshift.search.study import results, run_search
from nmrshift.search.table import markdown
from nmrshift.search.trial import Measured, is_beaten, read_measured

optuna = pytest.importorskip("optuna")

CONFIG = """
name = "toy-search"
trials = 3
data = "data"
pretraining = "pretraining.toml"
training = "toy.toml"

[space]
n_layers = [1, 2]
d_h = [8, 16]
d_e = [8]
d_ffn = [8]
dropout = [0.0]

[scoring]
size = 12
[scoring.fine_tuning]
steps = 6
batch_atoms = 60
d_head = 8
[scoring.linear]
steps = 10
learning_rates = [0.1]
weight_decays = [0.0]

[pruning]
margin = 100
"""


def silent(_: str) -> None:
    return


@dataclass(slots=True)
class Pretrainings:
    """Counts pretrainings; one that is told to is cut off, as by a kill."""

    killed: int | None = None
    shapes: list[EncoderShape] = field(default_factory=list)

    def run(self, config: PretrainConfig, folder: Path, **options: Any) -> Any:
        self.shapes.append(config.network)
        if len(self.shapes) == self.killed:
            raise KeyboardInterrupt
        return run_pretraining(config, folder, **options)


@pytest.fixture
def pretrainings(monkeypatch: pytest.MonkeyPatch) -> Pretrainings:
    made = Pretrainings()
    monkeypatch.setattr(search_trial, "run_pretraining", made.run)
    return made


@pytest.fixture
def config(tmp_path: Path) -> Path:
    data = tmp_path / "data" / "nmrshiftdb2"
    data.mkdir(parents=True)
    rows = [{**row, "solvent": "CDCl3"} for row in records(SMILES)]
    for row in rows:
        if row["nucleus"] == "19F":
            row["shifts"] = [[atom, ppm + 3 * (atom % 4)] for atom, ppm in row["shifts"]]
    for name, part in (("assigned", rows), ("test", rows[-12:] + rows[20:40])):
        with gzip.open(data / f"{name}.jsonl.gz", "wt", encoding="utf-8") as file:
            for row in part:
                identity = row["id"] if name == "assigned" else f"test/{row['id']}"
                file.write(json.dumps({**row, "id": identity}) + "\n")
    objectives = "[objectives.chemistry]\nenvironment_buckets = 16"
    write_pretraining(tmp_path, objectives, epochs=1).rename(tmp_path / "pretraining.toml")
    laboratory = write_laboratory(tmp_path)
    laboratory.write_text(laboratory.read_text().replace("epochs = 6", "epochs = 1"))
    path = tmp_path / "search.toml"
    path.write_text(CONFIG)
    return path


def test_a_killed_search_goes_on(config: Path, tmp_path: Path, pretrainings: Pretrainings) -> None:
    settings, out = load_search_config(config), tmp_path / "out"
    pretrainings.killed = 2
    with pytest.raises(KeyboardInterrupt):
        run_search(settings, out, silent)
    cut_off = pretrainings.shapes[1]
    found = run_search(settings, out, silent)
    assert pretrainings.shapes[2] == cut_off
    assert found == results(out)
    assert found[name_of(cut_off)].tuned_ppm is not None
    n_run = len(pretrainings.shapes)
    assert run_search(settings, out, silent) == found
    assert len(pretrainings.shapes) == n_run
    more = settings.model_copy(update={"trials": 5})
    assert run_search(more, out, silent).items() >= found.items()
    study = optuna.load_study(study_name="toy-search", storage=f"sqlite:///{out / 'study.db'}")
    states = [trial.state.name for trial in study.trials]
    assert states.count("COMPLETE") + states.count("PRUNED") == 5
    assert states.count("FAIL") == 1
    other = settings.scoring.model_copy(update={"size": 13})
    with pytest.raises(ConfigError, match="another pretraining or scoring"):
        run_search(settings.model_copy(update={"scoring": other}), out, silent)


def test_the_test_spectra_change_nothing(config: Path, tmp_path: Path) -> None:
    settings = load_search_config(config).model_copy(update={"trials": 1})
    first = run_search(settings, tmp_path / "first", silent)
    path = tmp_path / "data" / "nmrshiftdb2" / "test.jsonl.gz"
    lines = gzip.decompress(path.read_bytes()).decode().splitlines()
    moved = [json.loads(line) for line in lines]
    for row in moved:
        row["shifts"] = [[atom, ppm + 1] for atom, ppm in row["shifts"]]
    path.write_bytes(gzip.compress("\n".join(map(json.dumps, moved)).encode()))
    second = run_search(settings, tmp_path / "second", silent)
    ((name, a),), ((other, b),) = first.items(), second.items()
    assert name == other
    assert (a.frozen_ppm, a.tuned_ppm) == (b.frozen_ppm, b.tuned_ppm)


def test_the_slowest_are_not_pretrained(
    config: Path, tmp_path: Path, pretrainings: Pretrainings
) -> None:
    settings = load_search_config(config).model_copy(update={"pruning": Pruning(slowest=1e12)})
    found = run_search(settings, tmp_path / "out", silent)
    assert not pretrainings.shapes
    assert all(value.tuned_ppm is None for value in found.values())
    assert "given up" in markdown(found)


def test_who_is_beaten() -> None:
    pruning = Pruning(margin=0.1, rivals=2)
    rival = Measured(molecules_per_second=100, frozen_ppm=5, tuned_ppm=3)
    beaten = Measured(molecules_per_second=90, frozen_ppm=6)
    assert is_beaten(beaten, [rival, rival], pruning)
    assert not is_beaten(beaten, [rival], pruning)
    assert not is_beaten(Measured(molecules_per_second=101, frozen_ppm=6), [rival] * 2, pruning)
    assert not is_beaten(Measured(molecules_per_second=90, frozen_ppm=5.4), [rival] * 2, pruning)
    assert not is_beaten(Measured(molecules_per_second=90), [rival] * 2, pruning)


def test_a_loss_that_is_not_finite_is_a_failed_trial(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def explode(*args: Any, **options: Any) -> Any:
        raise ArithmeticError("the loss is not finite at step 1")

    monkeypatch.setattr(search_trial, "run_pretraining", explode)
    heard: list[str] = []
    run_search(load_search_config(config), tmp_path / "out", heard.append)
    assert sum("not finite" in line for line in heard) == 3


def test_names_and_shapes() -> None:
    choices = Space().choices()
    assert set(choices) == set(EncoderShape.model_fields) - {"features"}
    settings = {name: values[0] for name, values in choices.items()}
    shape = shape_of(settings, "v1")
    names = {name_of(shape)}
    for name, values in choices.items():
        names |= {name_of(shape_of({**settings, name: value}, "v1")) for value in values}
    assert len(names) == 1 + sum(len(values) - 1 for values in choices.values())
    with pytest.raises(ConfigError, match="d_h"):
        shape_of({**settings, "d_h": 1}, "v1")


def test_wrong_settings_are_named(tmp_path: Path) -> None:
    path = tmp_path / "search.toml"
    path.write_text(CONFIG + "\ncolour = 1")
    with pytest.raises(ConfigError, match="colour"):
        load_search_config(path)
    (tmp_path / "measured.json").write_text("[]")
    with pytest.raises(FileFormatError):
        read_measured(tmp_path / "measured.json")


def test_chosen_for_the_check() -> None:
    found = {f"a{n}": Measured(tuned_ppm=float(n)) for n in range(9)} | {"b": Measured()}
    assert list(spaced(found, 3).items()) == [("a0", 0.0), ("a4", 4.0), ("a8", 8.0)]
    with pytest.raises(ConfigError, match="9 architectures"):
        spaced(found, 10)


def test_table() -> None:
    found = {
        "slow": Measured(molecules_per_second=10, frozen_ppm=5, tuned_ppm=1),
        "bad": Measured(molecules_per_second=9, frozen_ppm=5, tuned_ppm=2),
        "fast": Measured(molecules_per_second=90, frozen_ppm=6, tuned_ppm=3),
        "left": Measured(molecules_per_second=5),
    }
    rows = markdown(found).splitlines()[2:]
    assert [row.split(" | ")[0].strip("| ") for row in rows] == ["slow", "bad", "fast", "left"]
    assert [row.endswith("yes |") for row in rows] == [True, False, True, False]


def test_the_command_compares_rankings(config: Path, tmp_path: Path) -> None:
    command = ["search", str(config), "--out", str(tmp_path / "out"), "--quiet"]
    done = CliRunner().invoke(main, [*command, "--trials", "6", "--check", "3"])
    assert done.exit_code == 0, done.output
    assert "rank correlation: Spearman" in done.stdout
    folders = list((tmp_path / "out" / "architectures").glob("*/training/model/model.json"))
    assert len(folders) == 3
    shapes = [json.loads(path.read_text())["network"] for path in folders]
    names = {path.parent.parent.parent.name for path in folders}
    assert {f"{s['n_layers']}-{s['d_h']}" for s in shapes} == {
        "-".join(name.split("-")[:2]) for name in names
    }
    again = CliRunner().invoke(main, [*command, "--trials", "6", "--check", "3"])
    assert again.stdout == done.stdout


def test_without_optuna(config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "optuna", None)
    done = CliRunner().invoke(main, ["search", str(config), "--out", str(tmp_path / "out")])
    assert done.exit_code != 0
    assert "nmrshift[search]" in done.output


def test_defaults() -> None:
    assert SearchConfig(name="a", data=Path(), pretraining=Path()).scoring == Scoring()
    assert Scoring().fine_tuning == FineTuning()
    assert Scoring().linear == LinearGrid()
