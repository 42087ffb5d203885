"""``POST /v1/draw``: pictures by Accept, typed refusals, discretion."""

import json
import logging
from pathlib import Path

import pytest
from client import serving
from pictures import groups, read

from service.accept import preferred
from service.mapping import ProblemError
from service.schemas import ProblemOut

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def client():
    with serving() as client:
        yield client


def draw(client, accept=None, **body):
    headers = {} if accept is None else {"accept": accept}
    return client.post("/v1/draw", json=body, headers=headers)


def refused(response, status, code):
    assert response.status_code == status, response.text
    assert ProblemOut.model_validate(response.json()).code == code
    return response.json()


def test_molecule_and_spectra(client):
    response = draw(client, smiles="CCO", nuclei=["13C", "h1"], solvent="CDCl3", name="ethanol")
    assert response.status_code == 200
    assert response.headers["content-type"] == "image/svg+xml"
    assert response.headers["vary"] == "accept"
    root = read(response.text)
    assert [one.get("data-nucleus") for one in groups(root, "stick")] == ["13C"] * 2 + ["1H"] * 3
    assert "ethanol. Predicted shifts in chloroform-d" in response.text


def test_the_documented_example(client):
    section = (ROOT / "docs" / "service.md").read_text("utf-8").partition("\n## Drawing\n")[2]
    body = json.loads(section.partition("```json\n")[2].partition("```")[0])
    assert groups(read(draw(client, **body).text), "stick")


def test_the_molecule_alone(client):
    response = draw(client, smiles="CCO", spectra=False)
    root = read(response.text)
    assert groups(root, "stick") == []
    assert [one.get("data-atoms") for one in groups(root, "tag")] == ["0", "1"]
    assert float(root.get("height")) < float(read(draw(client, smiles="CCO").text).get("height"))


def test_png(client):
    response = draw(client, "image/png", smiles="CCO")
    assert response.headers["content-type"] == "image/png"
    assert response.content.startswith(b"\x89PNG\r\n")


@pytest.mark.parametrize(
    ("structure", "code"),
    [
        ("C1CC", "parse_error"),
        ("O", "no_target_atoms"),
        ("[Fe]", "unsupported_element"),
        ("C C", "invalid_text"),
        ("C" * 400, "too_large"),
    ],
)
def test_molecules_that_cannot_be_drawn(client, structure, code):
    problem = refused(draw(client, structure=structure), 413 if code == "too_large" else 422, code)
    assert structure * 2 not in problem["detail"]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "invalid_request"),
        ({"smiles": "C", "inchi": "x"}, "invalid_request"),
        ({"smiles": "C", "spectra": 1}, "invalid_request"),
        ({"smiles": ["C"]}, "invalid_request"),
        ({"smiles": "C", "nuclei": ["kryptonite"]}, "unknown_nucleus"),
        ({"smiles": "C", "nuclei": ["31P"]}, "unknown_nucleus"),
        ({"smiles": "C", "source": "nowhere"}, "config_error"),
    ],
)
def test_bad_requests(client, body, code):
    refused(draw(client, **body), 422, code)


def test_neither_svg_nor_png(client):
    refused(draw(client, "text/html", smiles="C"), 406, "not_acceptable")


def test_structures_reach_no_log(client, caplog):
    caplog.set_level(logging.DEBUG)
    draw(client, smiles="CCCCCCCCO")
    draw(client, smiles="CCCCCCCC(O")
    assert "1 molecule drawn" in caplog.text
    assert "CCCC" not in caplog.text


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        (None, "a/x"),
        ("", "a/x"),
        ("*/*", "a/x"),
        ("a/*", "a/x"),
        ("b/y", "b/y"),
        ("B/Y ; q=0.5", "b/y"),
        ("a/x;q=0.1, b/y;q=0.2", "b/y"),
        ("a/x;q=0, */*", "b/y"),
        ("b/y;q=nonsense, a/x;q=0.1", "a/x"),
        ("b/y;q=nan, a/*;q=0.1", "a/x"),
        ("text/html, application/xml;q=0.9, */*;q=0.8", "a/x"),
    ],
)
def test_what_a_client_prefers(accept, expected):
    assert preferred(accept, ("a/x", "b/y")) == expected


@pytest.mark.parametrize("accept", ["text/html", "a/x;q=0, b/y;q=0", "*/*;q=0", ";;,,"])
def test_what_a_client_excludes(accept):
    with pytest.raises(ProblemError) as found:
        preferred(accept, ("a/x", "b/y"))
    assert found.value.code == "not_acceptable"
