"""Alive, ready, and the difference between the two."""

import threading

import pytest
from anyio import to_thread
from client import serving
from fakes import FakePredictor

from nmrshift.errors import ArtifactError
from nmrshift.types import Failure
from service.app import create_app
from service.engine import Engine
from service.local import Local


def test_alive_and_ready():
    with serving() as client:
        assert client.get("/health/live").json() == {"status": "live"}
        response = client.get("/health/ready")
        assert response.json() == {"status": "ready"}
        assert response.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("offset_ppm", [0.02, -1.0, float("nan"), float("inf")])
def test_a_model_that_changes_is_not_ready(offset_ppm):
    predictor = FakePredictor()
    with serving(predictor) as client:
        predictor.offset_ppm = offset_ppm
        response = client.get("/health/ready")
        assert (response.status_code, response.json()["code"]) == (503, "not_ready")
        assert client.get("/health/live").status_code == 200
        predictor.offset_ppm = 0.005
        assert client.get("/health/ready").status_code == 200


def test_a_model_that_breaks_is_not_ready(caplog):
    predictor = FakePredictor()
    with serving(predictor) as client:
        predictor._atoms = None
        assert client.get("/health/ready").status_code == 503
    assert "TypeError" in caplog.text


def test_alive_while_the_model_loads(monkeypatch):
    may_load = threading.Event()

    async def load(settings, metrics, predictor, read):
        await to_thread.run_sync(may_load.wait, 5)
        return Local(predictor, settings, metrics)

    monkeypatch.setattr("service.app._load", load)
    with serving(wait=False) as client:
        assert client.get("/health/live").status_code == 200
        for path in ("/health/ready", "/v1/model"):
            assert client.get(path).status_code == 503
        response = client.post("/v1/predict", json={"smiles": "C"})
        assert response.status_code == 503
        assert response.json()["detail"] == "The model is being loaded."
        assert int(response.headers["retry-after"]) > 0
        may_load.set()
        client.wait_until_ready()
        assert client.post("/v1/predict", json={"smiles": "C"}).status_code == 200


def raising(error):
    async def load(settings, metrics, predictor, read):
        raise error

    return load


def no_shifts(self, index, query, *rest):
    return Failure(index, "", None, "timeout", "", "")


@pytest.mark.parametrize(
    ("target", "value"),
    [
        ("service.app._load", raising(ArtifactError("weights altered"))),
        ("service.app._load", raising(OSError("unreadable"))),
        ("service.app._load", raising(ZeroDivisionError())),
        ("fakes.FakePredictor._answer", no_shifts),
    ],
)
def test_a_model_that_cannot_be_loaded(monkeypatch, caplog, target, value):
    monkeypatch.setattr(target, value)
    with serving(wait=False) as client:
        for _ in range(100):
            detail = client.get("/health/ready").json()["detail"]
            if detail != "The model is being loaded.":
                break
        assert detail == "The model cannot be loaded."
        assert client.get("/health/live").status_code == 200
    assert caplog.records[-1].levelname == "ERROR"


def test_settings_come_from_the_environment(monkeypatch):
    monkeypatch.setenv("NMRSHIFT_MAX_MOLECULES", "7")
    monkeypatch.setenv("NMRSHIFT_LOG_LEVEL", "debug")
    app = create_app()
    assert app.state.settings.max_molecules == 7
    assert isinstance(app.state.engine, Engine)


def test_model_description():
    with serving() as client:
        body = client.get("/v1/model").json()
    assert body["identity"] == FakePredictor.identity
    assert body["data"] == [{"name": "made up", "licence": "CC0-1.0", "n_molecules": 3}]
    assert "models/" not in str(body)


def test_a_predictor_without_description():
    class Table(FakePredictor):
        info = None

    with serving(Table()) as client:
        body = client.get("/v1/model").json()
    assert (body["identity"], body["nuclei"]) == ("Table", ["13C", "19F", "1H"])
    assert body["sha256"] is None
