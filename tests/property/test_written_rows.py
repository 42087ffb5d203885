"""Any answer: the fast writers write what their slow twins say."""

import csv
import io
import json
import math

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from oracles import long_rows, row_of

from nmrshift.errors import OutputError
from nmrshift.io.csv_writer import CsvWriter
from nmrshift.io.long_form import COLUMNS, LONG_COLUMNS, PPM_COLUMNS, long_columns
from nmrshift.io.numbers import ppm_column, ppm_json, ppm_of, ppm_text
from nmrshift.io.wire import answer_from_row, row_text
from nmrshift.types import NUCLEI, AtomShift, Evidence, Failure, Notice, Prediction, Reference

TIES = st.integers(-400_000, 400_000).map(lambda n: n / 1000 + 0.0005)
EXACT_TIES = st.integers(-6400, 6400).map(lambda n: n / 16)  # k/16 is a tie at three decimals
PPM = st.one_of(
    st.floats(-300, 300), TIES, EXACT_TIES, st.floats(allow_nan=False, allow_infinity=False)
)
TEXT = st.text(max_size=8)
WORDS = st.text("abcdefghijklmnopqrstuvwxyz_", min_size=1, max_size=8)
EVIDENCE = st.builds(
    Evidence,
    st.integers(0, 5),
    st.integers(0, 10_000),
    st.none() | PPM,
    st.none() | PPM,
    st.lists(st.builds(Reference, TEXT, st.floats(-300, 300)), max_size=2).map(tuple),
)
ATOM = st.builds(
    AtomShift,
    st.integers(0, 999),
    st.sampled_from(["C", "F", "H", "P", "B"]),
    st.sampled_from(NUCLEI),
    *(PPM, PPM, PPM),
    st.integers(0, 99),
    st.integers(0, 4),
    st.lists(WORDS, max_size=2).map(tuple),
    st.sampled_from(["inside", "edge", "outside"]),
    st.none() | EVIDENCE,
)
PREDICTION = st.builds(
    Prediction,
    *(st.integers(0, 10**10), TEXT, st.none() | TEXT, WORDS, st.floats(0.5, 0.99)),
    st.lists(ATOM, max_size=4).map(tuple),
    WORDS,
    st.lists(st.builds(Notice, WORDS, TEXT), max_size=2).map(tuple),
    st.none() | TEXT,
    st.sampled_from(["inside", "edge", "outside"]),
)
FAILURE = st.builds(Failure, st.integers(0, 10**10), TEXT, st.none() | TEXT, WORDS, TEXT, TEXT)
ANSWERS = st.lists(PREDICTION | FAILURE, max_size=4)


@given(st.lists(PPM, max_size=20))
@example([0.0005, 0.0015, -0.0005, -0.0004, -0.0, 0.0625, 2.0625, 2.6755, 1e9, -1e300, 5e-324])
@settings(deadline=None)
def test_all_ways_to_round_are_one(values):
    rounded = [round(value, 3) + 0.0 for value in values]
    assert [ppm_of(value) for value in values] == rounded
    assert list(map(repr, ppm_column(values))) == list(map(repr, rounded))
    assert [ppm_json(value) for value in values] == [json.dumps(value) for value in rounded]
    assert [ppm_text(value) for value in values] == [f"{value:.3f}" for value in rounded]
    assert ppm_column([None, *values, None]) == [None, *rounded, None]


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize(
    "write", [ppm_of, ppm_json, ppm_text, lambda value: ppm_column([1.0, value])]
)
def test_what_is_no_number_is_refused(write, value):
    with pytest.raises(OutputError, match="not finite"):
        write(value)


@given(PREDICTION | FAILURE)
@settings(deadline=None)
def test_json(answer):
    expected = row_of(answer)
    text = row_text(answer)
    assert text == json.dumps(expected, separators=(",", ":"))
    assert row_of(answer_from_row(json.loads(text))) == expected


HUGE = AtomShift(0, "C", "13C", 1e308, 1e308, 1e308, 0, 0)


@given(ANSWERS)
@example([Prediction(0, "C", None, "unknown", 0.9, (HUGE, HUGE), "m")])
@settings(deadline=None)
def test_columns(answers):
    columns = long_columns(answers)
    assert list(columns) == list(LONG_COLUMNS)
    rows = [row for answer in answers for row in long_rows(answer)]
    assert list(zip(*columns.values(), strict=True)) == rows


@given(ANSWERS)
@settings(deadline=None)
def test_csv(answers):
    stream = io.StringIO()
    writer = CsvWriter(stream)
    for answer in answers:
        writer.write(answer)
    found = list(csv.DictReader(io.StringIO(stream.getvalue(), newline="")))
    rows = [row for answer in answers for row in long_rows(answer)]
    assert len(found) == len(rows)
    free = {"name", "input", "error_message", "error_hint"}
    for got, row in zip(found, rows, strict=True):
        for name, cell in zip(COLUMNS, row, strict=False):
            if name not in free:
                as_text = f"{cell:.3f}" if name in PPM_COLUMNS and cell is not None else cell
                assert got[name] == ("" if cell is None else str(as_text))
