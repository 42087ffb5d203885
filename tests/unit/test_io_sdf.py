"""SD files: every record an answer or a failure, the hazards of the format included."""

import gzip

import pytest
from corpus import cases_of, load_generators

from nmrshift.chem.parse import parse
from nmrshift.errors import InputError
from nmrshift.io.formats import read_queries
from nmrshift.types import Failure, Query

generators = load_generators()
CASES = cases_of("sdf")


def code(row):
    if isinstance(row, Failure):
        return row.code
    try:
        parse(row.structure)
    except InputError as error:
        return error.code
    return "ok"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_hazards(tmp_path, case):
    path = tmp_path / "a.sdf"
    path.write_bytes(generators.materialise(case).encode())
    codes = [code(row) for row in read_queries(path)]
    allowed = {case.get("code", "ok"), *case.get("accept", [])} - {"ok"}
    assert codes.count("ok") == case["rows"]["ok"]
    assert len(codes) == max(1, case["rows"]["records"])
    assert set(codes) - {"ok"} <= allowed


BLOCK = generators.molblock()


def rows(tmp_path, text, name="a.sdf"):
    path = tmp_path / name
    path.write_text(text)
    return list(read_queries(path))


def test_names_and_solvents(tmp_path):
    titled = "ethane" + BLOCK
    text = f"{titled}> <ID>\n7\n\n> <Solvent>\nCDCl3\n\n$$$$\n{BLOCK}> <ID>\n8\n\n$$$$\n"
    first, second = rows(tmp_path, text)
    assert first == Query(titled, solvent="CDCl3", name="ethane")
    assert second == Query(BLOCK, name="8")


def test_a_mol_file_is_one_record(tmp_path):
    assert rows(tmp_path, "ethane" + BLOCK, "a.mol") == [Query("ethane" + BLOCK, name="ethane")]


def test_a_record_too_long_fails_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(
        "nmrshift.io.sdf_records.iter_sd_records.__kwdefaults__", {"max_bytes": 500}
    )
    text = f"{BLOCK}> <NOTE>\n{'x' * 1000}\n\n$$$$\n{BLOCK}$$$$\n"
    assert [code(row) for row in rows(tmp_path, text)] == ["too_large", "ok"]


def test_a_broken_archive_says_where(tmp_path):
    blocks = "".join(f"n{i * 7919 % 10007}{BLOCK}$$$$\n" for i in range(3000))
    path = tmp_path / "a.sdf.gz"
    path.write_bytes(gzip.compress(blocks.encode())[:-50])
    *good, last = read_queries(path)
    assert good
    assert all(isinstance(row, Query) for row in good)
    assert (last.code, last.index) == ("file_format", len(good))
