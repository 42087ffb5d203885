"""Data frames in and out: the rows and numbers of ``predict_many``."""

import math

import pytest
from fakes import FakePredictor
from oracles import long_rows

from nmrshift.batch import predict_frame
from nmrshift.errors import FileFormatError, UnknownNucleusError
from nmrshift.io.long_form import LONG_COLUMNS
from nmrshift.types import Query

SMILES = ["CCO", "C1CC", None, "FC(F)F"]
NAMES = [7, 8, 9, 10]


def make(kind, columns):
    module = pytest.importorskip("pyarrow" if kind == "arrow" else kind)
    return module.table(columns) if kind == "arrow" else module.DataFrame(columns)


def records(kind, frame):
    if kind == "arrow":
        return frame.to_pylist()
    return frame.to_dicts() if kind == "polars" else frame.to_dict("records")


def is_empty(cell):
    return (
        cell is None
        or type(cell).__name__ == "NAType"
        or (isinstance(cell, float) and math.isnan(cell))
    )


@pytest.mark.parametrize("kind", ["pandas", "polars", "arrow"])
class TestFrames:
    def test_every_row_as_predict_many_has_it(self, kind):
        frame = make(kind, {"id": NAMES, "SMILES": SMILES})
        found = records(kind, predict_frame(frame, predictor=FakePredictor(), solvent="D2O"))
        queries = [Query(SMILES[i], name=str(NAMES[i])) for i in (0, 1, 3)]
        answers = list(FakePredictor().predict_many(queries, solvent="D2O"))
        expected = [row for answer in answers for row in long_rows(answer)]
        of_input = {0: 0, 1: 1, 2: 3}
        rows = [row for row in found if row["index"] != 2]
        assert len(rows) == len(expected)
        for row, cells in zip(rows, expected, strict=True):
            assert list(row) == list(LONG_COLUMNS)
            for name, cell in zip(LONG_COLUMNS, cells, strict=True):
                if name == "index":
                    assert row[name] == of_input[cell]
                else:
                    assert row[name] == cell or (cell is None and is_empty(row[name]))

    def test_an_empty_cell_is_a_failure_in_its_place(self, kind):
        frame = make(kind, {"id": NAMES, "smiles": SMILES})
        found = records(kind, predict_frame(frame, predictor=FakePredictor()))
        (row,) = [row for row in found if row["index"] == 2]
        assert (row["status"], row["error_code"], row["name"]) == ("error", "invalid_text", "9")

    def test_types(self, kind):
        frame = make(kind, {"smiles": ["C", "C1CC"]})
        result = predict_frame(frame, predictor=FakePredictor(), nuclei=("c13",))
        column = result["shift_ppm"]
        types = str(column.type if kind == "arrow" else column.dtype).lower()
        assert types in ("float64", "double")
        column = result["atom_index"]
        assert "int" in str(column.type if kind == "arrow" else column.dtype).lower()

    def test_a_column_by_another_name(self, kind):
        frame = make(kind, {"id": ["x"], "mol": ["CC"], "solvent": ["D2O"]})
        with pytest.raises(FileFormatError, match="no column of structures"):
            predict_frame(frame, predictor=FakePredictor())
        with pytest.raises(FileFormatError, match="'other'"):
            predict_frame(frame, predictor=FakePredictor(), structure="other")
        rows = records(kind, predict_frame(frame, predictor=FakePredictor(), structure="mol"))
        assert {(row["name"], row["solvent"]) for row in rows} == {("x", "D2O")}

    def test_an_empty_frame(self, kind):
        frame = make(kind, {"smiles": ["C"]})[:0]
        assert len(predict_frame(frame, predictor=FakePredictor())) == 0

    def test_one_prediction(self, kind):
        (answer,) = FakePredictor().predict_many(["FC"])
        make(kind, {"a": [1]})
        frame = answer.to_frame(kind)
        assert len(frame) == 2
        assert records(kind, frame)[0]["shift_ppm"] == round(answer.atoms[0].shift_ppm, 3)


def test_an_index_of_pandas_is_no_position():
    frame = make("pandas", {"smiles": ["C", "CC", "CCC"]})[::-1]
    rows = records("pandas", predict_frame(frame, predictor=FakePredictor()))
    assert [(row["index"], row["input"]) for row in rows if row["atom_index"] == 0] == [
        (0, "CCC"),
        (1, "CC"),
        (2, "C"),
    ]


def test_what_is_no_frame():
    for value in (["CCO"], {"smiles": ["C"]}, None):
        with pytest.raises(FileFormatError, match="expected"):
            predict_frame(value, predictor=FakePredictor())


def test_settings_are_checked():
    frame = make("pandas", {"smiles": ["C"]})
    with pytest.raises(UnknownNucleusError):
        predict_frame(frame, predictor=FakePredictor(), nuclei=("195Pt",))


def test_a_prediction_becomes_a_molecule():
    (answer,) = FakePredictor().predict_many(["FC(F)F"])
    mol = answer.to_mol()
    assert mol.GetNumAtoms() == 4
    for atom in answer.atoms:
        found = mol.GetAtomWithIdx(atom.atom_index).GetDoubleProp(f"shift_{atom.nucleus}_ppm")
        assert found == atom.shift_ppm
