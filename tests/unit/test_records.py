"""The native format: every line is a record or an issue, and what is written reads back."""

import gzip
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nmrshift.data.records import (
    Peak,
    RecordIssue,
    ShiftRecord,
    count_atoms,
    read_records,
    record_from_dict,
    record_to_dict,
    record_writer,
    write_records,
)
from nmrshift.errors import FileFormatError, RecordError

GOOD = {"id": "x:1", "smiles": "CCO", "nucleus": "13C", "shifts": [[0, 18.0], [1, 57]]}


def lines(tmp_path: Path, *rows: bytes, name: str = "r.jsonl", end: bytes = b"\n") -> list:
    path = tmp_path / name
    path.write_bytes(b"".join(row + end for row in rows))
    return list(read_records(path))


def dump(**changes: object) -> bytes:
    return json.dumps(GOOD | changes).encode()


def test_reads_every_field(tmp_path: Path) -> None:
    peaks = [[1.5, "T", 3], [2, None]]
    row = dump(solvent="CDCl₃", temperature=298, reference=None, peaks=peaks, doubted=[1])
    (record,) = lines(tmp_path, row)
    assert record == ShiftRecord(
        "x:1",
        "CCO",
        "13C",
        solvent="CDCl₃",
        temperature="298",
        shifts=((0, 18.0), (1, 57.0)),
        peaks=(Peak(1.5, "T", 3), Peak(2.0)),
        doubted=(1,),
    )


@pytest.mark.parametrize(
    ("row", "code"),
    [
        (dump()[:-5], "json"),
        (b"[1, 2]", "json"),
        (b"[" * 100_000, "json"),
        (b'"text"', "json"),
        (dump(name="gr\u00fcn").replace(b"\\u00fc", b"\xfc"), "encoding"),
        (dump(smile="CC"), "unknown_field"),
        (
            json.dumps({key: GOOD[key] for key in ("id", "nucleus", "shifts")}).encode(),
            "missing_field",
        ),
        (dump(smiles=""), "missing_field"),
        (dump(id=None), "missing_field"),
        (dump(shifts=None), "missing_field"),
        (dump(shifts=[]), "missing_field"),
        (dump(smiles=5), "bad_field"),
        (dump(nucleus="carbon"), "bad_field"),
        (dump(solvent=[1]), "bad_field"),
        (dump(solvent=True), "bad_field"),
        (dump(name="\ud800"), "bad_field"),
        (dump(shifts="0:18"), "bad_field"),
        (dump(doubted=[2]), "bad_field"),
        (dump(doubted=[True]), "bad_field"),
        (dump(doubted=1), "bad_field"),
        (dump(shifts=[[0]]), "bad_field"),
        (dump(shifts=[[True, 1.0]]), "bad_field"),
        (dump(shifts=[[0, "18"]]), "bad_field"),
        (dump(shifts=[[0, False]]), "bad_field"),
        (dump(peaks=[[1, None, 1.5]]), "bad_field"),
        (dump(peaks=[[]]), "bad_field"),
        (dump(peaks=[[1.0, "S", "\udfff"]]), "bad_field"),
        (dump().replace(b"18.0", b"NaN"), "non_finite"),
        (dump().replace(b"18.0", b"-Infinity"), "non_finite"),
        (dump().replace(b"18.0", b"1e999"), "non_finite"),
        (dump(shifts=[[3, 1.0]]), "index_out_of_range"),
        (dump(shifts=[[-1, 1.0]]), "index_out_of_range"),
    ],
)
def test_a_bad_line_is_an_issue_and_loses_no_other(tmp_path: Path, row: bytes, code: str) -> None:
    first, issue, last = lines(tmp_path, dump(), row, dump(id="x:3"))
    assert isinstance(first, ShiftRecord)
    assert isinstance(last, ShiftRecord)
    assert isinstance(issue, RecordIssue)
    assert (issue.row, issue.code) == (2, code)
    assert issue.message


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r", b"\n\n"])
@pytest.mark.parametrize("packed", [False, True])
def test_line_ends_bom_and_gzip(tmp_path: Path, end: bytes, packed: bool) -> None:
    text = b"\xef\xbb\xbf" + end.join(dump(id=f"x:{number}") for number in range(3))
    path = tmp_path / "r.data"
    path.write_bytes(gzip.compress(text) if packed else text)
    assert [record.id for record in read_records(path)] == ["x:0", "x:1", "x:2"]


