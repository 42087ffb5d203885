"""``POST /v1/predict``: one answer a molecule, and nothing sent gets past the schema."""

import json
import logging

import pytest
from client import serving
from corpus import load_generators
from fakes import FakePredictor

from nmrshift.errors import ConfigError
from service.schemas import PredictResponse, ProblemOut
from service.settings import Settings


@pytest.fixture
def client():
    with serving() as client:
        yield client


def predict(client, **body):
    response = client.post("/v1/predict", json=body)
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "application/json"
    document = response.json()
    PredictResponse.model_validate(document)
    return document


def refused(response, status, code):
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    problem = response.json()
    ProblemOut.model_validate(problem)
    assert (problem["status"], problem["code"]) == (status, code)
    return problem


class TestAnswers:
    @pytest.mark.parametrize("smiles", ["CCO", ["CCO"]])
    def test_short_form(self, client, smiles):
        document = predict(client, smiles=smiles)
        assert document["model"] == FakePredictor.identity
        assert document["counts"] == {"ok": 1, "error": 0}
        (row,) = document["predictions"]
        assert [atom["shift_ppm"] for atom in row["atoms"]] == [13.0, 22.0]

    def test_long_form(self, client):
        molblock = load_generators().molblock(symbols=["C"], bonds=[])
        document = predict(
            client,
            molecules=[
                {"structure": "CF", "name": "a", "solvent": "DMSO"},
                {"smiles": "CC", "name": "a"},
                {"inchi": "InChI=1S/CH4/h1H4"},
                {"molblock": molblock},
            ],
            nuclei=["f19", "13C"],
            solvent="CDCl3",
            source="spectra",
            interval=0.5,
        )
        rows = document["predictions"]
        assert [row["status"] for row in rows] == ["ok"] * 4
        assert [row["name"] for row in rows] == ["a", "a", None, None]
        assert [row["solvent"] for row in rows] == ["DMSO", "CDCl3", "CDCl3", "CDCl3"]
        assert [atom["nucleus"] for atom in rows[0]["atoms"]] == ["19F", "13C"]
        assert {row["interval"] for row in rows} == {0.5}
        assert rows[0]["notices"][-1] == {"code": "from_source", "message": "spectra"}

    def test_one_bad_molecule_fails_alone(self, client):
        rows = predict(client, smiles=["C", "C1CC", "", "[Fe]", "O", "N"])["predictions"]
        assert [row.get("code") for row in rows] == [
            None,
            "parse_error",
            "invalid_text",
            "unsupported_element",
            "no_target_atoms",
            "no_target_atoms",
        ]
        assert [row["index"] for row in rows] == list(range(6))

    @pytest.mark.parametrize(
        "molecule", [{"inchi": "C"}, {"smiles": "InChI=1S/CH4/h1H4"}, {"molblock": "C"}]
    )
    def test_a_kind_that_is_named_must_be_right(self, client, molecule):
        (row,) = predict(client, molecules=[molecule])["predictions"]
        assert row["code"] == "invalid_text"

    def test_a_thousand(self, client):
        assert predict(client, smiles=["C"] * 1000)["counts"]["ok"] == 1000


