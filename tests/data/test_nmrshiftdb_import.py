"""nmrshiftdb2 SD exports: the right shift on the right atom, and every spectrum accounted for."""

import io
from collections import Counter
from pathlib import Path

import pytest
from spectra import FLUOROETHANOL, record, sd_file

from nmrshift.chem.parse import parse
from nmrshift.data.importing import import_file, sniff_format
from nmrshift.data.nmrshiftdb_sd import import_nmrshiftdb
from nmrshift.data.records import Peak, RecordIssue, ShiftRecord, read_records
from nmrshift.errors import FileFormatError

FIELDS = {
    "Spectrum 19F 0": "-225.3;1.0tt;0|",
    "nmrshiftdb2 ID": "777",
    "Solvent": "1:Chloroform-D1 (CDCl3) 2:neat ",
    "Temperature [K]": "0:298 1:Unreported 2:300 ",
    "Program": "2:G03 ",
    "Spectrum 13C 1": "84.1;0.0D;2|62.0;0.0T;3|",
    "Spectrum 1H 2": "3.85;0.0;4|3.86;0.0;5|4.5;0.0;2|",
}


def run(*records: str) -> list[ShiftRecord | RecordIssue]:
    return list(import_nmrshiftdb(io.BytesIO(sd_file(*records))))


def by_element(entry: ShiftRecord) -> list[tuple[str, str, float]]:
    """Return element, neighbours' elements and shift of each label, read off the SMILES alone."""
    mol = parse(entry.smiles, kind="smiles").mol
    found = []
    for index, shift_ppm in entry.shifts or ():
        atom = mol.GetAtomWithIdx(index)
        around = "".join(sorted(other.GetSymbol() for other in atom.GetNeighbors()))
        found.append((atom.GetSymbol(), around, shift_ppm))
    return sorted(found)


def test_spectra_conditions_and_atoms() -> None:
    fluorine, carbon, proton = run(record("2-fluoroethanol", FIELDS))
    assert isinstance(fluorine, ShiftRecord)
    assert fluorine.id == "nmrshiftdb2:777/19F/0"
    assert (fluorine.solvent, fluorine.temperature, fluorine.level) == (None, "298", None)
    assert fluorine.name == "2-fluoroethanol"
    assert by_element(fluorine) == [("F", "C", -225.3)]
    assert isinstance(carbon, ShiftRecord)
    assert (carbon.solvent, carbon.temperature) == ("Chloroform-D1 (CDCl3)", "Unreported")
    assert by_element(carbon) == [("C", "CF", 84.1), ("C", "CO", 62.0)]
    assert isinstance(proton, ShiftRecord)
    assert (proton.solvent, proton.level) == ("neat", "G03")
    assert by_element(proton) == [("C", "CF", 4.5), ("C", "CO", 3.85), ("C", "CO", 3.86)]


@pytest.mark.parametrize(
    ("spectrum", "code"),
    [
        ("-225.3;1.0S;1|", "wrong_element"),
        ("-225.3;1.0S;6|", "index_out_of_range"),
        ("-225,3;1.0S;0|", "bad_signal"),
        ("nan;1.0S;0|", "non_finite"),
        ("-225.3;1.0S;first|", "bad_signal"),
        ("", "missing_field"),
    ],
)
def test_a_bad_spectrum_is_an_issue_and_its_neighbours_stay(spectrum: str, code: str) -> None:
    fields = FIELDS | {"Spectrum 19F 0": spectrum}
    issue, carbon, proton = run(record("x", fields))
    assert isinstance(issue, RecordIssue)
    assert (issue.row, issue.code, issue.text) == (1, code, "nmrshiftdb2:777/19F/0")
    assert isinstance(carbon, ShiftRecord)
    assert isinstance(proton, ShiftRecord)


def test_1h_needs_a_hydrogen() -> None:
    (issue,) = run(record("x", {"Spectrum 1H 0": "1.0;0;0|"}))
    assert isinstance(issue, RecordIssue)
    assert issue.code == "wrong_element"


def test_signals_without_atoms_are_peaks_and_lists_of_atoms_are_shifts() -> None:
    (entry,) = run(record("x", {"Spectrum 13C 0": "84.1;1.0D|62.0;0.5T;|", "ID": "1"}))
    assert isinstance(entry, ShiftRecord)
    assert entry.peaks == (Peak(84.1, "D"), Peak(62.0, "T"))
    assert (entry.id, entry.assignment) == ("nmrshiftdb2:row1/13C/0", None)
    (both,) = run(record("x", {"Spectrum 13C 0": "70.0;1.0m;2,3|"}))
    assert isinstance(both, ShiftRecord)
    assert [shift for _, shift in both.shifts or ()] == [70.0, 70.0]


