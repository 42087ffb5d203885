"""The judge: the same spectra as the learning curves, nothing learned from what is measured on."""

import gzip
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from toy import SMILES, records, write_laboratory

from nmrshift.benchmark.spectra import Library, choose, in_solvent
from nmrshift.cli.app import main
from nmrshift.constants import PLAUSIBLE_RANGE_PPM
from nmrshift.errors import ConfigError, FileFormatError
from nmrshift.model.encoder import Encoder, EncoderConfig
from nmrshift.model.encoder_artifact import EncoderCard, save_encoder
from nmrshift.probe import run as probe_run
from nmrshift.probe import settings as probe_settings
from nmrshift.probe.batches import cut, features
from nmrshift.probe.curves import learning_curves
from nmrshift.probe.fine_tune import TunedNetwork, fine_tune
from nmrshift.probe.frozen import Features, linear_probe, neighbour_probe
from nmrshift.probe.result import Errors, ProbeResult, read_result, write_result
from nmrshift.probe.run import Judge
from nmrshift.probe.settings import FineTuning, LinearGrid, ProbeSettings
from nmrshift.probe.spectra import NUCLEI, Labels, Spectra, judging_spectra
from nmrshift.probe.subjects import Subject, find_subject
from nmrshift.probe.table import markdown
from nmrshift.train.config import Schedule
from nmrshift.train.optimiser import Optimiser

SHAPE = EncoderConfig(n_layers=2, d_h=16, d_e=8, d_ffn=16)
QUICK = ProbeSettings(
    fine_tuning=FineTuning(
        steps=12,
        batch_atoms=60,
        learning_rate=0.01,
        encoder_rates=(1.0, 0.1),
        d_head=8,
    ),
    linear=LinearGrid(steps=20, learning_rates=(0.01, 0.1), weight_decays=(0.0,)),
    neighbours=(1, 3),
)
TESTED = ["FC(F)(F)CO", "Fc1ccc(C)cc1", "CCCCO", "CC(C)CO", "FCCC", "FN(C)C", "CCc1ccccc1"]
RANDOM = Subject("random", "random", "fresh", SHAPE, None)


def silent(_: str) -> None:
    return


def write(folder: Path, name: str, rows: Sequence[dict[str, Any]]) -> None:
    path = folder / f"{name}.jsonl.gz"
    path.parent.mkdir(parents=True, exist_ok=True)
    with gzip.open(path, "wt", encoding="utf-8") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows)


def measured(smiles: list[str]) -> list[dict[str, Any]]:
    """The toy's records; fluorines differ a little from molecule to molecule."""
    rows = []
    for row in records(smiles):
        bump = 3.0 * (len(row["smiles"]) % 5) if row["nucleus"] == "19F" else 0.0
        rows.append({**row, "shifts": [[atom, ppm + bump] for atom, ppm in row["shifts"]]})
    return rows


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Library:
    """The toy laboratory in CDCl3, and other molecules, one with fluorine on nitrogen."""
    folder = tmp_path_factory.mktemp("data")
    learned = [{**row, "solvent": "CDCl3"} for row in measured(SMILES)]
    elsewhere = {**learned[0], "id": "toy:dmso", "solvent": "DMSO-d6"}
    write(folder, "nmrshiftdb2/assigned", [elsewhere, *learned])
    tested = [{**row, "id": f"test/{row['id']}"} for row in measured(TESTED)]
    write(folder, "nmrshiftdb2/test", tested)
    return Library(folder)


@pytest.fixture(scope="module")
def spectra(library: Library) -> dict[str, Spectra]:
    return dict(judging_spectra(library, "v1", silent))


@pytest.fixture(scope="module")
def judge(spectra: dict[str, Spectra]) -> Judge:
    return Judge.of(spectra, QUICK, silent)


def test_spectra_are_those_of_the_learning_curves(
    library: Library, spectra: dict[str, Spectra]
) -> None:
    for nucleus in NUCLEI:
        found = spectra[nucleus]
        pool = in_solvent(library.read("nmrshiftdb2/assigned"), nucleus, "cdcl3")
        assert found.records == tuple(pool)
        assert "toy:dmso" not in found.dataset.record_id.tolist()
        low, high = PLAUSIBLE_RANGE_PPM[nucleus]
        shifts_ppm = [ppm for record in pool for _, ppm in record.shifts or () if low < ppm < high]
        assert sorted(found.pool.shift_ppm.tolist()) == pytest.approx(sorted(shifts_ppm))
        chosen = found.pool.of(found.chosen(5, 2))
        names = set(found.dataset.record_id[chosen.record].tolist())
        assert names == {record.id for record in choose(pool, 5, 2)}


