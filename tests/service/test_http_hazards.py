"""The HTTP cases of the hazard corpus, and its texts and molblocks sent through the service."""

import time

import pytest
from client import serving
from corpus import can_be_sent, cases_of, load_generators

from service.schemas import PredictResponse, ProblemOut

DEADLINE_S = 2.5

generators = load_generators()


@pytest.fixture(scope="module")
def client():
    with serving() as client:
        yield client


def send(client, case):
    headers = {"content-type": "application/json", **case.get("headers", {})}
    content = generators.materialise(case)
    start = time.perf_counter()
    response = client.post("/v1/predict", content=content, headers=headers)
    return response, time.perf_counter() - start


@pytest.mark.parametrize("case", cases_of("http-json"), ids=lambda case: case["id"])
def test_bodies(client, case):
    response, took_s = send(client, case)
    assert took_s < DEADLINE_S
    assert response.status_code in case["status"]
    if response.status_code != 200:
        ProblemOut.model_validate(response.json())
        assert response.headers["content-type"] == "application/problem+json"
        assert response.content.isascii()
        assert case["expect"] == "error"
        return
    document = PredictResponse.model_validate(response.json())
    rows = case.get("rows", {"records": len(document.predictions), "ok": None})
    assert len(document.predictions) == rows["records"]
    allowed = {case.get("code", "ok"), *case.get("accept", [])} - {"ok"}
    bad = [row for row in document.predictions if row.status == "error"]
    assert {row.code for row in bad} <= allowed
    if rows["ok"] is not None:
        assert document.counts.ok == rows["ok"]
    elif case["expect"] == "error" and "ok" not in case.get("accept", []):
        assert len(bad) == len(document.predictions)


@pytest.mark.parametrize("kind", ["smiles", "inchi", "molblock"])
def test_texts_in_one_batch_of_good_rows(client, kind):
    cases = [case for case in cases_of(kind) if can_be_sent(generators.materialise(case))]
    molecules = [{"smiles": "CCO"}]
    for case in cases:
        molecules += [{"structure": generators.materialise(case)}, {"smiles": "CCO"}]
    body = {"molecules": molecules, "nuclei": ["13C", "19F", "1H"]}
    response = client.post("/v1/predict", json=body)
    assert response.status_code == 200, response.text
    rows = PredictResponse.model_validate(response.json()).predictions
    assert len(rows) == len(molecules)
    expected = [atom.shift_ppm for atom in rows[0].atoms]
    for row in rows[::2]:
        assert [atom.shift_ppm for atom in row.atoms] == expected
    for case, row in zip(cases, rows[1::2], strict=True):
        outcome = row.code if row.status == "error" else "ok"
        allowed = {case.get("code", "ok"), *case.get("accept", [])}
        assert outcome in allowed, case["id"]
