"""NMReDATA in both versions: labels to atoms, lines however they are broken."""

import io
from pathlib import Path

import pytest
from spectra import record, sd_file

from nmrshift.data.importing import import_file, sniff_format
from nmrshift.data.nmredata import import_nmredata
from nmrshift.data.nmredata_text import assignments, lines_of
from nmrshift.data.records import Peak, RecordIssue, ShiftRecord

FIELDS = {
    "NMREDATA_VERSION": "1.1\\",
    "NMREDATA_LEVEL": "0",
    "NMREDATA_SOLVENT": "CDCl3 ; from the bottle\\",
    "NMREDATA_TEMPERATURE": "298.0 K\\",
    "NMREDATA_ASSIGNMENT": (
        'CF, 84.1, 3 ; first carbon\\\nCO, 62.\n0, 4\\\n<"Ha,b">, 3.85, H4\\\nHf, 4.5, H3\\\n'
        "F1, -225.3, 1\\\nInterchangeable=CF, CO\\"
    ),
    "NMREDATA_1D_13C": (
        "Larmor=125.7\\\nSpectrum_Location=file:./nmr/1\\\n84.12, S=d, L=CF, J=165.0\\\n"
        "62.05, L=CO\\\n77.0, L=CDCl3\\\n30.9, S=q\\"
    ),
    "NMREDATA_1D_1H#2": "Larmor=500.1\\\n3.80-3.90, S=m, N=2, L=Ha,b, E=2.0\\",
}


def run(*records: str) -> list[ShiftRecord | RecordIssue]:
    return list(import_nmredata(io.BytesIO(sd_file(*records))))


def test_spectra_assignment_and_conditions() -> None:
    carbon, proton, rest, fluorine = run(record("ethanol, fluoro", FIELDS))
    assert isinstance(carbon, ShiftRecord)
    assert carbon.id == "nmredata:ethanol, fluoro/13C/0"
    assert (carbon.solvent, carbon.temperature, carbon.frequency) == ("CDCl3", "298.0", "125.7")
    assert carbon.assignment == "order-uncertain"
    assert carbon.smiles == "OCCF"
    assert carbon.shifts == ((1, 62.05), (2, 84.12))
    assert carbon.peaks == (Peak(77.0, "CDCl3"), Peak(30.9, "q"))
    assert isinstance(proton, ShiftRecord)
    assert proton.peaks == (Peak(3.85, "Ha, b"),), "an unquoted comma parts two labels"
    assert isinstance(rest, ShiftRecord)
    assert (rest.nucleus, rest.shifts) == ("1H", ((1, 3.85), (2, 4.5)))
    assert rest.assignment == "file"
    assert isinstance(fluorine, ShiftRecord)
    assert (fluorine.id.rsplit("/", 2)[1:], fluorine.shifts) == (
        ["19F", "assignment"],
        ((3, -225.3),),
    )


def test_quoted_labels_and_joined_labels() -> None:
    fields = FIELDS | {"NMREDATA_1D_1H#2": '3.9, L=<"Ha,b">\\\n4.1, L=<"Ha,b">&Hf\\\n1.0, L=<>\\'}
    proton = run(record("x", fields))[1]
    assert isinstance(proton, ShiftRecord)
    assert proton.shifts == ((1, 3.9), (1, 4.1), (2, 4.1))
    assert proton.peaks == (Peak(1.0),)


def test_version_1_0_goes_by_its_lines() -> None:
    fields = {
        "NMREDATA_VERSION": "1.0",
        "NMREDATA_ASSIGNMENT": "a, 84.1, 3\nb, 62.0, 4\\\nc, 3.8, H4",
    }
    carbon, proton = run(record("", fields))
    assert isinstance(carbon, ShiftRecord)
    assert (carbon.id, carbon.shifts) == ("nmredata:row1/13C/assignment", ((1, 62.0), (2, 84.1)))
    assert isinstance(proton, ShiftRecord)
    assert proton.shifts == ((1, 3.8),)


def test_written_hydrogens_count_for_their_carrier() -> None:
    fields = {"NMREDATA_ASSIGNMENT": "a, 3.81, 5\\\nb, 3.87, 6\\"}
    (entry,) = run(record("x", fields))
    assert isinstance(entry, ShiftRecord)
    assert (entry.nucleus, entry.shifts) == ("1H", ((1, 3.81), (1, 3.87)))


@pytest.mark.parametrize(
    ("assignment", "codes"),
    [
        ("a, 84.1, 7", ["structure"]),
        ("a, 84.1, 0", ["structure"]),
        ("a, 84.1, 2, 3", ["structure"]),
        ("a, 84.1, H1", ["structure"]),
        ("a, wide, 3", ["bad_signal"]),
        ("a, 84.1", ["bad_signal"]),
        ("a, 84.1, C3", ["bad_signal"]),
        ("", ["no_spectrum"]),
        ("a, 84.1, 3\\a, 62.0, 4", ["bad_signal", "ok"]),
        ("broken\\b, 62.0, (4)", ["bad_signal", "ok"]),
    ],
)
def test_what_cannot_be_read_is_reported(assignment: str, codes: list[str]) -> None:
    entries = run(record("x", {"NMREDATA_VERSION": "1.1", "NMREDATA_ASSIGNMENT": assignment}))
    assert [getattr(entry, "code", "ok") for entry in entries] == codes
    assert all(entry.row == 1 for entry in entries if isinstance(entry, RecordIssue))


def test_a_spectrum_without_signals_and_a_broken_one() -> None:
    empty, broken, kept = run(
        record("x", {"NMREDATA_1D_13C": "Larmor=100\\"}),
        record("x", {"NMREDATA_1D_19F": "what, L=a\\-225.0, L=a\\"}),
    )
    assert isinstance(empty, RecordIssue)
    assert empty.code == "missing_field"
    assert isinstance(broken, RecordIssue)
    assert (broken.row, broken.code) == (2, "bad_signal")
    assert isinstance(kept, ShiftRecord)
    assert kept.id == "nmredata:x#2/19F/0"


def test_predictions_do_not_come_back_as_measurements() -> None:
    fields = FIELDS | {"NMREDATA_ID": "Source=predicted by nmrshift\\"}
    assert {
        entry.level for entry in run(record("x", fields)) if isinstance(entry, ShiftRecord)
    } == {"predicted"}


def test_lines() -> None:
    assert lines_of("a ;x\\\nb\\", "1.1") == ["a", "b"]
    assert lines_of("a\nb", "1.1") == ["a", "b"]
    assert lines_of("a\nb\\", "1.0") == ["a", "b"]
    found, broken = assignments("Equivalent=a, b\\a, -81.4--81.0, 1\\", "1.1")
    assert found.labels["a"].shift_ppm == -81.2
    assert broken == []


def test_sniffing_and_broken_files(tmp_path: Path) -> None:
    path = tmp_path / "x.nmredata.sdf"
    path.write_bytes(sd_file(record("x", FIELDS)) + b"junk\n$$$$\n")
    assert sniff_format(path) == "nmredata"
    *records, issue = import_file(path)
    assert len(records) == 4
    assert isinstance(issue, RecordIssue)
    assert (issue.row, issue.code) == (2, "no_molblock")
