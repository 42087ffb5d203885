"""``GET /v1/solvents`` and ``GET /v1/nuclei``."""

import pytest
from client import serving
from fakes import FakePredictor

from nmrshift.chem.solvents import catalogue, normalise
from nmrshift.draw.certainty import step_ends_ppm, step_of
from service.catalogue_schemas import NucleiOut, SolventsOut


@pytest.fixture(scope="module")
def client():
    with serving() as client:
        yield client


def test_solvents(client):
    found = SolventsOut.model_validate(client.get("/v1/solvents").json()).solvents
    assert {one.key for one in found} == {one.key for one in catalogue()}
    assert [one.key for one in found if one.many_spectra] == ["cdcl3"]
    assert found[0].many_spectra
    labels = {one.key: one.label for one in found}
    assert (labels["cdcl3"], labels["dmso-d6"], labels["d2o"]) == ("CDCl3", "DMSO-d6", "D2O")
    for one in found:
        assert normalise(one.label).key == normalise(one.name).key == one.key


def test_nuclei(client):
    found = NucleiOut.model_validate(client.get("/v1/nuclei").json()).nuclei
    assert tuple(one.nucleus for one in found) == FakePredictor.nuclei
    assert [one.is_default for one in found] == [True, True, False]
    assert [one.decimals for one in found] == [1, 1, 2]
    assert [one.element for one in found] == ["C", "F", "H"]
    for one in found:
        assert tuple(one.step_ends_ppm) == step_ends_ppm(one.nucleus)
        assert step_of(one.nucleus, one.step_ends_ppm[0]).name == "narrow"


@pytest.mark.parametrize("path", ["/v1/solvents", "/v1/nuclei"])
def test_without_a_model(path):
    class Broken(FakePredictor):
        def predict_many(self, *_, **__):
            raise RuntimeError

    with serving(Broken(), wait=False) as client:
        assert client.get(path).status_code == 503
