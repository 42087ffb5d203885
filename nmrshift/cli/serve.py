"""``nmrshift serve``: the HTTP service."""

import copy
import os
from pathlib import Path
from typing import Any, Final

import click

APP: Final[str] = "service.app:create_app"
"""Named, not imported: the library knows nothing of the service."""

LEVELS: Final[tuple[str, ...]] = ("critical", "error", "warning", "info", "debug")


@click.command()
@click.option("--host", envvar="NMRSHIFT_HOST", show_envvar=True, default="127.0.0.1")
@click.option(
    "--port",
    envvar="NMRSHIFT_PORT",
    show_envvar=True,
    type=click.IntRange(0, 65535),
    default=8000,
    show_default=True,
)
@click.option(
    "--model",
    envvar="NMRSHIFT_MODEL",
    show_envvar=True,
    type=click.Path(path_type=Path),
    help="Folder of another model.",
)
@click.option(
    "--log-level",
    envvar="NMRSHIFT_LOG_LEVEL",
    show_envvar=True,
    type=click.Choice(LEVELS, case_sensitive=False),
    default="info",
    show_default=True,
)
@click.option(
    "--workers",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    help="Processes; each holds its own copy of the model.",
)
def serve(host: str, port: int, model: Path | None, log_level: str, workers: int) -> None:
    """Serve predictions over HTTP until stopped; docs/service.md has the requests."""
    import uvicorn

    settings = {"HOST": host, "PORT": str(port), "LOG_LEVEL": log_level}
    if model is not None:
        settings["MODEL"] = str(model)
    os.environ.update({f"NMRSHIFT_{name}": value for name, value in settings.items()})
    uvicorn.run(
        APP,
        log_config=log_config(log_level),
        factory=True,
        host=host,
        port=port,
        workers=workers,
        log_level=log_level.lower(),
        server_header=False,
        timeout_graceful_shutdown=30,
    )


def log_config(level: str) -> dict[str, Any]:
    """Return uvicorn's logging with our own loggers added; paths and counts, never bodies."""
    from uvicorn.config import LOGGING_CONFIG

    config = copy.deepcopy(LOGGING_CONFIG)
    config["loggers"]["nmrshift"] = {
        "handlers": ["default"],
        "level": level.upper(),
        "propagate": False,
    }
    return config
