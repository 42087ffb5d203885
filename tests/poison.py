"""Reads molecules as the service does, and misbehaves for those with a certain name."""

import os
import signal
import time
from pathlib import Path
from typing import Any

from nmrshift.predict.prepare import Prepared
from nmrshift.types import Failure, Query
from service.apart.draw_task import Drawing, draw
from service.apart.task import Reading, read_query

READ = "poison:read"
DRAW = "poison:draw_badly"


def read(query: Query, reading: Reading) -> Prepared | Failure:
    """Hang, crash or fail on demand, else read."""
    misbehave(query.name)
    return read_query(query, reading)


def misbehave(name: str | None) -> None:
    """Do what a name asks for, if anything."""
    word, _, rest = (name or "").partition(" ")
    if word == "hang":
        while True:
            pass
    if word == "crash":
        os.kill(os.getpid(), signal.SIGSEGV)
    if word == "bug":
        raise ZeroDivisionError(name)
    if word == "memory":
        bytearray(1 << 40)
    if word == "slow":
        time.sleep(float(rest))
    if word == "crash-once" and not Path(rest).exists():
        Path(rest).touch()
        os.kill(os.getpid(), signal.SIGKILL)


def app() -> Any:
    """Return the application with processes that misbehave on demand."""
    from service.app import create_app

    return create_app(read=READ, draw=DRAW)


def draw_badly(drawing: Drawing) -> bytes | Failure:
    """Hang, crash or fail on demand, else draw."""
    misbehave(drawing.prediction.name)
    return draw(drawing)
