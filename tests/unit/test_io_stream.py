"""Merging of answers and failures: same order, one for one, bounded."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nmrshift.io.stream import predict_rows
from nmrshift.types import Failure, Prediction, Query


def failure(index):
    return Failure(index, "bad", None, "invalid_text", "m", "h")


def answer(index, query):
    return Prediction(index, str(query.structure), None, "unknown", 0.9, (), "m")


def ahead(n):
    """A predictor that reads n queries before it answers the first."""

    def predict(queries):
        waiting = []
        done = 0
        for query in queries:
            waiting.append(query)
            if len(waiting) >= n:
                for one in waiting:
                    yield answer(done, one)
                    done += 1
                waiting = []
        for one in waiting:
            yield answer(done, one)
            done += 1

    return predict


@given(
    st.lists(st.booleans(), max_size=60),
    st.integers(min_value=1, max_value=7),
    st.integers(min_value=1, max_value=9),
)
def test_order_and_number(pattern, n_ahead, max_held):
    rows = [Query(f"q{i}") if ok else failure(99) for i, ok in enumerate(pattern)]
    found = list(predict_rows(ahead(n_ahead), rows, max_held=max_held))
    assert [row.index for row in found] == list(range(len(rows)))
    assert [row.input for row in found] == [
        f"q{i}" if ok else "bad" for i, ok in enumerate(pattern)
    ]


def test_a_long_run_of_failures_is_not_held():
    pulled = 0

    def rows():
        nonlocal pulled
        yield Query("C")
        for index in range(1000):
            pulled += 1
            yield failure(index)

    stream = predict_rows(ahead(5), rows(), max_held=10)
    next(stream)
    assert pulled < 20
    assert sum(1 for _ in stream) == 1000


def test_the_predictor_is_called_at_once():
    def refuse(queries):
        raise ValueError("no such setting")

    with pytest.raises(ValueError, match="no such setting"):
        predict_rows(refuse, [])


def test_too_few_answers_are_an_error():
    with pytest.raises(RuntimeError, match="fewer"):
        list(predict_rows(lambda queries: iter(list(queries)[:0]), [Query("C")]))


def test_too_many_answers_are_an_error():
    def twice(queries):
        for index, query in enumerate(queries):
            yield answer(index, query)
            yield answer(index, query)

    with pytest.raises(RuntimeError, match="more"):
        list(predict_rows(twice, [Query("C")]))
