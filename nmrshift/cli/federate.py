"""``nmrshift federate``: private learning over a folder, spectra staying where they are."""

from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from nmrshift.cli import options
from nmrshift.cli.private import privacy_settings

if TYPE_CHECKING:
    from nmrshift.adapt.private.federated.coordinator import Standing
    from nmrshift.adapt.private.federated.member import Member

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_FOLDER = click.Path(file_okay=False, path_type=Path)
_THERE = click.Path(exists=True, file_okay=False, path_type=Path)

_EXCHANGE: Final = click.argument("exchange", type=_THERE)
_COORDINATOR: Final = click.option(
    "--coordinator",
    type=_FOLDER,
    required=True,
    help="Folder that the coordinator keeps to itself: keys and ledger.",
)
_LABORATORY: Final = click.option("--laboratory", required=True, help="Your name in it.")
_KEY: Final = click.option("--key", type=_FILE, required=True, help="Your key.")


@click.group()
def federate() -> None:
    """Learn a convention together by exchanging files in a folder; no server, no spectra."""


@federate.command()
@click.argument("exchange", type=_FOLDER)
@_COORDINATOR
@click.option(
    "--laboratory",
    "laboratories",
    multiple=True,
    required=True,
    help="Name of one that takes part; repeat, ten times at least.",
)
@click.option("--name", default="consortium", show_default=True, help="Of the convention.")
@options.BASE
@options.EPSILON
@options.DELTA
@options.LEARNED
@options.ROUNDS
@options.OWN_REFERENCES
def start(
    exchange: Path,
    coordinator: Path,
    laboratories: tuple[str, ...],
    name: str,
    model: Path | None,
    epsilon: float,
    delta: float,
    nuclei: tuple[str, ...],
    rounds: int | None,
    *,
    own_references: bool,
) -> None:
    """Begin a federation in the folder EXCHANGE; done by the coordinator.

    Send every laboratory its key, COORDINATOR/keys/NAME.key, by a way of its own.
    """
    from nmrshift.adapt.private.federated.coordinator import start as begin
    from nmrshift.adapt.run import base_of

    settings = privacy_settings(epsilon, delta, nuclei, rounds, own_references=own_references)
    _say(begin(exchange, coordinator, laboratories, name, base_of(model), settings))


@federate.command()
@_EXCHANGE
@click.argument("records", nargs=-1, required=True, type=_FILE)
@_LABORATORY
@_KEY
@options.BASE
@click.option("--solvent", help="Solvent of spectra that name none.")
@click.option("--epsilon", type=float, default=8.0, show_default=True, help="Your own limit.")
@click.option(
    "--journal", type=_FOLDER, help="Folder with your own ledger.  [default: KEY.journal]"
)
def update(
    exchange: Path,
    records: tuple[Path, ...],
    laboratory: str,
    key: Path,
    model: Path | None,
    solvent: str | None,
    epsilon: float,
    journal: Path | None,
) -> None:
    """Answer the present round with the spectra in RECORDS; done by every laboratory."""
    from nmrshift.adapt.private.journal import Journal

    book = Journal(journal or key.with_name(f"{key.name}.journal"))
    number, spent = _member(exchange, laboratory, key, model).update(
        records, book, epsilon=epsilon, solvent=solvent
    )
    click.echo(f"round {number} answered; epsilon {spent:.3f} spent at most", err=True)


@federate.command()
@_EXCHANGE
@_COORDINATOR
@click.option("--without-missing", is_flag=True, help="Do without those that sent nothing.")
def join(exchange: Path, coordinator: Path, *, without_missing: bool) -> None:
    """Join the updates with noise, and begin the next round; done by the coordinator."""
    from nmrshift.adapt.private.federated.coordinator import join as advance

    _say(advance(exchange, coordinator, without_missing=without_missing))


@federate.command()
@_EXCHANGE
@_LABORATORY
@_KEY
@options.BASE
@click.option("--out", type=_FOLDER, required=True, help="Folder of the new model.")
@click.option("--force", is_flag=True, help="Replace the model in the folder of --out.")
def finish(
    exchange: Path, laboratory: str, key: Path, model: Path | None, out: Path, *, force: bool
) -> None:
    """Write the model that a complete federation came to; done by everybody."""
    predictor = _member(exchange, laboratory, key, model).finish(out, force=force)
    click.echo(f"model {predictor.identity} in {out}", err=True)


def _member(exchange: Path, laboratory: str, key: Path, model: Path | None) -> "Member":
    from nmrshift.adapt.private.federated.member import Member
    from nmrshift.adapt.run import base_of

    return Member(exchange, laboratory, key, base_of(model))


def _say(standing: "Standing") -> None:
    spent = f"epsilon {standing.epsilon:.3f} spent, delta {standing.delta:g}"
    if standing.is_complete:
        click.echo(f"complete after {standing.number} rounds; {spent}", err=True)
    else:
        click.echo(f"round {standing.number} of {standing.n_rounds} waits; {spent}", err=True)
