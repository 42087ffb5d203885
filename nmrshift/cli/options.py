"""Options that several commands have, each said once."""

from pathlib import Path
from typing import Final

import click

from nmrshift.types import DEFAULT_NUCLEI

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
MODEL: Final = click.option(
    "--model", type=click.Path(path_type=Path), help="Folder of another model."
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
