"""Private adaptation: what leaves the laboratory, what is counted, and what is refused."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from laboratory import LAB, records_of, shifts, write_lines

from nmrshift import Predictor
from nmrshift.adapt import adapt
from nmrshift.adapt.grow import with_modulation, with_source
from nmrshift.adapt.plan import shared_convention
from nmrshift.adapt.private import session
from nmrshift.adapt.private.ground import Ground, plan_of
from nmrshift.adapt.private.journal import Journal
from nmrshift.adapt.private.ledger import Budget, Spent, epsilon_of
from nmrshift.adapt.private.report import PrivateReport
from nmrshift.adapt.private.run import adapt_private
from nmrshift.adapt.private.settings import PrivacySettings
from nmrshift.adapt.private.space import public_space
from nmrshift.adapt.private.updates import localise, own_references
from nmrshift.adapt.rehearsal import rehearse
from nmrshift.chem.solvents import normalise
from nmrshift.cli.app import main
from nmrshift.data.dataset import as_dataset
from nmrshift.data.records import record_from_dict
from nmrshift.errors import BatchError, BudgetError, ConfigError, FileFormatError, NmrshiftError
from nmrshift.model.artifact import Artifact, load_artifact
from nmrshift.model.tensors import conditions

OFFSET_PPM = 3.0
WEAK = PrivacySettings(Budget(50.0, 1e-3), ("13C",), n_rounds=20)
STRICT = PrivacySettings(Budget(8.0, 1e-5), ("13C",), n_rounds=4)


def seeded(seed: int) -> Callable[[int], bytes]:
    return np.random.default_rng(seed).bytes


def contributed(model: Path, n: int) -> list[dict[str, Any]]:
    rows = records_of(Predictor.load(model), lambda _, shift: shift + OFFSET_PPM)
    return [{**row, "source": f"House {number % n}"} for number, row in enumerate(rows)]


@pytest.fixture(scope="module")
def spectra(toy_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("contributed")
    return write_lines(folder / "all.jsonl", contributed(toy_model, 40))


def learn(
    spectra: Path, out: Path, model: Path, privacy: PrivacySettings, **options: Any
) -> PrivateReport:
    return adapt_private(
        [spectra],
        out,
        privacy,
        model=model,
        settings=LAB,
        contributor_column="source",
        **options,
    )


def test_a_convention_is_learned_and_nothing_else(
    toy_model: Path, spectra: Path, tmp_path: Path
) -> None:
    out = tmp_path / "model"
    report = learn(spectra, out, toy_model, WEAK, draw=seeded(1))
    (carbon,) = report.before_after
    assert carbon.mae_before_ppm == pytest.approx(OFFSET_PPM, abs=0.5)
    assert carbon.mae_after_ppm < 0.5 * carbon.mae_before_ppm
    assert report.n_contributors + report.n_held_out == 40
    assert 45 < report.epsilon <= 50.0
    assert np.array(shifts(out)) == pytest.approx(np.array(shifts(toy_model)), abs=1e-3)
    base, artifact = load_artifact(toy_model), load_artifact(out)
    old, new = base.network.state_dict(), artifact.network.state_dict()
    for name, value in new.items():
        kept = value[tuple(slice(n) for n in old[name].shape)]
        assert torch.equal(kept, old[name]), name
        if not name.startswith(("conditioner.", "heads.13C.modulate.")):
            assert torch.count_nonzero(value) == torch.count_nonzero(old[name]), name


def test_a_laboratory_goes_on_for_itself(toy_model: Path, spectra: Path, tmp_path: Path) -> None:
    """Its own convention begins with the shared one; the shared one and the public stay."""
    shared, mine = tmp_path / "shared", tmp_path / "mine"
    learn(spectra, shared, toy_model, WEAK, draw=seeded(1))
    report = adapt([spectra], mine, model=shared, settings=replace(LAB, name="mine", epochs=1))
    base = load_artifact(shared)
    assert shared_convention(base) == "lab"
    assert shared_convention(load_artifact(toy_model)) is None
    grown = with_source(base.network, "mine", "lab").conditioner.sources.weight
    assert torch.equal(grown[-1], grown[-2])
    assert not torch.equal(grown[-1], grown[0])
    (carbon,) = (row for row in report.before_after if row.nucleus == "13C")
    assert carbon.mae_before_ppm < 0.5 * OFFSET_PPM
    known = Predictor.load(mine)
    assert known.predict("CCO", source="lab").of("13C")


def test_nothing_of_the_spectra_is_in_the_folder(
    toy_model: Path, spectra: Path, tmp_path: Path
) -> None:
    """What is in the folder follows from the noisy place and from public figures alone."""
    out = tmp_path / "model"
    report = learn(spectra, out, toy_model, STRICT)
    base, artifact = load_artifact(toy_model), load_artifact(out)
    same = (out / "evidence.safetensors").read_bytes()
    assert same == (toy_model / "evidence.safetensors").read_bytes()
    assert artifact.card.calibration == base.card.calibration
    assert artifact.card.metrics == base.card.metrics
    assert artifact.card.training_data_sha256 == base.card.training_data_sha256
    assert artifact.card.sources[-1].n_molecules == 0
    told = artifact.card.training["adaptation"]
    assert set(told) == {"name", "base", "base_sha256", "way", "private"}
    assert set(told["private"]) == {
        "epsilon",
        "delta",
        "noise_multiplier",
        "rate",
        "n_rounds",
        "n_directions",
        "clip_norm",
        "n_contributors",
    }
    assert told["private"]["epsilon"] == report.epsilon
    for path in out.iterdir():
        assert b"house" not in path.read_bytes().lower(), path
        assert b"lab:0/" not in path.read_bytes().lower(), path
    assert not {"ledger.json", "run.json"} & {path.name for path in out.iterdir()}


def test_all_that_depends_on_spectra_is_the_noisy_sum(
    toy_model: Path, spectra: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With sums that are put in, other spectra of other people give the same files."""
    monkeypatch.setattr(
        session, "noisy_sum", lambda updates, n, noise, draw: np.arange(n, dtype=np.int64) * 1000
    )
    rows = [
        {**row, "shifts": [[a, s * 0.5 + 9] for a, s in row["shifts"]]}
        for row in contributed(toy_model, 40)[:60]
    ]
    other = write_lines(tmp_path / "other.jsonl", rows)
    for name, path in (("a", spectra), ("b", other)):
        learn(path, tmp_path / name, toy_model, STRICT)
    for path in (tmp_path / "a").iterdir():
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes(), path.name


