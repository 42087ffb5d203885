"""Bodies too large, too slow or packed; and requests that come faster than answers."""

import threading
import time
import tracemalloc

import anyio
import pytest
from client import serving
from fakes import FakePredictor

from service.limits import BodyGate
from service.settings import Settings


class Wire:
    """One request on a bare ASGI connection: what the server hands in, what the gate sends."""

    def __init__(self, *parts, headers=(), delay_s=0.0, method="POST"):
        self.scope = {
            "type": "http",
            "method": method,
            "headers": [(key.encode(), value.encode()) for key, value in headers],
        }
        self.parts = list(parts)
        self.delay_s = delay_s
        self.n_read = 0
        self.sent = []

    async def receive(self):
        await anyio.sleep(self.delay_s)
        if not self.parts:
            return {"type": "http.disconnect"}
        self.n_read += 1
        part = self.parts.pop(0)
        if part is None:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": part, "more_body": bool(self.parts)}

    async def send(self, message):
        self.sent.append(message)

    @property
    def status(self):
        return self.sent[0]["status"] if self.sent else None


def through_gate(wire, max_bytes=100, read_timeout_s=1.0):
    """Return the body that the application got, or None if it was not called."""
    got = []

    async def app(scope, receive, send):
        got.append((await receive())["body"])
        got.append((await receive())["type"])

    gate = BodyGate(app, max_bytes=max_bytes, read_timeout_s=read_timeout_s)
    anyio.run(gate, wire.scope, wire.receive, wire.send)
    return got or None


def test_a_body_in_parts_arrives_whole():
    assert through_gate(Wire(b"ab", b"", b"c")) == [b"abc", "http.disconnect"]


def test_a_body_of_the_limit_passes():
    assert through_gate(Wire(b"x" * 100))[0] == b"x" * 100


def test_an_announced_giant_is_refused_unread():
    wire = Wire(b"x" * 50, headers=[("content-length", "101")])
    assert through_gate(wire) is None
    assert (wire.status, wire.n_read) == (413, 0)


def test_a_growing_giant_is_refused_at_the_limit():
    wire = Wire(*[b"x" * 40] * 1000)
    assert through_gate(wire) is None
    assert (wire.status, wire.n_read) == (413, 3)


def test_a_lie_about_the_length_does_not_help():
    wire = Wire(b"x" * 101, headers=[("content-length", "5")])
    assert through_gate(wire) is None
    assert wire.status == 413


@pytest.mark.parametrize("length", ["-5", "x", "", "1e9"])
def test_an_odd_length_is_ignored(length):
    assert through_gate(Wire(b"ab", headers=[("content-length", length)]))[0] == b"ab"


def test_a_slow_body_is_refused_at_the_deadline():
    wire = Wire(*[b"x"] * 50, delay_s=0.02)
    assert through_gate(wire, read_timeout_s=0.05) is None
    assert wire.status == 408


def test_a_client_that_leaves_gets_no_answer():
    wire = Wire(b"x", None, b"y")
    assert through_gate(wire) is None
    assert wire.sent == []


@pytest.mark.parametrize("coding", ["gzip", "br", "gzip, identity"])
def test_packed_bodies_are_refused(coding):
    wire = Wire(b"x", headers=[("content-encoding", coding)])
    assert through_gate(wire) is None
    assert wire.status == 415


def test_get_passes_untouched():
    assert through_gate(Wire(b"", method="GET")) == [b"", "http.disconnect"]


def test_a_giant_is_not_kept_in_memory():
    async def parts():
        for _ in range(2000):
            yield b"x" * 10_000

    with serving(settings=Settings(max_body_bytes=100_000)) as client:
        tracemalloc.start()
        response = client.post("/v1/predict", content=parts())
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert response.status_code == 413
    assert peak < 5_000_000


class Slow(FakePredictor):
    """Waits for leave before it answers any but the canary."""

    def __init__(self):
        super().__init__()
        self.leave = threading.Event()
        self.entered = threading.Semaphore(0)

    def predict_many(self, queries, **kwargs):
        if "interval" in kwargs:
            self.entered.release()
            assert self.leave.wait(10)
        return super().predict_many(queries, **kwargs)


def test_health_answers_and_the_queue_is_bounded_while_predicting():
    predictor = Slow()
    settings = Settings(max_waiting=2)
    with serving(predictor, settings) as client:
        running = [client.in_background("/v1/predict", json={"smiles": "C"})]
        assert predictor.entered.acquire(timeout=5)
        running += [client.in_background("/v1/predict", json={"smiles": "C"}) for _ in range(2)]
        wait_for(lambda: _n_waiting(client) == 2)
        assert client.get("/health/ready").status_code == 200
        response = client.post("/v1/predict", json={"smiles": "C"})
        assert (response.status_code, response.json()["code"]) == (429, "busy")
        assert int(response.headers["retry-after"]) > 0
        predictor.leave.set()
        assert [future.result(10).status_code for future in running] == [200] * 3


def _n_waiting(client):
    return client.app.state.engine.admission.n_requests - 1


def wait_for(condition):
    end = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.005)


def test_a_full_service_refuses_before_it_looks_at_a_body():
    predictor = Slow()
    with serving(predictor, Settings(max_waiting=0)) as client:
        running = client.in_background("/v1/predict", json={"smiles": "C"})
        assert predictor.entered.acquire(timeout=5)
        for path in ("/v1/predict", "/v1/match", "/v1/draw"):
            response = client.post(path, content=b"{")
            assert (response.status_code, response.json()["code"]) == (429, "busy")
            assert int(response.headers["retry-after"]) > 0
        assert client.get("/v1/solvents").status_code == 200
        predictor.leave.set()
        assert running.result(10).status_code == 200
    assert client.app.state.engine.admission.n_requests == 0
