"""Figures for Prometheus: right, bounded in number, and without a structure."""

from client import serving
from prometheus_client.parser import text_string_to_metric_families

from service.settings import Settings


def samples(client):
    response = client.get("/metrics")
    assert response.headers["content-type"].startswith("text/plain; version=0.0.4")
    return {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(response.text)
        for sample in family.samples
    }


def test_requests_and_molecules_are_counted(tmp_path):
    with serving(settings=Settings(data_dir=tmp_path)) as client:
        client.post("/v1/predict", json={"smiles": ["CCCCCCO", "C1CCCCC", "CCCCCCO"]})
        client.post("/v1/predict", json={"smiles": ["CCCCCCO"]})
        client.post("/v1/predict", json={"smiles": 5})
        client.get("/v1/jobs/CCCCCCO")
        client.get("/CCCCCCO")
        text = client.get("/metrics").text
        found = samples(client)
    assert found["nmrshift_requests_total", "/v1/predict", "200", "POST"] == 2
    assert found["nmrshift_requests_total", "/v1/predict", "422", "POST"] == 1
    assert found["nmrshift_requests_total", "/v1/jobs/{job_id}", "404", "GET"] == 1
    assert found["nmrshift_requests_total", "404", "GET", "none"] == 1
    assert found["nmrshift_molecules_total", "ok"] == 3
    assert found["nmrshift_molecules_total", "parse_error"] == 1
    assert found["nmrshift_cache_lookups_total", "hit"] >= 1
    assert found["nmrshift_batch_molecules_count",] >= 1
    assert found["nmrshift_queued_molecules",] == 0
    assert found["nmrshift_request_seconds_count", "/v1/predict"] == 3
    assert "CCCC" not in text


def test_two_applications_count_apart():
    with serving() as one, serving() as two:
        one.post("/v1/predict", json={"smiles": "C"})
        assert samples(one)["nmrshift_molecules_total", "ok"] == 1
        assert ("nmrshift_molecules_total", "ok") not in samples(two)
