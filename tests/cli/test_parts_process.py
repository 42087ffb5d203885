"""Runs in parts as real processes: killed, starved of disk, robbed of workers, taken up again."""

import json
import os
import resource
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import kills
import pytest
from toy import SMILES

pytestmark = pytest.mark.slow

N_ROWS = 600
PART_ROWS = 20
PATIENCE_S = 240
KILLS = int(os.environ.get("NMRSHIFT_KILLS", "3"))


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    path = tmp_path_factory.mktemp("library") / "in.smi"
    rows = [f"{SMILES[i % len(SMILES)]} n{i}" for i in range(N_ROWS)]
    rows[17] = "C1CC broken"
    path.write_text("\n".join(rows) + "\n")
    return path


def command(library, model, out, *more):
    arguments = ["predict", library, "--model", model, "--out", out, "--part-rows", PART_ROWS]
    return [sys.executable, "-m", "nmrshift", *map(str, arguments), *map(str, more)]


def start(*arguments, **how):
    return subprocess.Popen(
        command(*arguments), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **how
    )


def finish(process):
    out, err = process.communicate(timeout=PATIENCE_S)
    assert out == ""
    return process.returncode, err


@pytest.fixture(scope="module")
def whole(library, toy_model, tmp_path_factory):
    """The folder of a run that nothing stopped."""
    out = tmp_path_factory.mktemp("whole") / "out"
    code, err = finish(start(library, toy_model, out))
    assert code == 3, err
    assert f"{N_ROWS} rows: {N_ROWS - 1} predicted, 1 failed (parse_error 1)" in err
    return out


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def n_parts(folder: Path) -> int:
    return len(list(folder.glob("part-*")))


def wait_for(condition, process=None):
    end = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end, "nothing happened"
        if process is not None and process.poll() is not None:
            return
        time.sleep(0.0005)


def children(pid: int) -> list[int]:
    with suppress(OSError):
        text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
        return [int(word) for word in text.split()]
    return []


def is_alive(pid: int) -> bool:
    with suppress(OSError):
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    return False


def test_the_rows_are_those_of_one_file(library, toy_model, whole, tmp_path):
    out = tmp_path / "one.jsonl"
    arguments = command(library, toy_model, out)
    del arguments[arguments.index("--part-rows") :][:2]
    arguments = [a for a in arguments if a not in ("--part-rows", str(PART_ROWS))]
    subprocess.run(arguments, check=False, capture_output=True)
    one = [json.loads(line) for line in out.read_text().splitlines()]
    parts = [
        json.loads(line)
        for path in sorted(whole.glob("part-*"))
        for line in path.read_text().splitlines()
    ]
    assert len(one) == len(parts) == N_ROWS
    for first, second in zip(one, parts, strict=True):
        assert first["index"] == second["index"]
        for a, b in zip(first.get("atoms", ()), second.get("atoms", ()), strict=True):
            assert a["atom_index"] == b["atom_index"]
            assert a["shift_ppm"] == pytest.approx(b["shift_ppm"], abs=2e-3)


@pytest.mark.parametrize("workers", [0, 1])
def test_killed_again_and_again(library, toy_model, whole, tmp_path, workers):
    """At random; ``python tests/kills.py`` does it a hundred times with a library of any size."""
    run = kills.Run(library, PART_ROWS, workers, toy_model)
    pace = kills.whole_run(run, tmp_path / "whole")
    assert content(tmp_path / "whole") == content(whole)
    found = kills.kill_again_and_again(run, whole, pace, tmp_path / "out", KILLS, seed=workers)
    assert found["run"] + found["worker"] == KILLS


def test_a_killed_worker(library, toy_model, whole, tmp_path):
    out = tmp_path / "out"
    process = start(library, toy_model, out, "--workers", 1)
    wait_for(lambda: out.exists() and n_parts(out) > 1, process)
    victims = [pid for pid in children(process.pid) if b"spawn_main" in cmdline(pid)]
    assert victims
    for pid in victims:
        os.kill(pid, signal.SIGKILL)
    code, err = finish(process)
    assert code == 1
    assert "a worker process died" in err
    assert "--resume" in err
    assert "Traceback" not in err
    assert n_parts(out) >= 1
    code, _ = finish(start(library, toy_model, out, "--resume"))
    assert code == 3
    assert content(out) == content(whole)


def cmdline(pid: int) -> bytes:
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""


def test_no_room(toy_model, tmp_path):
    """A limit on the size of files stands for a full disk: the system refuses the write."""
    library = tmp_path / "in.smi"
    small, large = ["C"] * (3 * PART_ROWS), ["C" * 100] * (2 * PART_ROWS)
    library.write_text("\n".join([*small, *large]) + "\n")
    out, expected = tmp_path / "out", tmp_path / "expected"
    limit = 60_000
    process = start(
        library,
        toy_model,
        out,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
    )
    code, err = finish(process)
    assert code == 1, err
    assert "File too large; 3 finished parts are kept" in err
    assert "--resume" in err
    assert n_parts(out) == 3
    assert not [path for path in out.iterdir() if path.name.endswith(".tmp")]
    assert finish(start(library, toy_model, out, "--resume"))[0] == 0
    assert finish(start(library, toy_model, expected))[0] == 0
    assert content(out) == content(expected)
    assert max(len(data) for data in content(out).values()) > limit