def test_without_its_own_draws_no_run_is_like_another(
    toy_model: Path, spectra: Path, tmp_path: Path
) -> None:
    """Noise comes from the system, never from the seed of the settings."""
    first, second = (learn(spectra, tmp_path / name, toy_model, STRICT) for name in ("a", "b"))
    assert first.identity != second.identity


@pytest.fixture(scope="module")
def toy(toy_model: Path) -> Artifact:
    return load_artifact(toy_model)


def local_of(toy: Artifact, rows: list[dict[str, Any]], own: bool = False) -> tuple[Any, Any, Any]:
    ground = Ground.make(toy, "lab", WEAK)
    plan = replace(plan_of(WEAK, 20), own_references=own)
    asker = ground.asker(plan)
    records = [replace(record_from_dict(row), source="lab") for row in rows]
    config = toy.network.config
    dataset = as_dataset(records, config.nuclei, config.features, lambda _: None)
    return asker, ground.space, localise(asker.network, dataset)


def test_an_update_is_the_gradient_of_a_contributor_s_error(toy: Artifact, toy_model: Path) -> None:
    """Against differences of mean absolute errors, which the loss is far from its middle."""
    asker, space, local = local_of(toy, contributed(toy_model, 40)[:30])
    asker.set(np.zeros(space.n_directions))
    found = asker.gradient(local)
    step = 1e-2

    def error(place: np.ndarray) -> float:
        asker.set(place)
        offsets = own_references_of_atoms(asker.network, local)
        spread = toy.network.config.shift_scale_ppm[0]
        return float(np.abs(offsets).mean() / spread)

    for number in range(2):
        ahead = np.zeros(space.n_directions)
        ahead[number] = step
        slope = (error(ahead) - error(-ahead)) / (2 * step)
        assert found[number] == pytest.approx(slope, rel=0.05, abs=0.02)


def own_references_of_atoms(network: Any, local: Any) -> np.ndarray:
    from nmrshift.adapt.answers import answer

    dataset = local.dataset
    found = answer(network, dataset, np.arange(dataset.n_mols), local.table, h=local.h)
    return np.asarray(found.predicted_ppm - found.observed_ppm)


