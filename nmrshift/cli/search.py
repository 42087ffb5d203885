"""``nmrshift search``: architectures compared by a short pretraining and few spectra."""

from pathlib import Path

import click


@click.command()
@click.argument("config", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of the study.  [default: runs/search/<name>]",
)
@click.option("--trials", type=click.IntRange(min=1), help="Architectures, instead of CONFIG's.")
@click.option(
    "--check",
    type=click.IntRange(min=3),
    help="Train so many architectures in full and compare the two rankings.",
)
@click.option("--quiet", is_flag=True, help="No progress bars.")
def search(
    config: Path, out: Path | None, trials: int | None, check: int | None, *, quiet: bool
) -> None:
    """Search an architecture as CONFIG (TOML) says, and print what was found.

    Each architecture is pretrained shortly and fine-tuned on a few spectra; its error on others
    that are held out, and the molecules it encodes a second, are what is searched by. Those that
    are clearly beaten are given up early. The study lies in a folder: the command given again goes
    on. Needs optuna: pip install "nmrshift[search]".
    """
    from nmrshift.search.check import check_ranking
    from nmrshift.search.config import load_search_config
    from nmrshift.search.study import run_search
    from nmrshift.search.table import markdown, ranking_table

    def say(text: str) -> None:
        click.echo(text, err=True)

    settings = load_search_config(config)
    if trials is not None:
        settings = settings.model_copy(update={"trials": trials})
    folder = out or Path("runs") / "search" / settings.name
    click.echo(markdown(run_search(settings, folder, say)))
    if check is not None:
        ranking = check_ranking(settings, folder, check, say, quiet=quiet)
        click.echo("\n" + ranking_table(ranking))
