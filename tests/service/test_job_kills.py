"""A real server, killed again and again in the midst of jobs: no row is lost or repeated.

``NMRSHIFT_KILLS=100`` runs the random kills at full size.
"""

import json
import logging
import os
import random
import signal
import socket
import time
from contextlib import suppress

import httpx
import pytest
from processes import descendants_of, wait_for_end
from server import running

LOG = logging.getLogger(__name__)
N_ROWS = 4000
N_KILLS = 4
N_FEW = 1000
SHARE_OF_SERVERS = 0.25
SMILES = ["CCO", "C1CC", "FC(F)(F)c1ccccc1", "CC(C)=O", "c1ccncc1", "N", "OCC(F)(F)F"]
LINES = "".join(f"{SMILES[n % len(SMILES)]} m{n}\n" for n in range(N_ROWS))
FEW_LINES = "".join(LINES.splitlines(keepends=True)[:N_FEW])
HEADERS = {"content-type": "chemical/x-daylight-smiles"}


def post(server, content=LINES):
    response = httpx.post(f"{server.url}/v1/jobs", content=content, headers=HEADERS, timeout=60)
    assert response.status_code == 202, response.text
    return response.json()["id"]


def state(server, job_id):
    return httpx.get(f"{server.url}/v1/jobs/{job_id}", timeout=60).json()


def wait_for(server, job_id, condition, deadline_s=240.0):
    end = time.monotonic() + deadline_s
    while not condition(now := state(server, job_id)):
        assert now["status"] != "failed", now
        assert time.monotonic() < end, now
        time.sleep(0.02)
    return now


def kill(server):
    """Kill the server, and not what it started: that must end by itself."""
    children = descendants_of(server.process.pid)
    server.process.kill()
    server.process.wait()
    assert children
    wait_for_end(children)


@pytest.mark.slow
def test_no_row_is_lost_or_repeated(toy_model, tmp_path):
    randomly = random.Random(6)
    job_id = None
    n_before, n_amidst = 0, 0
    for _ in range(N_KILLS):
        with running(toy_model, data_dir=tmp_path, cache_atoms=0) as server:
            job_id = job_id or post(server)
            assert state(server, job_id)["n_done"] >= n_before
            wait_for(server, job_id, lambda now, n=n_before: now["n_done"] > n)
            time.sleep(randomly.uniform(0.0, 0.1))
            n_before = state(server, job_id)["n_done"]
            n_amidst += 0 < n_before < N_ROWS
            kill(server)
    assert n_amidst >= 2
    with running(toy_model, data_dir=tmp_path) as server:
        for pid in descendants_of(server.process.pid):
            os.kill(pid, signal.SIGKILL)
        check_results(server, job_id, N_ROWS)


def check_results(server, job_id, n_rows):
    """Wait for a job and compare each row with what is predicted for its molecule alone."""
    now = wait_for(server, job_id, lambda now: now["status"] == "done")
    answer = httpx.get(f"{server.url}/v1/jobs/{job_id}/results", timeout=60)
    rows = [json.loads(line) for line in answer.text.splitlines()]
    assert [row["index"] for row in rows] == list(range(n_rows))
    assert [row["name"] for row in rows] == [f"m{n}" for n in range(n_rows)]
    assert now["n_ok"] == sum(row["status"] == "ok" for row in rows)
    alike = httpx.post(f"{server.url}/v1/predict", json={"smiles": SMILES}, timeout=60).json()
    for row in rows:
        expected = alike["predictions"][row["index"] % len(SMILES)]
        assert row.get("code") == expected.get("code")
        found = [atom["shift_ppm"] for atom in row.get("atoms", [])]
        wanted = [atom["shift_ppm"] for atom in expected.get("atoms", [])]
        assert found == pytest.approx(wanted, abs=2e-3)


class Killer:
    """Kills servers and what they started at random moments of jobs, and counts.

    Args:
        n_kills: when to stop.
    """

    def __init__(self, n_kills):
        self.randomly = random.Random(7)
        self.n_left = n_kills
        self.n_servers = self.n_workers = 0
        self.jobs = []

    def serve_and_kill(self, server):
        """Kill workers now and then, at last the server itself."""
        while self.n_left:
            self.keep_busy(server)
            time.sleep(self.randomly.uniform(0.0, 0.4))
            now = state(server, self.jobs[-1])
            assert now["status"] != "failed", now
            if now["status"] == "done":
                continue
            if self.randomly.random() < SHARE_OF_SERVERS and descendants_of(server.process.pid):
                self.n_left -= 1
                self.n_servers += 1
                kill(server)
                return
            self.kill_worker(server)

    def keep_busy(self, server):
        """Post a job if the last one is done."""
        if not self.jobs or state(server, self.jobs[-1])["status"] == "done":
            self.jobs.append(post(server, FEW_LINES))

    def kill_worker(self, server):
        """Kill a reader, or what forks readers, if there is any just now."""
        found = descendants_of(server.process.pid)
        if found:
            with suppress(ProcessLookupError):
                os.kill(self.randomly.choice(found), signal.SIGKILL)
                self.n_left -= 1
                self.n_workers += 1


@pytest.mark.slow
def test_random_kills(toy_model, tmp_path):
    killer = Killer(n_kills=int(os.environ.get("NMRSHIFT_KILLS", "8")))
    while killer.n_left:
        with running(toy_model, data_dir=tmp_path, cache_atoms=0) as server:
            killer.serve_and_kill(server)
    with running(toy_model, data_dir=tmp_path) as server:
        for job_id in killer.jobs:
            check_results(server, job_id, N_FEW)
    counts = (killer.n_servers, killer.n_workers, len(killer.jobs))
    LOG.info("killed %d servers and %d workers in %d jobs", *counts)
    assert killer.n_servers
    assert killer.n_workers


@pytest.mark.slow
def test_processes_that_share_a_folder_share_the_work(toy_model, tmp_path):
    with running(toy_model, data_dir=tmp_path) as one, running(toy_model, data_dir=tmp_path) as two:
        jobs = [post(server, LINES[: 300 * (1 + n)]) for n in range(3) for server in (one, two)]
        for job_id in jobs:
            now = wait_for(two, job_id, lambda now: now["status"] == "done")
            answer = httpx.get(f"{one.url}/v1/jobs/{job_id}/results")
            indices = [json.loads(line)["index"] for line in answer.text.splitlines()]
            assert indices == list(range(now["n_rows"]))


@pytest.mark.slow
def test_an_upload_that_breaks_off_leaves_nothing(toy_model, tmp_path):
    with running(toy_model, data_dir=tmp_path) as server:
        with socket.create_connection(("127.0.0.1", server.port)) as connection:
            head = "POST /v1/jobs HTTP/1.1\r\nhost: x\r\ncontent-type: text/csv\r\n"
            connection.sendall(f"{head}content-length: 100000\r\n\r\nsmiles\nCCCCCCCCO\n".encode())
            end = time.monotonic() + 20
            while not list((tmp_path / "uploads").iterdir()):
                assert time.monotonic() < end
                time.sleep(0.01)
        end = time.monotonic() + 20
        while list((tmp_path / "uploads").iterdir()):
            assert time.monotonic() < end
            time.sleep(0.02)
        log = "".join(server.log)
    assert "unforeseen" not in log
    assert "CCCC" not in log
