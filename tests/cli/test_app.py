"""The front door: quick help, one exit code an outcome, nothing loaded before it is used."""

import os
import subprocess
import sys
import time

import click
import pytest
from click.testing import CliRunner

import nmrshift
from nmrshift.cli.app import COMMANDS, Entry, LazyGroup, main
from nmrshift.cli.exits import MEANING, ExitCode, outcome
from nmrshift.errors import ArtifactError, UnknownNucleusError


def run_process(*arguments, **kwargs):
    command = [sys.executable, "-c", "from nmrshift.cli.app import main; main()", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, **kwargs)


def test_help_lists_every_command():
    result = CliRunner().invoke(main, ["--help"])
    assert result.exit_code == 0
    for name, entry in COMMANDS.items():
        assert name in result.output
        assert entry.help in result.output


def test_help_is_quick_and_imports_no_command():
    code = (
        "import sys\n"
        "from nmrshift.cli.app import main\n"
        "main(['--help'], standalone_mode=False)\n"
        "heavy = {'torch', 'dgl', 'rdkit', 'numpy', 'nmrshift.cli.predict'} & set(sys.modules)\n"
        "sys.exit(f'imported {heavy}' if heavy else 0)\n"
    )
    best_s = 10.0
    for _ in range(3):
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
        best_s = min(best_s, time.perf_counter() - start)
    assert best_s < 0.6, "aim 0.3 s, slack for slow boxes"


def test_version():
    result = CliRunner().invoke(main, ["--version"])
    assert result.output == f"nmrshift, version {nmrshift.__version__}\n"


@pytest.mark.parametrize("name", list(COMMANDS))
def test_commands_load(name):
    result = CliRunner().invoke(main, [name, "--help"])
    assert result.exit_code == 0
    assert result.output.startswith("Usage:")
    assert isinstance(main.get_command(click.Context(main), name), click.Command)


def test_commands_are_listed_in_order():
    assert main.list_commands(click.Context(main)) == list(COMMANDS)


def test_unknown_command_is_a_usage_error():
    result = CliRunner().invoke(main, ["predikt"])
    assert result.exit_code == ExitCode.USAGE


def group_raising(error):
    @click.group(cls=LazyGroup, lazy={})
    def group():
        pass

    @group.command()
    def work():
        raise error

    return group


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (ArtifactError("weights altered"), 1, "nmrshift: weights altered\nhint: Fetch"),
        (UnknownNucleusError("no 31P", hint="Ask 13C."), 2, "nmrshift: no 31P\nhint: Ask 13C."),
        (KeyboardInterrupt(), 130, "nmrshift: interrupted"),
        (OSError(28, "No space left on device", "x.csv"), 1, "No space left on device (x.csv)"),
    ],
)
def test_errors_become_exit_codes(error, code, said):
    result = CliRunner().invoke(group_raising(error), ["work"])
    assert result.exit_code == code
    assert said in result.stderr
    assert result.stdout == ""


def test_bugs_keep_their_traceback():
    result = CliRunner().invoke(group_raising(ZeroDivisionError()), ["work"])
    assert isinstance(result.exception, ZeroDivisionError)


def test_broken_pipe_is_quiet():
    code = (
        "import click\n"
        "from nmrshift.cli.app import LazyGroup\n"
        "@click.group(cls=LazyGroup, lazy={})\n"
        "def group(): pass\n"
        "@group.command()\n"
        "def work():\n"
        "    for _ in range(100_000): click.echo('x' * 100)\n"
        "group(['work'])\n"
    )
    read_end, write_end = os.pipe()
    os.close(read_end)
    result = subprocess.run(
        [sys.executable, "-c", code], stdout=write_end, stderr=subprocess.PIPE, check=False
    )
    os.close(write_end)
    assert result.returncode == ExitCode.BROKEN_PIPE
    assert result.stderr == b""


def test_an_entry_that_is_no_command_is_a_bug():
    group = LazyGroup("x", lazy={"os": Entry("os", "path", "")})
    result = CliRunner().invoke(group, ["os"])
    assert isinstance(result.exception, TypeError)


def test_every_exit_code_has_a_meaning():
    assert set(MEANING) == set(ExitCode)


@pytest.mark.parametrize(("n_ok", "n_failed", "code"), [(0, 0, 0), (3, 0, 0), (2, 1, 3), (0, 2, 4)])
def test_outcome(n_ok, n_failed, code):
    assert outcome(n_ok, n_failed) == code


def test_as_a_process():
    result = run_process("--version")
    assert result.returncode == 0
    assert result.stderr == ""
