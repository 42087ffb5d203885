"""Reads molecules as the service does, and misbehaves for those with a certain name."""

import os
import signal
import time
from pathlib import Path

from nmrshift.predict.prepare import Prepared
from nmrshift.types import Failure, Query
from service.reading.task import Reading, read_query

READ = "poison:read"


def read(query: Query, reading: Reading) -> Prepared | Failure:
    """Hang, crash or fail on demand, else read."""
    word, _, rest = (query.name or "").partition(" ")
    if word == "hang":
        while True:
            pass
    if word == "crash":
        os.kill(os.getpid(), signal.SIGSEGV)
    if word == "bug":
        raise ZeroDivisionError(query.structure)
    if word == "memory":
        bytearray(1 << 40)
    if word == "slow":
        time.sleep(float(rest))
    if word == "crash-once" and not Path(rest).exists():
        Path(rest).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return read_query(query, reading)
