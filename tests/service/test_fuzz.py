"""Whatever is sent: an answer of the published form, and never a fault of ours."""

import json
import time

import pytest
from client import serving
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.jobs.job import MEDIA_KINDS
from service.schemas import PredictResponse, ProblemOut
from service.settings import Settings

TEXT = st.one_of(st.sampled_from(["CCO", "C1CC", "InChI=1S/CH4/h1H4", ""]), st.text(max_size=20))
JUNK = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), TEXT),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=6), inner, max_size=3)
    ),
    max_leaves=6,
)
MOLECULE = st.dictionaries(
    st.sampled_from(["structure", "smiles", "inchi", "molblock", "name", "solvent"]),
    st.one_of(TEXT, TEXT, JUNK),
    max_size=3,
)
BODY = st.fixed_dictionaries(
    {},
    optional={
        "smiles": st.one_of(TEXT, st.lists(TEXT, max_size=4), JUNK),
        "molecules": st.one_of(st.lists(MOLECULE, max_size=4), JUNK),
        "nuclei": st.one_of(st.lists(st.sampled_from(["13C", "f19", "1H", "x"])), JUNK),
        "solvent": st.one_of(TEXT, JUNK),
        "source": st.one_of(st.just("spectra"), JUNK),
        "interval": st.one_of(st.floats(), JUNK),
        "more": JUNK,
    },
)
fuzzed = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture(scope="module")
def client():
    with serving() as client:
        yield client


def check(client, content):
    headers = {"content-type": "application/json"}
    response = client.post("/v1/predict", content=content, headers=headers)
    assert response.content.isascii()
    if response.status_code == 200:
        document = PredictResponse.model_validate(response.json())
        assert [row.index for row in document.predictions] == list(range(len(document.predictions)))
        return document
    assert response.status_code in (413, 422)
    ProblemOut.model_validate(response.json())
    return None


@given(st.binary(max_size=200))
@fuzzed
def test_bytes(client, content):
    check(client, content)


@given(JUNK)
@fuzzed
def test_any_json(client, value):
    check(client, json.dumps(value).encode())


@given(BODY)
@fuzzed
def test_bodies_that_are_nearly_right(client, body):
    check(client, json.dumps(body).encode())


@given(st.lists(TEXT.filter(lambda text: text.isprintable()), min_size=1, max_size=5))
@fuzzed
def test_right_bodies_are_always_answered(client, smiles):
    document = check(client, json.dumps({"smiles": smiles}).encode())
    assert document is not None
    assert len(document.predictions) == len(smiles)


@pytest.fixture(scope="module")
def client_with_jobs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    with serving(settings=Settings(data_dir=folder, max_jobs=1000)) as client:
        yield client


LINES = st.lists(st.one_of(TEXT, st.sampled_from(["smiles,id", "$$$$", "M  END"])), max_size=6)
FILE = st.one_of(st.binary(max_size=200), LINES.map(lambda lines: "\n".join(lines).encode()))


@given(FILE, st.sampled_from(sorted(MEDIA_KINDS)))
@settings(parent=fuzzed, max_examples=60)
def test_any_file_becomes_a_job_that_ends(client_with_jobs, content, media_type):
    client = client_with_jobs
    response = client.post("/v1/jobs", content=content, headers={"content-type": media_type})
    if response.status_code != 202:
        assert response.status_code in (415, 422)
        ProblemOut.model_validate(response.json())
        return
    path = response.headers["location"]
    end = time.monotonic() + 60
    while (body := client.get(path).json())["status"] in ("queued", "running"):
        assert time.monotonic() < end
    assert body["status"] == "done"
    assert body["n_done"] == body["n_rows"] > 0
    for name in ("jsonl", "json", "csv"):
        answer = client.get(f"{path}/results?format={name}")
        assert answer.status_code == 200
    assert client.delete(path).status_code == 204
