"""``nmrshift learn-next``: which spectra to measure or assign next."""

import csv
import io
import json
from itertools import chain
from pathlib import Path
from typing import Literal

import click

from nmrshift.cli import options
from nmrshift.cli.exits import outcome
from nmrshift.io.csv_writer import guarded
from nmrshift.io.formats import READERS, InputFormat, read_queries
from nmrshift.types import Failure

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.argument("candidates", nargs=-1, required=True, type=_FILE)
@click.option(
    "--number", "-n", default=10, show_default=True, type=click.IntRange(1, 1000), help="How many."
)
@options.NUCLEI
@click.option("--solvent", help="Solvent of molecules whose row names none.")
@options.SOURCE
@options.MODEL
@click.option(
    "--input-format", type=click.Choice(list(READERS)), help="Read the files as of this format."
)
@click.option(
    "--format",
    "output_format",
    type=click.Choice(["table", "csv", "json"]),
    default="table",
    show_default=True,
    help="Form of the answer.",
)
def learn_next(
    candidates: tuple[Path, ...],
    number: int,
    nuclei: tuple[str, ...],
    solvent: str | None,
    source: str | None,
    model: Path | None,
    input_format: InputFormat | None,
    output_format: Literal["table", "csv", "json"],
) -> None:
    """Choose the molecules of CANDIDATES whose spectra would teach the model most.

    CANDIDATES are files of molecules, as `nmrshift predict` reads them. A molecule is worth
    measuring if large errors are to be expected on it and on others like it.
    """
    from nmrshift import Predictor
    from nmrshift.adapt.next_spectra import learn_next as choose
    from nmrshift.io.options import parse_nuclei

    predictor = Predictor.load(model)
    rows = list(chain.from_iterable(read_queries(path, kind=input_format) for path in candidates))
    unread = [row for row in rows if isinstance(row, Failure)]
    found = choose(
        predictor,
        [row for row in rows if not isinstance(row, Failure)],
        n=number,
        nuclei=parse_nuclei(nuclei, predictor.nuclei),
        solvent=solvent,
        source=source,
    )
    for failure in (*unread, *found.failures):
        click.echo(f"note: left out: {failure.name or failure.input}: {failure.message}", err=True)
    if output_format == "json":
        click.echo(json.dumps(found.to_dict(), indent=1))
    elif output_format == "csv":
        click.echo(_csv(found.to_dict()["chosen"]), nl=False)
    else:
        click.echo(found.to_text(), nl=False)
    n_failed = len(unread) + len(found.failures)
    raise click.exceptions.Exit(outcome(len(found.chosen), n_failed))


def _csv(rows: list[dict[str, object]]) -> str:
    stream = io.StringIO()
    writer = csv.DictWriter(stream, rows[0].keys(), lineterminator="\n")
    writer.writeheader()
    writer.writerows(
        {key: guarded(v) if isinstance(v, str) else v for key, v in row.items()} for row in rows
    )
    return stream.getvalue()