def test_held_out_molecules_share_nothing(spectra: dict[str, Spectra]) -> None:
    found = spectra["13C"]
    held_out = found.held_out()
    assert 0 < held_out.mean() < 0.5
    parent = found.dataset.parent[found.pool.mol]
    assert not set(parent[held_out]) & set(parent[~held_out])
    learned = found.chosen(10, 1)
    rest = found.unrelated(learned)
    assert rest.any()
    assert not set(parent[rest]) & set(parent[learned])


def test_fluorine_on_nitrogen_is_no_ordinary_one(spectra: dict[str, Spectra]) -> None:
    found = spectra["19F"]
    mol = [TESTED.index("FN(C)C")]
    names = found.dataset.record_id[found.test.record]
    on_nitrogen = np.array([f":{mol[0]}/" in name for name in names])
    assert on_nitrogen.sum() == 1
    assert (found.test.ordinary == ~on_nitrogen).all()
    assert spectra["13C"].test.ordinary.all()


@pytest.mark.parametrize("seed", [None, 3])
def test_batches_hold_every_label_once(spectra: dict[str, Spectra], seed: int | None) -> None:
    found = spectra["13C"]
    numbered = replace(found.pool, shift_ppm=np.arange(len(found.pool), dtype=np.float32))
    batches = cut(found.dataset, numbered, 100, seed)
    assert len(batches) > 2
    numbers = torch.cat([batch.shift_ppm for batch in batches]).long()
    assert sorted(numbers.tolist()) == list(range(len(found.pool)))
    assert (numbers.tolist() == sorted(numbers.tolist())) == (seed is None)
    graphs = found.dataset.graphs
    rows = graphs.first_atom[numbered.mol] + numbered.node
    codes = torch.cat([batch.graphs.V[batch.atom] for batch in batches]).numpy()
    assert (codes == graphs.V[rows][numbers.numpy()]).all()


def made_up(n: int, *, seed: int = 0) -> Features:
    """Features of very different sizes, and shifts that are linear in them."""
    rng = np.random.default_rng(seed)
    parts = [rng.normal(size=(n, 4)) for _ in range(3)]
    labels = [
        Labels(
            mol=np.arange(n),
            node=np.zeros(n, dtype=np.int64),
            shift_ppm=(part @ [30.0, 20.0, -10.0, 5.0] + 100).astype(np.float32),
            record=np.arange(n),
            ordinary=np.ones(n, dtype=bool),
        )
        for part in parts
    ]
    sizes = np.array([1.0, 100.0, 0.01, 10.0])
    tensors = [torch.from_numpy(part * sizes + 7 * sizes).float() for part in parts]
    return Features(*tensors, *labels)


def test_linear_probe_needs_normalisation() -> None:
    grid = LinearGrid(steps=300, learning_rates=(0.01, 0.1), weight_decays=(0.0, 0.01))
    with_norm = linear_probe(made_up(200), grid, "13C", normalised=True)
    without = linear_probe(made_up(200), grid, "13C", normalised=False)
    assert len(with_norm.grid) == 4
    assert with_norm.test.ordinary.mae_ppm < 0.5
    assert without.test.ordinary.mae_ppm > 10
    assert with_norm.normalised
    assert not without.normalised
    best = min(with_norm.grid, key=lambda trial: trial.held_out_ppm)
    assert with_norm.grid[with_norm.chosen] == best
    assert best.test_ppm == pytest.approx(with_norm.test.ordinary.mae_ppm)


def test_neighbours_find_themselves() -> None:
    given = made_up(50)
    same = replace(given, test=given.fitted, test_labels=given.fitted_labels)
    for normalised in (True, False):
        found = neighbour_probe(same, (1, 4, 1000), "13C", normalised=normalised)
        assert [trial.setting["neighbours"] for trial in found.grid] == [1, 4]
        assert found.grid[0].test_ppm < 1e-4
        assert found.test.ordinary.mae_ppm < 0.1
    plain = neighbour_probe(given, (1,), "13C", normalised=False)
    distance = torch.cdist(given.test, given.fitted)
    expected = given.fitted_labels.shift_ppm[distance.argmin(1).numpy()]
    error_ppm = np.abs(expected - given.test_labels.shift_ppm)
    assert plain.test.every.mae_ppm == pytest.approx(error_ppm.mean(), abs=1e-3)


def test_frozen_features_are_the_encoders(spectra: dict[str, Spectra]) -> None:
    found = spectra["19F"]
    batches = cut(found.dataset, found.test, 1000)
    encoder = RANDOM.encoder(1).train()
    first, again = features(encoder, batches), features(encoder, batches)
    assert first.shape == (len(found.test), SHAPE.d_h)
    assert torch.equal(first, again)


