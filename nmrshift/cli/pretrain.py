"""``nmrshift pretrain``: from bare structures to an encoder folder."""

from pathlib import Path

import click

from nmrshift.cli.options import CONFIG, QUIET, RESUME, RUN_FOLDER


@click.command()
@CONFIG
@RUN_FOLDER
@RESUME
@QUIET
def pretrain(config: Path, out: Path | None, *, resume: bool, quiet: bool) -> None:
    """Pretrain an encoder on molecules without spectra, as CONFIG (TOML) says.

    A run that was killed at any moment goes on with --resume and ends with the same weights.
    The folder gets metrics.jsonl, a checkpoint and the encoder in encoder/, which the setting
    start_from of `nmrshift train` takes.
    """
    from nmrshift.pretrain.config import load_pretrain_config
    from nmrshift.pretrain.run import run_pretraining

    settings = load_pretrain_config(config)
    folder = out or Path("runs") / f"{settings.name}-{settings.version}"
    artifact = run_pretraining(
        settings,
        folder,
        resume=resume,
        report=lambda text: click.echo(text, err=True),
        quiet=quiet,
    )
    click.echo(str(artifact.path))
