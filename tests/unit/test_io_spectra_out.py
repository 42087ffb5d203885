"""SDF, NMReDATA, JCAMP-DX and the wide table: read back by others with the same atoms."""

import csv
import io
import math

import numpy as np
import pytest
from fakes import FakePredictor

from nmrshift.chem.inchi import write_molblock
from nmrshift.chem.toolkit import Chem
from nmrshift.data.nmredata import import_nmredata
from nmrshift.data.records import RecordIssue, ShiftRecord
from nmrshift.errors import OutputError
from nmrshift.io.sdf_queries import read_sdf
from nmrshift.io.sdf_records import iter_sd_records
from nmrshift.io.structure import annotated_mol, structure_of
from nmrshift.io.writers import open_writer, output_format_of, write_or_fail
from nmrshift.spectrum import lorentzian, sticks, trace
from nmrshift.types import AtomShift, Failure, Prediction, Query

NUCLEI = ("13C", "19F", "1H")
INCHI = "InChI=1S/C7H5F3/c8-7(9,10)6-4-2-1-3-5-6/h1-5H"
STRUCTURES = [
    "FC(F)(F)c1ccc(OC)cc1",
    "C/C=C\\C[C@H](F)Cl",
    "[H]C([H])([H])O",
    "[Na+].CC(=O)[O-]",
    INCHI,
]
BAD = Failure(9, "C1CC", "> $$$$ bad\nname", "parse_error", "ring bonds\nopen", "Check rings.")


def answers(*structures, nuclei=NUCLEI):
    queries = [Query(text, name=f"n{i}") for i, text in enumerate(structures)]
    found = list(FakePredictor().predict_many(queries, nuclei=nuclei, solvent="cdcl3"))
    assert all(isinstance(one, Prediction) for one in found)
    return found


def written(kind, *values):
    stream = io.BytesIO()
    with open_writer(kind, stream) as writer:
        for one in values:
            write_or_fail(writer, one)
    return stream.getvalue()


def fields_of(data):
    return [record.fields for record in iter_sd_records(io.BytesIO(data))]


class TestSdf:
    def mols(self, data):
        supplier = Chem.ForwardSDMolSupplier(io.BytesIO(data), removeHs=False)
        return list(supplier)

    def test_rdkit_reads_the_shifts_on_their_atoms(self):
        given = answers(*STRUCTURES)
        mols = self.mols(written("sdf", *given))
        assert len(mols) == len(given)
        for mol, answer in zip(mols, given, strict=True):
            assert mol.GetProp("_Name") == answer.name
            for shift in answer.atoms:
                atom = mol.GetAtomWithIdx(shift.atom_index)
                assert atom.GetSymbol() == shift.element
                found = atom.GetDoubleProp(f"shift_{shift.nucleus}_ppm")
                assert found == pytest.approx(shift.shift_ppm, abs=6e-4)
                assert atom.GetIntProp(f"signal_{shift.nucleus}") == shift.signal
            carriers = {shift.atom_index for shift in answer.of("13C")}
            for atom in mol.GetAtoms():
                assert atom.HasProp("shift_13C_ppm") == (atom.GetIdx() in carriers)

    def test_the_same_molecule_comes_back_in_the_same_order(self):
        given = answers(*STRUCTURES)
        for answer, query in zip(given, read_sdf(io.BytesIO(written("sdf", *given))), strict=True):
            back = next(FakePredictor().predict_many([query], nuclei=NUCLEI))
            assert [a.atom_index for a in back.atoms] == [a.atom_index for a in answer.atoms]
            assert query.name == answer.name
            first = Chem.MolToSmiles(structure_of(answer))
            assert Chem.MolToSmiles(structure_of(back)) == first

    def test_a_table_of_the_user_is_kept_with_its_coordinates(self):
        block = Chem.MolToMolBlock(Chem.MolFromSmiles("OCC"))
        moved = block.replace("    0.0000 C", "    1.5000 C")
        (answer,) = answers(moved)
        lines = written("sdf", answer).decode().splitlines()
        assert lines[0] == "n0"
        assert lines[3:10] == moved.splitlines()[3:10]

    def test_v3000_stays_v3000(self):
        (answer,) = answers(Chem.MolToV3KMolBlock(Chem.MolFromSmiles("FCC")))
        data = written("sdf", answer)
        (back,) = self.mols(data)
        assert b"V3000" in data
        carbon = answer.of("13C")[1]
        assert back.GetAtomWithIdx(2).GetDoubleProp("shift_13C_ppm") == carbon.shift_ppm

    def test_a_table_of_more_than_999_atoms_is_v3000(self):
        assert "V3000" in write_molblock(Chem.MolFromSmiles(".".join(["C"] * 1000)))

    def test_failures_are_records_and_break_nothing(self):
        good = answers("CCO")[0]
        records = list(iter_sd_records(io.BytesIO(written("sdf", good, BAD, good))))
        assert [record.title for record in records] == ["n0", "> $$$$ bad name", "n0"]
        assert records[1].fields["nmrshift_error_code"] == "parse_error"
        assert records[1].fields["nmrshift_error_message"] == "ring bonds open"
        assert self.mols(written("sdf", BAD))[0].GetNumAtoms() == 0

    def test_what_does_not_fit_is_a_failure_in_its_place(self):
        wrong = Prediction(3, "O", "x", "unknown", 0.9, answers("CC")[0].atoms, "m")
        for kind in ("sdf", "nmredata"):
            data = written(kind, wrong)
            assert b"output_failed" in data
            assert data.count(b"$$$$\n") == 1
        with pytest.raises(OutputError, match="no C"):
            structure_of(wrong)

    def test_lines_stay_short(self):
        data = written("sdf", *answers("C" * 200))
        assert max(map(len, data.splitlines())) <= 200