def test_an_own_reference_stays_at_home(toy: Artifact, toy_model: Path) -> None:
    """The constant offset is found, and has no say in the update."""
    rows = contributed(toy_model, 40)[:30]
    plain = records_of(Predictor.load(toy_model))[:30]
    asker, space, local = local_of(toy, rows, own=True)
    asker.set(np.zeros(space.n_directions))
    assert own_references(asker.network, local)[0] == pytest.approx(OFFSET_PPM, abs=0.1)
    _, _, without = local_of(toy, plain, own=True)
    assert asker.gradient(local) == pytest.approx(asker.gradient(without), abs=1e-3)
    blunt, _, _ = local_of(toy, rows)
    assert np.linalg.norm(blunt.gradient(local)) > 3 * np.linalg.norm(asker.gradient(local))


class Killed(BaseException):
    """As a kill would end it."""


def dying(after: int) -> Iterator[Callable[[int], bytes]]:
    """Randomness that ends the run in the middle of a round."""
    calls = 0

    def draw(n: int) -> bytes:
        nonlocal calls
        calls += 1
        if calls > after:
            raise Killed
        return np.random.default_rng(calls).bytes(n)

    yield draw


def test_a_killed_run_counts_what_it_began(toy_model: Path, spectra: Path, tmp_path: Path) -> None:
    """The round that was cut off stays in the ledger; the run goes on with the same noise."""
    out, book = tmp_path / "model", Journal(tmp_path / "model.journal")
    with pytest.raises(Killed):
        learn(spectra, out, toy_model, WEAK, draw=next(dying(after=13)))
    (entered,) = book.spent()
    run = book.run()
    assert run is not None
    assert run["state"]["n_rounds"] == 6
    assert entered.n_rounds == 7
    said: list[str] = []
    report = learn(spectra, out, toy_model, WEAK, draw=seeded(2), report=said.append)
    (spent,) = book.spent()
    assert spent.noise_multiplier == entered.noise_multiplier == report.noise_multiplier
    assert spent.n_rounds == 20
    assert report.n_rounds == 19
    assert report.epsilon == epsilon_of([spent], 1e-3) <= 50.0
    assert book.run() is None


def test_another_model_of_the_same_people_costs_more(
    toy_model: Path, spectra: Path, tmp_path: Path
) -> None:
    out = tmp_path / "model"
    first = learn(spectra, out, toy_model, STRICT)
    written = (out / "weights.safetensors").read_bytes()
    with pytest.raises(BudgetError, match=r"7\.9\d\d of 8 is spent"):
        learn(spectra, out, toy_model, STRICT, force=True)
    assert (out / "weights.safetensors").read_bytes() == written
    larger = replace(STRICT, budget=Budget(16.0, 1e-5))
    second = learn(spectra, out, toy_model, larger, force=True)
    spent = Journal(tmp_path / "model.journal").spent()
    assert second.epsilon == epsilon_of(spent, 1e-5)
    assert first.epsilon + 2 < second.epsilon <= 16.0


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"rounds": [{"rate": 1}]}', '{"rounds": 3}', "{}", "\xff"]
)
def test_a_ledger_that_cannot_be_read_spends_nothing(tmp_path: Path, text: str) -> None:
    (tmp_path / "ledger.json").write_bytes(text.encode("latin-1"))
    plan = plan_of(STRICT, 32)
    with pytest.raises(ConfigError, match=r"ledger\.json"):
        session.begin(Journal(tmp_path), STRICT.budget, plan, 8, "x")


def test_a_journal_has_one_writer(toy_model: Path, spectra: Path, tmp_path: Path) -> None:
    with Journal(tmp_path / "journal").opened(), pytest.raises(BatchError, match="another run"):
        learn(spectra, tmp_path / "model", toy_model, STRICT, journal=tmp_path / "journal")


def test_a_state_that_the_ledger_does_not_know(
    toy_model: Path, spectra: Path, tmp_path: Path
) -> None:
    """A ledger that was put back is not gone on with."""
    book = Journal(tmp_path / "model.journal")
    with pytest.raises(Killed):
        learn(spectra, tmp_path / "model", toy_model, WEAK, draw=next(dying(after=13)))
    (entered,) = book.spent()
    book.enter([Spent(entered.noise_multiplier, entered.rate, 2)])
    with pytest.raises(ConfigError, match="knows less"):
        learn(spectra, tmp_path / "model", toy_model, WEAK)


