"""SIGTERM drains, SIGHUP loads the model again: a real server, asked meanwhile."""

import json
import shutil
import signal
import sqlite3
import threading
import time

import httpx
import pytest
from processes import descendants_of, wait_for_end
from server import running

TIMEOUT_S = 120.0


def wait_for(condition, what=""):
    end = time.monotonic() + TIMEOUT_S
    while not condition():
        assert time.monotonic() < end, what
        time.sleep(0.02)


@pytest.mark.slow
def test_sigterm_says_not_ready_first_and_finishes_what_it_began(toy_model, tmp_path):
    settings = {"data_dir": tmp_path, "drain_delay_s": 3, "cache_atoms": 0}
    lines = "".join(f"{'C' * (1 + n % 30)}O m{n}\n" for n in range(20_000))
    with running(toy_model, **settings) as server:
        headers = {"content-type": "chemical/x-daylight-smiles"}
        job = httpx.post(f"{server.url}/v1/jobs", content=lines, headers=headers, timeout=TIMEOUT_S)
        job_id = job.json()["id"]
        answers = {}

        def ask(name, method, path, **kwargs):
            answers[name] = httpx.request(method, server.url + path, timeout=TIMEOUT_S, **kwargs)

        body = {"smiles": ["C" * (1 + n % 40) for n in range(1000)]}
        threads = [
            threading.Thread(target=ask, args=("events", "GET", f"/v1/jobs/{job_id}/events")),
            threading.Thread(
                target=ask, args=("predict", "POST", "/v1/predict"), kwargs={"json": body}
            ),
        ]
        for thread in threads:
            thread.start()
        time.sleep(1.0)
        server.process.send_signal(signal.SIGTERM)
        ready = f"{server.url}/health/ready"
        wait_for(lambda: httpx.get(ready, timeout=TIMEOUT_S).status_code == 503, "still ready")
        for thread in threads:
            thread.join(TIMEOUT_S)
        assert server.process.wait(TIMEOUT_S) in (0, -signal.SIGTERM)
        assert answers["predict"].json()["counts"] == {"ok": 1000, "error": 0}
        last = answers["events"].text.strip().split("data: ")[-1]
        assert json.loads(last)["status"] in ("queued", "running")
        assert "Application shutdown complete" in "".join(server.log)
    with sqlite3.connect(tmp_path / "jobs.sqlite") as table:
        status, n_ok, n_bytes = table.execute("SELECT status, n_ok, n_bytes FROM jobs").fetchone()
    table.close()
    assert status == "running"
    results = (tmp_path / "jobs" / job_id / "results.jsonl").read_bytes()
    assert results[:n_bytes].count(b"\n") == n_ok


@pytest.mark.slow
def test_workers_end_when_what_started_them_is_killed(toy_model):
    with running(toy_model, arguments=["--workers", "2"]) as server:
        children = descendants_of(server.process.pid)
        assert len(children) >= 4
        server.process.kill()
        server.process.wait()
        wait_for_end(children)


@pytest.mark.slow
def test_sighup_loads_again_and_keeps_the_old_model_if_the_new_one_is_bad(toy_model, tmp_path):
    folder = tmp_path / "model"
    shutil.copytree(toy_model, folder)

    def ask(server):
        answer = httpx.post(f"{server.url}/v1/predict", json={"smiles": "CCO"}, timeout=TIMEOUT_S)
        return answer.json()["predictions"]

    with running(folder) as server:
        before = ask(server)
        server.process.send_signal(signal.SIGHUP)
        wait_for(lambda: "model reloaded" in "".join(server.log))
        assert ask(server) == before
        weights = folder / "weights.safetensors"
        data = bytearray(weights.read_bytes())
        data[-5] ^= 1
        weights.write_bytes(data)
        server.process.send_signal(signal.SIGHUP)
        wait_for(lambda: "the model cannot be loaded" in "".join(server.log))
        assert ask(server) == before
        assert httpx.get(f"{server.url}/health/ready", timeout=TIMEOUT_S).status_code == 200
