"""``nmrshift serve``: the HTTP service."""

import copy
import os
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from nmrshift.cli import options
from nmrshift.cli.exits import ExitCode

if TYPE_CHECKING:
    from uvicorn import Config

APP: Final[str] = "service.app:create_app"
"""Named, not imported: the library knows nothing of the service."""

HTTP: Final[str] = "service.wire:PromptHttp"
"""The service's own HTTP protocol, named for the same reason."""

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
@options.model(variables=True)
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
    config = uvicorn.Config(
        APP,
        factory=True,
        http=HTTP,
        host=host,
        port=port,
        workers=workers,
        log_config=log_config(log_level),
        log_level=log_level.lower(),
        server_header=False,
        timeout_graceful_shutdown=30,
    )
    if not run(config):
        raise click.exceptions.Exit(ExitCode.ERROR)


def run(config: "Config") -> bool:
    """Run until stopped; return whether the server ever listened."""
    from uvicorn import Server
    from uvicorn.supervisors import Multiprocess

    if config.workers > 1:
        Multiprocess(config, sockets=[listen(config)]).run()
        return True
    server = Server(config)
    server.run()
    return server.started


def listen(config: "Config") -> socket.socket:
    """Return the socket that several workers share.

    Connections inherit ``TCP_NODELAY`` from it. Without, every answer but the first of a
    connection waits 40 ms for the client's acknowledgement (github.com/Kludex/uvicorn/issues/3149).
    """
    listener = config.bind_socket()
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


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
