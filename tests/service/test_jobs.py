"""Jobs: a file in, one answer a row out, whatever comes between."""

import csv
import json
import re
import sqlite3
import threading
import time
from io import StringIO

import pytest
from anyio import to_thread
from client import serving
from corpus import load_generators
from fakes import FakePredictor

from service.jobs.events import progress
from service.jobs.files import JobFiles
from service.jobs.job import Job
from service.jobs.runner import CHUNK_ROWS, Runner
from service.jobs.schemas import JobOut
from service.jobs.store import JobStore
from service.local import Local
from service.options import Options
from service.schemas import PredictResponse, ProblemOut
from service.settings import Settings

CSV = "smiles,id,solvent\nCCO,a,\nC1CC,b,\nCF,c,DMSO\n"
LINES = "".join(f"{'C' * (1 + n % 7)} m{n}\n" for n in range(3 * CHUNK_ROWS + 5))
SMILES_TYPE = {"content-type": "chemical/x-daylight-smiles"}


class Held(FakePredictor):
    """Waits for leave before it answers any but the canary."""

    def __init__(self):
        super().__init__()
        self.leave = threading.Event()

    def predict_many(self, queries, **kwargs):
        if "interval" in kwargs:
            assert self.leave.wait(20)
        return super().predict_many(queries, **kwargs)


def settings(path, **kwargs):
    return Settings(data_dir=path / "data", **kwargs)


@pytest.fixture
def client(tmp_path):
    with serving(settings=settings(tmp_path)) as client:
        yield client


def post(client, content, content_type="text/csv", query=""):
    return client.post(f"/v1/jobs{query}", content=content, headers={"content-type": content_type})


def created(response):
    assert response.status_code == 202, response.text
    body = response.json()
    JobOut.model_validate(body)
    assert response.headers["location"] == f"/v1/jobs/{body['id']}"
    return body["id"]


def refused(response, status, code):
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    ProblemOut.model_validate(response.json())
    assert response.json()["code"] == code


def wait(client, job_id, status="done", deadline_s=30.0):
    end = time.monotonic() + deadline_s
    while (body := client.get(f"/v1/jobs/{job_id}").json())["status"] != status:
        assert time.monotonic() < end, body
        time.sleep(0.02)
    JobOut.model_validate(body)
    return body


def rows_of(client, job_id):
    response = client.get(f"/v1/jobs/{job_id}/results")
    assert response.headers["content-type"] == "application/x-ndjson"
    return [json.loads(line) for line in response.text.splitlines()]


class TestLife:
    def test_a_job_is_done(self, client):
        query = "?nucleus=f19&nucleus=13C&solvent=CDCl3&source=spectra&interval=0.8&name=mine"
        job_id = created(post(client, CSV, query=query))
        body = wait(client, job_id)
        assert body["name"] == "mine"
        counts = [body[key] for key in ("n_rows", "n_done", "n_ok", "n_failed")]
        assert counts == [3, 3, 2, 1]
        assert body["created"] <= body["finished"] < body["expires"]
        assert body["problem"] is None
        rows = rows_of(client, job_id)
        assert [row["name"] for row in rows] == ["a", "b", "c"]
        assert [row["status"] for row in rows] == ["ok", "error", "ok"]
        assert [row["solvent"] for row in rows[::2]] == ["CDCl3", "DMSO"]
        assert [atom["nucleus"] for atom in rows[2]["atoms"]] == ["19F", "13C"]
        assert rows[0]["interval"] == 0.8

    def test_more_than_one_chunk_stays_in_order(self, client):
        job_id = created(post(client, LINES, "chemical/x-daylight-smiles"))
        n = len(LINES.splitlines())
        assert wait(client, job_id)["n_ok"] == n
        rows = rows_of(client, job_id)
        assert [row["index"] for row in rows] == list(range(n))
        assert [row["name"] for row in rows] == [f"m{number}" for number in range(n)]

    @pytest.mark.parametrize(
        ("content_type", "content"),
        [
            ("text/csv; charset=utf-8", "smiles\nC\nCC\n"),
            ("text/tab-separated-values", "id\tsmiles\nx\tC\ny\tCC\n"),
            ("chemical/x-daylight-smiles", "C\nCC\n"),
            ("application/x-ndjson", '"C"\n{"smiles":"CC"}\n'),
            ("chemical/x-mdl-sdfile", None),
        ],
    )
    def test_every_format_is_read(self, client, content_type, content):
        if content is None:
            block = load_generators().molblock
            records = [block(symbols=["C"], bonds=[]), block(symbols=["C"], bonds=[])]
            content = "".join(f"{record.rstrip()}\n$$$$\n" for record in records)
        job_id = created(post(client, content, content_type))
        assert wait(client, job_id)["n_ok"] == 2

    def test_results_in_every_format(self, client):
        job_id = created(post(client, CSV))
        wait(client, job_id)
        path = f"/v1/jobs/{job_id}/results?format="
        document = PredictResponse.model_validate(client.get(f"{path}json").json())
        assert (document.counts.ok, document.counts.error) == (2, 1)
        answer = client.get(f"{path}csv")
        assert answer.headers["content-type"] == "text/csv; charset=utf-8"
        table = list(csv.DictReader(StringIO(answer.text)))
        assert [row["index"] for row in table] == ["0", "0", "1", "2", "2"]
        assert table[0]["shift_ppm"] == "13.000"
        refused(client.get(f"{path}xyz"), 422, "invalid_request")

    def test_structures_do_not_stay_with_the_input(self, client, tmp_path):
        job_id = created(post(client, CSV))
        wait(client, job_id)
        files = {path.name for path in (tmp_path / "data/jobs" / job_id).iterdir()}
        assert files == {"lock", "results.jsonl"}

    def test_bytes_that_are_no_text_fail_their_row(self, client):
        job_id = created(post(client, b"smiles\nC\n\xff\xfeC\n"))
        body = wait(client, job_id)
        assert (body["n_ok"], body["n_failed"]) == (1, 1)

    def test_ids_cannot_be_guessed(self, client):
        ids = {created(post(client, CSV)) for _ in range(5)}
        assert len(ids) == 5
        assert all(re.fullmatch(r"[0-9a-f]{32}", one) for one in ids)