@pytest.mark.parametrize("cut", [1, 30, 200])
def test_a_broken_off_gzip_gives_what_is_whole_and_says_so(tmp_path: Path, cut: int) -> None:
    rows = b"".join(
        dump(id=f"x:{number}", name=f"{number**7:x}" * 9) + b"\n" for number in range(500)
    )
    path = tmp_path / "r.jsonl.gz"
    path.write_bytes(gzip.compress(rows)[:-cut])
    *before, last = read_records(path)
    assert isinstance(last, RecordIssue)
    assert last.code == "damaged_file"
    good = [entry.id for entry in before if isinstance(entry, ShiftRecord)]
    assert good == [f"x:{number}" for number in range(len(good))]
    assert len(good) > 400


def test_flipped_bytes_in_a_gzip_end_in_an_issue(tmp_path: Path) -> None:
    data = bytearray(gzip.compress(b"".join(dump(id=f"x:{n}") + b"\n" for n in range(100))))
    data[-6] ^= 255
    path = tmp_path / "r.jsonl.gz"
    path.write_bytes(bytes(data))
    *good, last = read_records(path)
    assert len(good) == 100
    assert last.code == "damaged_file"


def test_utf16_and_too_long_lines_are_reported(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    path.write_bytes(dump().decode().encode("utf-16"))
    (issue,) = read_records(path)
    assert issue.code == "damaged_file"
    long, after = lines(tmp_path, dump(name="n" * 9_000_000), dump())
    assert long.code == "too_long"
    assert isinstance(after, ShiftRecord)


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileFormatError):
        next(read_records(tmp_path / "none.jsonl"))


text = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20)
ppm = st.floats(-1000, 1000)


@given(
    st.builds(
        ShiftRecord,
        id=text,
        smiles=st.just("CC(F)Cl"),
        nucleus=st.sampled_from(["13C", "19F", "195Pt"]),
        solvent=st.none() | text,
        name=st.none() | text,
        shifts=st.lists(st.tuples(st.integers(0, 3), ppm), min_size=1).map(tuple),
        peaks=st.none()
        | st.lists(
            st.builds(Peak, ppm, st.none() | text, st.none() | st.integers(-9, 99) | text)
        ).map(tuple),
    )
)
def test_records_survive_json(record: ShiftRecord) -> None:
    assert record_from_dict(json.loads(json.dumps(record_to_dict(record)))) == record


def test_written_files_read_back_and_have_the_same_bytes(tmp_path: Path) -> None:
    records = [ShiftRecord(f"x:{n}", "CF", "19F", shifts=((1, -271.9 + n),)) for n in range(5)]
    for name in ("a.jsonl", "a.jsonl.gz", "b.jsonl.gz"):
        assert write_records(tmp_path / name, iter(records)) == 5
        assert list(read_records(tmp_path / name)) == records
    assert (tmp_path / "a.jsonl.gz").read_bytes() == (tmp_path / "b.jsonl.gz").read_bytes()


def test_a_file_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    record = ShiftRecord("x:1", "CF", "19F", shifts=((1, 1.0),))
    path = tmp_path / "a.jsonl"

    def broken() -> None:
        with record_writer(path) as write:
            write(record)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        broken()
    assert list(tmp_path.iterdir()) == []
    write_records(path, [record])
    with pytest.raises(FileExistsError):
        write_records(path, [])
    assert list(read_records(path)) == [record]
    assert write_records(path, [], force=True) == 0
    assert path.read_bytes() == b""
    with pytest.raises(FileFormatError):
        write_records(tmp_path / "no" / "a.jsonl", [record])


def test_a_shift_that_is_no_number_is_never_written(tmp_path: Path) -> None:
    bad = ShiftRecord("x:1", "CF", "19F", shifts=((1, float("nan")),))
    with pytest.raises(ValueError):
        write_records(tmp_path / "a.jsonl", [bad])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("smiles", "n_atoms"),
    [("CCO", 3), ("c1ccccc1Cl", 7), ("[13CH3][Si](C)(C)Br", 5), ("C/C=C\\C%10CC%10", 6)],
)
def test_atoms_are_counted_by_text(smiles: str, n_atoms: int) -> None:
    assert count_atoms(smiles) == n_atoms


def test_record_error_is_public() -> None:
    with pytest.raises(RecordError):
        record_from_dict({"id": "x"})
