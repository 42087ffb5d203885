"""Every Python example and every command of the documents runs."""

import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from nmrshift.cli.app import main as cli

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.DOTALL | re.MULTILINE)


def blocks(language: str) -> list[tuple[str, str]]:
    found = []
    for page in PAGES:
        for kind, text in BLOCK.findall(page.read_text("utf-8")):
            if kind == language:
                found.append((f"{page.name}", text))
    return found


@pytest.mark.parametrize(("page", "code"), blocks("python"))
def test_python_example(
    page: str, code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    exec(compile(code, page, "exec"), {})


def predictions() -> list[tuple[str, str]]:
    """Command lines in ``sh`` blocks that predict from arguments alone."""
    lines = [(page, line) for page, text in blocks("sh") for line in text.splitlines()]
    found = []
    for page, line in lines:
        command = line.split("&&")[-1].split("#")[0].strip()
        if command.startswith("nmrshift predict") and "|" not in command and "." not in command:
            found.append((page, command))
    return found


@pytest.mark.parametrize(("page", "command"), predictions())
def test_predict_example(page: str, command: str) -> None:
    result = CliRunner().invoke(cli, shlex.split(command)[1:])
    assert result.exit_code == 0, f"{page}: {command}\n{result.output}"
    assert "ppm" in result.output or "shift" in result.output


def matches() -> list[tuple[str, str]]:
    """Command lines in ``sh`` blocks that match a spectrum given as text."""
    lines = [(page, line) for page, text in blocks("sh") for line in text.splitlines()]
    return [
        (page, line)
        for page, line in lines
        if line.startswith("nmrshift match") and "|" not in line and "@" not in line
    ]


@pytest.mark.parametrize(("page", "command"), matches())
def test_match_example(page: str, command: str) -> None:
    result = CliRunner().invoke(cli, shlex.split(command)[1:])
    assert result.exit_code == 0, f"{page}: {command}\n{result.output}"
    assert "probability" in result.output


def test_examples_exist() -> None:
    assert len(blocks("python")) >= 2
    assert predictions()
    assert matches()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)", page.read_text("utf-8")):
        if "://" not in target:
            assert (page.parent / target).exists(), target
