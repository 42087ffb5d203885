"""Adapting to a laboratory: gains are real, harm is refused."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from laboratory import ASKED, LAB, OFFSET_PPM, as_peak_lists, records_of, shifts, write_lines
from toy import SMILES

from nmrshift import Predictor
from nmrshift.adapt import AdaptReport, adapt
from nmrshift.adapt import run as adapt_run
from nmrshift.adapt.evidence import unsorted
from nmrshift.adapt.public import SCAFFOLDS, SUBSTITUENTS, public_smiles
from nmrshift.adapt.settings import AdaptSettings
from nmrshift.adapt.ways import WAYS
from nmrshift.chem.toolkit import Chem
from nmrshift.cli.app import main
from nmrshift.errors import NmrshiftError
from nmrshift.model.artifact import load_artifact
from nmrshift.model.evidence import NucleusTable


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
    monkeypatch.setattr("nmrshift.adapt.plan.offsets", lambda *_: ())
    monkeypatch.setattr("nmrshift.adapt.plan.corrected", lambda network, *_: (network, None))
    monkeypatch.setattr("nmrshift.adapt.fit._REHEARSAL_WEIGHT", 0.0)
    monkeypatch.setattr("nmrshift.adapt.fit._PULL", 0.0)
    public = records_of(
        Predictor.load(toy_model), lambda n, s: s + (n % 3 - 1.0), smiles=SMILES[::2]
    )
    path = write_lines(
        tmp_path / "lab.jsonl", [r for r in offset_records if int(r["id"][4:].split("/")[0]) % 2]
    )
    control = write_lines(tmp_path / "public.jsonl", public)
    out = tmp_path / "model"
    report = adapt([path], out, model=toy_model, settings=LAB, control=[control])
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


def test_where_nothing_is_to_be_gained_the_base_is_kept(
    toy_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the laboratory says what the base says, no way is better than none."""
    monkeypatch.setattr(adapt_run, "WAYS", WAYS)
    path = write_lines(tmp_path / "lab.jsonl", records_of(Predictor.load(toy_model)))
    settings = AdaptSettings(name="lab", epochs=2)
    report = adapt([path], tmp_path / "model", model=toy_model, settings=settings)
    assert report.way == "base"
    assert report.verdict != "better"
    assert report.tried[1].public_growth == 0
    assert not report.refitted
    (carbon,) = report.before_after
    assert carbon.mae_after_ppm == carbon.mae_before_ppm < 1e-3


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


def test_a_predictor_adapts(
    toy_model: Path, offset_records: list[dict[str, Any]], tmp_path: Path
) -> None:
    path = write_lines(tmp_path / "lab.jsonl", offset_records)
    predictor = Predictor.load(toy_model)
    short = AdaptSettings(name="lab", epochs=1)
    first = predictor.adapt([path], tmp_path / "model", settings=short)
    assert first.base == predictor.identity
    assert Predictor.load(first.folder).sources[-1] == "lab"
    assert "lab" not in predictor.sources
    with pytest.raises(NmrshiftError, match="exists"):
        predictor.adapt([path], tmp_path / "model", settings=short)


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
