"""Run as a program: loads what the work takes, and forks a process for it whenever it is asked.

A fork takes milliseconds where a new interpreter takes seconds, so that a process which had to be
killed is replaced at once, and what was loaded is there once for all. This process has one thread
and no network: it may fork.
"""

import os
import resource
import signal
import socket
import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any, Final, NamedTuple, cast

from nmrshift.collector import collect_seldom
from nmrshift.errors import NmrshiftError
from service.apart.frames import Channel
from service.apart.page import Page
from service.apart.task import Broken
from service.places import places_of

N_DESCRIPTORS: Final[int] = 2
"""What a new process is given: its socket and its page."""

Work = Callable[[Channel, Page], None]
"""Does one task that comes through the channel, again and again."""


class Ready(NamedTuple):
    """What has been loaded.

    Attributes:
        work: what a process does.
        told: what the owner is to know of it.
        warm_up: what a process does before it says that it is there.
    """

    work: Work
    told: object
    warm_up: Callable[[], object] | None = None


Load = Callable[..., Ready]
"""Loads what the work takes."""


def main() -> None:
    """Serve the control socket whose descriptor is the first argument, until it closes.

    The other arguments: address space of a process in bytes, ``module:function`` of a ``Load``,
    and what it is called with.
    """
    control = socket.socket(fileno=int(sys.argv[1]))
    memory_bytes = int(sys.argv[2])
    try:
        module, name = sys.argv[3].split(":")
        load = cast("Load", getattr(import_module(module), name))
        ready = load(*sys.argv[4:])
    except Exception as error:  # noqa: BLE001 - whatever it is, the owner must know
        Channel(control).send(_broken(error))
        return
    collect_seldom()
    Channel(control).send(ready.told)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        word, descriptors, _, _ = socket.recv_fds(control, 1, N_DESCRIPTORS)
        if not word:
            return
        if os.fork() == 0:
            control.close()
            _become_worker(descriptors, ready, memory_bytes)
        for descriptor in descriptors:
            os.close(descriptor)


def _become_worker(descriptors: list[int], ready: Ready, memory_bytes: int) -> None:
    """Say which process this is and work until the channel closes; never return."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        channel = Channel(socket.socket(fileno=descriptors[0]))
        page = Page(descriptors[1])
        if ready.warm_up is not None:
            ready.warm_up()
        channel.send(os.getpid())
        while True:
            ready.work(channel, page)
    except (EOFError, OSError):
        os._exit(0)
    finally:
        os._exit(1)


def _broken(error: Exception) -> Broken:
    """Return why nothing was loaded; of what was not foreseen only the place."""
    if isinstance(error, NmrshiftError | OSError):
        return Broken(str(error))
    return Broken(f"unforeseen {type(error).__name__} at {places_of(error)}")


def alarm(seconds: float) -> Any:
    """End this process after so many seconds, should its owner be dead and not do it; 0: never."""
    return signal.setitimer(signal.ITIMER_REAL, seconds)


if __name__ == "__main__":
    main()
