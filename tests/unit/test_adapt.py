"""Adapting to a laboratory: gains are real, harm is refused, bad data are named."""

import json
import shutil
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from laboratory import as_peak_lists, records_of, write_lines
from toy import SMILES

from nmrshift import Predictor
from nmrshift.adapt import AdaptReport, adapt
from nmrshift.adapt import run as adapt_run
from nmrshift.adapt.answers import Answered
from nmrshift.adapt.checks import check_against, offsets
from nmrshift.adapt.choice import Trial, choose, is_clear
from nmrshift.adapt.evidence import unsorted
from nmrshift.adapt.intake import read_laboratory
from nmrshift.adapt.public import SCAFFOLDS, SUBSTITUENTS, public_smiles
from nmrshift.adapt.settings import AdaptSettings
from nmrshift.adapt.ways import WAYS
from nmrshift.chem.toolkit import Chem
from nmrshift.cli.app import main
from nmrshift.errors import ConfigError, FlippedSignError, NmrshiftError
from nmrshift.model.artifact import load_artifact
from nmrshift.model.evidence import NucleusTable

LAB = AdaptSettings(name="lab", epochs=15)
CAUTIOUS = WAYS[:2]
OFFSET_PPM = 12.0
ASKED = ("Cc1ccccc1", "CCOC(C)=O", "FC(F)(F)c1ccc(OC)cc1")


def offset(_: int, shift_ppm: float) -> float:
    return shift_ppm + OFFSET_PPM


def shifts(model: Path, source: str | None = None) -> list[tuple[float, float, float]]:
    predictor = Predictor.load(model)
    answers = [predictor.predict(text, nuclei=("13C", "1H"), source=source) for text in ASKED]
    return [(a.shift_ppm, a.low_ppm, a.high_ppm) for answer in answers for a in answer.atoms]


@pytest.fixture(scope="module")
def few_public() -> Callable[[], tuple[str, ...]]:
    return lambda: public_smiles()[::6]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch, few_public: Callable[[], tuple[str, ...]]) -> None:
    """Rehearse on fewer structures and leave the slow ways to the tests that need them."""
    monkeypatch.setattr(adapt_run, "public_smiles", few_public)
    monkeypatch.setattr(adapt_run, "WAYS", CAUTIOUS)


@pytest.fixture(scope="module")
def offset_records(toy_model: Path) -> list[dict[str, Any]]:
    return records_of(Predictor.load(toy_model), offset)


@pytest.fixture(scope="module")
def moved(
    toy_model: Path,
    offset_records: list[dict[str, Any]],
    tmp_path_factory: pytest.TempPathFactory,
    few_public: Callable[[], tuple[str, ...]],
) -> AdaptReport:
    """A laboratory on another reference."""
    folder = tmp_path_factory.mktemp("moved")
    path = write_lines(folder / "lab.jsonl", offset_records)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(adapt_run, "public_smiles", few_public)
        return adapt([path], folder / "model", model=toy_model, settings=LAB)


def test_another_reference_is_learned_as_a_convention(toy_model: Path, moved: AdaptReport) -> None:
    assert moved.verdict == "better"
    (carbon,) = moved.before_after
    assert carbon.mae_before_ppm == pytest.approx(OFFSET_PPM, abs=0.5)
    assert carbon.mae_after_ppm < 0.3 * carbon.mae_before_ppm
    assert max(public.growth for public in moved.public) <= 0.05
    assert any(notice.code == "reference_offset" for notice in moved.notices)
    assert moved.evidence_added == {}
    general, own = np.array(shifts(moved.folder)), np.array(shifts(moved.folder, "lab"))
    base = np.array(shifts(toy_model))
    predictor = Predictor.load(moved.folder)
    carbons = [
        atom.nucleus == "13C"
        for text in ASKED
        for atom in predictor.predict(text, nuclei=("13C", "1H")).atoms
    ]
    assert np.abs(general[:, 0] - base[:, 0]).max() < 3.0
    assert (own - general)[carbons, 0].mean() == pytest.approx(OFFSET_PPM, abs=3.0)


def test_the_folder_says_where_it_comes_from(toy_model: Path, moved: AdaptReport) -> None:
    base, artifact = load_artifact(toy_model), load_artifact(moved.folder)
    assert artifact.card.name == "toy-lab"
    assert artifact.identity == moved.identity
    assert moved.base == base.identity
    assert artifact.card.training["adaptation"]["base_sha256"] == base.sha256
    assert artifact.card.sources[:-1] == base.card.sources
    assert artifact.card.sources[-1].name == "lab"
    assert artifact.network.config.sources == (*base.network.config.sources, "lab")
    assert Predictor.load(moved.folder).verify().ok
    card = (moved.folder / "CARD.md").read_text()
    assert base.identity in card
    assert "Apache-2.0" in (moved.folder / "LICENSE-DATA").read_text()


