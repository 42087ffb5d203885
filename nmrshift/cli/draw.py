"""``nmrshift draw``: one molecule with its predicted shifts and spectra, as SVG or PNG."""

import sys
from pathlib import Path
from typing import Final

import click

from nmrshift.cli import options
from nmrshift.cli.exits import ExitCode
from nmrshift.io.options import parse_nuclei
from nmrshift.io.safe_file import check_free
from nmrshift.types import Failure, Query

_STDOUT: Final[Path] = Path("-")


@click.command()
@click.argument("structure", metavar="STRUCTURE")
@options.NUCLEI
@click.option("--solvent", help="Solvent of the spectra.")
@options.SOURCE
@click.option("--name", help="Title of the picture; the structure as given if absent.")
@options.INTERVAL
@options.MODEL
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    default=_STDOUT,
    help="File, its name ending in .svg or .png; - (the default) is SVG on stdout.",
)
@click.option("--force", is_flag=True, help="Replace the file of --out if it exists.")
def draw(
    structure: str,
    nuclei: tuple[str, ...],
    solvent: str | None,
    source: str | None,
    name: str | None,
    interval: float,
    model: Path | None,
    out: Path,
    force: bool,
) -> None:
    """Draw a molecule with its predicted shifts, and the stick spectrum of each nucleus.

    STRUCTURE is a SMILES or an InChI. Colours and ± show how certain each shift is.
    """
    _check_out(out, force=force)
    from nmrshift import Predictor
    from nmrshift.draw import picture

    predictor = Predictor.load(model)
    wanted = parse_nuclei(nuclei, predictor.nuclei)
    query = Query(structure, solvent=solvent, name=name)
    answers = predictor.predict_many([query], nuclei=wanted, source=source, interval=interval)
    answer = next(iter(answers))
    if isinstance(answer, Failure):
        click.echo(f"nmrshift: {answer.message} ({answer.code})", err=True)
        click.echo(f"hint: {answer.hint}", err=True)
        raise click.exceptions.Exit(ExitCode.ALL_FAILED)
    drawn = picture(answer)
    if out == _STDOUT:
        sys.stdout.buffer.write(drawn.svg.encode())
        sys.stdout.flush()
    else:
        drawn.save(out, force=force)


def _check_out(out: Path, *, force: bool) -> None:
    """Refuse a file that cannot be written before any work is done."""
    if out == _STDOUT:
        return
    if out.suffix.lower() not in (".svg", ".png"):
        raise click.UsageError(f"{out}: the name of a picture ends in .svg or .png")
    try:
        check_free(out, force=force)
    except FileExistsError as error:
        raise click.UsageError(f"{error}; --force replaces a file") from None
