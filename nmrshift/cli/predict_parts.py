"""``nmrshift predict … --part-rows``: a folder of parts that a killed run can go on with."""

import hashlib
from functools import partial
from typing import TYPE_CHECKING, Final, Literal

import click

from nmrshift.cli.progress import Progress
from nmrshift.io.formats import InputFormat, format_of
from nmrshift.io.hashing import digest_file
from nmrshift.io.location import name_of
from nmrshift.io.packing import packing_of
from nmrshift.io.store import open_store
from nmrshift.io.tally import Tally
from nmrshift.io.writers import OutputFormat, output_format_of
from nmrshift.parallel.job import Engine, Job, Settings
from nmrshift.parallel.local import LocalEngine
from nmrshift.parallel.manifest import InputFile, origin_of
from nmrshift.parallel.run import run_parts

if TYPE_CHECKING:
    from nmrshift.predict.predictor import Predictor

EngineName = Literal["local", "ray"]

DEFAULT_PART_ROWS: Final[int] = 10_000


def predict_parts(
    inputs: tuple[str, ...],
    is_file: list[bool],
    input_format: InputFormat | None,
    progress: Progress,
    predictor: "Predictor",
    settings: Settings,
    *,
    out: str,
    output_format: OutputFormat | None,
    part_rows: int | None,
    resume: bool,
    force: bool,
    engine: Engine,
) -> Tally:
    """Run, and return the answers of all parts, earlier ones included.

    Args:
        inputs: arguments of the command.
        is_file: which of them are files.
        input_format: format of all files, if given.
        progress: reads them.
        predictor: already loaded, for its identity.
        settings: of the prediction.
        out: the folder; its name tells the format as that of a file would.
        output_format: format of the parts, whatever the name says.
        part_rows: rows of a part.
        resume: go on with a run that stopped, or begin.
        force: replace another run.
        engine: who does the work.
    """
    describe = partial(_inputs, inputs, is_file, input_format)
    files = describe()
    job = Job(
        open_store(out),
        predictor.info.path,
        settings,
        output_format or output_format_of(out.rstrip("/")) or "jsonl",
        packing_of(out.rstrip("/"))[1],
    )
    model = {"identity": predictor.identity, "sha256": predictor.info.sha256}
    origin = origin_of(job, files, model, part_rows or DEFAULT_PART_ROWS)
    try:
        return run_parts(
            job,
            origin,
            progress.rows(),
            engine,
            resume=resume,
            force=force,
            on_part=lambda report: progress.done(report.tally.rows),
            check_inputs=lambda: describe() == files,
        )
    except FileExistsError as error:
        hint = "--resume goes on with a run, --force replaces it"
        raise click.UsageError(f"{name_of(out)}: {error}; {hint}") from None


def choose_engine(name: EngineName, workers: int, address: str | None) -> Engine:
    """Return the engine of a name.

    Args:
        name: ``local`` or ``ray``.
        workers: processes or actors; 0 is this process, or all CPUs of the cluster.
        address: of a running Ray cluster.

    Raises:
        MissingExtraError: Ray is not installed.
    """
    if name == "local":
        return LocalEngine(workers)
    from nmrshift.parallel.ray_data import RayEngine

    return RayEngine(workers, address)


def _inputs(
    inputs: tuple[str, ...], is_file: list[bool], input_format: InputFormat | None
) -> tuple[InputFile, ...]:
    """Hash every input, as it is now."""
    found = []
    for text, file in zip(inputs, is_file, strict=True):
        if file:
            kind = input_format or format_of(text)
            found.append(InputFile(name_of(text), kind, *digest_file(text)))
        else:
            data = text.encode("utf-8", "surrogatepass")
            found.append(InputFile(None, None, hashlib.sha256(data).hexdigest(), len(data)))
    return tuple(found)
