"""Run as a program: loads the chemistry once and forks a reader whenever it is asked for one.

A fork takes milliseconds where a new interpreter takes a second, so that a reader which had to
be killed is replaced at once. This process has one thread and no network: it may fork.
"""

import os
import resource
import signal
import socket
import struct
import sys
from importlib import import_module
from multiprocessing.connection import Connection
from typing import Any, Final, cast

from service.places import places_of
from service.reading.task import Fault, Read, Task

PID: Final = struct.Struct("!i")
_GRACE_S: Final[float] = 1.0


def main() -> None:
    """Serve the control socket whose file descriptor is the first argument, until it closes."""
    control = socket.socket(fileno=int(sys.argv[1]))
    module, name = sys.argv[2].split(":")
    read = cast("Read", getattr(import_module(module), name))
    memory_bytes = int(sys.argv[3])
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        word, descriptors, _, _ = socket.recv_fds(control, 1, 1)
        if not word:
            return
        pid = os.fork()
        if pid == 0:
            control.close()
            _become_reader(Connection(descriptors[0]), read, memory_bytes)
        os.close(descriptors[0])
        control.sendall(PID.pack(pid))


def _become_reader(connection: "Connection[Any, Any]", read: Read, memory_bytes: int) -> None:
    """Answer tasks until the connection closes; never return."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        while True:
            _answer(connection, read)
    except (EOFError, OSError):
        os._exit(0)
    finally:
        os._exit(1)


def _answer(connection: "Connection[Any, Any]", read: Read) -> None:
    task: Task = connection.recv()
    for query in task.queries:
        # The parent keeps the clock. Should it be dead, the alarm ends a reader that hangs.
        signal.setitimer(signal.ITIMER_REAL, task.deadline_s + _GRACE_S)
        try:
            answer: object = read(query, task.reading)
        except Exception as error:  # noqa: BLE001 - one molecule's fault is that molecule's
            answer = Fault(type(error).__name__, places_of(error))
        connection.send(answer)
    signal.setitimer(signal.ITIMER_REAL, 0)


if __name__ == "__main__":
    main()
