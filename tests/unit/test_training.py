"""Training: a run that is killed goes on to the same weights; settings and data are checked."""

import json
import tomllib
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from toy import CONFIG, SMILES, records, write_laboratory

from nmrshift.errors import ConfigError
from nmrshift.model.artifact import load_artifact
from nmrshift.predict.predictor import Predictor
from nmrshift.train import loop
from nmrshift.train.config import TrainConfig, load_config, parse_config
from nmrshift.train.data import in_validation, prepare
from nmrshift.train.loop import CHECKPOINT, METRICS, learning_rate
from nmrshift.train.run import run_training
from nmrshift.train.sampling import epoch_batches


def silent(_: str) -> None:
    return


@pytest.fixture
def config(tmp_path: Path) -> TrainConfig:
    return load_config(write_laboratory(tmp_path))


class KilledError(Exception):
    """Stands for a kill."""


def test_killed_run_resumes_to_the_same_weights(
    config: TrainConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    straight = run_training(config, tmp_path / "a", resume=False, report=silent, quiet=True)
    frequent = config.model_copy(update={"checkpoint_seconds": 1e-9})
    real_step, calls = loop._step, []

    def mortal_step(*args: object) -> float:
        calls.append(1)
        if len(calls) in (7, 24, 25):
            raise KilledError
        return real_step(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(loop, "_step", mortal_step)
    deaths = 0
    while True:
        try:
            resumed = run_training(
                frequent, tmp_path / "b", resume=deaths > 0, report=silent, quiet=True
            )
            break
        except KilledError:
            deaths += 1
    assert deaths == 3
    expected = load_file(straight.path / "weights.safetensors")
    found = load_file(resumed.path / "weights.safetensors")
    assert expected.keys() == found.keys()
    assert all(torch.equal(expected[name], found[name]) for name in expected)

    def lines(folder: str) -> list[dict[str, object]]:
        text = (tmp_path / folder / METRICS).read_text()
        rows = [json.loads(line) for line in text.splitlines()]
        return [{k: v for k, v in row.items() if k != "seconds"} for row in rows]

    assert lines("a") == lines("b")


def test_learning_lowers_the_error(config: TrainConfig, tmp_path: Path) -> None:
    run_training(config, tmp_path / "run", resume=False, report=silent, quiet=True)
    rows = [json.loads(line) for line in (tmp_path / "run" / METRICS).read_text().splitlines()]
    assert len(rows) == config.optimisation.epochs
    first, last = rows[0]["held_out_mae_ppm"], rows[-1]["held_out_mae_ppm"]
    assert last["13C"] < 0.7 * first["13C"]
    assert last["19F"] < first["19F"]


def test_a_run_goes_on_from_a_model(config: TrainConfig, toy_model: Path, tmp_path: Path) -> None:
    still = config.optimisation.model_copy(update={"epochs": 1, "learning_rate": 1e-12})
    second = config.model_copy(update={"start_from": toy_model, "optimisation": still})
    found = run_training(second, tmp_path / "second", resume=False, report=silent, quiet=True)
    before, after = (load_file(path / "weights.safetensors") for path in (toy_model, found.path))
    assert all(torch.allclose(before[name], after[name], atol=1e-8) for name in before)
    other = second.model_copy(update={"nuclei": ("13C",)})
    with pytest.raises(ConfigError, match="other nuclei"):
        run_training(other, tmp_path / "third", resume=False, report=silent, quiet=True)


def test_without_epochs_only_the_closed_form_is_fitted(
    config: TrainConfig, toy_model: Path, tmp_path: Path
) -> None:
    still = config.optimisation.model_copy(update={"epochs": 0})
    run = config.model_copy(
        update={"start_from": toy_model, "optimisation": still, "solvent_response": ("13C",)}
    )
    found = run_training(run, tmp_path / "run", resume=False, report=silent, quiet=True)
    before, after = (load_file(path / "weights.safetensors") for path in (toy_model, found.path))
    assert all(torch.equal(before[name], after[name]) for name in before)
    fitted = set(after) - set(before)
    assert fitted
    assert all(name.startswith("responses.13C.") for name in fitted)
    assert any(after[name].any() for name in fitted if "sensitivity" in name)
    again = run_training(run, tmp_path / "run", resume=True, report=silent, quiet=True)
    assert again.identity == found.identity


def test_the_card_names_what_the_model_before_had_read(
    config: TrainConfig, toy_model: Path, tmp_path: Path
) -> None:
    still = config.optimisation.model_copy(update={"epochs": 0})
    other = config.data[0].model_copy(update={"source_name": "later spectra", "licence": "CC0"})
    run = config.model_copy(
        update={"start_from": toy_model, "optimisation": still, "data": (other,)}
    )
    found = run_training(run, tmp_path / "run", resume=False, report=silent, quiet=True)
    first = load_artifact(toy_model).card.sources
    assert [source.name for source in found.card.sources] == ["later spectra", first[0].name]
    assert first[0] in found.card.sources
    assert first[0].licence in (found.path / "LICENSE-DATA").read_text("utf-8")


def test_no_epochs_need_a_start(toy_model: Path, tmp_path: Path) -> None:
    values = {
        "name": "none",
        "version": "0",
        "nuclei": ["13C"],
        "data": [{"path": "a.jsonl", "source_name": "a", "licence": "MIT"}],
        "optimisation": {"epochs": 0},
    }
    with pytest.raises(ConfigError, match="start_from"):
        parse_config(values, tmp_path)
    assert parse_config({**values, "start_from": str(toy_model)}, tmp_path).start_from == toy_model


def test_a_frozen_encoder_stays_and_heads_learn(
    config: TrainConfig, toy_model: Path, tmp_path: Path
) -> None:
    frozen = config.optimisation.model_copy(update={"epochs": 1, "freeze_encoder": True})
    second = config.model_copy(update={"start_from": toy_model, "optimisation": frozen})
    found = run_training(second, tmp_path / "second", resume=False, report=silent, quiet=True)
    before, after = (load_file(path / "weights.safetensors") for path in (toy_model, found.path))
    moved = {name for name in before if not torch.equal(before[name], after[name])}
    assert moved
    assert all(name.startswith(("heads.", "conditioner.")) for name in moved)


def test_wrong_structures_can_be_left_out(config: TrainConfig) -> None:
    smiles = json.loads(config.data[0].path.read_text().splitlines()[0])["smiles"]
    item = config.data[0].model_copy(update={"without": (smiles,)})
    fewer = prepare(config.model_copy(update={"data": (item,)}), silent)
    assert fewer.dataset.n_mols == prepare(config, silent).dataset.n_mols - 1


def peak_lists(path: Path) -> int:
    """Leave every second molecule nothing but a 13C peak list; return how many."""
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    hidden = [row for row in rows if row["nucleus"] == "13C"][::2]
    for row in hidden:
        row["peaks"] = [[shift, None, None] for _, shift in reversed(row.pop("shifts"))]
        del row["assignment"]
    bare = {row["smiles"] for row in hidden}
    rows = [row for row in rows if row["smiles"] not in bare or "peaks" in row]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return len(hidden)


def test_peak_lists_teach(config: TrainConfig, tmp_path: Path) -> None:
    """Where half of the molecules have nothing but a list, those lists lower the error."""
    n_hidden = peak_lists(config.data[0].path)
    errors = {}
    for weight in (0.0, 1.0):
        item = config.data[0].model_copy(update={"list_weight": weight})
        optimisation = config.optimisation.model_copy(
            update={"epochs": 12, "lists_begin": 0.2, "lists_full": 0.4}
        )
        run = config.model_copy(update={"data": (item,), "optimisation": optimisation})
        data = prepare(run, silent)
        assert len(data.dataset.lists.nucleus) == (n_hidden if weight else 0)
        assert (~data.labelled[data.shown]).any() == bool(weight)
        run_training(run, tmp_path / f"run{weight}", resume=False, report=silent, quiet=True)
        text = (tmp_path / f"run{weight}" / METRICS).read_text().splitlines()[-1]
        errors[weight] = json.loads(text)["held_out_mae_ppm"]["13C"]
    assert errors[1.0] < errors[0.0]


def test_list_weight_rises_from_nothing_to_full(config: TrainConfig) -> None:
    settings = config.optimisation.model_copy(update={"lists_begin": 0.2, "lists_full": 0.4})
    weights = [loop.list_weight(step, 100, settings) for step in range(101)]
    assert weights[:21] == [0.0] * 21
    assert weights == sorted(weights)
    assert weights[40:] == [1.0] * 61


def test_a_run_is_not_overwritten_nor_mixed(config: TrainConfig, tmp_path: Path) -> None:
    run_training(config, tmp_path / "run", resume=False, report=silent, quiet=True)
    with pytest.raises(ConfigError, match="already holds a run"):
        run_training(config, tmp_path / "run", resume=False, report=silent, quiet=True)
    other = config.model_copy(update={"seed": 6})
    with pytest.raises(ConfigError, match="another configuration"):
        run_training(other, tmp_path / "run", resume=True, report=silent, quiet=True)
    done = run_training(config, tmp_path / "run", resume=True, report=silent, quiet=True)
    assert (tmp_path / "run" / CHECKPOINT).exists()
    assert done.card.training["n_labels"]["13C"] > 50


def test_held_out_molecules_are_not_shown(config: TrainConfig) -> None:
    data = prepare(config, silent)
    shown = set(data.dataset.parent[data.shown].tolist())
    held = set(data.dataset.parent[data.held_out].tolist())
    assert shown
    assert held
    assert not shown & held
    assert all(in_validation(key, config.validation_fraction) for key in held)


def test_test_molecules_and_their_salts_are_left_out(config: TrainConfig, tmp_path: Path) -> None:
    path = config.data[0].path
    salt = json.loads(path.read_text().splitlines()[0])
    base = salt["smiles"]
    salt |= {"id": "toy:salt", "smiles": f"{base}.Cl"}
    path.write_text(path.read_text() + json.dumps(salt) + "\n")
    data = prepare(config, silent)
    whole = str(data.dataset.connectivity[0])
    banned = tmp_path / "test.json"
    banned.write_text(json.dumps([whole]))
    heard: list[str] = []
    strict = prepare(config.model_copy(update={"exclude_connectivities": banned}), heard.append)
    gone = {number for number, key in enumerate(data.dataset.parent) if key == whole}
    assert len(gone) == 2
    assert not gone & {*strict.shown.tolist(), *strict.held_out.tolist()}
    assert {*data.shown.tolist(), *data.held_out.tolist()} >= gone
    assert any("2 left out as test molecules" in line for line in heard)


def test_cache_holds_the_same_data(config: TrainConfig) -> None:
    heard: list[str] = []
    first = prepare(config, heard.append)
    again = prepare(config, heard.append)
    assert any("prepared data from" in line for line in heard)
    assert first.fingerprint == again.fingerprint


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("epochs = 0", "epochs"),
        ("colour = 3", "colour"),
        ("learning_rate = -1.0", "learning_rate"),
    ],
)
def test_wrong_settings(tmp_path: Path, change: str, message: str) -> None:
    path = write_laboratory(tmp_path)
    text = path.read_text().replace("epochs = 6", "").replace("learning_rate = 0.01", "")
    path.write_text(text.replace("[optimisation]", f"[optimisation]\n{change}"))
    with pytest.raises(ConfigError, match=message):
        load_config(path)