class TestNmredata:
    def test_our_importer_reads_the_same_atoms_and_shifts(self):
        for answer in answers(*STRUCTURES):
            entries = list(import_nmredata(io.BytesIO(written("nmredata", answer))))
            assert not [one for one in entries if isinstance(one, RecordIssue)], entries
            assert {one.level for one in entries} == {"predicted"}
            for record in entries:
                expected = [(a.element, round(a.shift_ppm, 3)) for a in answer.of(record.nucleus)]
                smiles = Chem.MolFromSmiles(record.smiles)
                found = [(smiles.GetAtomWithIdx(i).GetSymbol(), ppm) for i, ppm in record.shifts]
                assert sorted(found) == sorted(expected)

    def test_our_importer_puts_the_shifts_on_the_same_atoms(self):
        for answer in answers("FCC(C)=CO", "C/C=C\\C[C@H](F)Cl", "[Na+].CC(=O)[O-]"):
            mol = structure_of(answer)
            for record in import_nmredata(io.BytesIO(written("nmredata", answer))):
                back = Chem.MolFromSmiles(record.smiles)
                shifts = {a.atom_index: round(a.shift_ppm, 3) for a in answer.of(record.nucleus)}
                for match in mol.GetSubstructMatches(back, useChirality=True, uniquify=False):
                    if {match[i]: ppm for i, ppm in record.shifts} == shifts:
                        break
                else:
                    pytest.fail(f"{record.shifts} are not {shifts}")

    def test_numbers_from_one_comments_and_line_ends(self):
        (answer,) = answers("COF", nuclei=("13C", "1H", "19F"))
        fields = fields_of(written("nmredata", answer))[0]
        lines = fields["NMREDATA_ASSIGNMENT"].split("\n")
        assert all(line.endswith("\\") for line in lines)
        assert lines[0].startswith("; predicted by fake-1.0")
        carbon = answer.of("13C")[0]
        assert f"C1, {carbon.shift_ppm:.3f}, 1 ; " in fields["NMREDATA_ASSIGNMENT"]
        assert "H1, " in fields["NMREDATA_ASSIGNMENT"]
        assert ", H1 ; " in fields["NMREDATA_ASSIGNMENT"]
        assert fields["NMREDATA_VERSION"] == "1.1\\"
        assert "predicted" in fields["NMREDATA_ID"]
        assert (
            fields["NMREDATA_SOLVENT"].lower().startswith("cdcl3")
            or "hloroform" in fields["NMREDATA_SOLVENT"]
        )

    def test_names_cannot_break_a_tag(self):
        (answer,) = answers("CC")
        evil = Prediction(
            0, "CC", "a;b\\\n> <NMREDATA_LEVEL>\n$$$$", "unknown", 0.9, answer.atoms, "m;\\x"
        )
        (record,) = iter_sd_records(io.BytesIO(written("nmredata", evil)))
        assert record.fields["NMREDATA_ID"] == "Source=predicted by m,/x\\"
        assert "NMREDATA_SOLVENT" not in record.fields

    def test_a_failure_is_an_issue_of_its_row(self):
        (entry,) = import_nmredata(io.BytesIO(written("nmredata", BAD)))
        assert isinstance(entry, RecordIssue)
        assert not isinstance(entry, ShiftRecord)


