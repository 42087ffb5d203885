"""``nmrshift train``: from a configuration to a model folder."""

from pathlib import Path

import click

from nmrshift.cli.options import CONFIG, QUIET, RESUME, RUN_FOLDER


@click.command()
@CONFIG
@RUN_FOLDER
@RESUME
@QUIET
def train(config: Path, out: Path | None, *, resume: bool, quiet: bool) -> None:
    """Train a model as CONFIG (TOML) says.

    A run that was killed at any moment goes on with --resume and ends with the same weights.
    The folder gets metrics.jsonl, a checkpoint and the model in model/.
    """
    from nmrshift.train.config import load_config
    from nmrshift.train.run import run_training

    settings = load_config(config)
    folder = out or Path("runs") / f"{settings.name}-{settings.version}"
    artifact = run_training(
        settings,
        folder,
        resume=resume,
        report=lambda text: click.echo(text, err=True),
        quiet=quiet,
    )
    click.echo(str(artifact.path))
