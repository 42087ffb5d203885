"""``nmrshift predict``: structures or files in, shifts out, one answer for each row."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final

import click

from nmrshift.cli import options
from nmrshift.cli.exits import MEANING, outcome
from nmrshift.cli.predict_parts import EngineName, choose_engine, predict_parts
from nmrshift.cli.progress import Progress
from nmrshift.collector import collect_seldom
from nmrshift.io.formats import READERS, SUFFIXES, InputFormat, format_of
from nmrshift.io.location import is_url
from nmrshift.io.options import parse_nuclei
from nmrshift.io.packing import packing_of
from nmrshift.io.store import check_free_at, whole_at
from nmrshift.io.stream import predict_rows
from nmrshift.io.tally import Counting, Tally
from nmrshift.io.writers import (
    OUTPUT_FORMATS,
    OutputFormat,
    open_writer,
    output_format_of,
    write_or_fail,
)
from nmrshift.parallel.job import Settings

if TYPE_CHECKING:
    from nmrshift.predict.predictor import Predictor

EPILOG: Final[str] = "\b\nExit codes:\n" + "\n".join(
    f"  {code:<4}{meaning}" for code, meaning in MEANING.items()
)


@click.command(epilog=EPILOG)
@click.argument("inputs", nargs=-1, required=True, metavar="INPUT...")
@options.NUCLEI
@click.option("--solvent", help="Solvent of molecules whose row names none.")
@options.SOURCE
@options.INTERVAL
@click.option(
    "--references",
    type=click.IntRange(0, 5),
    default=0,
    show_default=True,
    help="Measured shifts of like atoms to name as evidence of each atom (JSON only).",
)
@click.option(
    "--format",
    "output_format",
    type=click.Choice(OUTPUT_FORMATS),
    help="Form of the answers; by default what suits --out, or a table for structures given "
    "as arguments and for a terminal, else jsonl.",
)
@click.option(
    "--input-format",
    type=click.Choice(list(READERS)),
    help="Read every INPUT as a file of this format, whatever its name.",
)
@options.MODEL
@click.option("--out", help="File (or, with --part-rows, folder) instead of stdout; path or URL.")
@click.option(
    "--workers",
    type=click.IntRange(0),
    help="Processes that read molecules while the network computes, by default what suits the "
    "machine after the first 512 molecules; with --part-rows, processes that each work off "
    "parts, by default none.",
)
@click.option("--force", is_flag=True, help="Replace the file or the run of --out if it exists.")
@click.option(
    "--part-rows",
    type=click.IntRange(1),
    help="Write a folder of parts of so many rows, which --resume can go on with.",
)
@click.option("--resume", is_flag=True, help="Go on with the run in the folder of --out, or begin.")
@click.option(
    "--engine",
    type=click.Choice(["local", "ray"]),
    default="local",
    show_default=True,
    help="Who works off the parts.",
)
@click.option("--ray-address", help="Of a running Ray cluster; without it one is started here.")
def predict(
    inputs: tuple[str, ...],
    nuclei: tuple[str, ...],
    solvent: str | None,
    source: str | None,
    interval: float,
    references: int,
    output_format: OutputFormat | None,
    input_format: InputFormat | None,
    model: Path | None,
    out: str | None,
    workers: int | None,
    force: bool,
    part_rows: int | None,
    resume: bool,
    engine: EngineName,
    ray_address: str | None,
) -> None:
    """Predict the shifts of molecules, atoms numbered as in the input.

    INPUT is a SMILES, an InChI, a file (.smi .smiles .txt .csv .tsv .jsonl .sdf .sd .mol
    .parquet, each also .gz or .zst), its URL, or - for lines of SMILES on standard input. Every
    molecule gets one answer, in order: a prediction, or a failure with its code.
    """
    is_file = [is_file_name(text, input_format) for text in inputs]
    in_parts = part_rows is not None or resume
    _check_inputs(inputs, input_format)
    _check_out(out, inputs, in_parts=in_parts, resume=resume, force=force, engine=engine)
    worker_engine = choose_engine(engine, workers or 0, ray_address) if in_parts else None
    from nmrshift import Predictor

    predictor = Predictor.load(model)
    collect_seldom()
    settings = Settings(
        parse_nuclei(nuclei, predictor.nuclei), solvent, source, interval, references
    )
    to_terminal = out is None and sys.stdout.isatty()
    progress = Progress(inputs, is_file, input_format, show=any(is_file) and not to_terminal)
    try:
        if out is not None and worker_engine is not None:
            predictor.predict_many([], source=source, interval=interval)
            tally = predict_parts(
                inputs,
                is_file,
                input_format,
                progress,
                predictor,
                settings,
                out=out,
                output_format=output_format,
                part_rows=part_rows,
                resume=resume,
                force=force,
                engine=worker_engine,
            )
        else:
            kind = output_format or _choose_format(out, any_file=any(is_file))
            tally = _predict_stream(progress, predictor, settings, workers, out, kind, force=force)
    finally:
        progress.close()
    if any(is_file) or (tally.n_failed and tally.predicted):
        click.echo(tally.summary(), err=True)
    raise click.exceptions.Exit(outcome(tally.predicted, tally.n_failed))


def _predict_stream(
    progress: Progress,
    predictor: "Predictor",
    settings: Settings,
    workers: int | None,
    out: str | None,
    kind: OutputFormat,
    *,
    force: bool,
) -> Tally:
    """Predict into one file or to standard output; return what became of the rows."""
    answers = predict_rows(
        partial(predictor.predict_many, **settings.keywords(), workers=workers),
        progress.rows(),
    )
    counting = Counting()
    with (
        _output(out, force=force) as stream,
        open_writer(kind, stream, None if out is None else packing_of(out)[1]) as writer,
    ):
        for answer in answers:
            counting.add(write_or_fail(writer, answer))
            progress.done(1)
    return counting.tally()


def is_file_name(text: str, input_format: InputFormat | None = None) -> bool:
    """Return whether an argument stands for a file (or standard input), not for a structure.

    The name decides, so that a stray file in the working folder never changes what is predicted.
    """
    return input_format is not None or text == "-" or format_of(text) is not None


def _check_inputs(inputs: tuple[str, ...], input_format: InputFormat | None) -> None:
    """Check the arguments at once, before a model is loaded."""
    if inputs.count("-") > 1:
        raise click.UsageError("standard input can be read only once")
    for text in inputs:
        if is_file_name(text, input_format):
            if text != "-" and not is_url(text) and not Path(text).is_file():
                raise click.UsageError(f"no such file: {text}")
        elif _is_existing_file(text):
            endings = " ".join(SUFFIXES)
            raise click.UsageError(
                f"{text} is a file, but not by its name a file of molecules ({endings}); "
                "say --input-format"
            )


def _check_out(
    out: str | None,
    inputs: tuple[str, ...],
    *,
    in_parts: bool,
    resume: bool,
    force: bool,
    engine: EngineName,
) -> None:
    """Check that --out and what goes with it fit together."""
    if in_parts and out is None:
        raise click.UsageError("--part-rows and --resume need a folder: --out")
    if in_parts and "-" in inputs:
        raise click.UsageError("a run in parts needs files: standard input cannot be read again")
    if resume and force:
        raise click.UsageError("--resume goes on with a run, --force replaces it: say one of them")
    if engine != "local" and not in_parts:
        raise click.UsageError("--engine ray works in parts: say --part-rows")
    if out is not None and not in_parts:
        try:
            check_free_at(out, force=force)
        except FileExistsError as error:
            raise click.UsageError(f"{error}; --force replaces a file") from None


def _is_existing_file(text: str) -> bool:
    try:
        return Path(text).is_file()
    except (OSError, ValueError):
        return False


def _choose_format(out: str | None, *, any_file: bool) -> OutputFormat:
    if out is not None:
        return output_format_of(out) or "jsonl"
    return "jsonl" if any_file and not sys.stdout.isatty() else "table"


@contextmanager
def _output(out: str | None, *, force: bool) -> Iterator[BinaryIO]:
    if out is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    with whole_at(out, force=force) as stream:
        yield stream
