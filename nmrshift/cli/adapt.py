"""``nmrshift adapt``: a model that learned from a laboratory's own spectra."""

import json
from pathlib import Path

import click

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.argument("records", nargs=-1, required=True, type=_FILE)
@click.option(
    "--out",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of the new model.",
)
@click.option("--model", type=click.Path(path_type=Path), help="Folder of another base model.")
@click.option(
    "--name",
    default="laboratory",
    show_default=True,
    help="Of the laboratory; `predict --source` asks for its convention by it.",
)
@click.option("--solvent", help="Solvent of spectra that name none.")
@click.option(
    "--control",
    multiple=True,
    type=_FILE,
    help="Public spectra whose error may grow by 5 % at most; repeatable.",
)
@click.option("--validation", default=0.2, show_default=True, help="Share of molecules held out.")
@click.option("--seed", default=1, show_default=True, help="Of every random choice.")
@click.option("--epochs", type=int, help="Passes over the spectra, at most.")
@click.option("--force", is_flag=True, help="Replace the model in the folder of --out.")
@click.option(
    "--private",
    is_flag=True,
    help="Learn a convention that gives no contributor away, and nothing else.",
)
@click.option(
    "--epsilon", type=float, default=8.0, show_default=True, help="Privacy budget of --private."
)
@click.option(
    "--delta",
    type=float,
    default=1e-5,
    show_default=True,
    help="Probability with which --private may give more away.",
)
@click.option(
    "--contributor-column",
    help="Column of a table that says whose a spectrum is, if not `source`; with --private.",
)
@click.option("--json", "as_json", is_flag=True, help="Write the report as JSON.")
def adapt(
    records: tuple[Path, ...],
    out: Path,
    model: Path | None,
    name: str,
    solvent: str | None,
    control: tuple[Path, ...],
    validation: float,
    seed: int,
    epochs: int | None,
    *,
    force: bool,
    private: bool,
    epsilon: float,
    delta: float,
    contributor_column: str | None,
    as_json: bool,
) -> None:
    """Learn from the spectra in RECORDS, a laboratory's own.

    RECORDS are files of shift records (.jsonl, .jsonl.gz) or anything `nmrshift data import`
    reads, assigned or bare peak lists, ten spectra or more. Some molecules are held out; on them
    the report compares the base model with the adapted one.
    """
    from nmrshift.adapt import AdaptReport
    from nmrshift.adapt import adapt as learn
    from nmrshift.adapt.private.ledger import Budget
    from nmrshift.adapt.private.run import PrivacySettings, PrivateReport, adapt_private
    from nmrshift.adapt.settings import AdaptSettings

    settings = AdaptSettings(name, solvent, validation, seed, epochs)
    report: AdaptReport | PrivateReport
    if private:
        if control or epochs is not None:
            raise click.UsageError("--control and --epochs do not go with --private")
        report = adapt_private(
            records,
            out,
            PrivacySettings(Budget(epsilon, delta)),
            model=model,
            settings=settings,
            contributor_column=contributor_column,
            force=force,
            report=_say,
        )
    elif contributor_column is not None:
        raise click.UsageError("--contributor-column goes with --private")
    else:
        report = learn(
            records,
            out,
            model=model,
            settings=settings,
            control=control,
            force=force,
            report=_say,
        )
    click.echo(json.dumps(report.to_dict(), indent=1) if as_json else report.to_text(), nl=as_json)


def _say(text: str) -> None:
    click.echo(text, err=True)
