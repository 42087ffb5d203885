"""Every form we write, read back by others: the same shifts on the same atoms of the same rows."""

import io
import json
import re
from dataclasses import replace

import pytest

from nmrshift import Predictor
from nmrshift.chem.toolkit import Chem
from nmrshift.data.nmredata import import_nmredata
from nmrshift.data.records import ShiftRecord
from nmrshift.io.sdf_queries import read_sdf
from nmrshift.io.sdf_records import iter_sd_records
from nmrshift.io.structure import structure_of
from nmrshift.io.wire import answer_from_row
from nmrshift.io.writers import open_writer
from nmrshift.types import NUCLEI, Failure, Prediction, Query

V3000 = Chem.MolToV3KMolBlock(Chem.MolFromSmiles("OC(C)(F)C#N"))
QUERIES = [
    Query("FC(F)(F)c1ccc(OC)cc1", name="first", solvent="CDCl3"),
    Query("[CH3:7][CH2:3][OH:1]", name="mapped"),
    Query("[H]C([H])([H])OC", name="written hydrogens"),
    Query("[Na+].CC(=O)[O-].c1ccccc1", name="é; <fragments> $$$$"),
    Query("C1CC", name="no molecule"),
    Query("InChI=1S/C7H5F3/c8-7(9,10)6-4-2-1-3-5-6/h1-5H"),
    Query(V3000, name="V3000"),
    Query("CP(=O)(OC)OCC(F)F", solvent="DMSO-d6"),
    Query("OB(O)/C=C/c1ccncc1"),
    Query("C[C@H](N)C(=O)N1CCC[C@@H]1C(=O)O"),
]


@pytest.fixture(scope="module")
def predictor(toy_model):
    return Predictor.load(toy_model)


@pytest.fixture(scope="module")
def answers(predictor):
    found = list(predictor.predict_many(QUERIES, nuclei=predictor.nuclei))
    assert [type(one) for one in found].count(Failure) == 1
    return found


def written(kind, answers):
    stream = io.BytesIO()
    with open_writer(kind, stream) as writer:
        for one in answers:
            writer.write(one)
    return stream.getvalue()


def shifts_of(answers):
    """What must come back: ``shift_ppm`` by row, nucleus and atom."""
    return {
        (row, atom.nucleus, atom.atom_index): round(atom.shift_ppm, 3)
        for row, answer in enumerate(answers)
        if isinstance(answer, Prediction)
        for atom in answer.atoms
    }


def long_form(frame):
    rows = frame[frame["status"] == "ok"]
    columns = (rows["index"], rows["nucleus"], rows["atom_index"], rows["shift_ppm"])
    return {
        (int(row), nucleus, int(atom)): float(shift)
        for row, nucleus, atom, shift in zip(*columns, strict=True)
    }


class TestPandas:
    @pytest.fixture(autouse=True)
    def _pandas(self):
        self.pandas = pytest.importorskip("pandas")

    def test_parquet(self, answers):
        pytest.importorskip("pyarrow")
        frame = self.pandas.read_parquet(io.BytesIO(written("parquet", answers)))
        assert long_form(frame) == shifts_of(answers)
        names = frame.drop_duplicates("index")["name"].tolist()
        assert [None if one != one else one for one in names] == [one.name for one in answers]

    def test_csv(self, answers):
        frame = self.pandas.read_csv(io.BytesIO(written("csv", answers)))
        assert long_form(frame) == shifts_of(answers)

    def test_wide_csv(self, answers):
        frame = self.pandas.read_csv(io.BytesIO(written("csv-wide", answers)), dtype=str)
        assert len(frame) == len(answers)
        found = {}
        for row, cells in frame.fillna("").iterrows():
            for nucleus in NUCLEI:
                atoms = [one for one in cells[f"{nucleus}_atoms"].split(";") if one]
                shifts = [one for one in cells[f"{nucleus}_shift_ppm"].split(";") if one]
                pairs = zip(atoms, shifts, strict=True)
                found |= {(row, nucleus, int(atom)): float(shift) for atom, shift in pairs}
        assert found == shifts_of(answers)

    def test_json_lines(self, answers):
        text = io.BytesIO(written("jsonl", answers))
        # without it pandas reads some numbers one unit in the last place off
        frame = self.pandas.read_json(text, lines=True, precise_float=True)
        found = {
            (row, atom["nucleus"], atom["atom_index"]): atom["shift_ppm"]
            for row, atoms in zip(frame["index"], frame["atoms"], strict=True)
            if isinstance(atoms, list)
            for atom in atoms
        }
        assert found == shifts_of(answers)