class TestEvents:
    def test_events_end_with_the_job(self, client):
        job_id = created(post(client, LINES, "chemical/x-daylight-smiles"))
        response = client.get(f"/v1/jobs/{job_id}/events")
        assert response.headers["content-type"].startswith("text/event-stream")
        events = [block.split("\n") for block in response.text.strip().split("\n\n")]
        assert {lines[0] for lines in events} == {"event: progress"}
        states = [json.loads(lines[1].removeprefix("data: ")) for lines in events]
        assert states[-1]["status"] == "done"
        n_done = [state["n_done"] for state in states]
        assert n_done == sorted(n_done)
        assert n_done[-1] == states[-1]["n_rows"]

    def test_a_quiet_connection_is_kept_open_and_a_removed_job_is_told(self):
        job = Job("0" * 32, "running", None, "smi", Options(("13C",), None, None, 0.9), 3, 0.0)

        class Table:
            left = 3

            def find(self, job_id):
                self.left -= 1
                return job if self.left > 0 else None

        async def collect():
            return [part async for part in progress(Table(), job, lambda: False, heartbeat_s=0.0)]

        import anyio

        parts = anyio.run(collect)
        assert parts[1:3] == [": still here\n\n"] * 2
        assert '"status":"cancelled"' in parts[3]
        assert len(parts) == 4


class TestEnds:
    def test_cancel(self, tmp_path):
        predictor = Held()
        with serving(predictor, settings(tmp_path)) as client:
            job_id = created(post(client, LINES, "chemical/x-daylight-smiles"))
            wait(client, job_id, "running")
            refused(client.get(f"/v1/jobs/{job_id}/results"), 409, "job_not_done")
            other = created(post(client, CSV))
            assert client.delete(f"/v1/jobs/{job_id}").status_code == 204
            for path in ("", "/events", "/results"):
                refused(client.get(f"/v1/jobs/{job_id}{path}"), 404, "not_found")
            refused(client.delete(f"/v1/jobs/{job_id}"), 404, "not_found")
            predictor.leave.set()
            wait(client, other)
            assert not (tmp_path / "data/jobs" / job_id).exists()

    def test_expiry(self, tmp_path, monkeypatch):
        monkeypatch.setattr("service.jobs.runner._SWEEP_S", 0.05)
        with serving(settings=settings(tmp_path, job_ttl_s=0.3)) as client:
            job_id = created(post(client, CSV))
            end = time.monotonic() + 20
            while client.get(f"/v1/jobs/{job_id}").status_code != 404:
                assert time.monotonic() < end
                time.sleep(0.05)
            assert not (tmp_path / "data/jobs" / job_id).exists()

    def test_a_fault_of_ours_fails_the_job(self, tmp_path, caplog):
        class Broken(FakePredictor):
            def _answer(self, index, query, *rest):
                if getattr(query, "name", None) == "b":
                    raise ZeroDivisionError(query.structure)
                return super()._answer(index, query, *rest)

        with serving(Broken(), settings(tmp_path)) as client:
            job_id = created(post(client, CSV))
            body = wait(client, job_id, "failed")
            assert body["problem"]["code"] == "internal_error"
            wait(client, created(post(client, "smiles\nCCCCCCC\n")))
        assert "C1CC" not in caplog.text

    def test_no_room_for_results(self, tmp_path):
        with serving(settings=settings(tmp_path, max_storage_bytes=40_000)) as client:
            job_id = created(post(client, LINES, "chemical/x-daylight-smiles"))
            body = wait(client, job_id, "failed")
            assert body["problem"]["code"] == "storage_full"
            assert body["n_done"] < body["n_rows"]


