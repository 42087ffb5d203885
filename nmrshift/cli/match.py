"""``nmrshift match``: a measured spectrum and structures in, assignment and ranking out."""

import sys
from pathlib import Path
from typing import Final, Literal

import click

from nmrshift.cli import options
from nmrshift.cli.exits import outcome
from nmrshift.cli.predict import EPILOG
from nmrshift.errors import PeakTextError
from nmrshift.io.table_writer import printable
from nmrshift.types import Failure

_MAX_BYTES: Final[int] = 100_000
_EXCERPT_CHARS: Final[int] = 20


@click.command(epilog=EPILOG)
@click.argument("structure", metavar="STRUCTURE")
@click.option(
    "--peaks",
    required=True,
    metavar="TEXT",
    help="The spectrum as in a paper, or shifts in ppm; @FILE reads a file, - standard input.",
)
@click.option(
    "--candidate", "candidates", multiple=True, help="A further structure; repeat for more."
)
@click.option("--nucleus", help="Nucleus of the spectrum; by default the one the text names.")
@click.option("--solvent", help="Solvent; by default the one the text names.")
@options.SOURCE
@click.option(
    "--format",
    "output_format",
    type=click.Choice(["table", "json"]),
    default="table",
    show_default=True,
    help="Form of the answer.",
)
@click.option("--all", "every", is_flag=True, help="Table: the assignment of every candidate.")
@options.MODEL
def match(
    structure: str,
    peaks: str,
    candidates: tuple[str, ...],
    nucleus: str | None,
    solvent: str | None,
    source: str | None,
    output_format: Literal["table", "json"],
    every: bool,
    model: Path | None,
) -> None:
    """Assign a measured spectrum to the atoms of STRUCTURE, and weigh it against candidates.

    STRUCTURE is a SMILES or an InChI. Peaks that fit no atom and signals without a peak are
    flagged. Probabilities compare the structures given; they say nothing of others.
    """
    text = _read(peaks)
    from nmrshift import Predictor
    from nmrshift.io.options import parse_nucleus
    from nmrshift.io.wire import json_text
    from nmrshift.match import match_spectrum, read_peaks
    from nmrshift.match.table import table_text

    try:
        spectrum = read_peaks(text, None if nucleus is None else parse_nucleus(nucleus))
    except PeakTextError as error:
        raise _with_excerpt(error, text) from None
    report = match_spectrum(
        Predictor.load(model), (structure, *candidates), spectrum, solvent=solvent, source=source
    )
    for part in spectrum.ignored:
        click.echo(f"note: not read: {printable(part)}", err=True)
    is_table = output_format == "table"
    document = table_text(report, every=every) if is_table else json_text(report.to_dict()) + "\n"
    click.echo(document, nl=False)
    n_failed = sum(isinstance(one, Failure) for one in report.candidates)
    raise click.exceptions.Exit(outcome(len(report.ranking), n_failed))


def _read(peaks: str) -> str:
    """Return the text itself, or that of the file or stream it stands for."""
    if peaks == "-":
        return _decoded(sys.stdin.buffer.read(_MAX_BYTES + 1))
    if not peaks.startswith("@"):
        return peaks
    path = Path(peaks[1:])
    if not path.is_file():
        raise click.UsageError(f"no such file: {path}")
    with path.open("rb") as stream:
        return _decoded(stream.read(_MAX_BYTES + 1))


def _decoded(content: bytes) -> str:
    if len(content) > _MAX_BYTES:
        raise PeakTextError(f"the text has more than {_MAX_BYTES} bytes")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise PeakTextError("the text is not UTF-8", hint="Save it as UTF-8.") from None


def _with_excerpt(error: PeakTextError, text: str) -> PeakTextError:
    """Return the error with the place in the user's own text."""
    if error.position is None:
        return error
    excerpt = printable(text[error.position : error.position + _EXCERPT_CHARS])
    return PeakTextError(f'{error.message}, at "{excerpt}"', hint=error.hint)