def test_a_laboratory_that_agrees_changes_nothing(toy_model: Path, tmp_path: Path) -> None:
    predictor = Predictor.load(toy_model)
    rng = np.random.default_rng(3)
    path = write_lines(
        tmp_path / "lab.jsonl",
        records_of(predictor, lambda _, shift: shift + float(rng.normal(0, 0.5))),
    )
    report = adapt([path], tmp_path / "model", model=toy_model, settings=LAB)
    assert report.verdict == "no difference"
    assert report.way == "base"
    assert shifts(tmp_path / "model") == shifts(toy_model)
    assert shifts(tmp_path / "model", "lab") == shifts(toy_model)
    assert report.recalibrated == ()
    before, after = load_artifact(toy_model).evidence, load_artifact(tmp_path / "model").evidence
    assert before is not None
    assert after is not None
    assert report.evidence_added["13C"] > 50
    old, new = before.nuclei["13C"], after.nuclei["13C"]
    assert len(new.shift_ppm) == len(old.shift_ppm) + report.evidence_added["13C"]
    assert set(before.records) < set(after.records)
    assert after.nuclei["19F"].to_arrays()["codes_3"].tolist() == (
        before.nuclei["19F"].codes[2].tolist()
    )


def test_tables_are_taken_apart_and_built_again(toy_model: Path) -> None:
    evidence = load_artifact(toy_model).evidence
    assert evidence is not None
    for table in evidence.nuclei.values():
        again = NucleusTable.build(unsorted(table))
        for name, values in table.to_arrays().items():
            assert again.to_arrays()[name].tolist() == values.tolist(), name


