"""Tables, one atom or one spectrum a row: rows in = labels out + rows reported."""

import gzip
import io
from pathlib import Path

import pytest

from nmrshift.data.importing import import_file, sniff_format
from nmrshift.data.records import Peak, RecordIssue, ShiftRecord
from nmrshift.data.tables import import_table
from nmrshift.errors import FileFormatError

LONG = "ID,SMILES,Atom Index,Nucleus,Shift (ppm),Solvent\n"
ROWS = "a,CCO,0,13C,18.1,CDCl3\na,CCO,1,C-13,57.8,CDCl3\na,CCO,1,1H,3.7,CDCl3\nb,CF,1,,-271.9,\n"


def run(text: str | bytes, **options: object) -> list[ShiftRecord | RecordIssue]:
    data = text if isinstance(text, bytes) else text.encode()
    return list(import_table(io.BytesIO(data), **options))


def codes(text: str | bytes) -> list[str]:
    return [getattr(entry, "code", "ok") for entry in run(text)]


def test_long_form() -> None:
    carbon, proton, fluorine = run(LONG + ROWS, source="lab")
    assert carbon == ShiftRecord(
        "lab:a/13C/0",
        "CCO",
        "13C",
        solvent="CDCl3",
        source="lab",
        assignment="file",
        shifts=((0, 18.1), (1, 57.8)),
    )
    assert isinstance(proton, ShiftRecord)
    assert (proton.nucleus, proton.shifts) == ("1H", ((1, 3.7),))
    assert isinstance(fluorine, ShiftRecord)
    assert (fluorine.id, fluorine.solvent) == ("lab:b/19F/0", None)


@pytest.mark.parametrize("delimiter", [",", "\t", ";", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"])
def test_delimiters_line_ends_and_bom_change_nothing(delimiter: str, end: str, bom: bytes) -> None:
    text = (LONG + ROWS).replace(",", delimiter).replace("\n", end)
    assert run(bom + text.encode()) == run(LONG + ROWS)


def test_wide_form_with_and_without_atoms() -> None:
    text = (
        "compound,smiles,nucleus,solvent,shifts\n"
        "x,CCO,13C,CDCl3,0:18.1; 1: 57.8 (t)\n"
        'x,CCO,13C,D2O,"[18.9, 58.2]"\n'
        'y,OCC,13C,,"57.8 (t), 18.1 q"\n'
        "y,OCC,c13,,57.8 \u221218.1\n"
    )
    first, second, third, fourth = run(text)
    assert isinstance(first, ShiftRecord)
    assert (first.id, first.shifts, first.peaks) == (
        "table:x/13C/0",
        ((0, 18.1), (1, 57.8)),
        None,
    )
    assert isinstance(second, ShiftRecord)
    assert (second.id, second.peaks) == ("table:x/13C/1", (Peak(18.9), Peak(58.2)))
    assert isinstance(third, ShiftRecord)
    assert third.peaks == (Peak(57.8, "t"), Peak(18.1, "q"))
    assert isinstance(fourth, ShiftRecord)
    assert fourth.peaks == (Peak(57.8), Peak(-18.1))


def test_columns_named_after_nuclei() -> None:
    carbon, fluorine, other = run("smiles;13C shifts;19F\nCF;75.2;1:-271.9\nCC;5.7;\n")
    assert isinstance(carbon, ShiftRecord)
    assert (carbon.nucleus, carbon.peaks) == ("13C", (Peak(75.2),))
    assert isinstance(fluorine, ShiftRecord)
    assert (fluorine.nucleus, fluorine.shifts) == ("19F", ((1, -271.9),))
    assert isinstance(other, ShiftRecord)
    (entry,) = run("smiles,atom,shift_13C\nCCO,0,18.1\nCCO,1,57.8\n")
    assert isinstance(entry, ShiftRecord)
    assert entry.shifts == ((0, 18.1), (1, 57.8))


def test_atoms_from_one_and_written_hydrogens() -> None:
    (entry,) = run("smiles,atom,ppm\nCCO,1,18.1\nCCO,2,57.8\n", first_atom=1)
    assert isinstance(entry, ShiftRecord)
    assert entry.shifts == ((0, 18.1), (1, 57.8))
    (proton,) = run("smiles,atom,ppm\n[H]C([H])([H])F,0,4.3\n")
    assert isinstance(proton, ShiftRecord)
    assert (proton.smiles, proton.nucleus, proton.shifts) == ("CF", "1H", ((0, 4.3),))


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ("a,CCO,2,13C,1.0,", "wrong_element"),
        ("a,CCO,3,13C,1.0,", "index_out_of_range"),
        ("a,CCO,9,,1.0,", "index_out_of_range"),
        ("a,CCO,-1,13C,1.0,", "bad_field"),
        ("a,CCO,one,13C,1.0,", "bad_field"),
        ("a,CCO,0,gold,1.0,", "bad_field"),
        ("a,CCO,,,1.0,", "missing_field"),
        ("a,CCO,0,13C,,", "missing_field"),
        ("a,,0,13C,1.0,", "missing_field"),
        ('a,CCO,0,13C,"1,0",', "bad_signal"),
        ("a,CCO,0,13C,inf,", "non_finite"),
        ("a,CCQ,0,13C,1.0,", "structure"),
        ("a,CC O,0,13C,1.0,", "structure"),
        ("a,CCO,0,13C,1.0", "ragged_row"),
        ("a,CCO,0,13C,1.0,x,y", "ragged_row"),
        ('"a,CCO,0,13C,1.0,', "broken_row"),
        ('a"b,"C"CO,0,13C,1.0,', "broken_row"),
    ],
)
def test_a_bad_row_is_reported_alone(row: str, code: str) -> None:
    good = "b,CF,1,19F,-271.9,\n"
    entries = run(LONG + good + row + "\n" + good)
    issues = [entry for entry in entries if isinstance(entry, RecordIssue)]
    assert [(issue.row, issue.code) for issue in issues] == [(2, code)]
    labels = [shift for e in entries if isinstance(e, ShiftRecord) for shift in e.shifts or ()]
    assert len(labels) == 2