class TestJcamp:
    def read(self, tmp_path, data):
        nmrglue = pytest.importorskip("nmrglue")
        path = tmp_path / "x.jdx"
        path.write_bytes(data)
        return nmrglue.jcampdx.read(str(path))

    def test_nmrglue_reads_the_trace(self, tmp_path):
        (answer,) = answers("CCC(F)(F)O", nuclei=("13C",))
        dic, data = self.read(tmp_path, written("jcamp", answer))
        assert len(data) == int(dic["NPOINTS"][0]) == 8192
        axis = np.linspace(float(dic["FIRSTX"][0]), float(dic["LASTX"][0]), len(data))
        assert axis[0] > axis[-1]
        tops = [axis[i] for i in _tops(data)]
        expected = sorted({atom.shift_ppm for atom in answer.atoms}, reverse=True)
        assert len(tops) == len(expected)
        step = axis[0] - axis[1]
        assert np.allclose(tops, expected, atol=step)
        assert dic[".OBSERVENUCLEUS"] == ["^13C"]

    def test_heights_follow_the_nuclei(self, tmp_path):
        (answer,) = answers("CC(C)(C)C", nuclei=("13C",))
        _, data = self.read(tmp_path, written("jcamp", answer))
        assert max(data) / sorted(data[i] for i in _tops(data))[0] == pytest.approx(4, rel=0.2)

    def test_several_blocks_and_the_table_of_signals(self, tmp_path):
        given = answers("FC(F)(F)c1ccccc1", "CCO")
        dic, data = self.read(tmp_path, written("jcamp", given[0], BAD, given[1]))
        others = dic["_datatype_NMRSPECTRUM"]
        titles = [dic["TITLE"][0], *(one["TITLE"][0] for one in others)]
        assert data is not None
        assert titles == [
            "n0, 13C predicted",
            "n0, 19F predicted",
            "n0, 1H predicted",
            "n1, 13C predicted",
            "n1, 1H predicted",
        ]
        rows = dic["$NMRSHIFTSIGNALS"][0].splitlines()[1:]
        pairs = {
            (int(atom), float(row.split()[0])) for row in rows for atom in row.split()[4].split(",")
        }
        assert pairs == {(a.atom_index, round(a.shift_ppm, 3)) for a in given[0].of("13C")}

    def test_no_title_becomes_a_comment(self):
        (answer,) = answers("CC", nuclei=("13C",))
        evil = Prediction(0, "CC", "a $$ b\n##END=", "unknown", 0.9, answer.atoms, "m")
        text = written("jcamp", evil).decode()
        assert "##TITLE= a $ $ b ##END=, 13C predicted\n" in text
        assert text.count("\n##END=\n") == 1


def _tops(data):
    """Maxima that are more than a step of the digits on a flank."""
    floor = max(data) / 10
    inner = range(1, len(data) - 1)
    return [i for i in inner if data[i - 1] < data[i] >= data[i + 1] and data[i] > floor]


class TestLineShapes:
    def test_a_line_has_the_area_one_and_its_width(self):
        axis = np.linspace(-50.0, 50.0, 200_001)
        line = lorentzian(axis, 1.25, 0.1)
        step = axis[1] - axis[0]
        assert line.sum() * step == pytest.approx(1.0, abs=2e-3)
        assert axis[line.argmax()] == pytest.approx(1.25, abs=step)
        assert (line > line.max() / 2).sum() * step == pytest.approx(0.1, abs=3 * step)

    def test_areas_are_numbers_of_nuclei(self):
        (answer,) = answers("CCC(F)(F)O")
        curve = trace(sticks(answer, "19F"), 20_001)
        step = (curve.first_ppm - curve.last_ppm) / 20_000
        assert curve.intensity.sum() * step == pytest.approx(2.0, rel=0.02)

    def test_nothing_to_draw(self):
        with pytest.raises(ValueError, match="stick"):
            trace([])


class TestWide:
    def test_one_row_a_molecule(self):
        given = answers("FC(F)(F)c1ccccc1", "CCO")
        rows = list(csv.DictReader(io.StringIO(written("csv-wide", *given, BAD).decode())))
        assert len(rows) == 3
        for row, answer in zip(rows, given, strict=False):
            for nucleus in NUCLEI:
                shifts = answer.of(nucleus)
                atoms = [int(cell) for cell in row[f"{nucleus}_atoms"].split(";") if cell]
                values = [float(cell) for cell in row[f"{nucleus}_shift_ppm"].split(";") if cell]
                assert atoms == [atom.atom_index for atom in shifts]
                assert values == [round(atom.shift_ppm, 3) for atom in shifts]
        assert rows[2]["error_code"] == "parse_error"
        assert rows[2]["13C_atoms"] == ""


@pytest.mark.parametrize("kind", ["csv", "csv-wide", "sdf", "nmredata", "jcamp"])
def test_what_is_not_finite_is_never_written(kind):
    (answer,) = answers("CC", nuclei=("13C",))
    bad = AtomShift(0, "C", "13C", math.nan, 0.0, 1.0, 0, 3)
    data = written(kind, Prediction(0, "CC", None, "unknown", 0.9, (bad,), answer.model))
    assert b"nan" not in data.lower()
    assert b"not finite" in data


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a.wide.csv", "csv-wide"),
        ("a.csv", "csv"),
        ("a.nmredata.sdf", "nmredata"),
        ("a.SDF.gz", "sdf"),
        ("a.jdx.zst", "jcamp"),
        ("a.parquet", "parquet"),
        ("a", None),
    ],
)
def test_formats_by_name(name, kind):
    assert output_format_of(name) == kind


def test_molecules_carry_their_shifts():
    (answer,) = answers(INCHI)
    mol = annotated_mol(answer)
    assert mol.GetProp("_Name") == "n0"
    for shift in answer.atoms:
        atom = mol.GetAtomWithIdx(shift.atom_index)
        assert atom.GetDoubleProp(f"low_{shift.nucleus}_ppm") == shift.low_ppm
