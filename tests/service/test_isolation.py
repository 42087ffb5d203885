"""The service with a real model: poisoned molecules in the midst of good ones."""

import json
import time
from pathlib import Path

import pytest
from client import serving
from corpus import can_be_sent, cases_of, load_generators
from poison import READ

from nmrshift import Predictor
from service.settings import Settings

TESTS = Path(__file__).resolve().parents[1]
SMILES = ["CCO", "FC(F)(F)c1ccccc1", "CC(C)=O", "c1ccncc1", "OCC(F)(F)F"]


@pytest.fixture(scope="module")
def predictor():
    return Predictor.load()


@pytest.fixture
def client(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(TESTS))
    settings = Settings(molecule_timeout_s=1.5, cache_atoms=0)
    with serving(settings=settings, apart=True, read=READ) as client:
        yield client


def shifts_of(rows):
    return [[atom["shift_ppm"] for atom in row["atoms"]] for row in rows]


def test_good_molecules_are_right_and_bad_ones_typed(client, predictor):
    names = [None, "hang", None, "crash", "bug"] * 4
    molecules = [
        {"smiles": SMILES[place % 5]} | ({"name": name} if name else {})
        for place, name in enumerate(names)
    ]
    rows = client.post("/v1/predict", json={"molecules": molecules}).json()["predictions"]
    assert [row["index"] for row in rows] == list(range(20))
    codes = {"hang": "timeout", "crash": "crashed", "bug": "crashed", None: None}
    assert [row.get("code") for row in rows] == [codes[name] for name in names]
    for row in rows:
        if row["status"] == "ok":
            expected = predictor.predict(row["input"])
            found = [atom["shift_ppm"] for atom in row["atoms"]]
            assert found == pytest.approx([one.shift_ppm for one in expected.atoms], abs=2e-3)


def test_requests_beside_a_poisoned_one_are_answered_and_health_is_quick(client):
    client.post("/v1/predict", json={"smiles": SMILES})
    bad = {"molecules": [{"smiles": "CC", "name": "hang"}] * 4}
    poisoned = client.in_background("/v1/predict", json=bad)
    time.sleep(0.2)
    worst_s = 0.0
    while not poisoned.done():
        start = time.perf_counter()
        assert client.get("/health/live").status_code == 200
        worst_s = max(worst_s, time.perf_counter() - start)
        answer = client.post("/v1/predict", json={"smiles": SMILES}).json()
        assert answer["counts"] == {"ok": 5, "error": 0}
    rows = poisoned.result().json()["predictions"]
    assert [row["code"] for row in rows] == ["timeout"] * 4
    assert worst_s < 1.0  # far below the time that a hanging molecule takes


def test_concurrent_requests_each_get_their_own(client, predictor):
    expected = {
        text: [round(one.shift_ppm, 3) for one in predictor.predict(text).atoms] for text in SMILES
    }
    futures = [
        (texts, interval, client.in_background("/v1/predict", json=body))
        for number in range(30)
        for texts in [[SMILES[number % 5], SMILES[(3 * number + 1) % 5]]]
        for interval in [(0.9, 0.8)[number % 2]]
        for body in [{"smiles": texts, "interval": interval}]
    ]
    for texts, interval, future in futures:
        rows = future.result(60).json()["predictions"]
        assert [row["input"] for row in rows] == texts
        assert {row["interval"] for row in rows} == {interval}
        for text, found in zip(texts, shifts_of(rows), strict=True):
            assert found == pytest.approx(expected[text], abs=2e-3)


def test_candidates_of_a_match_are_read_apart_too(client):
    text = "13C NMR (CDCl3) 171.1, 60.4, 21.0, 14.2"
    molecules = [{"smiles": "CCOC(C)=O"}, {"smiles": "CCC(=O)OC", "name": "hang"}]
    answer = client.post("/v1/match", json={"molecules": molecules, "text": text}).json()
    codes = [one.get("code") for one in answer["candidates"]]
    assert codes == [None, "timeout"]


def test_a_request_past_its_deadline_is_given_up(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(TESTS))
    settings = Settings(molecule_timeout_s=30, request_timeout_s=1.0)
    with serving(settings=settings, apart=True, read=READ) as client:
        body = {"molecules": [{"smiles": "CC", "name": "slow 8"}]}
        response = client.post("/v1/predict", json=body)
        assert (response.status_code, response.json()["code"]) == (504, "deadline")
        admission = client.app.state.engine.admission
        assert (admission.n_requests, admission.n_molecules, admission.n_atoms) == (0, 0, 0)
        client.app.state.engine._timeout_s = 60
        assert client.post("/v1/predict", json={"smiles": "CC"}).status_code == 200


def wait_for_job(client, job_id):
    end = time.monotonic() + 120
    while (body := client.get(f"/v1/jobs/{job_id}").json())["status"] != "done":
        assert time.monotonic() < end, body
        time.sleep(0.05)
    return [json.loads(line) for line in client.get(f"/v1/jobs/{job_id}/results").text.splitlines()]


@pytest.mark.slow
def test_every_hazard_ends_as_expected_in_a_request_and_in_a_job(tmp_path):
    generators = load_generators()
    cases = [case for kind in ("smiles", "inchi", "molblock") for case in cases_of(kind)]
    texts = [generators.materialise(case) for case in cases]
    sent = [pair for pair in zip(cases, texts, strict=True) if can_be_sent(pair[1])]
    molecules = [one for _, text in sent for one in ({"smiles": "CCO"}, {"structure": text})]
    settings = Settings(
        data_dir=tmp_path, max_body_bytes=50_000_000, cache_atoms=0, molecule_timeout_s=30
    )
    with serving(settings=settings, apart=True) as client:
        body = {"molecules": molecules, "nuclei": ["13C", "19F", "1H"]}
        answer = client.post("/v1/predict", json=body)
        lines = "".join(json.dumps(one) + "\n" for one in molecules)
        job = client.post(
            "/v1/jobs?nucleus=13C&nucleus=19F&nucleus=1H",
            content=lines,
            headers={"content-type": "application/x-ndjson"},
        )
        both = [answer.json()["predictions"], wait_for_job(client, job.json()["id"])]
    for rows in both:
        assert [row["index"] for row in rows] == list(range(len(molecules)))
        expected = [atom["shift_ppm"] for atom in rows[0]["atoms"]]
        for row in rows[::2]:
            found = [atom["shift_ppm"] for atom in row["atoms"]]
            assert found == pytest.approx(expected, abs=2e-3)
        for (case, _), row in zip(sent, rows[1::2], strict=True):
            allowed = {case.get("code", "ok"), *case.get("accept", [])}
            assert row.get("code", "ok") in allowed, case["id"]


def test_readers_that_do_not_work_keep_the_service_from_being_ready(caplog):
    with serving(wait=False, apart=True, read="service.no_such_module:read") as client:
        end = time.monotonic() + 120
        while client.get("/health/ready").json().get("detail") != "The model cannot be loaded.":
            assert time.monotonic() < end
            time.sleep(0.1)
        assert client.get("/health/live").status_code == 200
    assert "the model cannot be loaded: unforeseen ModuleNotFoundError" in caplog.text
