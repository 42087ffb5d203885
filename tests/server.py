"""The service as it runs: a process, asked over a socket."""

import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

TESTS = Path(__file__).resolve().parent
START_S = 120.0
READ_TIMEOUT_S = 1.0


@dataclass
class Server:
    """A running service.

    Attributes:
        process: the process.
        port: its port on this machine.
        log: lines that it wrote.
    """

    process: subprocess.Popen
    port: int
    log: list[str]

    @property
    def url(self):
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def running(model, *, wait=True, arguments=(), app=None, **settings) -> Iterator[Server]:
    """Run ``nmrshift serve``, or an application of these tests by its name.

    Settings are those of the environment, in lower case.
    """
    command = [sys.executable, "-m", "nmrshift", "serve", "--port", "0", "--model", str(model)]
    if app is not None:
        command = [sys.executable, "-m", "uvicorn", "--factory", app, "--port", "0"]
    command += arguments
    settings = {"read_timeout_s": READ_TIMEOUT_S, "model": model, **settings}
    environment = {f"NMRSHIFT_{name.upper()}": str(value) for name, value in settings.items()}
    path = os.pathsep.join(filter(None, (str(TESTS), os.environ.get("PYTHONPATH"))))
    environment = {**os.environ, **environment, "PYTHONPATH": path}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment
    ) as process:
        log = []
        reader = threading.Thread(target=lambda: log.extend(process.stdout), daemon=True)
        reader.start()
        try:
            server = Server(process, _port(process, log), log)
            if wait:
                wait_until_ready(server)
            yield server
        finally:
            process.kill()
            reader.join(5)


def _port(process, log):
    end = time.monotonic() + START_S
    while time.monotonic() < end and process.poll() is None:
        found = re.search(r"running on http://127\.0\.0\.1:(\d+)", "".join(log))
        if found:
            return int(found[1])
        time.sleep(0.02)
    raise AssertionError("".join(log))


def wait_until_ready(server):
    """Ask until the service is ready."""
    end = time.monotonic() + START_S
    while not _is_ready(server):
        assert time.monotonic() < end, "".join(server.log)
        time.sleep(0.02)


def _is_ready(server):
    try:
        return httpx.get(f"{server.url}/health/ready", timeout=START_S).status_code == 200
    except (
        httpx.ConnectError,  # several workers share a socket that is bound before it listens
        httpx.RemoteProtocolError,  # on a machine that stood still the head came too late
    ):
        return False
