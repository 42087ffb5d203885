"""Any bytes in: readers lose no row, and a good row beside bad ones is read as it stands."""

import csv
import io
import json
from importlib.util import find_spec

from hypothesis import given, settings
from hypothesis import strategies as st

from nmrshift.errors import FileFormatError
from nmrshift.io.formats import READERS
from nmrshift.io.separated import read_separated
from nmrshift.io.smiles_lines import read_smiles_lines
from nmrshift.types import Failure, Query

CELL = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\x00"), max_size=12)
SMILES = st.sampled_from(["CCO", "c1ccccc1", "F/C=C/F", "[Na+].[Cl-]", "C[C@H](O)CC"])


@given(st.lists(st.tuples(CELL, SMILES, CELL), max_size=12), st.sampled_from(",;\t|"))
@settings(deadline=None)
def test_what_csv_writes_is_read_back(rows, delimiter):
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, delimiter=delimiter, lineterminator="\n")
    writer.writerow(["name", "smiles", "solvent"])
    writer.writerows(rows)
    found = list(read_separated(io.BytesIO(stream.getvalue().encode())))
    assert found == [
        Query(smiles, solvent=solvent.strip(" ") or None, name=name.strip(" ") or None)
        for name, smiles, solvent in rows
    ]


@given(st.lists(st.binary(max_size=30), max_size=8), SMILES)
@settings(deadline=None)
def test_good_lines_survive_bad_ones(junk, smiles):
    lines = []
    for number, data in enumerate(junk):
        lines += [data.replace(b"\n", b"").replace(b"\r", b""), f"{smiles} good{number}".encode()]
    found = list(read_smiles_lines(io.BytesIO(b"CC first\n" + b"\n".join(lines))))
    good = [row for row in found if isinstance(row, Query) and (row.name or "").startswith("good")]
    assert [row.name for row in good] == [f"good{number}" for number in range(len(junk))]
    assert {row.structure for row in good} <= {smiles}


HERE = [kind for kind in sorted(READERS) if kind != "parquet" or find_spec("pyarrow")]


@given(st.binary(max_size=300), st.sampled_from(HERE))
@settings(deadline=None, max_examples=300)
def test_readers_take_any_bytes(data, kind):
    try:
        rows = list(READERS[kind](io.BytesIO(data)))
    except FileFormatError:
        return
    assert all(isinstance(row, Query | Failure) for row in rows)


@given(st.lists(st.one_of(st.text(max_size=8), st.integers(), st.none()), max_size=12))
def test_json_lines_keep_their_number(values):
    data = "".join(json.dumps(value) + "\n" for value in values).encode()
    rows = list(READERS["jsonl"](io.BytesIO(data)))
    assert [isinstance(row, Query) for row in rows] == [isinstance(one, str) for one in values]
