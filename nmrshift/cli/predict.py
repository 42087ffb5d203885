"""``nmrshift predict``: structures or files in, shifts out, one answer for each row."""

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from io import TextIOWrapper
from pathlib import Path
from typing import Any, Final, TextIO

import click

from nmrshift.cli.cpus import share_cpus
from nmrshift.cli.exits import MEANING, outcome
from nmrshift.io.formats import READERS, SUFFIXES, InputFormat, format_of, read_queries
from nmrshift.io.options import parse_nuclei
from nmrshift.io.safe_file import check_free, whole_file
from nmrshift.io.stream import predict_rows
from nmrshift.io.writers import OUTPUT_SUFFIXES, WRITERS, OutputFormat
from nmrshift.types import DEFAULT_NUCLEI, Failure, Prediction, Query

EPILOG: Final[str] = "\b\nExit codes:\n" + "\n".join(
    f"  {code:<4}{meaning}" for code, meaning in MEANING.items()
)


@click.command(epilog=EPILOG)
@click.argument("inputs", nargs=-1, required=True, metavar="INPUT...")
@click.option(
    "--nucleus",
    "nuclei",
    multiple=True,
    default=DEFAULT_NUCLEI,
    show_default=True,
    help="Nucleus to predict, for example 13C or f19; repeat for more.",
)
@click.option("--solvent", help="Solvent of molecules whose row names none.")
@click.option("--source", help="Reference convention: a data source that the model knows.")
@click.option(
    "--interval",
    type=click.FloatRange(0.5, 0.99),
    default=0.9,
    show_default=True,
    help="Share of true shifts that the intervals are to hold.",
)
@click.option(
    "--format",
    "output_format",
    type=click.Choice(list(WRITERS)),
    help="Form of the answers; by default what suits --out, or a table for structures given "
    "as arguments and for a terminal, else jsonl.",
)
@click.option(
    "--input-format",
    type=click.Choice(list(READERS)),
    help="Read every INPUT as a file of this format, whatever its name.",
)
@click.option("--model", type=click.Path(path_type=Path), help="Folder of another model.")
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), help="File instead of stdout."
)
@click.option(
    "--workers",
    type=click.IntRange(0),
    help="Processes that read molecules while the network computes; by default what suits the "
    "machine, after the first thousand molecules.",
)
@click.option("--force", is_flag=True, help="Replace the file of --out if it exists.")
def predict(
    inputs: tuple[str, ...],
    nuclei: tuple[str, ...],
    solvent: str | None,
    source: str | None,
    interval: float,
    output_format: OutputFormat | None,
    input_format: InputFormat | None,
    model: Path | None,
    out: Path | None,
    workers: int | None,
    force: bool,
) -> None:
    """Predict the shifts of molecules, atoms numbered as in the input.

    INPUT is a SMILES, an InChI, a file (.smi .smiles .txt .csv .tsv .jsonl .sdf .sd .mol, each
    also .gz) or - for lines of SMILES on standard input. Every molecule gets one answer, in
    order: a prediction, or a failure with its code.
    """
    rows = _rows(inputs, input_format)
    is_file = [is_file_name(text, input_format) for text in inputs]
    output_format = output_format or _choose_format(out, any_file=any(is_file))
    if out is not None:
        try:
            check_free(out, force=force)
        except FileExistsError as error:
            raise click.UsageError(f"{error}; --force replaces a file") from None
    from nmrshift import Predictor

    # DGL takes longer to import than plain torch needs for a few molecules
    predictor = Predictor.load(model, kernel=None if any(is_file) else "torch")
    wanted = parse_nuclei(nuclei, predictor.nuclei)
    answers = predict_rows(
        partial(
            predictor.predict_many,
            solvent=solvent,
            nuclei=wanted,
            source=source,
            interval=interval,
            workers=workers,
        ),
        share_cpus(rows, workers),
    )
    with _output(out, force=force) as stream:
        counts = _write(answers, stream, output_format, show_progress=any(is_file))
    n_ok, n_failed = counts
    if n_failed and (any(is_file) or n_ok):
        click.echo(f"{n_ok} predicted, {n_failed} failed", err=True)
    raise click.exceptions.Exit(outcome(n_ok, n_failed))


def is_file_name(text: str, input_format: InputFormat | None = None) -> bool:
    """Return whether an argument stands for a file (or standard input), not for a structure.

    The name decides, so that a stray file in the working folder never changes what is predicted.
    """
    return input_format is not None or text == "-" or format_of(text) is not None


def _rows(inputs: tuple[str, ...], input_format: InputFormat | None) -> Iterator[Query | Failure]:
    """Check the arguments at once; return the rows of all of them as one stream."""
    if inputs.count("-") > 1:
        raise click.UsageError("standard input can be read only once")
    for text in inputs:
        if is_file_name(text, input_format):
            if text != "-" and not Path(text).is_file():
                raise click.UsageError(f"no such file: {text}")
        elif _is_existing_file(text):
            endings = " ".join(SUFFIXES)
            raise click.UsageError(
                f"{text} is a file, but not by its name a file of molecules ({endings}); "
                "say --input-format"
            )
    return _read_all(inputs, input_format)


def _read_all(
    inputs: tuple[str, ...], input_format: InputFormat | None
) -> Iterator[Query | Failure]:
    for text in inputs:
        if is_file_name(text, input_format):
            yield from read_queries(text, kind=input_format)
        else:
            yield Query(text)


def _is_existing_file(text: str) -> bool:
    try:
        return Path(text).is_file()
    except (OSError, ValueError):
        return False


def _choose_format(out: Path | None, *, any_file: bool) -> OutputFormat:
    if out is not None:
        return OUTPUT_SUFFIXES.get(out.suffix.lower(), "jsonl")
    return "jsonl" if any_file and not sys.stdout.isatty() else "table"


@contextmanager
def _output(out: Path | None, *, force: bool) -> Iterator[TextIO]:
    if out is not None:
        with whole_file(out, force=force) as stream:
            yield stream
        return
    stdout = TextIOWrapper(sys.stdout.buffer, "utf-8", "backslashreplace", newline="")
    try:
        yield stdout
        stdout.flush()
    finally:
        with suppress(OSError, ValueError):
            stdout.detach()


def _write(
    answers: Iterable[Prediction | Failure],
    stream: TextIO,
    output_format: OutputFormat,
    *,
    show_progress: bool,
) -> tuple[int, int]:
    """Write every answer; return how many were predictions and how many failures."""
    writer = WRITERS[output_format](stream)
    n_ok = n_failed = 0
    for answer in _progress(answers) if show_progress and not stream.isatty() else answers:
        writer.write(answer)
        if isinstance(answer, Failure):
            n_failed += 1
        else:
            n_ok += 1
    writer.close()
    return n_ok, n_failed


def _progress(answers: Iterable[Prediction | Failure]) -> Any:
    """Count the answers on stderr where that is a terminal."""
    from tqdm import tqdm

    return tqdm(answers, unit=" molecules", file=sys.stderr, disable=not sys.stderr.isatty())