def test_fine_tuning_learns_and_leaves_the_encoder_alone(spectra: dict[str, Spectra]) -> None:
    found = spectra["13C"]
    training, tests = cut(found.dataset, found.pool, 200, 1), cut(found.dataset, found.test, 1000)
    encoder = RANDOM.encoder(1)
    before = {name: value.clone() for name, value in encoder.state_dict().items()}
    recipe = FineTuning(steps=60, batch_atoms=200, learning_rate=0.01, d_head=16, dropout=0.0)
    predicted = fine_tune(encoder, training, tests, recipe, 1)
    for name, value in encoder.state_dict().items():
        assert torch.equal(value, before[name]), name
    error_ppm = np.abs(predicted - found.test.shift_ppm).mean()
    centre = np.abs(np.median(found.pool.shift_ppm) - found.test.shift_ppm).mean()
    assert error_ppm < 0.3 * centre
    state = torch.random.get_rng_state()
    assert (fine_tune(encoder, training, tests, recipe, 1) == predicted).all()
    assert torch.equal(torch.random.get_rng_state(), state)
    assert (fine_tune(encoder, training, tests, recipe, 2) != predicted).any()


def test_an_encoder_moves_at_its_own_rate() -> None:
    """The first step of AdamW is the learning rate, whatever the gradient."""
    moved = {}
    for share in (1.0, 0.1):
        network = TunedNetwork(SHAPE, 8)
        before = {name: value.clone() for name, value in network.state_dict().items()}
        settings = Schedule(learning_rate=0.01, weight_decay=0.0)
        optimiser = Optimiser(network, settings, shares={"head.": 1.0, "": share})
        for parameter in network.parameters():
            parameter.grad = torch.ones_like(parameter)
        optimiser.step(0.01)
        moved[share] = {
            name: float((value - before[name]).abs().mean())
            for name, value in network.state_dict().items()
        }
    ratios = {name: moved[0.1][name] / moved[1.0][name] for name in moved[1.0]}
    for name, ratio in ratios.items():
        assert ratio == pytest.approx(1.0 if name.startswith("head.") else 0.1, rel=1e-3), name