def test_trailing_empty_cells_blank_lines_and_quoted_line_ends_are_fine() -> None:
    assert codes(LONG + 'a,CCO,0,13C,1.0,"CDCl3\nwet",,\n\n  \nb,CF,1,,1.0,\n') == ["ok", "ok"]


@pytest.mark.parametrize("cell", ["1,5, 2,5", "1.0 and more", "0:x", "[]", " "])
def test_lists_that_might_be_misread_are_reported(cell: str) -> None:
    assert codes(f'smiles,nucleus,shifts\nCCO,13C,"{cell}"\n')[0] != "ok"


def test_rows_that_come_back_later_make_another_record() -> None:
    text = "id,smiles,atom,ppm\na,CC,0,1\nb,CF,1,2\na,CC,1,3\n"
    assert [entry.id for entry in run(text) if isinstance(entry, ShiftRecord)] == [
        "table:a/13C/0",
        "table:b/19F/0",
        "table:a/13C/1",
    ]


def test_old_encodings_formulas_and_long_rows() -> None:
    text = "name,smiles,nucleus,shifts\ngr\u00fcn,CF,19F,-271\n=1+1,CF,19F,-272\n"
    first, second = run(text.encode("cp1252"))
    assert isinstance(first, ShiftRecord)
    assert first.name == "gr\u00fcn"
    assert isinstance(second, ShiftRecord)
    assert second.name == "=1+1"
    assert codes(text + "x" * 9_000_000 + "\nz,CF,19F,1\n") == ["ok", "ok", "too_long", "ok"]


@pytest.mark.parametrize(
    "header",
    ["a,b,c", "smiles,solvent", "smiles,shift,ppm", "smiles,atom,13C,19F", "smiles\tshifts"],
)
def test_headers_that_cannot_be_understood_are_errors(header: str) -> None:
    with pytest.raises(FileFormatError):
        run(header + "\nCC,1,2\n", delimiter=",")


def test_empty_and_broken_off_files(tmp_path: Path) -> None:
    assert run("") == []
    assert run(LONG) == []
    path = tmp_path / "x.csv.gz"
    rows = "".join(f"m{n},CF,1,19F,-{n}.{n**5},\n" for n in range(3000))
    path.write_bytes(gzip.compress((LONG + rows).encode())[:-3000])
    *entries, last = import_file(path)
    assert any(entry.code == "damaged_file" for entry in entries if isinstance(entry, RecordIssue))
    good = [entry for entry in (*entries, last) if isinstance(entry, ShiftRecord)]
    assert 100 < len(good) < 3000
    assert good[7].id == "x:m7/19F/0"
    assert codes("smiles,shifts\n".encode("utf-16")) == ["damaged_file"]


def test_sniffing(tmp_path: Path) -> None:
    path = tmp_path / "x"
    for text, kind in ((LONG, "csv"), (LONG.replace(",", "\t"), "tsv")):
        path.write_text(text + ROWS)
        assert sniff_format(path) == kind
    for text in ("", "\n\n", '{"id": 1}\n'):
        path.write_text(text)
        with pytest.raises(FileFormatError):
            sniff_format(path)
    with pytest.raises(FileFormatError):
        list(import_file(tmp_path / "none.csv"))
