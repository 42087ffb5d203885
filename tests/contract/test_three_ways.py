"""Command line, Python and REST give the same prediction, number for number."""

import json
import subprocess
import sys

from client import serving

from nmrshift import Predictor

SMILES = "FC(F)(F)c1ccc(OC)cc1"


def test_same_prediction() -> None:
    predictor = Predictor.load()
    predicted = predictor.predict(SMILES, solvent="CDCl3")
    expected = {(a.nucleus, a.atom_index): round(a.shift_ppm, 3) for a in predicted.atoms}

    command = [sys.executable, "-m", "nmrshift", "predict", SMILES, "--solvent", "CDCl3"]
    done = subprocess.run([*command, "--format", "json"], capture_output=True, check=True)
    (row,) = json.loads(done.stdout)["predictions"]
    by_command = {(a["nucleus"], a["atom_index"]): a["shift_ppm"] for a in row["atoms"]}

    with serving(predictor) as client:
        body = {"smiles": SMILES, "solvent": "CDCl3"}
        (answer,) = client.post("/v1/predict", json=body).json()["predictions"]
    by_rest = {(a["nucleus"], a["atom_index"]): a["shift_ppm"] for a in answer["atoms"]}

    assert by_command.keys() == by_rest.keys() == expected.keys()
    for key, shift_ppm in expected.items():
        assert abs(by_command[key] - shift_ppm) <= 1e-3
        assert abs(by_rest[key] - shift_ppm) <= 1e-3
    assert row["model"] == answer["model"] == predicted.model
