"""``nmrshift audit``: how well spectra can be told to have been learned from."""

import json
from pathlib import Path

import click

from nmrshift.cli import options

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.argument("model", type=click.Path(path_type=Path))
@click.option(
    "--members", multiple=True, required=True, type=_FILE, help="Spectra that it learned from."
)
@click.option(
    "--non-members",
    multiple=True,
    required=True,
    type=_FILE,
    help="Spectra of the same kind that it did not learn from.",
)
@click.option(
    "--reference",
    type=click.Path(path_type=Path),
    help="Folder of a model that has seen neither, as the base; for the likelihood ratio.",
)
@options.SOURCE
@click.option("--json", "as_json", is_flag=True, help="Write the report as JSON.")
def audit(
    model: Path,
    members: tuple[Path, ...],
    non_members: tuple[Path, ...],
    reference: Path | None,
    source: str | None,
    *,
    as_json: bool,
) -> None:
    """Attack the model in the folder MODEL: who can be told to have contributed?

    Shares of members found that are close to the shares of false positives are what guessing
    gives.
    """
    from nmrshift import Predictor
    from nmrshift.adapt.audit import audit as attack

    report = attack(
        Predictor.load(model),
        members,
        non_members,
        reference=Predictor.load(reference) if reference else None,
        source=source,
    )
    click.echo(json.dumps(report.to_dict(), indent=1) if as_json else report.to_text(), nl=as_json)
