"""A full server refuses on the wire, cheaply, and its connections stay good."""

import json
import socket
import threading
import time
from contextlib import suppress

import httpx
import pytest
from server import READ_TIMEOUT_S, running

SLOW = {"molecules": [{"smiles": "CC", "name": "slow 30"}]}
WIRE = ("--http", "service.wire:PromptHttp")
HEAD = b"POST /v1/predict HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"


@pytest.fixture(scope="module")
def server(toy_model):
    """A server with room for one request, which is taken."""
    limits = {"max_waiting": 0, "molecule_timeout_s": 60}
    with running(toy_model, app="poison:app", arguments=WIRE, **limits) as server:
        taken = threading.Thread(target=_take, args=(server,), daemon=True)
        taken.start()
        end = time.monotonic() + 20
        while httpx.post(f"{server.url}/v1/predict", json={"smiles": "CO"}).status_code == 200:
            assert time.monotonic() < end
            time.sleep(0.2)
        yield server


def _take(server):
    with httpx.Client(timeout=60) as client, suppress(httpx.HTTPError):
        while client.post(f"{server.url}/v1/predict", json=SLOW).status_code == 429:
            time.sleep(0.01)


def refusals(server):
    text = httpx.get(f"{server.url}/metrics").text
    start = 'nmrshift_requests_total{method="POST",route="none",status="429"} '
    return sum(float(line.split()[-1]) for line in text.splitlines() if line.startswith(start))


def answer_on(connection):
    """Read one answer; return its status line, its headers and its body."""
    data = b""
    while b"\r\n\r\n" not in data:
        part = connection.recv(65536)
        assert part
        data += part
    head, _, body = data.partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in lines[1:])
    while len(body) < int(headers["content-length"]):
        body += connection.recv(65536)
    return lines[0], headers, body


def connect(server):
    return socket.create_connection(("127.0.0.1", server.port), timeout=20)


def test_a_refusal_is_a_problem_and_says_when_to_come_back(server):
    before = refusals(server)
    response = httpx.post(f"{server.url}/v1/predict", json={"smiles": "C"})
    assert response.status_code == 429
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["retry-after"] == "2"
    assert "date" in response.headers
    assert response.json()["code"] == "busy"
    assert refusals(server) == before + 1


def test_what_asks_for_no_molecule_is_answered(server):
    for path in ("/health/live", "/v1/solvents", "/metrics"):
        assert httpx.get(f"{server.url}{path}").status_code == 200
    assert httpx.get(f"{server.url}/v1/predict").status_code == 405


def test_a_connection_goes_on_after_a_refusal_its_body_thrown_away(server):
    body = json.dumps({"smiles": ["C" * 1000] * 300}).encode()
    with connect(server) as connection:
        for _ in range(3):
            connection.sendall(HEAD + b"content-length: %d\r\n\r\n" % len(body) + body)
            status, headers, _ = answer_on(connection)
            assert status.startswith("HTTP/1.1 429")
            assert "connection" not in headers
        connection.sendall(b"GET /health/live HTTP/1.1\r\nhost: x\r\n\r\n")
        assert answer_on(connection)[0].startswith("HTTP/1.1 200")


def test_two_requests_at_once_get_two_answers_in_order(server):
    request = HEAD + b"content-length: 2\r\n\r\n{}"
    with connect(server) as connection:
        connection.sendall(request + b"GET /health/live HTTP/1.1\r\nhost: x\r\n\r\n" + request)
        data = b""
        while data.count(b"HTTP/1.1 ") < 3:
            part = connection.recv(65536)
            assert part
            data += part
    statuses = [one[:3] for one in data.split(b"HTTP/1.1 ")[1:]]
    assert statuses == [b"429", b"200", b"429"]


def test_one_that_wants_to_close_is_closed(server):
    with connect(server) as connection:
        connection.sendall(HEAD + b"connection: close\r\ncontent-length: 2\r\n\r\n{}")
        assert answer_on(connection)[0].startswith("HTTP/1.1 429")
        assert connection.recv(1) == b""


def test_a_body_that_never_comes_is_not_waited_for(server):
    with connect(server) as connection:
        connection.sendall(HEAD + b"content-length: 100\r\n\r\n{")
        assert answer_on(connection)[0].startswith("HTTP/1.1 429")
        start = time.monotonic()
        assert connection.recv(1) == b""
        assert time.monotonic() - start < READ_TIMEOUT_S + 5


def test_refusals_are_not_logged_each(server):
    before = sum("429" in line for line in server.log)
    for _ in range(20):
        httpx.post(f"{server.url}/v1/predict", json={"smiles": "C"})
    time.sleep(0.2)
    assert sum("429" in line for line in server.log) == before
