"""``POST /v1/match``: assignments of the published form, typed refusals, discretion."""

import json
import logging

import pytest
from client import serving
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.match_schemas import MatchResponse
from service.schemas import ProblemOut

PAPER = "13C NMR (101 MHz, CDCl3) δ 22.4, 13.3, 77.2."


@pytest.fixture(scope="module")
def client():
    with serving() as client:
        yield client


def match(client, **body):
    response = client.post("/v1/match", json=body)
    assert response.status_code == 200, response.text
    document = response.json()
    MatchResponse.model_validate(document)
    return document


def refused(response, status, code):
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    problem = response.json()
    ProblemOut.model_validate(problem)
    assert (problem["status"], problem["code"]) == (status, code)
    return problem


class TestAnswers:
    def test_text_and_candidates(self, client):
        found = match(client, smiles=["CC(C)=O", "CCO", "C1CC"], text=PAPER)
        assert found["ranking"] == [1, 0]
        assert [row["status"] for row in found["candidates"]] == ["ok", "ok", "error"]
        best = found["candidates"][1]
        assert best["solvent"] == "CDCl3"
        assert [one["peak"] for one in best["signals"]] == [1, 0]
        assert best["peaks"][2]["flags"] == ["extra"]
        assert found["spectrum"]["frequency_mhz"] == 101.0

    def test_peaks_and_molecules(self, client):
        found = match(
            client,
            molecules=[{"inchi": "InChI=1S/C2H6O/c1-2-3/h3H,2H2,1H3", "name": "a"}],
            peaks=[{"shift_ppm": 22, "n_hydrogens": 2}, {"shift_ppm": 13.0, "n_nuclei": 1}],
            nucleus="c13",
            solvent="DMSO",
            source="spectra",
        )
        (row,) = found["candidates"]
        assert (row["name"], row["solvent"], row["probability"]) == ("a", "DMSO", 1.0)
        assert row["n_missing"] == row["n_extra"] == 0
        assert row["notices"][-1]["code"] == "from_source"

    def test_nothing_can_be_predicted(self, client):
        assert match(client, smiles="N", text=PAPER)["ranking"] == []

    def test_twenty_candidates(self, client):
        assert len(match(client, smiles=["CCO"] * 20, text=PAPER)["ranking"]) == 20


class TestRefusals:
    @pytest.mark.parametrize(
        "body",
        [
            {},
            {"smiles": "C"},
            {"text": PAPER},
            {"smiles": "C", "molecules": [{"smiles": "C"}], "text": PAPER},
            {"smiles": "C", "text": PAPER, "peaks": [{"shift_ppm": 1.0}]},
            {"smiles": "C", "peaks": [{"shift_ppm": 1.0}]},
            {"smiles": "C", "peaks": [], "nucleus": "13C"},
            {"smiles": "C", "peaks": [1.0], "nucleus": "13C"},
            {"smiles": "C", "peaks": [{"shift_ppm": "1.0"}], "nucleus": "13C"},
            {"smiles": "C", "peaks": [{"shift_ppm": 1.0, "n_nuclei": 0}], "nucleus": "13C"},
            {"smiles": "C", "text": "1" * 20_001, "nucleus": "13C"},
            {"smiles": "C", "text": PAPER, "temperature": 1.0},
        ],
    )
    def test_schema(self, client, body):
        assert refused(client.post("/v1/match", json=body), 422, "invalid_request")["fields"]

    def test_too_many(self, client):
        body = {"smiles": ["C"] * 21, "text": PAPER}
        refused(client.post("/v1/match", json=body), 413, "too_large")
        body = {"smiles": "C", "peaks": [{"shift_ppm": 1.0}] * 501, "nucleus": "13C"}
        refused(client.post("/v1/match", json=body), 413, "too_large")

    @pytest.mark.parametrize("text", ["", "SECRET", "22.4 SECRET", "170,1", "999"])
    def test_text_that_is_not_understood(self, client, text):
        response = client.post("/v1/match", json={"smiles": "C", "text": text, "nucleus": "13C"})
        assert "SECRET" not in refused(response, 422, "peak_text")["detail"]

    def test_impossible_peaks(self, client):
        body = {"smiles": "C", "peaks": [{"shift_ppm": 1e300}], "nucleus": "13C"}
        refused(client.post("/v1/match", json=body), 422, "peak_text")

    def test_settings_that_the_model_does_not_know(self, client):
        body = {"smiles": "C", "text": PAPER}
        for nucleus in ("31P", "kryptonite"):
            more = {"text": "13.0", "nucleus": nucleus}
            refused(client.post("/v1/match", json=body | more), 422, "unknown_nucleus")
        response = client.post("/v1/match", json=body | {"source": "nowhere"})
        refused(response, 422, "config_error")


def test_structures_and_spectra_reach_no_log(client, caplog, capfd):
    caplog.set_level(logging.DEBUG)
    match(client, smiles=["CCCCCCCCO", "OCCCCCCCC(C"], text="13C NMR δ 123.456")
    assert "1 peaks, 2 candidates, 1 failed" in caplog.text
    logged = caplog.text + "".join(capfd.readouterr())
    assert "CCCC" not in logged
    assert "123.456" not in logged


TEXT = st.one_of(st.sampled_from([PAPER, "22.4", "CCO", "13C NMR", ""]), st.text(max_size=20))
BODY = st.fixed_dictionaries(
    {"smiles": st.one_of(TEXT, st.lists(TEXT, max_size=3))},
    optional={
        "text": TEXT,
        "peaks": st.lists(st.fixed_dictionaries({"shift_ppm": st.floats()}), max_size=3),
        "nucleus": st.sampled_from(["13C", "f19", "x", 5]),
        "solvent": TEXT,
    },
)


@given(BODY)
@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_bodies_that_are_nearly_right(client, body):
    headers = {"content-type": "application/json"}
    response = client.post("/v1/match", content=json.dumps(body).encode(), headers=headers)
    assert response.content.isascii()
    if response.status_code == 200:
        MatchResponse.model_validate(response.json())
    else:
        assert response.status_code in (413, 422)
        ProblemOut.model_validate(response.json())
