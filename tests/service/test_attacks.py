"""Attacks on a real server: refused as documented, and ``/health/live`` answers meanwhile."""

import gzip
import json
import socket
import threading
import time
from contextlib import ExitStack, contextmanager

import httpx
import pytest
from server import READ_TIMEOUT_S, running

N_SOCKETS = 200
LIVE_S = 5.0  # tells an answer from a hang; how fast it is, is for benchmarks
HEAD = b"POST /v1/predict HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"


@pytest.fixture(scope="module")
def server(toy_model, tmp_path_factory):
    with running(toy_model, data_dir=tmp_path_factory.mktemp("data")) as server:
        yield server


@contextmanager
def staying_alive(server):
    """Ask ``/health/live`` again and again while the block runs; every answer is 200, and soon."""
    took_s, statuses = [], set()
    over = threading.Event()

    def ask():
        with httpx.Client(timeout=60) as client:
            while not took_s or not over.wait(0.02):
                start = time.monotonic()
                statuses.add(client.get(f"{server.url}/health/live").status_code)
                took_s.append(time.monotonic() - start)

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield took_s
    finally:
        over.set()
        thread.join()
    assert statuses == {200}
    assert max(took_s) < LIVE_S


def connect(server):
    return socket.create_connection(("127.0.0.1", server.port), timeout=30)


def answer_to(connection):
    """Return all that comes until the server closes; a reset is an end as well."""
    answer = b""
    try:
        while part := connection.recv(65536):
            answer += part
    except ConnectionResetError:
        pass
    return answer


def breaks(connection, part, *, n, pause_s=0.0):
    """Send a part again and again; return whether the server closed the connection meanwhile."""
    try:
        for _ in range(n):
            connection.sendall(part)
            time.sleep(pause_s)
    except OSError:
        return True
    return False


HALVES = {
    "silent": b"",
    "in the request line": b"POST /v1/pre",
    "in a header": HEAD + b"x-slow: ",
    "in the body": HEAD + b"content-length: 100\r\n\r\n{",
    "in a chunk": HEAD + b"transfer-encoding: chunked\r\n\r\n5\r\n{",
}


@pytest.mark.parametrize("half", HALVES.values(), ids=HALVES)
def test_slow_clients_are_cut_off(server, half):
    with staying_alive(server), ExitStack() as stack:
        start = time.monotonic()
        connections = [stack.enter_context(connect(server)) for _ in range(N_SOCKETS)]
        for connection in connections:
            connection.sendall(half)
        answers = {answer_to(connection)[:12] for connection in connections}
        assert time.monotonic() - start < READ_TIMEOUT_S + 5
    assert answers == {b"HTTP/1.1 408" if half.endswith(b"{") else b""}


def test_a_head_that_drips_is_cut_off_too(server):
    with connect(server) as connection:
        connection.sendall(HEAD)
        start = time.monotonic()
        assert breaks(connection, b"x-drip: 1\r\n", n=200, pause_s=0.05)
    assert time.monotonic() - start < READ_TIMEOUT_S + 2


def test_the_second_head_of_a_connection_has_a_deadline_as_well(server):
    with connect(server) as connection:
        connection.sendall(b"GET /health/live HTTP/1.1\r\nhost: x\r\n\r\nGET /hea")
        start = time.monotonic()
        answer = answer_to(connection)
    assert answer.startswith(b"HTTP/1.1 200")
    assert time.monotonic() - start < READ_TIMEOUT_S + 2


def test_an_endless_head_is_cut_off(server):
    with connect(server) as connection:
        connection.sendall(HEAD + b"x-long: ")
        assert breaks(connection, b"x" * 100_000, n=100)


@pytest.mark.parametrize("framing", ["announced", "chunked"])
@pytest.mark.parametrize("path", ["/v1/predict", "/v1/match", "/v1/draw"])
def test_two_hundred_megabytes(server, path, framing):
    part = b"x" * 1_000_000
    head = HEAD.replace(b"/v1/predict", path.encode())
    with staying_alive(server), connect(server) as connection:
        if framing == "announced":
            connection.sendall(head + b"content-length: 200000000\r\n\r\n")
        else:
            connection.sendall(head + b"transfer-encoding: chunked\r\n\r\n")
            part = b"%x\r\n" % len(part) + part + b"\r\n"

        def send():
            for _ in range(200):
                connection.sendall(part)

        thread = threading.Thread(target=send)
        thread.start()
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += connection.recv(65536)
        thread.join()
    assert answer.startswith(b"HTTP/1.1 413")


def post(server, content, **headers):
    headers = {"content-type": "application/json", **headers}
    return httpx.post(f"{server.url}/v1/predict", content=content, headers=headers, timeout=60)


def test_a_million_strings(server):
    content = json.dumps({"smiles": ["C"] * 1_000_000}, separators=(",", ":")).encode()
    assert len(content) < 4 * 1024 * 1024
    with staying_alive(server):
        response = post(server, content)
    assert (response.status_code, response.json()["code"]) == (413, "too_large")


def test_a_gzip_bomb(server):
    bomb = gzip.compress(b" " * 200_000_000, 9)
    with staying_alive(server):
        response = post(server, bomb, **{"content-encoding": "gzip"})
        assert (response.status_code, response.json()["code"]) == (415, "unsupported_media_type")
        job = httpx.post(
            f"{server.url}/v1/jobs", content=bomb, headers={"content-type": "text/csv"}, timeout=60
        )
        assert (job.status_code, job.json()["code"]) == (415, "unsupported_media_type")


@pytest.mark.parametrize(
    "line",
    [
        b"GET / HTTP/9.9",
        b"GET /\xff\xfe HTTP/1.1",
        b"GET /%ff%fe HTTP/1.1",
        b"GET /%00 HTTP/1.1",
        b"GET //etc/passwd HTTP/1.1",
        b"GET /web/../../settings.py HTTP/1.1",
        b"GET /web/%2e%2e/%2e%2e/settings.py HTTP/1.1",
        b"\x16\x03\x01\x02\x00\x01\x00\x01",
        b"FOO /v1/predict HTTP/1.1",
        b"POST /v1/predict HTTP/1.1\r\ncontent-length: -1",
        b"POST /v1/predict HTTP/1.1\r\ncontent-length: 5\r\ntransfer-encoding: chunked",
    ],
)
def test_odd_requests_are_refused(server, line):
    with connect(server) as connection:
        connection.sendall(line + b"\r\nhost: x\r\nconnection: close\r\n\r\n")
        answer = answer_to(connection)
    assert answer[9:12] in (b"400", b"404", b"405", b"408", b"415", b"505", b"")
    assert b"Settings" not in answer
    assert httpx.get(f"{server.url}/health/live").status_code == 200


def test_nothing_of_it_is_a_fault_of_ours(server):
    log = "".join(server.log)
    assert "unforeseen" not in log
    assert "Traceback" not in log
