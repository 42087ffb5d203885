"""``nmrshift verify``: is a folder of parts complete and undamaged?"""

import click

from nmrshift.cli.exits import ExitCode
from nmrshift.io.store import open_store
from nmrshift.parallel.verify import verify_parts


@click.command()
@click.argument("out", metavar="OUT")
def verify(out: str) -> None:
    """Check every part that `nmrshift predict --part-rows` wrote to OUT against its manifest.

    Exit code 0: the run is complete and every part is what was written, byte for byte. Exit
    code 1: it is not; each line of stdout says what is wrong.
    """
    found = verify_parts(open_store(out))
    for problem in found.problems:
        click.echo(problem)
    click.echo(f"{found.n_parts} parts are whole, {found.tally.summary()}", err=True)
    raise click.exceptions.Exit(ExitCode.ERROR if found.problems else ExitCode.OK)