def test_harm_is_refused(
    toy_model: Path,
    offset_records: list[dict[str, Any]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Without rehearsal and without a convention of its own, an offset would cost the public."""
    full = next(way for way in WAYS if way.name == "full")
    monkeypatch.setattr(adapt_run, "WAYS", (full,))
    monkeypatch.setattr("nmrshift.adapt.ways._CONVENTION_RATE", 1e-9)
    monkeypatch.setattr("nmrshift.adapt.fit._REHEARSAL_WEIGHT", 0.0)
    monkeypatch.setattr("nmrshift.adapt.fit._PULL", 0.0)
    public = records_of(
        Predictor.load(toy_model), lambda n, s: s + (n % 3 - 1.0), smiles=SMILES[::2]
    )
    path = write_lines(
        tmp_path / "lab.jsonl", [r for r in offset_records if int(r["id"][4:].split("/")[0]) % 2]
    )
    control = write_lines(tmp_path / "public.jsonl", public)
    report = adapt([path], tmp_path / "model", model=toy_model, settings=LAB, control=[control])
    (_, tried) = report.tried
    assert tried.refused
    assert tried.public_growth > 0.05
    assert tried.relative_error < 1.0
    assert report.way == "base"
    assert report.verdict == "no difference"
    assert "public knowledge" in report.reason
    assert report.control == "file"
    assert shifts(tmp_path / "model") == shifts(toy_model)


def test_peak_lists_teach(
    toy_model: Path, offset_records: list[dict[str, Any]], tmp_path: Path
) -> None:
    path = write_lines(tmp_path / "lab.jsonl", as_peak_lists(offset_records))
    report = adapt([path], tmp_path / "model", model=toy_model, settings=LAB)
    (carbon,) = report.before_after
    assert report.verdict == "better"
    assert carbon.n_listed == carbon.n_shifts
    assert carbon.mae_after_ppm < 0.7 * carbon.mae_before_ppm


def test_nothing_is_overwritten_unless_forced(
    toy_model: Path, offset_records: list[dict[str, Any]], moved: AdaptReport, tmp_path: Path
) -> None:
    path = write_lines(tmp_path / "lab.jsonl", offset_records)
    target = Path(shutil.copytree(moved.folder, tmp_path / "model"))
    before = load_artifact(target).sha256
    short = AdaptSettings(name="other", epochs=1)
    for out, base, force, words in (
        (target, toy_model, False, "exists"),
        (toy_model, toy_model, True, "base model itself"),
        (tmp_path, toy_model, True, "other things"),
    ):
        with pytest.raises(NmrshiftError, match=words) as caught:
            adapt([path], out, model=base, settings=short, force=force)
        assert caught.value.code == "folder_taken"
    assert load_artifact(target).sha256 == before
    again = adapt([path], target, model=moved.folder, settings=short, force=True)
    artifact = load_artifact(target)
    assert artifact.identity == again.identity
    assert artifact.network.config.sources[-2:] == ("lab", "other")
    assert sorted(item.name for item in tmp_path.iterdir()) == ["lab.jsonl", "model"]


def test_the_same_seed_gives_the_same_model(
    toy_model: Path,
    offset_records: list[dict[str, Any]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = write_lines(tmp_path / "lab.jsonl", offset_records[:30])
    monkeypatch.setattr(adapt_run, "WAYS", WAYS)
    short = AdaptSettings(name="lab", epochs=2)
    first, second = (
        adapt([path], tmp_path / name, model=toy_model, settings=short) for name in ("a", "b")
    )
    assert first.identity == second.identity


def test_a_run_without_gain_ends_where_it_began(
    toy_model: Path,
    offset_records: list[dict[str, Any]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Where the inner molecules agree with the base already, every way keeps its weights."""
    monkeypatch.setattr(adapt_run, "WAYS", WAYS)
    monkeypatch.setattr("nmrshift.adapt.fit.PATIENCE", 1)
    path = write_lines(tmp_path / "lab.jsonl", records_of(Predictor.load(toy_model)))
    settings = AdaptSettings(name="lab", epochs=2)
    report = adapt([path], tmp_path / "model", model=toy_model, settings=settings)
    assert [tried.epochs for tried in report.tried] == [0] * 5
    assert all(tried.public_growth == 0 for tried in report.tried)
    (carbon,) = report.before_after
    assert carbon.mae_after_ppm == carbon.mae_before_ppm < 1e-3


def hertz(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{**row, "shifts": [[a, s * 100.6] for a, s in row["shifts"]]} for row in rows]


def flipped(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{**row, "shifts": [[a, -s] for a, s in row["shifts"]]} for row in rows]


def one_on(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {**row, "smiles": f"{row['smiles']}.O", "shifts": [[a + 1, s] for a, s in row["shifts"]]}
        for row in rows
    ]


def computed(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{**row, "level": "a calculation"} for row in rows]


def silicon(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {"id": r["id"], "smiles": "C[Si](C)(C)C", "nucleus": "29Si", "shifts": [[1, 0.0]]}
        for r in rows
    ]


def one_molecule(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{**rows[0], "id": f"{number}"} for number in range(20)]


@pytest.mark.parametrize(
    ("spoil", "code", "words"),
    [
        (hertz, "shifts_in_hz", "Hz"),
        (flipped, "sign_flipped", "opposite sign"),
        (one_on, "wrong_atoms", "cannot have them"),
        (computed, "no_usable_record", "no row is a measured"),
        (silicon, "unknown_nucleus", "29Si"),
        (lambda rows: rows[:3], "too_few_spectra", "3 usable spectra"),
        (one_molecule, "too_few_spectra", "1 molecules"),
        (lambda rows: [{"id": r["id"]} for r in rows], "no_usable_record", "no smiles"),
    ],
)
def test_bad_data_are_named(
    toy_model: Path,
    offset_records: list[dict[str, Any]],
    tmp_path: Path,
    spoil: Callable[[list[dict[str, Any]]], list[dict[str, Any]]],
    code: str,
    words: str,
) -> None:
    path = write_lines(tmp_path / "lab.jsonl", spoil(offset_records))
    with pytest.raises(NmrshiftError, match=words) as caught:
        adapt([path], tmp_path / "model", model=toy_model, settings=LAB)
    assert caught.value.code == code
    assert not (tmp_path / "model").exists()


def mirrored(row: dict[str, Any]) -> list[list[float]]:
    """Shifts that fall where they should rise, all within the range of 13C."""
    return [[atom, 200.0 - shift] for atom, shift in row["shifts"]]


def turned(row: dict[str, Any]) -> list[list[float]]:
    """The right shifts on the wrong atoms: the lowest where the highest belongs."""
    atoms = sorted(row["shifts"], key=lambda pair: pair[1])
    values = sorted((shift for _, shift in row["shifts"]), reverse=True)
    return [[atom, value] for (atom, _), value in zip(atoms, values, strict=True)]


@pytest.mark.parametrize(
    ("spoil", "code"), [(mirrored, "sign_flipped"), (turned, "wrong_atoms"), (None, None)]
)
def test_values_in_range_are_held_against_the_base(
    toy_model: Path,
    tmp_path: Path,
    spoil: Callable[[dict[str, Any]], list[list[float]]] | None,
    code: str | None,
) -> None:
    rows = [
        row
        for row in records_of(Predictor.load(toy_model))
        if np.ptp([shift for _, shift in row["shifts"]]) > 30 and len(row["shifts"]) < 4
    ]
    assert len(rows) >= 10
    spoilt = [{**row, "shifts": spoil(row)} if spoil else row for row in rows]
    path = write_lines(tmp_path / "lab.jsonl", spoilt)
    settings = AdaptSettings(name="lab", epochs=1)
    if code is None:
        assert adapt([path], tmp_path / "model", model=toy_model, settings=settings).way == "base"
        return
    with pytest.raises(NmrshiftError) as caught:
        adapt([path], tmp_path / "model", model=toy_model, settings=settings)
    assert caught.value.code == code


def test_tables_that_count_from_one_are_named(toy_model: Path, tmp_path: Path) -> None:
    table = tmp_path / "lab.csv"
    table.write_text("smiles,13C\n" + "CCO,1:18.1; 2:57.9\n" * 12)
    line = ["adapt", str(table), "--out", str(tmp_path / "model"), "--model", str(toy_model)]
    done = CliRunner().invoke(main, line)
    assert done.exit_code == 1
    assert "impossible atoms" in done.stderr
    assert "--first-atom 1" in done.stderr


def test_records_come_in_under_the_name_of_the_laboratory(tmp_path: Path) -> None:
    table = tmp_path / "lab.tsv"
    rows = ["CCO\tDMSO-d6\t0:18.5; 1:56.0", *["CCO\t\t0:18.1; 1:57.9"] * 11]
    table.write_text("smiles\tsolvent\t13C\n" + "\n".join(rows) + "\n")
    intake = read_laboratory([table], ("13C",), "ours", "CDCl3")
    assert {record.source for record in intake.records} == {"ours"}
    assert [record.solvent for record in intake.records] == ["DMSO-d6", *["CDCl3"] * 11]
    assert intake.notices == ()


def trial(way: str, factor: float, growth: float = 0.01, *, chance: float = 0.0) -> Trial:
    """Errors of twelve molecules with three shifts each, all times a factor."""
    rng = np.random.default_rng(1)
    mol = np.repeat(np.arange(12), 3)
    error = rng.uniform(1.0, 3.0, 36)
    draws = rng.normal(size=12)
    changed = error * factor + chance * np.repeat(draws - draws.mean(), 3)
    zeros = np.zeros(36)
    answered = Answered(mol, np.zeros(36, int), zeros, np.abs(changed), zeros + 1, zeros > 0)
    return Trial(way, None, answered, {"13C": growth}, epochs=3)  # type: ignore[arg-type]


def test_an_offset_is_a_constant() -> None:
    """The same for every kind of atom: what some of them have is chemistry."""
    rng = np.random.default_rng(2)
    mol, zeros = np.repeat(np.arange(30), 6), np.zeros(180)
    noise = rng.normal(0, 1.0, 180)

    def found(apart: np.ndarray) -> tuple[bool, float]:
        answered = Answered(mol, np.zeros(180, int), apart + noise, zeros, zeros + 1, zeros > 0)
        (offset,) = offsets(answered, ("13C",))
        return offset.is_clear, offset.offset_ppm

    assert found(zeros)[0] is False
    clear, offset_ppm = found(zeros + 2.0)
    assert clear
    assert offset_ppm == pytest.approx(2.0, abs=0.3)
    assert found(np.tile([4.0, 4.0, 4.0, 0.0, 0.0, 0.0], 30))[0] is False
    assert found(rng.choice([-3.0, 3.0], 30)[mol])[0] is False


def test_a_freer_way_needs_a_clear_gain() -> None:
    base, some = trial("base", 1.0), trial("convention", 0.6)
    assert choose(base, [some, trial("heads", 0.3)]).trial.way == "heads"
    assert choose(base, [some, trial("heads", 0.598)]).trial.way == "convention"
    assert choose(base, [some, trial("heads", 0.3, growth=0.06)]).trial.way == "convention"
    by_chance = trial("convention", 0.95, chance=0.8)
    assert choose(base, [by_chance]).verdict == "no difference"
    likely = trial("convention", 0.85, chance=0.8)
    assert choose(base, [likely]).verdict == "no difference"
    assert choose(base, [replace(likely, growth={"13C": 0.0})]).verdict == "better"
    assert choose(base, [trial("heads", 0.3, growth=0.06)]).verdict == "no difference"
    worse = choose(base, [trial("convention", 1.2), trial("heads", 1.4)])
    assert (worse.trial.way, worse.verdict) == ("base", "worse")
    assert choose(base, [trial("convention", 1.02)]).verdict == "no difference"
    assert choose(base, [trial("convention", 1.2), trial("heads", 1.0)]).verdict == "no difference"


def test_the_standard_error_is_that_of_molecules() -> None:
    """Against the plain formula for as many shifts a molecule."""
    rng = np.random.default_rng(7)
    before = np.stack([np.full(40, 4.0), rng.uniform(2, 6, 40)], axis=1)
    gain = rng.normal(0.2, 0.8, 40)
    after = before - np.stack([np.zeros(40), gain], axis=1)
    ratio = gain.mean() / (gain.std(ddof=1) / 40**0.5)
    assert is_clear(before, after, ratio * 0.999, 0.0)
    assert not is_clear(before, after, ratio * 1.001, 0.0)
    assert not is_clear(before[:1], after[:1], 0.0, 0.0)


@pytest.mark.parametrize("name", ["", "a b", "../x", "x" * 41])
def test_bad_names(name: str) -> None:
    with pytest.raises(ConfigError, match="name of a laboratory"):
        AdaptSettings(name=name)


def test_a_source_of_the_base_is_no_name(
    toy_model: Path, offset_records: list[dict[str, Any]], tmp_path: Path
) -> None:
    path = write_lines(tmp_path / "lab.jsonl", offset_records)
    with pytest.raises(ConfigError, match="already"):
        adapt([path], tmp_path / "model", model=toy_model, settings=AdaptSettings(name="toy"))


def test_public_structures_are_plain_and_diverse() -> None:
    found = public_smiles()
    assert len(found) > 400
    mols = [Chem.MolFromSmiles(text) for text in found]
    assert all(mol is not None for mol in mols)
    assert len({Chem.MolToSmiles(mol) for mol in mols}) > 0.95 * len(found)
    assert len(found) <= len(SCAFFOLDS) * len(SUBSTITUENTS)
    for element, least in (("C", 400), ("F", 100), ("P", 40), ("B", 40)):
        carriers = [mol for mol in mols if any(a.GetSymbol() == element for a in mol.GetAtoms())]
        assert len(carriers) >= least


def test_the_command_prints_the_same(
    toy_model: Path, offset_records: list[dict[str, Any]], tmp_path: Path
) -> None:
    table = tmp_path / "lab.csv"
    rows = ["smiles,13C"] + [
        f"{r['smiles']},{'; '.join(f'{a}:{s:.2f}' for a, s in r['shifts'])}" for r in offset_records
    ]
    table.write_text("\n".join(rows) + "\n")
    out = tmp_path / "model"
    line = ["adapt", str(table), "--out", str(out), "--model", str(toy_model), "--name", "ours"]
    done = CliRunner().invoke(main, [*line, "--epochs", "20", "--json"])
    assert done.exit_code == 0, done.output
    report = json.loads(done.stdout)
    assert report["verdict"] == "better"
    assert report["name"] == "ours"
    assert report["before_after"][0]["nucleus"] == "13C"
    again = CliRunner().invoke(main, line)
    assert again.exit_code == 2
    assert "exists" in again.stderr
    asked = ["predict", "CCO", "--model", str(out), "--source", "ours", "--nucleus", "13C"]
    assert CliRunner().invoke(main, asked).exit_code == 0


@pytest.mark.parametrize("listed", [False, True])
@pytest.mark.parametrize(("factor", "offset_ppm", "refused"), [(-1, 2, True), (1, 60, False)])
def test_a_flipped_sign_within_the_range_of_the_nucleus(
    listed: bool, factor: int, offset_ppm: float, refused: bool
) -> None:
    predicted = np.linspace(-130.0, -60.0, 8)
    answered = Answered(
        mol=np.arange(8),
        nucleus=np.zeros(8, dtype=np.int64),
        observed_ppm=factor * predicted + offset_ppm,
        predicted_ppm=predicted,
        scale_ppm=np.ones(8),
        listed=np.full(8, listed),
    )
    with pytest.raises(FlippedSignError, match="opposite sign") if refused else nullcontext():
        check_against(answered, ("19F",), (50.0,))