@pytest.mark.parametrize(("n", "words"), [(1, "one contributor"), (9, "9 contributors")])
def test_who_cannot_be_hidden(toy_model: Path, tmp_path: Path, n: int, words: str) -> None:
    path = write_lines(tmp_path / "all.jsonl", contributed(toy_model, n))
    with pytest.raises(NmrshiftError, match=words) as caught:
        learn(path, tmp_path / "model", toy_model, STRICT)
    assert caught.value.code == "too_few_contributors"
    assert not (tmp_path / "model").exists()


def test_a_laboratory_written_in_two_ways_is_one(toy_model: Path, tmp_path: Path) -> None:
    rows = contributed(toy_model, 9)
    odd = [{**row, "source": f"  {row['source'].upper()} "} for row in rows]
    path = write_lines(tmp_path / "all.jsonl", [*rows, *odd])
    with pytest.raises(NmrshiftError, match="9 contributors"):
        learn(path, tmp_path / "model", toy_model, STRICT)


def test_spectra_of_nobody(toy_model: Path, tmp_path: Path) -> None:
    rows = contributed(toy_model, 40)
    path = write_lines(tmp_path / "all.jsonl", [{**rows[0], "source": ""}, *rows[1:]])
    with pytest.raises(NmrshiftError, match="1 spectra name no contributor") as caught:
        learn(path, tmp_path / "model", toy_model, STRICT)
    assert caught.value.code == "contributor_missing"


@pytest.mark.parametrize(
    ("privacy", "words"),
    [
        (replace(STRICT, budget=Budget(0.05, 1e-5)), "noise would be"),
        (replace(STRICT, budget=Budget(8.0, 1e-2), n_rounds=1), None),
        (replace(STRICT, nuclei=("29Si",)), "does not predict"),
    ],
)
def test_settings_that_cannot_be(
    toy_model: Path, spectra: Path, tmp_path: Path, privacy: PrivacySettings, words: str | None
) -> None:
    if words is None:
        privacy, words = replace(privacy, budget=Budget(8.0, 1e-2)), ""
        assert learn(spectra, tmp_path / "model", toy_model, privacy).n_rounds == 1
        return
    with pytest.raises(NmrshiftError, match=words):
        learn(spectra, tmp_path / "model", toy_model, privacy)
    assert not (tmp_path / "model").exists()


@pytest.mark.parametrize(("epsilon", "n_contributors"), [(8.0, 50), (2.0, 11), (0.5, 50)])
def test_where_noise_is_loud_directions_are_few(
    tmp_path: Path, epsilon: float, n_contributors: int
) -> None:
    """Noise of all rounds over all directions stays below half of what can be said."""
    settings = replace(STRICT, budget=Budget(epsilon, 1e-5), n_rounds=40)
    plan = plan_of(settings, n_contributors)
    found = session.begin(Journal(tmp_path), settings.budget, plan, 32, "x")
    n = len(found.state.place)
    rounds = np.random.default_rng(1).normal(size=(4000, 40, n)) * found.plan.noise_multiplier
    loudness = np.sqrt((rounds.mean(axis=1) ** 2).sum(axis=1).mean()) / (0.5 * n_contributors)
    assert loudness < 0.51
    assert n == 32 or loudness * np.sqrt((n + 1) / n) > 0.49
    assert (n == 32) == (epsilon == 8.0)


def test_delta_is_less_than_one_contributor() -> None:
    with pytest.raises(ConfigError, match="one in 200"):
        plan_of(replace(STRICT, budget=Budget(8.0, 0.01)), 200)


def test_a_contributor_without_usable_spectra_counts_for_nothing(
    toy_model: Path, tmp_path: Path
) -> None:
    """It stays on the list: the number of contributors must not depend on spectra."""
    rows = contributed(toy_model, 40)
    other = {"id": "x:1", "smiles": "CCF", "nucleus": "19F", "source": "nowhere"}
    path = write_lines(tmp_path / "all.jsonl", [*rows, {**other, "shifts": [[2, -210.0]]}])
    report = learn(path, tmp_path / "model", toy_model, STRICT)
    assert report.n_contributors + report.n_held_out == 41