class TestRestart:
    def test_a_job_goes_on_where_it_counts(self, tmp_path):
        predictor = Held()
        with serving(predictor, settings(tmp_path)) as client:
            job_id = created(post(client, LINES, "chemical/x-daylight-smiles"))
            queued = created(post(client, CSV))
            wait(client, job_id, "running")
            client.app.state.jobs.stop()
            client.app.state.jobs._runner.join()
            predictor.leave.set()
        store = JobStore(tmp_path / "data/jobs.sqlite")
        assert store.get(job_id).status == "running"
        with serving(settings=settings(tmp_path)) as client:
            wait(client, job_id)
            wait(client, queued)
            names = [row["name"] for row in rows_of(client, job_id)]
        assert names == [f"m{number}" for number in range(len(LINES.splitlines()))]

    def test_a_job_waits_for_the_model(self, tmp_path, monkeypatch):
        predictor = Held()
        with serving(predictor, settings(tmp_path)) as client:
            job_id = created(post(client, CSV))
            wait(client, job_id, "running")
            client.app.state.jobs.stop()
            client.app.state.jobs._runner.join()
            predictor.leave.set()
        may_load = threading.Event()

        async def load(settings, metrics, predictor, read):
            assert await to_thread.run_sync(may_load.wait, 20)
            return Local(predictor, settings, metrics)

        monkeypatch.setattr("service.app._load", load)
        with serving(settings=settings(tmp_path), wait=False) as client:
            time.sleep(0.7)
            body = client.get(f"/v1/jobs/{job_id}").json()
            assert (body["status"], body["n_done"]) == ("running", 0)
            may_load.set()
            wait(client, job_id)

    def test_a_tail_that_does_not_count_is_cut_off(self, tmp_path):
        with serving(settings=settings(tmp_path)) as client:
            job_id = created(post(client, LINES, "chemical/x-daylight-smiles"))
            wait(client, job_id)
            whole = client.get(f"/v1/jobs/{job_id}/results").content
        lines = whole.splitlines(keepends=True)
        files = JobFiles(tmp_path / "data")
        files.input(job_id).write_text(LINES)
        files.results(job_id).write_bytes(whole[: len(b"".join(lines[:70])) + 33])
        connection = sqlite3.connect(tmp_path / "data/jobs.sqlite")
        with connection:
            connection.execute(
                "UPDATE jobs SET status = 'running', n_ok = 64, n_failed = 0, n_bytes = ?",
                (len(b"".join(lines[:64])),),
            )
        connection.close()
        with serving(settings=settings(tmp_path)) as client:
            wait(client, job_id)
            assert client.get(f"/v1/jobs/{job_id}/results").content == whole

    def test_a_job_in_other_hands_is_left_alone(self, tmp_path):
        files = JobFiles(tmp_path / "data")
        with serving(settings=settings(tmp_path)) as client:
            job_id = created(post(client, CSV))
            wait(client, job_id)
        files.input(job_id).write_text(CSV)
        connection = sqlite3.connect(tmp_path / "data/jobs.sqlite")
        with connection:
            connection.execute(
                "UPDATE jobs SET status = 'queued', n_ok = 0, n_failed = 0, n_bytes = 0"
            )
        connection.close()
        with files.claimed(job_id) as is_ours:
            assert is_ours
            with serving(settings=settings(tmp_path)) as client:
                time.sleep(0.6)
                assert client.get(f"/v1/jobs/{job_id}").json()["status"] == "queued"
        with serving(settings=settings(tmp_path)) as client:
            wait(client, job_id)

    def test_what_a_killed_process_left_is_swept(self, tmp_path):
        import os

        files = JobFiles(tmp_path)
        for age_s in (0, 7200):
            place = files.upload(f"{age_s:032x}")
            place.write_text("CCO")
            os.utime(place.parent, (time.time() - age_s,) * 2)
        files.sweep(set())
        assert [one.name for one in (tmp_path / "uploads").iterdir()] == [f"{0:032x}"]


