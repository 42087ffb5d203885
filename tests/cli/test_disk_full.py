"""A disk that is full: a small file system in memory, where this machine lets us mount one."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from toy import SMILES

pytestmark = pytest.mark.slow

N_ROWS = 400
PART_ROWS = 20
PATIENCE_S = 240


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 200 kB, and how to make it larger."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=200k", "tmpfs", str(place)]
    try:
        done = subprocess.run(mount, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("there is no mount command")
    if done.returncode:
        pytest.skip(f"no file system can be mounted here: {done.stderr.strip()}")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def enlarge(place: Path) -> None:
    subprocess.run(["mount", "-o", "remount,size=64m", str(place)], check=True)


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    path = tmp_path_factory.mktemp("library") / "in.smi"
    path.write_text("".join(f"{SMILES[i % len(SMILES)]} n{i}\n" for i in range(N_ROWS)))
    return path


def predict(library, model, out, *more):
    arguments = ["predict", library, "--model", model, "--out", out, *more]
    return subprocess.run(
        [sys.executable, "-m", "nmrshift", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


@pytest.mark.parametrize(("name", "workers"), [("out.jsonl", 1), ("out.parquet", 0)])
def test_parts(library, toy_model, tmp_path, small_disk, name, workers):
    if name.endswith("parquet"):
        pytest.importorskip("pyarrow")
    how = ("--part-rows", PART_ROWS, "--workers", workers)
    whole, out = tmp_path / name, small_disk / name
    assert predict(library, toy_model, whole, *how).returncode == 0
    stopped = predict(library, toy_model, out, *how)
    assert stopped.returncode == 1, stopped.stderr
    assert "No space left on device" in stopped.stderr
    assert "finished parts are kept" in stopped.stderr
    assert "--resume" in stopped.stderr
    assert "Traceback" not in stopped.stderr
    assert "Exception ignored" not in stopped.stderr
    kept = [path for path in out.iterdir() if path.name.startswith("part-")]
    assert 0 < len(kept) < N_ROWS // PART_ROWS
    assert all(path.read_bytes() == (whole / path.name).read_bytes() for path in kept)
    assert not [path for path in out.iterdir() if path.name.endswith(".tmp")]
    again = predict(library, toy_model, out, *how, "--resume")
    assert again.returncode == 1, "still full"
    enlarge(small_disk)
    resumed = predict(library, toy_model, out, *how, "--resume")
    assert resumed.returncode == 0, resumed.stderr
    assert content(out) == content(whole)


@pytest.mark.parametrize("name", ["out.csv.gz", "out.parquet"])
def test_one_file(library, toy_model, small_disk, name):
    if name.endswith("parquet"):
        pytest.importorskip("pyarrow")
    filler = small_disk / "filler"
    filler.write_bytes(b"x" * 196_000)
    stopped = predict(library, toy_model, small_disk / name)
    assert stopped.returncode == 1, stopped.stderr
    assert "No space left on device" in stopped.stderr
    assert "Traceback" not in stopped.stderr
    assert "Exception ignored" not in stopped.stderr
    assert [path.name for path in small_disk.iterdir()] == ["filler"]


def test_standard_output(library, toy_model, small_disk):
    with (small_disk / "out.jsonl").open("wb") as stream:
        stopped = subprocess.run(
            [sys.executable, "-m", "nmrshift", "predict", library, "--model", toy_model],
            stdout=stream,
            stderr=subprocess.PIPE,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )
    assert stopped.returncode == 1, stopped.stderr
    assert "No space left on device" in stopped.stderr
    assert "Traceback" not in stopped.stderr
    lines = (small_disk / "out.jsonl").read_text().splitlines()
    assert all(json.loads(line)["status"] == "ok" for line in lines[:-1])