def test_the_rate_with_the_least_error_is_used(
    judge: Judge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def errors(_: Any, __: Subject, nucleus: str, size: int, seed: int, rate: float) -> Errors:
        assert seed == 1
        slow = nucleus == "13C" and size == 10
        return Errors(n_atoms=1, mae_ppm=rate if slow else 1 - rate, median_ppm=0.0)

    monkeypatch.setattr(Judge, "held_out_error", errors)
    found = run(judge, tmp_path / "random.json")
    slow = {("13C", 10)}
    assert {(rate.nucleus, rate.n_spectra) for rate in found.rates} > slow
    for rate in found.rates:
        assert rate.n_spectra <= len(judge.spectra[rate.nucleus].not_held_out())
        assert rate.encoder_rate == (0.1 if (rate.nucleus, rate.n_spectra) in slow else 1.0)
    for one in found.fine_tuned:
        assert one.encoder_rate == (0.1 if (one.nucleus, one.n_spectra) in slow else 1.0)
    assert "| random | 0.1, 1 |" in markdown([found])
    assert "| random | 1 |" in markdown([found])


def run(judge: Judge, path: Path, subject: Subject = RANDOM, seeds: int = 1) -> ProbeResult:
    return judge.run(subject, path, nuclei=NUCLEI, sizes=(10, None, 10_000), seeds=seeds)


def test_what_is_done_is_not_done_again(
    judge: Judge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "random.json"
    first = run(judge, path)
    assert read_result(path) == first
    assert len(first.frozen) == 8
    sizes = [(item.nucleus, item.n_spectra) for item in first.fine_tuned]
    assert sizes == [(n, size) for n in NUCLEI for size in (10, first.pool_sizes[n])]
    assert [item.rest is None for item in first.fine_tuned] == [False, True, False, True]
    tuned = 0

    def counted(*args: Any) -> Any:
        nonlocal tuned
        tuned += 1
        return fine_tune(*args)

    monkeypatch.setattr(probe_run, "fine_tune", counted)
    monkeypatch.setattr(probe_run, "features", None)
    assert run(judge, path) == first
    assert tuned == 0
    both = run(judge, path, seeds=2)
    assert tuned == 4
    assert set(first.fine_tuned) < set(both.fine_tuned)


def test_results_are_not_mixed(judge: Judge, tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    run(judge, path)
    with pytest.raises(ConfigError, match="identity"):
        run(judge, path, replace(RANDOM, identity="another"))
    other = replace(judge, settings=QUICK.model_copy(update={"neighbours": (2,)}))
    with pytest.raises(ConfigError, match="settings"):
        run(other, path)
    (tmp_path / "broken.json").write_text("{}")
    with pytest.raises(FileFormatError, match="broken"):
        read_result(tmp_path / "broken.json")


def save(folder: Path, encoder: Encoder) -> Path:
    card = EncoderCard(
        name="toy-encoder",
        version="0",
        encoder=encoder.config.model_dump(mode="json"),
        feature_slots=encoder.feature_slots,
        training={},
        sources=(),
    )
    save_encoder(folder, encoder, card)
    return folder


def test_subjects(tmp_path: Path) -> None:
    encoder = RANDOM.encoder(4)
    folder = save(tmp_path / "encoder", encoder)
    found = find_subject(f"mine={folder}", None)
    assert (found.label, found.kind, found.config) == ("mine", "encoder", SHAPE)
    for name, value in found.encoder(9).state_dict().items():
        assert torch.equal(value, encoder.state_dict()[name])
    fresh = find_subject("random", folder)
    assert fresh.config == SHAPE
    assert fresh.state is None
    first = fresh.encoder(1).norm, fresh.encoder(1).embed_atoms.table.weight
    assert torch.equal(first[1], fresh.encoder(1).embed_atoms.table.weight)
    assert not torch.equal(first[1], fresh.encoder(2).embed_atoms.table.weight)
    config = write_laboratory(tmp_path)
    assert find_subject("random", config).config.d_h == 32
    assert find_subject("random", None).config == EncoderConfig()
    (tmp_path / "empty.toml").write_text("a = 1")
    with pytest.raises(ConfigError, match="network"):
        find_subject("random", tmp_path / "empty.toml")


def test_a_models_encoder_is_taken_out(tmp_path: Path) -> None:
    from nmrshift.train.config import load_config
    from nmrshift.train.run import run_training

    config = load_config(write_laboratory(tmp_path))
    short = config.optimisation.model_copy(update={"epochs": 1})
    config = config.model_copy(update={"optimisation": short})
    artifact = run_training(config, tmp_path / "run", resume=False, report=silent, quiet=True)
    found = find_subject(str(artifact.path), None)
    assert (found.label, found.kind, found.config.d_h) == ("toy", "model", 32)
    own = artifact.network.state_dict()
    for name, value in found.encoder(1).state_dict().items():
        assert torch.equal(value, own[name])


def test_tables_and_curves(judge: Judge, tmp_path: Path) -> None:
    control = run(judge, tmp_path / "random.json", seeds=2)
    best = tuple(
        item.model_copy(
            update={
                "test": item.test.model_copy(
                    update={
                        "ordinary": item.test.ordinary.model_copy(
                            update={"mae_ppm": item.test.ordinary.mae_ppm / 2}
                        )
                    }
                )
            }
        )
        for item in control.fine_tuned
    )
    better = control.model_copy(
        update={"label": "a|b", "kind": "encoder", "frozen": (), "fine_tuned": best}
    )
    text = markdown([control, better])
    assert "| random |" in text
    assert "| a/b | -" in text
    assert "| encoder | its rate | 10 |" in text
    assert text.count("-50 %") == 4
    assert "all 65" in text.replace(str(control.pool_sizes["13C"]), "65")
    tree = ET.fromstring(learning_curves([control, better]))
    texts = ["".join(node.itertext()) for node in tree.iter("{http://www.w3.org/2000/svg}text")]
    assert {"random", "a|b", "10"} <= set(texts)
    dots = list(tree.iter("{http://www.w3.org/2000/svg}rect"))
    assert len(dots) == 2 * 2 * 2 + 2
    write_result(tmp_path / "half.json", control.model_copy(update={"fine_tuned": ()}))
    assert "fine-tuned" not in markdown([read_result(tmp_path / "half.json")])


def test_the_command(library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe_settings, "ProbeSettings", lambda: QUICK)
    folder = save(tmp_path / "encoder", RANDOM.encoder(4))
    plot = tmp_path / "curves.svg"
    out = str(tmp_path / "out")
    command = ["probe", "--data", str(library.folder), "--out", out, "--seeds", "1"]
    more = ["--size", "10", "--nucleus", "19F", "--like", str(folder), "--plot", str(plot)]
    done = CliRunner().invoke(main, [*command, *more, "random", str(folder)])
    assert done.exit_code == 0, done.output
    assert "| toy-encoder-0 |" in done.stdout
    assert "13C" not in done.stdout
    assert ET.parse(plot).getroot().tag.endswith("svg")
    files = sorted((tmp_path / "out").glob("*.json"))
    assert [file.stem for file in files] == ["random", "toy-encoder-0"]
    again = CliRunner().invoke(main, ["probe", "--data", out, *map(str, reversed(files))])
    assert again.exit_code == 0, again.output
    assert sorted(again.stdout.splitlines()) == sorted(done.stdout.splitlines())
    wrong = CliRunner().invoke(main, [*command, "--size", "ten", "random"])
    assert wrong.exit_code == 2
    assert "neither a number" in wrong.output