class TestRefusals:
    @pytest.mark.parametrize(
        "content_type", ["application/json", "text/csv; charset=utf-16", "nonsense", ""]
    )
    def test_media_type(self, client, content_type):
        refused(post(client, CSV, content_type), 415, "unsupported_media_type")

    def test_packed_files(self, client):
        import gzip

        refused(post(client, gzip.compress(CSV.encode())), 415, "unsupported_media_type")
        headers = {"content-type": "text/csv", "content-encoding": "gzip"}
        response = client.post("/v1/jobs", content=b"x", headers=headers)
        refused(response, 415, "unsupported_media_type")

    @pytest.mark.parametrize(
        ("query", "code"),
        [
            ("?nucleus=31P", "unknown_nucleus"),
            ("?nucleus=", "unknown_nucleus"),
            ("?source=nowhere", "config_error"),
            ("?interval=1", "invalid_request"),
            ("?interval=nan", "invalid_request"),
            ("?nuclei=13C", "invalid_request"),
            ("?name=" + "x" * 201, "invalid_request"),
        ],
    )
    def test_settings(self, client, query, code):
        refused(post(client, CSV, query=query), 422, code)

    def test_empty(self, client):
        refused(post(client, ""), 422, "invalid_request")

    def test_too_large(self, tmp_path):
        with serving(settings=settings(tmp_path, max_upload_bytes=1000)) as client:
            refused(post(client, "C" * 1001), 413, "too_large")

            async def parts():
                for _ in range(100):
                    yield b"C" * 100

            refused(post(client, parts()), 413, "too_large")
            assert not list((tmp_path / "data/uploads").iterdir())
            assert not list((tmp_path / "data/jobs").iterdir())

    def test_too_many_rows(self, tmp_path):
        with serving(settings=settings(tmp_path, max_job_rows=2)) as client:
            refused(post(client, CSV), 413, "too_large")

    def test_too_many_jobs(self, tmp_path):
        with serving(settings=settings(tmp_path, max_jobs=1)) as client:
            job_id = created(post(client, CSV))
            response = post(client, CSV)
            refused(response, 429, "too_many_jobs")
            assert int(response.headers["retry-after"]) > 0
            client.delete(f"/v1/jobs/{job_id}")
            created(post(client, CSV))

    def test_no_room(self, tmp_path):
        with serving(settings=settings(tmp_path, max_storage_bytes=1000)) as client:
            refused(post(client, "C\n" * 600, "chemical/x-daylight-smiles"), 507, "storage_full")
            assert not list((tmp_path / "data/uploads").iterdir())

    def test_a_slow_upload(self, tmp_path):
        import anyio

        async def parts():
            yield b"smiles\n"
            await anyio.sleep(30)

        with serving(settings=settings(tmp_path, read_timeout_s=0.3)) as client:
            client_side = client.in_background(
                "/v1/jobs", content=parts(), headers={"content-type": "text/csv"}
            )
            refused(client_side.result(20), 408, "read_timeout")

    @pytest.mark.parametrize("job_id", ["0" * 32, "..", "%2e%2e", "x", "%00", "%ff", "a" * 5000])
    def test_no_such_job(self, client, job_id):
        for path in ("", "/events", "/results"):
            assert client.get(f"/v1/jobs/{job_id}{path}").status_code in (404, 405)

    def test_without_a_data_folder_there_are_no_jobs(self):
        with serving() as client:
            refused(post(client, CSV), 404, "not_found")
            assert "/v1/jobs" not in client.get("/openapi.json").json()["paths"]


def test_structures_reach_no_log(client, caplog):
    import logging

    caplog.set_level(logging.DEBUG)
    lines = "CCCCCCCCCCCO\nC1CCCCCCCCCC\n"
    wait(client, created(post(client, lines, "chemical/x-daylight-smiles")))
    assert "CCCC" not in caplog.text


def test_a_job_removed_just_as_it_starts_is_no_fault(client, monkeypatch, caplog):
    began = threading.Event()
    work = Runner._run

    def remove_first(self, job):
        client.app.state.jobs.remove(job.id)
        try:
            work(self, job)
        finally:
            began.set()

    monkeypatch.setattr(Runner, "_run", remove_first)
    first = created(post(client, "smiles\nCCO\n"))
    assert began.wait(20)
    monkeypatch.undo()
    wait(client, created(post(client, "smiles\nCCO\n")))
    refused(client.get(f"/v1/jobs/{first}"), 404, "not_found")
    assert "unforeseen" not in caplog.text


def test_a_wrong_method_is_told_all_that_are_right(client):
    response = client.post("/v1/jobs/x", content=b"")
    refused(response, 405, "method_not_allowed")
    assert response.headers["allow"] == "DELETE, GET"
