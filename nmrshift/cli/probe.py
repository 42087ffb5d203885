"""``nmrshift probe``: the judge of encoders."""

import re
from pathlib import Path

import click

ALL = "all"


@click.command()
@click.argument("encoders", nargs=-1, required=True, metavar="ENCODER...")
@click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("../shared/data"),
    help="Folder of the spectra (docs/data.md).  [default: ../shared/data]",
)
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("runs/probe"),
    show_default=True,
    help="Folder of the results, one file an encoder.",
)
@click.option(
    "--like",
    type=click.Path(exists=True, path_type=Path),
    help="Encoder, model or configuration with the shape of fresh weights; else the first folder.",
)
@click.option(
    "--size",
    "sizes",
    multiple=True,
    default=("100", "250", "500", ALL),
    show_default=True,
    help="Spectra to fine-tune on, a number or 'all'; repeat for more.",
)
@click.option(
    "--nucleus", "nuclei", multiple=True, type=click.Choice(["13C", "19F"]), help="Only this one."
)
@click.option(
    "--seeds", type=click.IntRange(1, 20), default=3, show_default=True, help="Runs of each size."
)
@click.option("--plot", type=click.Path(path_type=Path), help="Learning curves, as SVG.")
def probe(
    encoders: tuple[str, ...],
    data: Path,
    out: Path,
    like: Path | None,
    sizes: tuple[str, ...],
    nuclei: tuple[str, ...],
    seeds: int,
    plot: Path | None,
) -> None:
    """Judge each ENCODER by what few spectra make of it, and print their tables.

    ENCODER is the folder of a pretrained encoder or of a model, 'random' for fresh weights, or the
    result file (.json) of an earlier probe. LABEL=ENCODER gives it a name of its own. Frozen
    features are probed by linear maps and neighbours; then the whole encoder is fine-tuned on some
    spectra of 13C and of 19F in CDCl3 and measured on nmrshiftdb2/test. What was cut off goes on
    when the command is given again.
    """
    from nmrshift.benchmark.spectra import Library
    from nmrshift.probe.curves import learning_curves
    from nmrshift.probe.result import ProbeResult, read_result
    from nmrshift.probe.run import Judge
    from nmrshift.probe.settings import ProbeSettings
    from nmrshift.probe.spectra import NUCLEI, judging_spectra
    from nmrshift.probe.subjects import RANDOM, find_subject
    from nmrshift.probe.table import markdown
    from nmrshift.train.checkpoint import write_whole

    def say(text: str) -> None:
        click.echo(text, err=True)

    folders = [text.partition("=")[2] or text for text in encoders]
    shapes = [Path(name) for name in folders if name != RANDOM and not name.endswith(".json")]
    like = like or (shapes[0] if shapes else None)
    cells = [None if size == ALL else _number(size) for size in sizes]
    judges: dict[str, Judge] = {}

    def judged(text: str) -> ProbeResult:
        if text.endswith(".json"):
            return read_result(Path(text.rpartition("=")[2]))
        subject = find_subject(text, like)
        features = subject.config.features
        if features not in judges:
            spectra = judging_spectra(Library(data), features, say)
            judges[features] = Judge.of(spectra, ProbeSettings(), say)
        path = out / f"{re.sub(r'[^A-Za-z0-9._+-]+', '-', subject.label)}.json"
        return judges[features].run(
            subject, path, nuclei=nuclei or NUCLEI, sizes=cells, seeds=seeds
        )

    results = [judged(text) for text in encoders]
    if plot is not None:
        write_whole(plot, learning_curves(results).encode())
    click.echo(markdown(results))


def _number(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise click.BadParameter(f"{text!r} is neither a number nor 'all'", param_hint="--size")
    return int(text)
