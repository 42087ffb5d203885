"""A run in parts, killed at random again and again: does it end up with the bytes of a whole run?

    python tests/kills.py library.smi --kills 100 --part-rows 1000 --folder /tmp/kills

The run is killed with SIGKILL while it starts, while it predicts and while it writes, or loses one
of its workers; each time it is resumed. Whatever has the name of a part at such a moment must be
that part, whole.
"""

import argparse
import filecmp
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from processes import children_of

PATIENCE_S = 3600.0
_EARLY = 0.25
"""Share of the kills that come while the run starts."""
_OF_A_WORKER = 0.25
"""Share of the other kills that a worker gets, where there is one."""


@dataclass(frozen=True)
class Run:
    """The command that is killed."""

    library: Path
    part_rows: int
    workers: int = 0
    model: Path | None = None

    def start(self, out: Path, *more: str) -> "subprocess.Popen[str]":
        """Begin, or go on with, the run in a folder."""
        model = ["--model", str(self.model)] if self.model else []
        return subprocess.Popen(
            [
                *(sys.executable, "-m", "nmrshift", "predict", str(self.library), *model),
                *("--out", str(out), "--part-rows", str(self.part_rows)),
                *("--workers", str(self.workers), *more),
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )


@dataclass(frozen=True)
class Pace:
    """How a run that nothing stops goes: seconds to its first part, and from part to part."""

    first_s: float
    part_s: float
    n_parts: int


def whole_run(run: Run, out: Path) -> Pace:
    """Let a run come to its end."""
    began = time.monotonic()
    process = run.start(out)
    _wait(lambda: n_parts(out) > 0, process)
    first_s = time.monotonic() - began
    _, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode in (0, 3), err
    total = n_parts(out)
    return Pace(first_s, (time.monotonic() - began - first_s) / max(1, total - 1), total)


def kill_again_and_again(
    run: Run, whole: Path, pace: Pace, out: Path, kills: int, seed: int = 0
) -> Counter[str]:
    """Kill a run so many times, then let it come to its end; its folder must be the whole one.

    A run that is over before it is killed must be whole as well; then it begins anew.

    Returns:
        How often what was killed, and how often it was over too soon.
    """
    rng = random.Random(seed)
    checked: set[str] = set()
    found: Counter[str] = Counter()
    while found["run"] + found["worker"] < kills:
        process = run.start(out, "--resume")
        if rng.random() < _EARLY:
            _sleep(rng.uniform(0, pace.first_s), process)
        else:
            wanted = n_parts(out) + int(rng.uniform(0, pace.n_parts / kills))
            _wait(lambda wanted=wanted: n_parts(out) > wanted, process)
            _sleep(rng.uniform(0, pace.part_s), process)
        what = _kill(process, rng)
        found[what] += 1
        check_parts(out, whole, checked)
        if what == "over":
            check_whole(out, whole)
            shutil.rmtree(out)
            checked.clear()
    process = run.start(out, "--resume")
    _, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode in (0, 3), err
    check_whole(out, whole)
    return found


def check_whole(out: Path, whole: Path) -> None:
    """Compare two folders, name by name and byte by byte."""
    assert names(out) == names(whole)
    for name in names(out):
        assert filecmp.cmp(out / name, whole / name, shallow=False), name


def check_parts(out: Path, whole: Path, checked: set[str]) -> None:
    """Compare the files that have their final names with those of the whole run."""
    for path in out.glob("part-*") if out.exists() else ():
        if path.name not in checked:
            assert filecmp.cmp(path, whole / path.name, shallow=False), path.name
            checked.add(path.name)


def names(folder: Path) -> list[str]:
    """Return the names of all files of a folder."""
    return sorted(path.name for path in folder.iterdir())


def n_parts(folder: Path) -> int:
    """Return how many parts are there."""
    return len(list(folder.glob("part-*"))) if folder.exists() else 0


def _kill(process: "subprocess.Popen[str]", rng: random.Random) -> str:
    """Kill the run or a worker of it; return which, or that it was over."""
    if process.poll() is not None:
        _, err = process.communicate()
        assert process.returncode in (0, 3), err
        return "over"
    workers = [pid for pid in children_of(process.pid) if b"spawn_main" in _command(pid)]
    if workers and rng.random() < _OF_A_WORKER:
        with suppress(ProcessLookupError):
            os.kill(rng.choice(workers), signal.SIGKILL)
        _, err = process.communicate(timeout=PATIENCE_S)
        if process.returncode in (0, 3):  # it needed the worker no more
            return "over"
        assert process.returncode == 1, err
        assert "--resume" in err, err
        return "worker"
    process.kill()
    process.communicate()
    return "run" if process.returncode == -signal.SIGKILL else "over"


def _command(pid: int) -> bytes:
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""


def _wait(condition, process: "subprocess.Popen[str]") -> None:
    end = time.monotonic() + PATIENCE_S
    while not condition() and process.poll() is None:
        assert time.monotonic() < end, "nothing happened"
        time.sleep(0.002)


def _sleep(seconds: float, process: "subprocess.Popen[str]") -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end and process.poll() is None:
        time.sleep(0.001)


def main() -> None:
    """Do it and say how it went."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("library", type=Path)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--part-rows", type=int, default=1000)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", type=Path, help="where both runs write; it must be new")
    options = parser.parse_args()
    folder = options.folder or Path(tempfile.mkdtemp())
    folder.mkdir(exist_ok=options.folder is None)
    run = Run(options.library, options.part_rows, options.workers, options.model)
    pace = whole_run(run, folder / "whole")
    began = time.monotonic()
    kills = kill_again_and_again(
        run, folder / "whole", pace, folder / "killed", options.kills, options.seed
    )
    size = sum(path.stat().st_size for path in (folder / "killed").iterdir())
    report = {
        "parts": pace.n_parts,
        "seconds_a_part": round(pace.part_s, 2),
        "killed": dict(kills),
        "seconds_with_kills": round(time.monotonic() - began),
        "bytes": size,
        "identical": True,
    }
    sys.stdout.write(json.dumps(report) + "\n")


if __name__ == "__main__":
    main()
