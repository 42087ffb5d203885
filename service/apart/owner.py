"""A nursery as its owner sees it: started, asked for processes, ended."""

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import Any, Final

from service.apart.frames import Channel
from service.apart.page import Page, new_memory
from service.apart.task import Broken

_PROGRAM: Final[tuple[str, ...]] = (sys.executable, "-m", "service.apart.nursery")
START_S: Final[float] = 120.0
_ONE_THREAD: Final[dict[str, str]] = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"
)


_CPU_CLOCK: Final[int] = 2
"""CPUCLOCK_SCHED of the Linux kernel: with a process's number, the clock of all its threads
(clock_getcpuclockid(3))."""


class BrokenNurseryError(RuntimeError):
    """A nursery that cannot load what it is to load; the message may be logged."""


class Nursery:
    """The process from which others are forked; started when first needed, and again if it dies.

    Args:
        load: ``module:function`` of the :data:`~service.apart.nursery.Load` to use.
        arguments: what it is called with.
        memory_bytes: address space of a process.
    """

    def __init__(self, load: str, *arguments: str, memory_bytes: int) -> None:
        self._arguments = (str(memory_bytes), load, *arguments)
        self._lock = Lock()
        self._control: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._is_closed = False

    def start(self) -> None:
        """Start it, without waiting for it.

        Raises:
            OSError: it cannot be started, or has been closed.
        """
        with self._lock:
            self._start()

    def described(self) -> Any:
        """Start it anew and wait for what it says of what it has loaded.

        Raises:
            BrokenNurseryError: it could not load it.
            OSError: it died, or cannot be started.
        """
        with self._lock:
            self._stop()
            self._start()
            control = self._control
            assert control is not None
        channel = Channel(control)
        try:
            if not channel.is_ready(START_S):
                raise TimeoutError("the nursery does not get ready")
            told = channel.receive()
        except EOFError:
            raise ConnectionError("the nursery has died") from None
        if isinstance(told, Broken):
            raise BrokenNurseryError(told.reason)
        return told

    def fork(self) -> tuple[socket.socket, Page]:
        """Ask for a process; the first that it sends is its number.

        Raises:
            OSError: there is none to be had.
        """
        with self._lock:
            self._start()
            assert self._control is not None
            ours, theirs = socket.socketpair()
            memory = new_memory()
            try:
                socket.send_fds(self._control, [b"f"], [theirs.fileno(), memory])
            except OSError:
                ours.close()
                os.close(memory)
                self._stop()
                raise
            finally:
                theirs.close()
            return ours, Page(memory)

    @property
    def descriptor(self) -> int | None:
        """What becomes readable when it dies, once it has been described."""
        return None if self._control is None else self._control.fileno()

    def close(self) -> None:
        """End it, for good; its processes end when their sockets do."""
        with self._lock:
            self._is_closed = True
            self._stop()

    def _start(self) -> None:
        if self._is_closed:
            raise ConnectionError("the nursery is closed")
        if self._control is not None:
            return
        ours, theirs = socket.socketpair()
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
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
        if self._control is not None:
            self._control.close()
            self._control = None


def kill(pid: int) -> None:
    """End a process, whatever it does."""
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def give_way(pid: int, niceness: int) -> None:
    """Let a process run behind others, on one processor only, whatever it was started as.

    The kernel looks after a processor that is never idle too seldom: with slow processes on all of
    them, two that have work to do stay on one while a slow one has the other to itself.
    """
    with suppress(OSError):
        os.sched_setaffinity(pid, {max(os.sched_getaffinity(pid))})
    with suppress(OSError):
        os.sched_setscheduler(pid, os.SCHED_OTHER, os.sched_param(0))
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, pid, niceness)


def run_when_idle(pid: int) -> None:
    """Let a process have only what no other wants."""
    with suppress(OSError):
        os.sched_setscheduler(pid, os.SCHED_IDLE, os.sched_param(0))


def worked_s(pid: int) -> float:
    """Return how long a process has worked, seconds; 0 if there is none."""
    with suppress(OSError):
        return time.clock_gettime(~pid << 3 | _CPU_CLOCK)
    return 0.0
