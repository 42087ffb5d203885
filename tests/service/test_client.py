"""The client gives what the predictor gives, over a socket."""

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from oracles import row_of
from server import running

from nmrshift import Failure, Predictor, Query
from nmrshift.chem.toolkit import Chem
from nmrshift.client import Client
from nmrshift.errors import (
    DeadlineError,
    InputError,
    NoTargetAtomsError,
    ParseError,
    ServiceError,
    WorkerCrashError,
)
from nmrshift.io.wire import answer_from_row, row_text


@pytest.fixture(scope="module")
def both(toy_model):
    with running(toy_model) as server:
        yield Client(server.url), Predictor.load(toy_model)


def same(found, expected):
    assert type(found) is type(expected)
    assert row_of(found).keys() == row_of(expected).keys()
    if isinstance(expected, Failure):
        assert row_of(found) == row_of(expected)
        return
    one, two = row_of(found), row_of(expected)
    for left, right in zip(one.pop("atoms"), two.pop("atoms"), strict=True):
        for key in ("shift_ppm", "low_ppm", "high_ppm"):
            assert left.pop(key) == pytest.approx(right.pop(key), abs=2e-3)
        assert left == right
    assert one == two


def test_one_molecule(both):
    client, predictor = both
    asked = {"solvent": "CDCl3", "nuclei": ("13C", "1H"), "interval": 0.8}
    same(client.predict("CCO", **asked), predictor.predict("CCO", **asked))
    assert (client.nuclei, client.sources) == (predictor.nuclei, predictor.sources)
    assert client.identity == predictor.identity
    assert client.info["sha256"] == predictor.info.sha256


def test_many_in_order_with_settings_of_their_own(both):
    client, predictor = both
    queries = ["CCO", "C1CC", Query("CF", solvent="DMSO", name="x"), Query("C", nuclei=("1H",))]
    queries = [queries[place % 4] for place in range(450)]
    found = list(client.predict_many(iter(queries), solvent="CDCl3", workers=3))
    expected = list(predictor.predict_many(queries, solvent="CDCl3"))
    assert len(found) == 450
    for one, other in zip(found, expected, strict=True):
        same(one, other)


def test_a_mol_keeps_the_order_of_its_atoms(both):
    client, predictor = both
    mol = Chem.RenumberAtoms(Chem.MolFromSmiles("CC(=O)OC/C=C/F"), [7, 3, 1, 0, 2, 4, 6, 5])
    found, expected = client.predict(mol), predictor.predict(mol)
    assert [atom.atom_index for atom in found.atoms] == [one.atom_index for one in expected.atoms]
    for one, other in zip(found.atoms, expected.atoms, strict=True):
        assert one.shift_ppm == pytest.approx(other.shift_ppm, abs=2e-3)
    large = Chem.MolFromSmiles("C" * 151)
    answers = list(client.predict_many([mol, large, "C"]))
    assert [getattr(answer, "code", "ok") for answer in answers] == ["ok", "too_large", "ok"]


def test_failures_are_raised_as_the_predictor_raises_them(both):
    client, _ = both
    with pytest.raises(ParseError):
        client.predict("C1CC")
    with pytest.raises(NoTargetAtomsError):
        client.predict("N")


def test_refusals_carry_their_code(both):
    client, _ = both
    with pytest.raises(ServiceError) as caught:
        client.predict("C", nuclei=("kryptonite",))
    assert caught.value.problem == "unknown_nucleus"
    with pytest.raises(ServiceError) as caught:
        list(client.predict_many(["C"], source="nowhere"))
    assert caught.value.problem == "config_error"


def test_nobody_there():
    with pytest.raises(ServiceError, match="cannot be reached"):
        Client("http://127.0.0.1:9", timeout_s=5).predict("C")
    with pytest.raises(ValueError, match="http"):
        Client("file:///etc")


@contextmanager
def scripted(*answers):
    """Run a server that gives these answers, status and body, one after the other."""
    left = list(answers)
    seen = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            seen.append(self.headers.get("authorization"))
            status, body = left.pop(0)
            data = body if isinstance(body, bytes) else json.dumps(body).encode()
            self.send_response(status)
            self.send_header("retry-after", "0")
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def do_POST(self):
            self.rfile.read(int(self.headers["content-length"]))
            self.do_GET()

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", seen
        server.shutdown()
        thread.join()


INFO = {"identity": "x", "nuclei": ["13C"]}
BUSY = {"code": "busy", "detail": "Too many requests are waiting."}


def test_a_busy_service_is_asked_again():
    with scripted((429, BUSY), (503, b"<html>"), (200, INFO)) as (url, seen):
        assert Client(url, api_key="key").identity == "x"
        assert seen == ["Bearer key"] * 3


def test_a_service_that_stays_busy_is_given_up():
    with scripted(*[(429, BUSY)] * 5) as (url, _), pytest.raises(ServiceError) as caught:
        Client(url).nuclei  # noqa: B018 - asking is the test
    assert caught.value.problem == "busy"


def test_each_code_is_its_error():
    failure = {"status": "error", "index": 0, "name": None, "input": "C", "message": "m"}
    rows = [{**failure, "code": code, "hint": "h"} for code in ("timeout", "crashed", "new_code")]
    with scripted(*[(200, {"predictions": [row]}) for row in rows]) as (url, _):
        for kind in (DeadlineError, WorkerCrashError, InputError):
            with pytest.raises(kind) as caught:
                Client(url).predict("C")
            assert (caught.value.message, caught.value.hint) == ("m", "h")


@pytest.mark.parametrize(
    "body", [b"nonsense", {"predictions": []}, {"predictions": [{"status": "ok"}]}, {}, []]
)
def test_odd_answers_are_refused(body):
    with scripted((200, body)) as (url, _), pytest.raises(ServiceError):
        Client(url).predict("C")


def test_rows_come_back_as_the_answers_they_were(toy_model):
    predictor = Predictor.load(toy_model)
    for answer in predictor.predict_many(["CCO", "C1CC", "InChI=1S/CH4/h1H4", "[Na+].CC(=O)[O-]"]):
        row = json.loads(row_text(answer))
        assert row_of(answer_from_row(row)) == row_of(answer)
        assert answer_from_row({**row, "from_the_future": 1}) == answer_from_row(row)