def test_the_command(toy_model: Path, tmp_path: Path) -> None:
    table = tmp_path / "all.csv"
    lines = ["smiles,who,13C"]
    for row in contributed(toy_model, 30):
        cells = "; ".join(f"{atom}:{shift:.2f}" for atom, shift in row["shifts"])
        lines.append(f"{row['smiles']},{row['source']},{cells}")
    table.write_text("\n".join(lines) + "\n")
    line = ["adapt", str(table), "--out", str(tmp_path / "model"), "--model", str(toy_model)]
    line += ["--private", "--epsilon", "8", "--delta", "1e-5", "--nucleus", "c13"]
    refused = CliRunner().invoke(main, line)
    assert refused.exit_code == 1
    assert "one contributor" in refused.stderr
    missing = CliRunner().invoke(main, [*line, "--contributor-column", "lab"])
    assert "no column 'lab'" in missing.stderr
    lines[5] = lines[5].replace(lines[5].split(",")[1], "")
    (tmp_path / "gap.csv").write_text("\n".join(lines) + "\n")
    gap = [*line, "--contributor-column", "who"]
    gap[1] = str(tmp_path / "gap.csv")
    assert "name no contributor" in CliRunner().invoke(main, gap).stderr
    done = CliRunner().invoke(main, [*line, "--contributor-column", "who", "--json"])
    assert done.exit_code == 0, done.output
    report = json.loads(done.stdout)
    assert 7.5 < report["epsilon"] <= 8.0
    assert report["n_rounds"] == 40


def test_options_that_do_not_go_together(toy_model: Path, spectra: Path, tmp_path: Path) -> None:
    line = ["adapt", str(spectra), "--out", str(tmp_path / "m"), "--model", str(toy_model)]
    for extra in (["--epsilon", "8"], ["--contributor-column", "source"], ["--journal", "x"]):
        found = CliRunner().invoke(main, [*line, *extra])
        assert found.exit_code == 2
        assert f"{extra[0]} goes with --private" in found.stderr
    found = CliRunner().invoke(main, [*line, "--private", "--epochs", "3"])
    assert "--epochs does not go with --private" in found.stderr


def test_a_step_along_an_axis_moves_public_shifts_by_a_spread(
    toy: Artifact, few_public: Callable[[], tuple[str, ...]]
) -> None:
    """Root mean square over public atoms, nuclei alike; and no other nucleus moves."""
    ground = Ground.make(toy, "lab", replace(WEAK, nuclei=("13C", "19F"), n_directions=6))
    network = with_modulation(toy.network, "lab")
    public = rehearse(toy.network, few_public(), "lab")
    table = conditions([(normalise(None), "lab")], network.config.solvents, network.config.sources)

    def moved(place: np.ndarray, nucleus: str) -> np.ndarray:
        ground.space.set(network, place)
        with torch.no_grad():
            atoms = torch.from_numpy(public.nodes[nucleus])
            mean, _ = network.read_out(nucleus, public.h[atoms], network.condition(table))
        return np.asarray(mean.double().numpy())

    nothing = np.zeros(ground.space.n_directions)
    start = {nucleus: moved(nothing, nucleus) for nucleus in ("13C", "19F", "1H")}
    step = nothing.copy()
    step[0] = 0.02
    squares = [np.mean((moved(step, n) - start[n]) ** 2) for n in ("13C", "19F")]
    assert np.mean(squares) ** 0.5 / 0.02 == pytest.approx(1.0, rel=0.05)
    assert moved(step, "1H").tolist() == start["1H"].tolist()


def test_a_space_needs_heads_that_can_be_modulated(toy: Artifact) -> None:
    grown = with_modulation(toy.network, "lab")
    with pytest.raises(ConfigError, match="already"):
        with_modulation(grown, "lab")
    public = rehearse(toy.network, ("CCC",), "lab")
    with pytest.raises(ConfigError, match="no nucleus"):
        public_space(grown, public, ("19F",), 4)


def test_without_a_column_a_file_is_a_contributor(toy_model: Path, tmp_path: Path) -> None:
    rows = contributed(toy_model, 1)
    files = [write_lines(tmp_path / f"{number}.jsonl", rows[number::13]) for number in range(13)]
    report = adapt_private(files, tmp_path / "model", STRICT, model=toy_model, settings=LAB)
    assert report.n_contributors + report.n_held_out == 13


@pytest.mark.parametrize(("name", "text"), [("a.jsonl", ""), ("a.sdf", "\n\n\n  0  0\n$$$$\n")])
def test_files_without_columns(toy_model: Path, tmp_path: Path, name: str, text: str) -> None:
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(FileFormatError):
        adapt_private(
            [path],
            tmp_path / "model",
            STRICT,
            model=toy_model,
            settings=LAB,
            contributor_column="lab",
        )
