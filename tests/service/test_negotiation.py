"""The format of answers is the one that the client accepts most gladly."""

import csv
from io import StringIO

import pytest
from client import serving

from nmrshift.io.writers import WRITERS
from service.mapping import ProblemError
from service.negotiation import MEDIA_TYPES, negotiate

ALL = [*MEDIA_TYPES]


@pytest.fixture(scope="module")
def client():
    with serving() as client:
        yield client


@pytest.mark.parametrize(
    ("accept", "name"),
    [
        (None, "json"),
        ("*/*", "json"),
        ("", "json"),
        ("application/json", "json"),
        ("text/csv", "csv"),
        ("TEXT/CSV ; q=0.5", "csv"),
        ("text/csv;q=0.5, application/json;q=0.4", "csv"),
        ("text/csv;q=0.5, */*;q=0.1", "csv"),
        ("application/json;q=0, */*", "jsonl"),
        ("application/x-ndjson", "jsonl"),
        ("text/*;q=0.8, text/csv;q=0.1", "table"),
        ("text/html, application/xhtml+xml, */*;q=0.8", "json"),
    ],
)
def test_choice(accept, name):
    assert negotiate(accept) == name


@pytest.mark.parametrize(
    "accept", ["text/html", "application/json;q=0", "*/*;q=nan", "*/*;q=x", "json", ",;,", ";q=1"]
)
def test_nothing_fits(accept):
    with pytest.raises(ProblemError) as caught:
        negotiate(accept)
    assert caught.value.code == "not_acceptable"


def test_formats_are_those_of_the_table_of_writers():
    assert set(MEDIA_TYPES) <= set(WRITERS)
    assert {"json", "jsonl", "csv"} <= set(MEDIA_TYPES)


@pytest.mark.parametrize("name", ALL)
def test_every_format_is_served(client, name):
    body = {"smiles": ["CCO", "C1CC"]}
    response = client.post("/v1/predict", json=body, headers={"accept": MEDIA_TYPES[name]})
    assert response.status_code == 200
    assert response.headers["content-type"].split(";")[0] == MEDIA_TYPES[name]
    assert "13.0" in response.text


def test_csv(client):
    body = {"smiles": ["CCO", "C1CC"]}
    response = client.post("/v1/predict", json=body, headers={"accept": "text/csv"})
    rows = list(csv.DictReader(StringIO(response.text)))
    assert [row["status"] for row in rows] == ["ok", "ok", "error"]
    assert [row["shift_ppm"] for row in rows[:2]] == ["13.000", "22.000"]


def test_a_format_that_cannot_be_written(client):
    response = client.post("/v1/predict", json={"smiles": "C"}, headers={"accept": "text/html"})
    assert (response.status_code, response.json()["code"]) == (406, "not_acceptable")
