"""No connectivity in two parts, whatever its writing; and no molecule moves when others come."""

import json
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nmrshift.chem.parse import parse
from nmrshift.data.connectivity import connectivity, fragment_connectivities, structure_key
from nmrshift.data.records import RecordIssue, ShiftRecord, read_records, write_records
from nmrshift.data.splits import (
    EXCLUDED,
    PARTS,
    SplitPlan,
    fold_plan,
    read_connectivities,
    split_files,
)
from nmrshift.errors import ConfigError, FileFormatError, InputError

RECORDS = [
    ShiftRecord(f"x:{n}{tail}/{part}", f"{'C' * n}{tail}", "13C", shifts=((0, 20.0 + part),))
    for n in range(1, 25)
    for tail in ("O", "N", "F", "(=O)O")
    for part in range(2)
    if (n, tail) != (1, "(=O)O")
]


def key(smiles: str) -> str:
    return connectivity(parse(smiles, kind="smiles").mol)


def written(folder: Path, plan: SplitPlan) -> dict[str, list[ShiftRecord]]:
    return {
        name: [r for r in read_records(folder / f"{name}.jsonl.gz") if isinstance(r, ShiftRecord)]
        for name in plan.parts
    }


@pytest.mark.parametrize("plan", [SplitPlan(), SplitPlan(seed=7), fold_plan(5)])
def test_no_connectivity_is_in_two_parts_and_no_record_is_lost(
    tmp_path: Path, plan: SplitPlan
) -> None:
    write_records(tmp_path / "a.jsonl", RECORDS[::2])
    write_records(tmp_path / "b.jsonl.gz", RECORDS[1::2])
    result = split_files([tmp_path / "a.jsonl", tmp_path / "b.jsonl.gz"], tmp_path / "out", plan)
    parts = written(tmp_path / "out", plan)
    assert sorted(r.id for part in parts.values() for r in part) == sorted(r.id for r in RECORDS)
    keys = {name: {key(record.smiles) for record in part} for name, part in parts.items()}
    for name, own in keys.items():
        assert own
        assert not any(own & other for other_name, other in keys.items() if other_name != name)
    assert {name: len(own) for name, own in keys.items()} | {EXCLUDED: 0} == result.n_molecules
    assert sum(result.n_records.values()) == len(RECORDS)
    assert result.issues == ()


@pytest.mark.parametrize(
    "writings",
    [
        ("C[C@H](F)Cl", "C[C@@H](F)Cl", "CC(F)Cl", "ClC(C)F", "[13CH3]C(F)Cl"),
        ("F/C=C/F", "F/C=C\\F"),
        ("CCCN", "CCC[NH3+].[Cl-]", "Cl.CCCN", "O.NCCC", "[H]N([H])CCC"),
    ],
)
@pytest.mark.parametrize("seed", range(4))
def test_stereoisomers_salts_and_other_writings_go_together(
    writings: tuple[str, ...], seed: int
) -> None:
    plan = SplitPlan(fractions=(0.4, 0.3, 0.3), seed=seed)
    assert len({plan.part_of(smiles) for smiles in writings}) == 1
    folds = fold_plan(7, seed=seed)
    assert len({folds.part_of(smiles) for smiles in writings}) == 1


def test_a_molecule_stays_when_others_are_added(tmp_path: Path) -> None:
    plan = SplitPlan(seed=3)
    for name, records in (("few", RECORDS[:40]), ("all", RECORDS)):
        write_records(tmp_path / f"{name}.jsonl", records)
        split_files([tmp_path / f"{name}.jsonl"], tmp_path / name, plan)
    few, everything = written(tmp_path / "few", plan), written(tmp_path / "all", plan)
    for name in PARTS:
        assert {r.id for r in few[name]} <= {r.id for r in everything[name]}


def test_fractions_and_seeds_do_what_they_say() -> None:
    keys = [f"K{number}" for number in range(20_000)]
    counts = Counter(SplitPlan(fractions=(0.7, 0.2, 0.1)).part_of_key(name) for name in keys)
    assert counts["train"] / 20_000 == pytest.approx(0.7, abs=0.02)
    assert counts["test"] / 20_000 == pytest.approx(0.1, abs=0.01)
    one, other = (SplitPlan(fractions=(0.7, 0.2, 0.1), seed=seed) for seed in (0, 1))
    same = sum(one.part_of_key(name) == other.part_of_key(name) for name in keys)
    assert same / 20_000 < 0.7
    assert {SplitPlan(fractions=(1.0, 0.0, 0.0)).part_of_key(name) for name in keys} == {"train"}


