"""``nmrshift adapt``: a model that learned from a laboratory's own spectra."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click
from click.core import ParameterSource

from nmrshift.cli import options
from nmrshift.cli.private import privacy_settings

if TYPE_CHECKING:
    from nmrshift.adapt import AdaptReport
    from nmrshift.adapt.private.report import PrivateReport

_ORDINARY: Final = ("control", "epochs")
_PRIVATE: Final = (
    "contributor_column",
    "epsilon",
    "delta",
    "nuclei",
    "rounds",
    "own_references",
    "journal",
)
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.argument("records", nargs=-1, required=True, type=_FILE)
@click.option(
    "--out",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of the new model.",
)
@options.BASE
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
    "--contributor-column",
    help="Column that says whose a spectrum is; without it every file is of one contributor.",
)
@options.EPSILON
@options.DELTA
@options.LEARNED
@options.ROUNDS
@options.OWN_REFERENCES
@click.option(
    "--journal",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder in which you keep what was spent on these contributors.  [default: OUT.journal]",
)
@click.option("--json", "as_json", is_flag=True, help="Write the report as JSON.")
@click.pass_context
def adapt(
    ctx: click.Context,
    /,
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
    as_json: bool,
    **privacy: Any,
) -> None:
    """Learn from the spectra in RECORDS, a laboratory's own.

    RECORDS are files of shift records (.jsonl, .jsonl.gz) or anything `nmrshift data import`
    reads, assigned or bare peak lists, ten spectra or more. Some molecules are held out; on them
    the report compares the base model with the adapted one. With --private whole contributors are
    held out, and the options from --contributor-column to --journal count.
    """
    _check_options(ctx, private=private)
    from nmrshift.adapt.settings import AdaptSettings

    settings = AdaptSettings(name, solvent, validation, seed, epochs)
    common: dict[str, Any] = {"model": model, "settings": settings, "force": force, "report": _say}
    report: AdaptReport | PrivateReport
    if private:
        report = _learn_privately(records, out, **privacy, **common)
    else:
        report = _learn(records, out, control=control, **common)
    click.echo(json.dumps(report.to_dict(), indent=1) if as_json else report.to_text(), nl=as_json)


def _learn(records: Sequence[Path], out: Path, **options: Any) -> "AdaptReport":
    from nmrshift.adapt import adapt as learn

    return learn(records, out, **options)


def _learn_privately(
    records: Sequence[Path],
    out: Path,
    *,
    epsilon: float,
    delta: float,
    nuclei: tuple[str, ...],
    rounds: int | None,
    own_references: bool,
    **options: Any,
) -> "PrivateReport":
    from nmrshift.adapt.private.run import adapt_private

    privacy = privacy_settings(epsilon, delta, nuclei, rounds, own_references=own_references)
    return adapt_private(records, out, privacy, **options)


def _check_options(ctx: click.Context, *, private: bool) -> None:
    """Refuse options that would do nothing."""
    for name in _ORDINARY if private else _PRIVATE:
        if ctx.get_parameter_source(name) is ParameterSource.COMMANDLINE:
            shown = "nucleus" if name == "nuclei" else name.replace("_", "-")
            words = "does not go with" if private else "goes with"
            raise click.UsageError(f"--{shown} {words} --private")


def _say(text: str) -> None:
    click.echo(text, err=True)
