"""The tutorial notebook runs as it stands, and what it tells its reader is true."""

import json
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOK = Path(__file__).resolve().parents[2] / "docs" / "tutorial.ipynb"

PROBE = """
import json
(general,) = ours.predict(styrene, solvent="CDCl3", nuclei=["19F"]).atoms
print("PROBE" + json.dumps({
    "verdict": report.verdict,
    "held_out": report.n_held_out,
    "notices": [notice.code for notice in report.notices],
    "growth": max(public.growth for public in report.public),
    "before": report.before_after[0].mae_before_ppm,
    "after": report.before_after[0].mae_after_ppm,
    "public": public.predict(styrene, solvent="CDCl3", nuclei=["19F"]).atoms[0].shift_ppm,
    "general": general.shift_ppm,
    "own": fluorine.shift_ppm,
    "served": served.atoms[0].shift_ppm,
    "sources": client.sources if service.poll() is None else list(ours.sources),
    "ended": service.poll() is not None,
}))
"""


@pytest.mark.slow
def test_the_tutorial_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUPYTER_PLATFORM_DIRS", "1")
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    notebook.cells.append(nbformat.v4.new_code_cell(PROBE))
    NotebookClient(
        notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": tmp_path}}
    ).execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    text = "".join(output.get("text", "") for output in outputs)
    found = json.loads(text.rpartition("PROBE")[2])
    assert found["verdict"] == "better"
    assert found["held_out"] == 6
    assert found["notices"] == ["reference_offset"]
    assert found["growth"] <= 0.05
    assert found["before"] == pytest.approx(77, abs=2)
    assert found["after"] < 4
    assert found["own"] - found["general"] == pytest.approx(76.55, abs=4)
    assert found["general"] == pytest.approx(found["public"], abs=3)
    assert found["served"] == pytest.approx(found["own"], abs=0.01)
    assert "ours" in found["sources"]
    assert found["ended"]
    pictures = [o.data["image/svg+xml"] for o in outputs if "image/svg+xml" in o.get("data", {})]
    assert any("19F" in picture for picture in pictures)


def test_the_tutorial_is_kept_without_outputs() -> None:
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    assert all(not cell.get("outputs") for cell in notebook.cells)
    assert all(cell.get("execution_count") is None for cell in notebook.cells)
