"""``nmrshift train`` as a process: killed for real, resumed to the same weights."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner
from safetensors import safe_open
from toy import write_laboratory

from nmrshift.cli.app import main

COMMAND = (sys.executable, "-m", "nmrshift", "train")


def run(config: Path, out: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [*COMMAND, str(config), "--out", str(out), "--quiet", *options]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def steps_done(checkpoint: Path) -> int:
    with safe_open(checkpoint, framework="pt") as file:
        return int(file.metadata()["step"])


def test_kill_minus_nine_and_resume(tmp_path: Path) -> None:
    config = write_laboratory(tmp_path)
    frequent = config.read_text().replace("checkpoint_seconds = 1000", "checkpoint_seconds = 1e-6")
    config.write_text(frequent.replace("epochs = 6", "epochs = 12"))
    straight = run(config, tmp_path / "straight")
    assert straight.returncode == 0, straight.stderr
    assert straight.stdout.strip() == str(tmp_path / "straight" / "model")
    total = steps_done(tmp_path / "straight" / "checkpoint.safetensors")

    killed = tmp_path / "killed"
    process = subprocess.Popen(
        [*COMMAND, str(config), "--out", str(killed), "--quiet"], stderr=subprocess.DEVNULL
    )
    checkpoint = killed / "checkpoint.safetensors"
    deadline = time.monotonic() + 60
    while not checkpoint.exists() and time.monotonic() < deadline:
        time.sleep(0.002)
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert 0 < steps_done(checkpoint) < total

    again = run(config, killed)
    assert again.returncode == 2
    assert "already holds a run" in again.stderr
    resumed = run(config, killed, "--resume")
    assert resumed.returncode == 0, resumed.stderr
    assert "resumed at step" in resumed.stderr
    for name in ("weights.safetensors", "model.json", "SHA256SUMS"):
        expected = (tmp_path / "straight" / "model" / name).read_bytes()
        assert (killed / "model" / name).read_bytes() == expected, name


def test_wrong_settings_are_named(tmp_path: Path) -> None:
    config = write_laboratory(tmp_path)
    config.write_text(config.read_text() + "\ncolour = 3\n")
    result = CliRunner().invoke(main, ["train", str(config), "--out", str(tmp_path / "run")])
    assert result.exit_code == 2
    assert "colour" in result.output
    assert not (tmp_path / "run").exists()


def test_default_folder_and_metrics(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = write_laboratory(tmp_path)
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(main, ["train", str(config), "--quiet"])
    assert result.exit_code == 0, result.output
    lines = (tmp_path / "runs" / "toy-0.0.1" / "metrics.jsonl").read_text().splitlines()
    assert [json.loads(line)["epoch"] for line in lines] == [1, 2, 3, 4, 5, 6]