class TestRdkit:
    def mols(self, kind, answers):
        """Records, a failure's without atoms."""
        data = written(kind, answers)
        return list(Chem.ForwardSDMolSupplier(io.BytesIO(data), removeHs=False))

    @pytest.mark.parametrize("kind", ["sdf", "nmredata"])
    def test_the_structure(self, answers, kind):
        mols = self.mols(kind, answers)
        assert len(mols) == len(answers)
        for mol, answer in zip(mols, answers, strict=True):
            if isinstance(answer, Failure):
                assert mol.GetNumAtoms() == 0
                continue
            given = structure_of(answer)
            elements = [[atom.GetSymbol() for atom in one.GetAtoms()] for one in (mol, given)]
            assert elements[0] == elements[1]
            assert Chem.MolToSmiles(mol) == Chem.MolToSmiles(given)

    def test_properties_of_atoms(self, answers):
        found = {
            (row, nucleus, atom.GetIdx()): atom.GetDoubleProp(f"shift_{nucleus}_ppm")
            for row, mol in enumerate(self.mols("sdf", answers))
            for atom in mol.GetAtoms()
            for nucleus in NUCLEI
            if atom.HasProp(f"shift_{nucleus}_ppm")
        }
        assert found == shifts_of(answers)

    def test_nmredata_by_its_rules(self, answers):
        """Numbers from 1, ``H3`` is the hydrogens on atom 3, the nucleus by the label."""
        found = {}
        line = re.compile(r"(?P<element>[A-Z][a-z]?)\d+, (?P<shift>[-.\d]+), (?P<atoms>[^;]+) ;")
        for row, record in enumerate(iter_sd_records(io.BytesIO(written("nmredata", answers)))):
            for text in record.fields.get("NMREDATA_ASSIGNMENT", "").splitlines()[1:]:
                match = line.match(text)
                nucleus = next(one for one in NUCLEI if one.endswith(match["element"]))
                for atom in match["atoms"].split(", "):
                    assert atom.startswith("H") == (nucleus == "1H")
                    found[row, nucleus, int(atom.lstrip("H")) - 1] = float(match["shift"])
        assert found == shifts_of(answers)


class TestOurs:
    @pytest.mark.parametrize("kind", ["jsonl", "json"])
    def test_answers_from_json(self, answers, kind):
        text = written(kind, answers)
        document = json.loads(text) if kind == "json" else None
        rows = document["predictions"] if document else map(json.loads, text.splitlines())
        found = [answer_from_row(row) for row in rows]
        assert shifts_of(found) == shifts_of(answers)
        for one, given in zip(found, answers, strict=True):
            assert (one.name, one.input) == (given.name, given.input)

    @pytest.mark.parametrize("kind", ["sdf", "nmredata"])
    def test_predicted_again(self, answers, predictor, kind):
        """What was written goes back in as input and gives the same."""
        good = [one for one in answers if isinstance(one, Prediction)]
        queries = list(read_sdf(io.BytesIO(written(kind, good))))
        again = [
            replace(query, solvent=one.solvent) for query, one in zip(queries, good, strict=True)
        ]
        found = shifts_of(predictor.predict_many(again, nuclei=predictor.nuclei))
        assert found == pytest.approx(shifts_of(good), abs=2e-3)

    def test_the_importer_of_nmredata(self, answers):
        records = import_nmredata(io.BytesIO(written("nmredata", answers)))
        found = [one for one in records if isinstance(one, ShiftRecord)]
        shifts = sorted((one.nucleus, ppm) for one in found for _, ppm in one.shifts)
        expected = shifts_of(answers)
        assert shifts == sorted((nucleus, ppm) for (_, nucleus, _), ppm in expected.items())


def test_nmrglue(answers, tmp_path):
    nmrglue = pytest.importorskip("nmrglue")
    path = tmp_path / "x.jdx"
    path.write_bytes(written("jcamp", answers))
    first, _ = nmrglue.jcampdx.read(str(path))
    found = {}
    for block in (first, *first["_datatype_NMRSPECTRUM"]):
        nucleus = block[".OBSERVENUCLEUS"][0].lstrip("^")
        for line in block["$NMRSHIFTSIGNALS"][0].splitlines()[1:]:
            shift, *_, atoms = line.split()
            for atom in atoms.split(","):
                found[int(block["$NMRSHIFTINDEX"][0]), nucleus, int(atom)] = float(shift)
    assert found == shifts_of(answers)