class TestRefusals:
    @pytest.mark.parametrize(
        "body",
        [
            {},
            [],
            "CCO",
            5,
            None,
            {"smiles": []},
            {"molecules": []},
            {"smiles": ["C"], "molecules": [{"smiles": "C"}]},
            {"molecules": [{}]},
            {"molecules": [{"smiles": "C", "inchi": "InChI=1S/CH4/h1H4"}]},
            {"molecules": [{"smiles": "C", "nam": "x"}]},
            {"molecules": ["C"]},
            {"smiles": ["C"], "interval": "0.9"},
            {"smiles": ["C"], "interval": True},
            {"smiles": ["C"], "interval": 1.0},
            {"smiles": ["C"], "nuclei": "13C"},
            {"smiles": ["C"], "nuclei": []},
            {"smiles": ["C"], "solvent": 5},
            {"smiles": ["C"], "solvent": "x" * 1000},
        ],
    )
    def test_schema(self, client, body):
        response = client.post(
            "/v1/predict", content=json.dumps(body), headers={"content-type": "application/json"}
        )
        assert refused(response, 422, "invalid_request")["fields"]

    def test_fields_are_named_but_values_are_not(self, client):
        body = {"smiles": ["SECRET", 5], "se\u2028cret": 1, "temperature": "SECRET"}
        response = client.post("/v1/predict", json=body)
        problem = refused(response, 422, "invalid_request")
        places = [field["place"] for field in problem["fields"]]
        assert "body.temperature" in places
        assert "body.?" in places
        assert "SECRET" not in response.text
        assert response.content.isascii()

    @pytest.mark.parametrize(
        "content",
        [
            b"",
            b"{",
            b'{"smiles":["C"]}x',
            b'{"smiles":["C"],"interval":1e999}',
            b'\xef\xbb\xbf{"smiles":["C"]}',
            b'{"smiles":"C","smiles":"C"}',
        ],
    )
    def test_not_json(self, client, content):
        response = client.post(
            "/v1/predict", content=content, headers={"content-type": "application/json"}
        )
        refused(response, 422, "invalid_request")

    @pytest.mark.parametrize(
        "content_type",
        [
            None,
            "text/plain",
            "application/x-www-form-urlencoded",
            "application/json; charset=latin1",
        ],
    )
    def test_media_type(self, client, content_type):
        headers = {} if content_type is None else {"content-type": content_type}
        response = client.post("/v1/predict", content=b'{"smiles":"C"}', headers=headers)
        refused(response, 415, "unsupported_media_type")

    def test_too_many_molecules(self, client):
        refused(client.post("/v1/predict", json={"smiles": ["C"] * 1001}), 413, "too_large")
        many = {"molecules": [{"smiles": "C"}] * 1001}
        refused(client.post("/v1/predict", json=many), 413, "too_large")

    def test_too_many_for_this_installation(self):
        with serving(settings=Settings(max_molecules=2)) as client:
            predict(client, smiles=["C", "C"])
            refused(client.post("/v1/predict", json={"smiles": ["C"] * 3}), 413, "too_large")

    @pytest.mark.parametrize("nucleus", ["31P", "kryptonite"])
    def test_unknown_nucleus(self, client, nucleus):
        response = client.post("/v1/predict", json={"smiles": "C", "nuclei": [nucleus]})
        assert "kryptonite" not in refused(response, 422, "unknown_nucleus")["detail"]

    def test_unknown_source(self, client):
        response = client.post("/v1/predict", json={"smiles": "C", "source": "nowhere"})
        detail = refused(response, 422, "config_error")["detail"]
        assert "spectra" in detail
        assert "nowhere" not in detail

    def test_a_setting_that_the_model_refuses(self):
        class Picky(FakePredictor):
            def predict_many(self, queries, *, interval=0.9, **kwargs):
                if interval == 0.55:
                    raise ConfigError("interval 0.55 will not do", hint="Choose 0.9.")
                return super().predict_many(queries, interval=interval, **kwargs)

        with serving(Picky()) as client:
            response = client.post("/v1/predict", json={"smiles": "C", "interval": 0.55})
            assert "Choose 0.9." in refused(response, 422, "config_error")["detail"]

    def test_routes_and_methods(self, client):
        refused(client.get("/v1/nothing"), 404, "not_found")
        response = client.get("/v1/predict")
        refused(response, 405, "method_not_allowed")
        assert response.headers["allow"] == "POST"


class TestDiscretion:
    def test_structures_reach_no_log(self, client, caplog, capfd):
        caplog.set_level(logging.DEBUG)
        predict(client, smiles=["CCCCCCCCO", "C1CCCCCCCC", "OCCCCCCCC(C"])
        assert "3 molecules, 2 failed" in caplog.text
        logged = caplog.text + "".join(capfd.readouterr())
        assert "CCCC" not in logged

    def test_a_fault_of_ours_is_logged_by_its_place_only(self, caplog, capfd):
        class Broken(FakePredictor):
            def _answer(self, index, query, *rest):
                if query.name == "bug":
                    raise ZeroDivisionError(f"while reading {query.structure}")
                return super()._answer(index, query, *rest)

        with serving(Broken()) as client:
            response = client.post(
                "/v1/predict", json={"molecules": [{"smiles": "CCCCCCCCO", "name": "bug"}]}
            )
            refused(response, 500, "internal_error")
        assert "ZeroDivisionError" in caplog.text
        assert "test_predict_route.py" in caplog.text
        assert "CCCC" not in caplog.text + response.text + "".join(capfd.readouterr())


def test_the_published_schema_is_complete(client):
    schema = client.get("/openapi.json").json()
    operations = {
        operation["operationId"] for path in schema["paths"].values() for operation in path.values()
    }
    assert operations == {
        "predict_shifts",
        "match_spectrum",
        "draw_picture",
        "catalogue_solvents",
        "catalogue_nuclei",
        "model_describe",
        "health_live",
        "health_ready",
    }
    responses = schema["paths"]["/v1/predict"]["post"]["responses"]
    assert set(responses) == {"200", "408", "413", "415", "422", "429", "503"}
    assert "HTTPValidationError" not in json.dumps(schema)
