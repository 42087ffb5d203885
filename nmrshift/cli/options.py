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
MODEL: Final = click.option(
    "--model", type=click.Path(path_type=Path), help="Folder of another model."
)
