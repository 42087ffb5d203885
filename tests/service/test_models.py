"""Models described, and replaced without a gap."""

import threading

import pytest
from client import serving
from fakes import FakePredictor

from nmrshift.errors import ArtifactError
from service.local import Local
from service.schemas import ModelsOut
from service.settings import Settings

ALLOWED = Settings(allow_reload=True)


class Other(FakePredictor):
    identity = "fake-2.0+11111111"

    def __init__(self, offset_ppm=100.0):
        super().__init__(offset_ppm=offset_ppm)
        self.info = type(self).make_info()

    @classmethod
    def make_info(cls):
        from types import SimpleNamespace

        old = vars(FakePredictor.info)
        return SimpleNamespace(**{**old, "identity": cls.identity, "sha256": "2" * 64})


@pytest.fixture
def next_model(monkeypatch):
    """What the next load returns or raises."""
    box = []

    async def load(settings, metrics, predictor, read):
        found = box[0] if box else predictor
        if isinstance(found, Exception):
            raise found
        return Local(found, settings, metrics)

    monkeypatch.setattr("service.app._load", load)
    return box


def first_shift(client):
    answer = client.post("/v1/predict", json={"smiles": "CCO"}).json()
    (row,) = answer["predictions"]
    return row["model"], row["atoms"][0]["shift_ppm"]


def test_description(tmp_path):
    predictor = FakePredictor()
    predictor.info = type(predictor.info)(**{**vars(predictor.info), "path": str(tmp_path)})
    (tmp_path / "CARD.md").write_text("# A card\n")
    with serving(predictor) as client:
        body = client.get("/v1/models").json()
    (model,) = ModelsOut.model_validate(body).models
    assert (model.card, model.data_licence, model.sha256) == ("# A card\n", None, "0" * 64)
    assert model.data[0].licence == "CC0-1.0"
    assert str(tmp_path) not in str(body)


def test_reload_needs_leave(next_model):
    with serving() as client:
        response = client.post("/v1/models/reload")
        assert (response.status_code, response.json()["code"]) == (403, "forbidden")


def test_a_new_model_replaces_the_old_one_and_its_results(next_model):
    with serving(settings=ALLOWED) as client:
        assert first_shift(client) == (FakePredictor.identity, 13.0)
        next_model.append(Other())
        response = client.post("/v1/models/reload")
        assert (response.status_code, response.json()["identity"]) == (200, Other.identity)
        assert first_shift(client) == (Other.identity, 113.0)
        assert client.get("/health/ready").status_code == 200


@pytest.mark.parametrize(
    "bad", [ArtifactError("altered"), OSError("gone"), ZeroDivisionError(), Other(float("nan"))]
)
def test_a_model_that_cannot_be_verified_changes_nothing(next_model, bad):
    with serving(settings=ALLOWED) as client:
        next_model.append(bad)
        response = client.post("/v1/models/reload")
        assert (response.status_code, response.json()["code"]) == (409, "reload_failed")
        assert first_shift(client) == (FakePredictor.identity, 13.0)
        assert client.get("/health/ready").status_code == 200
        metrics = client.get("/metrics").text
        assert 'nmrshift_reloads_total{outcome="failed"} 1.0' in metrics


def test_requests_under_way_end_with_the_model_they_began_with(next_model):
    class Held(FakePredictor):
        leave = threading.Event()
        entered = threading.Event()

        def predict_many(self, queries, **kwargs):
            if "interval" in kwargs:
                self.entered.set()
                assert self.leave.wait(10)
            return super().predict_many(queries, **kwargs)

    predictor = Held()
    with serving(predictor, ALLOWED) as client:
        waiting = client.in_background("/v1/predict", json={"smiles": ["CCO", "CC"]})
        assert predictor.entered.wait(10)
        next_model.append(Other())
        assert client.post("/v1/models/reload").status_code == 200
        predictor.leave.set()
        rows = waiting.result(10).json()["predictions"]
        assert {row["model"] for row in rows} == {FakePredictor.identity}
        assert first_shift(client) == (Other.identity, 113.0)
