"""Spectra that cannot be learned from are named."""

from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from laboratory import LAB, records_of, write_lines

from nmrshift import Predictor
from nmrshift.adapt import adapt
from nmrshift.adapt.answers import Answered
from nmrshift.adapt.checks import check_against
from nmrshift.adapt.intake import read_laboratory
from nmrshift.adapt.settings import AdaptSettings
from nmrshift.cli.app import main
from nmrshift.errors import ConfigError, FlippedSignError, NmrshiftError


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
        (silicon, "unknown_nucleus", "29Si: assigned shifts of 1 molecules"),
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
        atom=np.arange(8),
    )
    with pytest.raises(FlippedSignError, match="opposite sign") if refused else nullcontext():
        check_against(answered, ("19F",), (50.0,))
