"""Options that several commands have, each said once."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from nmrshift.model.shipped import TIERS, Tier, shipped_model
from nmrshift.types import DEFAULT_NUCLEI

Command = TypeVar("Command", bound=Callable[..., Any])

_TIER: Final = "nmrshift.tier"

NUCLEI: Final = click.option(
    "--nucleus",
    "nuclei",
    multiple=True,
    default=DEFAULT_NUCLEI,
    show_default=True,
    help="Nucleus to predict, for example 13C or f19; repeat for more.",
)
SOURCE: Final = click.option(
    "--source", help="Reference convention: a data source that the model knows."
)
INTERVAL: Final = click.option(
    "--interval",
    type=click.FloatRange(0.5, 0.99),
    default=0.9,
    show_default=True,
    help="Share of true shifts that the intervals are to hold.",
)
CONFIG: Final = click.argument(
    "config", type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
RUN_FOLDER: Final = click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    help="Run folder.  [default: runs/<name>-<version>]",
)
RESUME: Final = click.option(
    "--resume", is_flag=True, help="Go on with the run that the folder holds."
)
QUIET: Final = click.option("--quiet", is_flag=True, help="No progress bar.")


def _keep_tier(context: click.Context, parameter: click.Parameter, value: Tier | None) -> None:
    del parameter
    context.meta[_TIER] = value


def _model_or_tier(
    context: click.Context, parameter: click.Parameter, value: Path | None
) -> Path | None:
    """Return the folder named, or that of the tier."""
    tier = context.meta.get(_TIER)
    if tier is None:
        return value
    if value is not None:
        raise click.BadParameter("not together with --tier", context, parameter)
    return shipped_model(tier)


def model(variables: bool = False) -> Callable[[Command], Command]:
    """Return the decorator that gives a command ``--model`` and ``--tier``.

    The command takes one argument ``model``: a folder, or nothing for the model of the fast tier.

    Args:
        variables: read ``NMRSHIFT_MODEL`` and ``NMRSHIFT_TIER`` where the options are not given.
    """

    def decorate(command: Command) -> Command:
        folder = click.option(
            "--model",
            type=click.Path(path_type=Path),
            envvar="NMRSHIFT_MODEL" if variables else None,
            show_envvar=variables,
            callback=_model_or_tier,
            help="Folder of another model.",
        )
        tier = click.option(
            "--tier",
            type=click.Choice(list(TIERS)),
            envvar="NMRSHIFT_TIER" if variables else None,
            show_envvar=variables,
            is_eager=True,
            expose_value=False,
            callback=_keep_tier,
            help="One network, or several that answer together at as many times the cost.",
        )
        return folder(tier(command))

    return decorate


MODEL: Final = model()
BASE: Final = click.option(
    "--model", type=click.Path(path_type=Path), help="Folder of another base model."
)
EPSILON: Final = click.option(
    "--epsilon", type=float, default=8.0, show_default=True, help="Privacy budget."
)
DELTA: Final = click.option(
    "--delta",
    type=float,
    default=1e-5,
    show_default=True,
    help="Probability with which more than epsilon may be given away.",
)
LEARNED: Final = click.option(
    "--nucleus",
    "nuclei",
    multiple=True,
    help="Nucleus to learn privately from; repeat for more.  [default: all of the base]",
)
ROUNDS: Final = click.option(
    "--rounds", type=int, help="How often contributors are asked in private learning."
)
OWN_REFERENCES: Final = click.option(
    "--own-references",
    is_flag=True,
    help="Each contributor's constant offset stays with it, and is not learned.",
)
