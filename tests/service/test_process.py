"""The service as it runs: a process with a trained model, asked over a socket."""

import json
import signal
import socket
import time
from pathlib import Path

import httpx
import pytest
from server import READ_TIMEOUT_S, START_S, running

from nmrshift import Predictor


@pytest.fixture(scope="module")
def server(toy_model):
    with running(toy_model) as server:
        yield server


def test_the_same_numbers_as_in_python(server, toy_model):
    smiles = ["CCO", "C1CC", "FC(F)(F)c1ccccc1"]
    answer = httpx.post(f"{server.url}/v1/predict", json={"smiles": smiles, "solvent": "CDCl3"})
    rows = answer.json()["predictions"]
    assert [row["status"] for row in rows] == ["ok", "error", "ok"]
    predictor = Predictor.load(toy_model)
    for row in rows[::2]:
        expected = predictor.predict(row["input"], solvent="CDCl3")
        assert row["model"] == expected.model
        assert [atom["atom_index"] for atom in row["atoms"]] == [
            atom.atom_index for atom in expected.atoms
        ]
        for atom, one in zip(row["atoms"], expected.atoms, strict=True):
            assert atom["shift_ppm"] == pytest.approx(one.shift_ppm, abs=2e-3)


def test_the_model_describes_itself(server, toy_model):
    body = httpx.get(f"{server.url}/v1/model").json()
    assert body["identity"] == Predictor.load(toy_model).identity
    assert body["data"][0]["licence"] == "Apache-2.0"


def test_a_body_that_stalls_is_cut_off(server):
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        head = "POST /v1/predict HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
        connection.sendall(f'{head}content-length: 100\r\n\r\n{{"smiles"'.encode())
        start = time.monotonic()
        answer = b""
        while part := connection.recv(4096):
            answer += part
        assert time.monotonic() - start < READ_TIMEOUT_S + 2
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert json.loads(answer.split(b"\r\n\r\n", 1)[1])["code"] == "read_timeout"


def test_structures_reach_no_log(server):
    marker = "CCCCCCCCCCCCCCCCCCCC"
    httpx.post(f"{server.url}/v1/predict", json={"smiles": [marker, marker + "("]})
    end = time.monotonic() + 5
    while "2 molecules, 1 failed" not in "".join(server.log):
        assert time.monotonic() < end
        time.sleep(0.02)
    assert marker not in "".join(server.log)


def test_sigterm_ends_it_at_once_and_in_order(toy_model):
    with running(toy_model) as server:
        server.process.send_signal(signal.SIGTERM)
        code = server.process.wait(10)
    assert code in (0, -signal.SIGTERM)
    assert "Application shutdown complete" in "".join(server.log)


def test_sigterm_ends_it_while_the_model_loads(toy_model):
    with running(toy_model, wait=False) as server:
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(START_S) in (0, -signal.SIGTERM)


def test_a_model_that_is_missing_keeps_it_alive_but_not_ready(tmp_path):
    with running(tmp_path / "absent", wait=False) as server:
        end = time.monotonic() + START_S
        while "the model cannot be loaded" not in "".join(server.log):
            assert time.monotonic() < end
            time.sleep(0.02)
        assert httpx.get(f"{server.url}/health/ready").status_code == 503
        assert httpx.get(f"{server.url}/health/live").status_code == 200


def test_a_giant_body_is_answered_and_costs_no_memory(server):
    def parts():
        for _ in range(64):
            yield b"x" * 1_000_000

    before = _resident_mb(server)
    response = httpx.post(
        f"{server.url}/v1/predict", content=parts(), headers={"content-type": "application/json"}
    )
    assert response.status_code == 413
    assert _resident_mb(server) - before < 20


def _resident_mb(server):
    with Path(f"/proc/{server.process.pid}/status").open(encoding="ascii") as status:
        return next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmRSS"))