@given(st.text(max_size=20), st.integers(0, 2**40))
def test_every_key_has_a_part(name: str, seed: int) -> None:
    assert SplitPlan(fractions=(0.1, 0.9, 0.0), seed=seed).part_of_key(name) in ("train", "valid")


def test_excluded_molecules_are_in_no_part(tmp_path: Path) -> None:
    path = tmp_path / "no.json"
    path.write_text(json.dumps([key("CCO") + "-UHFFFAOYSA-N", key("CCCN")]))
    plan = SplitPlan(excluded=read_connectivities(path))
    assert plan.part_of("OCC") == EXCLUDED
    assert plan.part_of("Cl.NCCC") == EXCLUDED
    assert plan.part_of("CCF") != EXCLUDED
    write_records(tmp_path / "a.jsonl", RECORDS)
    result = split_files([tmp_path / "a.jsonl"], tmp_path / "out", plan)
    assert result.n_records[EXCLUDED] == 4
    assert sum(len(part) for part in written(tmp_path / "out", plan).values()) == len(RECORDS) - 4


def test_nothing_is_overwritten_and_bad_rows_are_reported(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    write_records(path, [RECORDS[0], ShiftRecord("x:bad", "C(", "13C", shifts=((0, 1.0),))])
    with path.open("a") as stream:
        stream.write("{broken\n")
    result = split_files([path], tmp_path / "out", SplitPlan(), suffix=".jsonl")
    assert [(issue.row, issue.code) for issue in result.issues] == [(2, "structure"), (3, "json")]
    before = sorted((f.name, f.read_bytes()) for f in (tmp_path / "out").iterdir())
    with pytest.raises(FileExistsError):
        split_files([path], tmp_path / "out", SplitPlan(seed=9), suffix=".jsonl")
    assert sorted((f.name, f.read_bytes()) for f in (tmp_path / "out").iterdir()) == before
    split_files([path], tmp_path / "out", SplitPlan(), suffix=".jsonl", force=True)
    assert sorted((f.name, f.read_bytes()) for f in (tmp_path / "out").iterdir()) == before


def test_impossible_plans_and_lists_are_refused(tmp_path: Path) -> None:
    for fractions in ((0.5, 0.5), (0.9, 0.2, -0.1), (0.5, 0.2, 0.2)):
        with pytest.raises(ConfigError):
            SplitPlan(fractions=fractions)
    for folds in (1, 101):
        with pytest.raises(ConfigError):
            fold_plan(folds)
    path = tmp_path / "x.json"
    for text in ("{", '{"a": 1}', "[1]"):
        path.write_text(text)
        with pytest.raises(FileFormatError):
            read_connectivities(path)
    with pytest.raises(FileFormatError):
        read_connectivities(tmp_path / "none.json")
    with pytest.raises(InputError):
        SplitPlan().part_of("C(")


def test_keys_of_structures() -> None:
    one, other = parse("C[C@H](F)Cl").mol, parse("C[C@@H](F)Cl").mol
    assert structure_key(one) != structure_key(other)
    assert connectivity(one) == connectivity(other) == structure_key(one)[:14]
    assert fragment_connectivities(parse("Cl.NCCC").mol) == (key("CCCN"), key("Cl"))
    assert fragment_connectivities(parse("CC").mol) == (key("CC"),)


def test_a_molecule_inchi_cannot_name_still_has_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    from nmrshift.data import connectivity as module

    class Mute:
        @staticmethod
        def MolToInchiKey(mol: object) -> str:  # noqa: N802
            raise ValueError

    monkeypatch.setattr(module, "rdinchi", Mute)
    one, other = parse("C[C@H](F)Cl").mol, parse("C[C@@H](F)Cl").mol
    assert connectivity(one) == connectivity(other)
    assert connectivity(one).startswith("~")
    assert len(connectivity(one)) == 14
    assert structure_key(one) != structure_key(other)


@pytest.mark.shared
def test_real_test_molecules_are_recognised(shared_dir: Path) -> None:
    listed = read_connectivities(shared_dir / "data" / "test_connectivities.json")
    plan = SplitPlan(excluded=listed)
    missed = []
    n_records = 0
    for record in read_records(shared_dir / "data" / "pfas_19f" / "test.jsonl.gz"):
        assert not isinstance(record, RecordIssue)
        n_records += 1
        if plan.part_of(record.smiles) != EXCLUDED:
            missed.append(record.id)
    assert n_records == 96
    assert missed == []
