"""Pictures are drawn elsewhere: one that hangs or kills its process harms nobody."""

import time
from pathlib import Path

import pytest
from client import serving
from poison import DRAW

from service.settings import Settings

TESTS = Path(__file__).resolve().parents[1]
DEADLINE_S = 4.0


@pytest.fixture
def client(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(TESTS))
    settings = Settings(draw_timeout_s=DEADLINE_S, processes=2, cache_atoms=0)
    with serving(settings=settings, draw=DRAW) as client:
        yield client


def draw(client, name=None):
    return client.post("/v1/draw", json={"smiles": "CCO", **({"name": name} if name else {})})


def test_predictions_and_life_do_not_wait_for_drawings_that_hang(client):
    assert draw(client).status_code == 200
    began = time.monotonic()
    hanging = [
        client.in_background("/v1/draw", json={"smiles": "CCO", "name": "hang"}) for _ in range(4)
    ]
    while time.monotonic() < began + DEADLINE_S / 2:
        start = time.monotonic()
        assert client.post("/v1/predict", json={"smiles": "CCN"}).status_code == 200
        assert client.get("/health/live").status_code == 200
        assert time.monotonic() - start < DEADLINE_S / 2
    peaks = [{"shift_ppm": 20.0}]
    match = {"smiles": "CCO", "peaks": peaks, "nucleus": "13C"}
    assert client.post("/v1/match", json=match).status_code == 200
    assert time.monotonic() < began + DEADLINE_S
    answers = [one.result(20) for one in hanging]
    assert {(one.status_code, one.json()["code"]) for one in answers} == {(504, "timeout")}
    assert draw(client).status_code == 200


@pytest.mark.parametrize("name", ["crash", "bug"])
def test_what_breaks_over_one_picture_draws_the_next(client, name, caplog):
    response = draw(client, name)
    assert (response.status_code, response.json()["code"]) == (422, "drawing_failed")
    assert draw(client).status_code == 200
    assert "CCO" not in caplog.text


def test_a_drawing_that_waits_too_long_for_its_turn_is_given_up(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(TESTS))
    settings = Settings(draw_timeout_s=20, processes=1, request_timeout_s=2)
    with serving(settings=settings, draw=DRAW) as client:
        end = time.monotonic() + 60
        while draw(client).status_code != 200:
            assert time.monotonic() < end
        asked = [client.in_background("/v1/draw", json={"smiles": "C", "name": "slow 10"})] * 2
        answers = [one.result(20) for one in asked]
        assert {(one.status_code, one.json()["code"]) for one in answers} == {(504, "deadline")}
        admission = client.app.state.engine.admission
        assert admission.n_requests == 0