def test_missing_or_broken_files(config: TrainConfig, tmp_path: Path) -> None:
    with pytest.raises(ConfigError):
        load_config(tmp_path / "none.toml")
    (tmp_path / "bad.toml").write_text("epochs = = 3")
    with pytest.raises(ConfigError):
        load_config(tmp_path / "bad.toml")
    (tmp_path / "toy.jsonl").unlink()
    with pytest.raises(ConfigError, match="no such data file"):
        prepare(config, silent)


def test_batches_cover_an_epoch_once_and_depend_on_seed_and_epoch_only() -> None:
    n_atoms = np.random.default_rng(0).integers(1, 60, 500)
    mols = np.repeat(np.arange(500), 2)
    batches = epoch_batches(mols, n_atoms, 300, seed=1, epoch=0)
    assert sorted(np.concatenate(batches).tolist()) == sorted(mols.tolist())
    assert max(int(n_atoms[batch].sum()) for batch in batches) <= 300 + 60
    again = epoch_batches(mols, n_atoms, 300, seed=1, epoch=0)
    assert all(np.array_equal(a, b) for a, b in zip(batches, again, strict=True))
    other = epoch_batches(mols, n_atoms, 300, seed=1, epoch=1)
    assert not np.array_equal(np.concatenate(batches), np.concatenate(other))


