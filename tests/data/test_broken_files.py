"""Files cut and garbled at random: nothing raises, and no record comes out changed."""

import gzip
import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from spectra import record, sd_file

from nmrshift.data.importing import sniff_format
from nmrshift.data.nmredata import import_nmredata
from nmrshift.data.nmrshiftdb_sd import import_nmrshiftdb
from nmrshift.data.records import RecordIssue, ShiftRecord, read_records, write_records
from nmrshift.data.tables import import_table
from nmrshift.errors import FileFormatError

Entries = list[ShiftRecord | RecordIssue]
Reader = Callable[[BinaryIO], Iterator[ShiftRecord | RecordIssue]]


def nmrshiftdb(number: int) -> str:
    fields = {
        "nmrshiftdb2 ID": str(number),
        "Spectrum 19F 0": f"-225.{number};1.0S;0|",
        "Spectrum 13C 1": "84.125;1.0D;2|62.075;1.0T;3|",
        "Solvent": "0:neat 1:Benzene-D6 (C6D6) ",
    }
    return record(f"molecule {number}", fields)


def nmredata(number: int) -> str:
    fields = {
        "NMREDATA_VERSION": "1.1\\",
        "NMREDATA_ASSIGNMENT": f"a, 84.125, 3\\\nb, 62.075, 4\\\nf, -225.{number}, 1\\",
        "NMREDATA_1D_13C": "Larmor=125.7\\\n84.12, L=a\\\n62.08, L=b\\",
    }
    return record(f"molecule {number}", fields)


TABLE = "id,smiles,atom,nucleus,shift,solvent\n" + "".join(
    f"m{n},CF,1,19F,-271.{n},CDCl3\nm{n},CF,0,13C,75.{n},CDCl3\n" for n in range(4)
)
FILES: dict[str, tuple[Reader, bytes]] = {
    "nmrshiftdb": (import_nmrshiftdb, sd_file(*(nmrshiftdb(n) for n in range(3)))),
    "nmredata": (import_nmredata, sd_file(*(nmredata(n) for n in range(3)))),
    "table": (import_table, TABLE.encode()),
}


def read(reader: Reader, data: bytes) -> Entries:
    return list(reader(io.BytesIO(data)))


@pytest.mark.parametrize("name", ["nmrshiftdb", "nmredata"])
def test_an_sd_file_cut_anywhere_gives_no_changed_record(name: str) -> None:
    reader, data = FILES[name]
    whole = read(reader, data)
    per_molecule = len(whole) // 3
    for cut in range(len(data)):
        entries = read(reader, data[:cut])
        good = [entry for entry in entries if isinstance(entry, ShiftRecord)]
        assert good == whole[: len(good)]
        n_begun = 1 + data[:cut].count(b"$$$$\n") if cut else 0
        rest = data[:cut].rpartition(b"$$$$\n")[2].strip(b"$\n ")
        n_molecules = n_begun if rest else max(0, n_begun - 1)
        n_issues = len(entries) - len(good)
        assert len(good) + n_issues * per_molecule == n_molecules * per_molecule


def test_a_packed_table_cut_anywhere_gives_no_changed_record() -> None:
    whole = {entry.id: entry for entry in read(import_table, TABLE.encode())}
    packed = gzip.compress(TABLE.encode())
    for cut in range(20, len(packed)):
        try:
            entries = list(import_table(gzip.GzipFile(fileobj=io.BytesIO(packed[:cut]))))
        except FileFormatError:
            continue
        good = [entry for entry in entries if isinstance(entry, ShiftRecord)]
        assert all(whole[entry.id] == entry for entry in good)
        assert isinstance(entries[-1], RecordIssue) or isinstance(entries[-2], RecordIssue)


edits = st.lists(
    st.tuples(st.integers(0, 10**6), st.integers(0, 12), st.binary(max_size=6)), max_size=4
)


def garble(data: bytes, changes: list[tuple[int, int, bytes]]) -> bytes:
    for place, n_removed, inserted in changes:
        start = place % (len(data) + 1)
        data = data[:start] + inserted + data[start + n_removed :]
    return data


@pytest.mark.parametrize("name", list(FILES))
@settings(max_examples=150)
@given(changes=edits)
def test_garbled_files_never_raise(name: str, changes: list[tuple[int, int, bytes]]) -> None:
    reader, data = FILES[name]
    try:
        entries = read(reader, garble(data, changes))
    except FileFormatError:
        assert name == "table"
        return
    assert all(isinstance(entry, ShiftRecord | RecordIssue) for entry in entries)
    assert all(entry.code and entry.message for entry in entries if isinstance(entry, RecordIssue))


@settings(max_examples=150)
@given(changes=edits)
def test_garbled_records_never_raise(
    changes: list[tuple[int, int, bytes]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path: Path = tmp_path_factory.mktemp("r") / "r.jsonl"
    records = [ShiftRecord(f"x:{n}", "CF", "19F", shifts=((1, -271.0 - n),)) for n in range(4)]
    write_records(path, records)
    lines = garble(path.read_bytes(), changes)
    path.write_bytes(lines)
    entries = list(read_records(path))
    assert all(isinstance(entry, ShiftRecord | RecordIssue) for entry in entries)


def test_a_file_that_breaks_off_at_once_has_no_format(tmp_path: Path) -> None:
    path = tmp_path / "x.csv.gz"
    path.write_bytes(gzip.compress(TABLE.encode())[:12])
    with pytest.raises(FileFormatError, match="breaks off"):
        sniff_format(path)
