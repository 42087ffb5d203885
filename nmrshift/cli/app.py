"""The ``nmrshift`` command: a table of sub-commands, each loaded when it is used."""

import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from importlib import import_module
from typing import Any, Final, NamedTuple, NoReturn

import click

from nmrshift import __version__
from nmrshift.cli.exits import ExitCode, exit_code_of
from nmrshift.errors import NmrshiftError


class Entry(NamedTuple):
    """Where a sub-command lives, and its line in the help."""

    module: str
    attribute: str
    help: str


COMMANDS: Final[dict[str, Entry]] = {
    "predict": Entry("nmrshift.cli.predict", "predict", "Predict shifts of molecules."),
    "verify": Entry("nmrshift.cli.verify", "verify", "Check the parts of a long prediction."),
    "match": Entry("nmrshift.cli.match", "match", "Match a measured spectrum to structures."),
    "draw": Entry("nmrshift.cli.draw", "draw", "Draw a molecule with its predicted spectrum."),
    "serve": Entry("nmrshift.cli.serve", "serve", "Serve predictions over HTTP."),
    "doctor": Entry("nmrshift.cli.doctor", "doctor", "Check the installation and the model."),
    "data": Entry("nmrshift.cli.data", "data", "Import, clean and split spectra."),
    "evaluate": Entry("nmrshift.cli.evaluate", "evaluate", "Measure a model on spectra."),
    "pretrain": Entry("nmrshift.cli.pretrain", "pretrain", "Pretrain an encoder on structures."),
    "train": Entry("nmrshift.cli.train", "train", "Train a model."),
    "probe": Entry("nmrshift.cli.probe", "probe", "Judge pretrained encoders."),
    "search": Entry("nmrshift.cli.search", "search", "Search an encoder's architecture."),
    "adapt": Entry("nmrshift.cli.adapt", "adapt", "Learn from a laboratory's own spectra."),
    "federate": Entry("nmrshift.cli.federate", "federate", "Learn together, spectra staying home."),
    "learn-next": Entry(
        "nmrshift.cli.learn_next", "learn_next", "Choose which spectra to measure next."
    ),
    "audit": Entry("nmrshift.cli.audit", "audit", "Attack a model: what has it learned from?"),
    "benchmark": Entry("nmrshift.cli.benchmark", "benchmark", "Compare methods on protocols."),
}


class LazyGroup(click.Group):
    """A group that imports a sub-command only to run it, and turns errors into exit codes."""

    def __init__(self, *args: Any, lazy: Mapping[str, Entry], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._lazy = lazy

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order of the table."""
        return [*self._lazy, *super().list_commands(ctx)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return one sub-command."""
        entry = self._lazy.get(cmd_name)
        if entry is None:
            return super().get_command(ctx, cmd_name)
        command = getattr(import_module(entry.module), entry.attribute)
        if not isinstance(command, click.Command):
            raise TypeError(f"{entry.module}.{entry.attribute} is no command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of sub-commands from the table, importing none."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.help) for name, entry in self._lazy.items()])

    def invoke(self, ctx: click.Context) -> Any:
        """Run a sub-command; an error becomes a message on stderr and an exit code."""
        try:
            return super().invoke(ctx)
        except NmrshiftError as error:
            _fail(error.message, error.hint, exit_code_of(error))
        except KeyboardInterrupt:
            _fail("interrupted", "", ExitCode.INTERRUPTED)
        except BrokenPipeError:
            _drop_stdout()
            raise click.exceptions.Exit(ExitCode.BROKEN_PIPE) from None
        except OSError as error:
            where = f" ({error.filename})" if error.filename else ""
            _fail(f"{error.strerror or error}{where}", "", ExitCode.ERROR)


def _fail(message: str, hint: str, code: ExitCode) -> NoReturn:
    click.echo(f"nmrshift: {message}", err=True)
    if hint:
        click.echo(f"hint: {hint}", err=True)
    raise click.exceptions.Exit(code)


def _drop_stdout() -> None:
    """Point standard output nowhere, so that the interpreter's last flush cannot fail."""
    with suppress(OSError, ValueError):
        sink = os.open(os.devnull, os.O_WRONLY)
        os.dup2(sink, sys.stdout.fileno())
        os.close(sink)


@click.group(
    cls=LazyGroup,
    lazy=COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(__version__, "-V", "--version", prog_name="nmrshift")
def main() -> None:
    """NMR chemical shifts of small molecules, predicted from structure and solvent."""