def test_molecules_that_give_nothing_are_issues() -> None:
    broken = (("C", "F", "F", "F", "F", "F"), tuple((1, n, 1) for n in range(2, 7)))
    entries = run(
        record("a", {"ID": "1"}),
        record("b", {"Spectrum 19F 0": "1;1;1|", "Spectrum 19F 1": "1;1;1|"}, broken),
        "junk\n",
        record("c", {"Spectrum 19F 0": "-225;1;0|", "nmrshiftdb2 ID": "9"}),
        record("d", {"Spectrum 19F 0": "-225;1;0|", "nmrshiftdb2 ID": "9"}),
    )
    assert [(entry.row, entry.code) for entry in entries if isinstance(entry, RecordIssue)] == [
        (1, "no_spectrum"),
        (2, "structure"),
        (3, "no_molblock"),
        (5, "duplicate_id"),
    ]
    assert "2 spectra" in entries[1].message


def test_the_number_may_stand_in_the_header() -> None:
    text = record("x", {"Spectrum 19F 0": "-225;1;0|"}).replace(
        "  test\n\n", "  test\nnmrshiftdb2 42\n"
    )
    (entry,) = run(text)
    assert isinstance(entry, ShiftRecord)
    assert entry.id == "nmrshiftdb2:42/19F/0"


def test_isotopes_charges_and_odd_orders_survive() -> None:
    atoms = ("O", "N", "C", "C", "C", "O", "F", "C", "C", "C")
    bonds = ((1, 2, 2), (2, 6, 1), (2, 3, 1), (3, 4, 2), (4, 5, 1), (5, 8, 2), (8, 9, 1))
    ring = (*bonds, (9, 10, 2), (10, 3, 1), (8, 7, 1))
    block = record("x", {"Spectrum 19F 0": "-104.5;1;6|"}, (atoms, ring))
    block = block.replace("M  END", "M  CHG  2   2   1   6  -1\nM  END")
    (entry,) = run(block)
    assert isinstance(entry, ShiftRecord)
    assert by_element(entry) == [("F", "C", -104.5)]
    assert "[N+]" in entry.smiles


def test_sniffing_knows_the_file(tmp_path: Path) -> None:
    path = tmp_path / "x.sd"
    path.write_bytes(sd_file(record("x", {"ID": "1"}), record("y", FIELDS)))
    assert sniff_format(path) == "nmrshiftdb"
    assert Counter(type(entry) for entry in import_file(path)) == {RecordIssue: 1, ShiftRecord: 3}
    path.write_bytes(sd_file(record("x", {"ID": "1"}, FLUOROETHANOL)))
    with pytest.raises(FileFormatError, match="neither"):
        sniff_format(path)


@pytest.mark.shared
def test_the_real_export_is_fully_accounted_for(shared_dir: Path) -> None:
    path = shared_dir / "data" / "seed_19f" / "nmrshiftdb2withsignals_fl.sd.gz"
    if not path.exists():
        pytest.skip("the export is not among the shared data")
    entries = list(import_file(path))
    issues = Counter(entry.code for entry in entries if isinstance(entry, RecordIssue))
    records = {entry.id: entry for entry in entries if isinstance(entry, ShiftRecord)}
    assert issues == {"structure": 3, "no_spectrum": 1}
    assert len(records) == 1009
    assert sum(len(entry.shifts or ()) for entry in records.values()) == 5551
    assert sum(entry.level is not None for entry in records.values()) == 1

    ours: dict[str, Counter[float]] = {}
    for entry in records.values():
        molecule = ours.setdefault(entry.id.split("/")[0], Counter())
        molecule.update(shift_ppm for _, shift_ppm in entry.shifts or ())
    theirs: dict[str, Counter[float]] = {}
    for name in ("assigned", "test"):
        for entry in read_records(shared_dir / "data" / "nmrshiftdb2" / f"{name}.jsonl.gz"):
            assert isinstance(entry, ShiftRecord)
            molecule = entry.id.split("/")[0]
            if entry.nucleus == "19F" and entry.shifts and molecule in ours:
                theirs.setdefault(molecule, Counter()).update(shift for _, shift in entry.shifts)
    assert len(theirs) == 697
    assert all(ours[molecule] == shifts for molecule, shifts in theirs.items())
