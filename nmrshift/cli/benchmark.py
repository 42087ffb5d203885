"""``nmrshift benchmark``: like-for-like protocols, each with its own training."""

from pathlib import Path

import click

from nmrshift.benchmark.methods import METHODS

SOLVENTS = "solvents"
NAMES = ("seed-19f", "seed-curve", "exp5k", "pfas", "fragments", "nmrshiftdb2", SOLVENTS)


@click.command()
@click.argument("names", nargs=-1, required=True, type=click.Choice(NAMES))
@click.option(
    "--data",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=Path("../shared/data"),
    show_default=True,
    help="Folder of the spectra (docs/data.md).",
)
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("runs/benchmark"),
    show_default=True,
    help="Folder for runs and results.",
)
@click.option("--model", type=click.Path(path_type=Path), help="Stands for the shipped model.")
@click.option(
    "--encoder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="A pretrained encoder: adds rows that start from it.",
)
@click.option(
    "--seeds",
    type=click.IntRange(1, 20),
    default=1,
    show_default=True,
    help="Trainings of each kind, from seed 1.",
)
@click.option(
    "--method",
    "methods",
    multiple=True,
    type=click.Choice(list(METHODS)),
    help="Measure this method only, in all protocols but solvents. May be given again.",
)
@click.option("--quiet", is_flag=True, help="No progress bars.")
def benchmark(
    names: tuple[str, ...],
    data: Path,
    out: Path,
    model: Path | None,
    encoder: Path | None,
    *,
    seeds: int,
    methods: tuple[str, ...],
    quiet: bool,
) -> None:
    """Carry out the protocols NAMES and print their table.

    A protocol fixes who learns from which spectra and what is measured: nmrshift from these
    spectra alone, and with --encoder from bare structures before, the network of the seed paper
    (doi 10.1186/s13321-023-00785-x) from the same, a HOSE table of the same, and the shipped model.
    With several --seeds the networks of all seeds answer in the mean as well.
    Results are kept in the folder of --out; what was cut off goes on there when the command is
    given again.
    """
    from nmrshift.benchmark.protocols import PROTOCOLS
    from nmrshift.benchmark.runner import Runner
    from nmrshift.benchmark.solvents import solvents, solvents_markdown
    from nmrshift.benchmark.spectra import Library
    from nmrshift.benchmark.table import markdown

    def report(text: str) -> None:
        click.echo(text, err=True)

    runner = Runner(out, model, encoder, report, quiet)
    library = Library(data)
    results = [
        result
        for name in dict.fromkeys(names)
        if name != SOLVENTS
        for result in runner.run(
            cell
            for cell in PROTOCOLS[name](library, seeds)
            if not methods or cell.method in methods
        )
    ]
    if results:
        click.echo(markdown(results))
    elif SOLVENTS not in names:
        raise click.UsageError(
            "There is nothing to measure: several networks need --seeds above 1, pretrained ones "
            "--encoder, and not every protocol has every method."
        )
    if SOLVENTS in names:
        click.echo(solvents_markdown(list(solvents(library, out, model, report, quiet=quiet))))
