"""Readers as their owner sees them: started, asked, killed."""

import os
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from threading import Lock
from typing import Any, Final

from service.reading.nursery import PID
from service.reading.task import Task

_PROGRAM: Final[tuple[str, ...]] = (sys.executable, "-m", "service.reading.nursery")
_NICENESS: Final[int] = 15
_START_S: Final[float] = 120.0
_ONE_THREAD: Final[dict[str, str]] = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"
)


class Reader:
    """One process that reads molecules, behind a pipe of its own."""

    def __init__(self, pid: int, connection: "Connection[Any, Any]") -> None:
        self.pid = pid
        self._connection = connection

    def send(self, task: Task) -> None:
        """Hand out molecules.

        Raises:
            OSError: the process is dead.
        """
        self._connection.send(task)

    def receive(self, timeout_s: float) -> Any:
        """Return the answer to the next molecule, or ``None`` if there is none yet.

        Raises:
            EOFError: the process is dead.
            OSError: the process is dead.
        """
        if not self._connection.poll(max(0.0, timeout_s)):
            return None
        return self._connection.recv()

    def give_way(self) -> None:
        """Let the process run behind all others."""
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, self.pid, _NICENESS)

    def kill(self) -> None:
        """End the process, whatever it does."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        self._connection.close()


class Nursery:
    """The process from which readers are forked; started when first needed, and again if it dies.

    Args:
        read: ``module:function`` of the :class:`~service.reading.task.Read` to use.
        memory_bytes: address space of a reader.
    """

    def __init__(self, read: str, memory_bytes: int) -> None:
        self._arguments = (read, str(memory_bytes))
        self._lock = Lock()
        self._control: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._is_closed = False

    def start(self) -> None:
        """Start it ahead of time, without waiting for it."""
        with self._lock, suppress(OSError):
            self._start()

    def fork(self) -> Reader:
        """Return a new reader.

        Raises:
            OSError: there is none to be had.
        """
        with self._lock:
            self._start()
            try:
                return self._fork()
            except OSError:
                self._stop()
                raise

    def close(self) -> None:
        """End the nursery, for good; readers end when their pipes do."""
        with self._lock:
            self._is_closed = True
            self._stop()

    def _fork(self) -> Reader:
        assert self._control is not None
        ours, theirs = socket.socketpair()
        with ours, theirs:
            socket.send_fds(self._control, [b"f"], [theirs.fileno()])
            word = self._control.recv(PID.size)
            if len(word) < PID.size:
                raise ConnectionError("the nursery has died")
            return Reader(PID.unpack(word)[0], Connection(ours.detach()))

    def _start(self) -> None:
        if self._is_closed:
            raise ConnectionError("the nursery is closed")
        if self._control is not None:
            return
        ours, theirs = socket.socketpair()
        ours.settimeout(_START_S)
        root = str(Path(__file__).resolve().parents[2])
        path = os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH"))))
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603 - our own module
                [*_PROGRAM, str(theirs.fileno()), *self._arguments],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=(theirs.fileno(),),
                start_new_session=True,
                env={**os.environ, **_ONE_THREAD, "PYTHONPATH": path},
            )
        self._control = ours

    def _stop(self) -> None:
        if self._control is not None:
            self._control.close()
            self._control = None
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