def test_learning_rate_warms_up_and_ends_at_zero(config: TrainConfig) -> None:
    rates = [learning_rate(step, 100, config.optimisation) for step in range(101)]
    assert rates[0] < rates[4]
    assert max(rates) == pytest.approx(config.optimisation.learning_rate)
    assert rates[-1] == pytest.approx(0.0, abs=1e-9)


def computed_config(tmp_path: Path, *, measured: bool) -> TrainConfig:
    """Learn from computed spectra; measured ones, of other molecules, are all held out."""
    computed = [record | {"level": "DFT"} for record in records(SMILES[:60])]
    for name, found in (("computed", computed), ("toy", records(SMILES[60:]))):
        lines = [json.dumps(record) + "\n" for record in found]
        (tmp_path / f"{name}.jsonl").write_text("".join(lines), "utf-8")
    config = parse_config(tomllib.loads(CONFIG), tmp_path)
    (item,) = config.data
    first = item.model_copy(update={"path": tmp_path / "computed.jsonl"})
    other = (item.model_copy(update={"validation": True}),) if measured else ()
    quick = config.optimisation.model_copy(update={"epochs": 1})
    return config.model_copy(
        update={"data": (first, *other), "nuclei": ("13C",), "optimisation": quick}
    )


def test_computed_spectra_alone_make_a_model_without_evidence(tmp_path: Path) -> None:
    config = computed_config(tmp_path, measured=True)
    artifact = run_training(config, tmp_path / "run", resume=False, report=silent, quiet=True)
    assert artifact.evidence is not None
    assert artifact.evidence.records == ()
    (atom, _) = Predictor(artifact).predict("CCO", nuclei=("13C",)).atoms
    assert atom.low_ppm < atom.shift_ppm < atom.high_ppm


def test_what_cannot_be_calibrated_is_refused_before_it_is_learned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*args: object, **kwargs: object) -> None:
        raise AssertionError

    monkeypatch.setattr("nmrshift.train.run.fit", never)
    config = computed_config(tmp_path, measured=False)
    with pytest.raises(ConfigError, match="13C: no measured label is held out"):
        run_training(config, tmp_path / "run", resume=False, report=silent, quiet=True)
