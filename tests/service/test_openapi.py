"""The published schema: as committed, complete, and with examples that can be sent."""

import json
from pathlib import Path

import pytest
from client import serving

from service.openapi import schema_text
from service.schemas import PredictResponse
from service.settings import Settings

COMMITTED = Path(__file__).resolve().parents[2] / "docs/openapi.json"


@pytest.fixture(scope="module")
def schema():
    return json.loads(COMMITTED.read_text("utf-8"))


def operations_of(schema):
    return [
        (path, method, operation)
        for path, methods in schema["paths"].items()
        for method, operation in methods.items()
    ]


def test_it_is_as_committed():
    hint = "python -m service.openapi > docs/openapi.json"
    assert schema_text() == COMMITTED.read_text("utf-8"), hint


def test_it_is_what_the_service_publishes(tmp_path, schema):
    with serving(settings=Settings(data_dir=tmp_path)) as client:
        assert client.get("/openapi.json").json() == schema
    assert schema["openapi"].startswith("3.1.")


def test_operations_have_names_for_people(schema):
    names = {operation["operationId"] for _, _, operation in operations_of(schema)}
    assert {
        "predict_shifts",
        "match_spectrum",
        "model_describe",
        "models_describe",
        "models_reload",
        "jobs_create",
        "jobs_status",
        "jobs_events",
        "jobs_results",
        "jobs_remove",
        "health_live",
        "health_ready",
        "metrics_figures",
    } <= names
    assert len(names) == len(operations_of(schema))


def test_refusals_are_described_as_problems(schema):
    responses = schema["paths"]["/v1/predict"]["post"]["responses"]
    assert set(responses) >= {"200", "406", "408", "413", "415", "422", "429", "503", "504"}
    assert "HTTPValidationError" not in json.dumps(schema)
    for _, _, operation in operations_of(schema):
        for status, response in operation["responses"].items():
            if status >= "400":
                assert list(response["content"]) == ["application/problem+json"]


def test_examples_are_answered(schema):
    body = schema["paths"]["/v1/predict"]["post"]["requestBody"]["content"]["application/json"]
    name = body["schema"]["$ref"].rsplit("/", 1)[1]
    examples = schema["components"]["schemas"][name]["examples"]
    assert len(examples) >= 2
    with serving() as client:
        for example in examples:
            response = client.post("/v1/predict", json=example)
            document = PredictResponse.model_validate(response.json())
            assert document.counts.ok == len(document.predictions) > 0
