"""What signals mean to the service: SIGTERM drains it, SIGHUP loads the model again."""

import asyncio
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

Handler = Callable[[int, FrameType | None], Any]


@contextmanager
def handled(
    *, on_drain: Callable[[], None], on_reload: Callable[[], None], delay_s: float
) -> Iterator[None]:
    """Handle signals within the block, in front of the server's own handlers.

    Nothing is done outside the main thread, which cannot have handlers.

    Args:
        on_drain: called on SIGTERM and SIGINT; the server is told ``delay_s`` later.
        on_reload: called on SIGHUP.
        delay_s: seconds in which the service says that it is not ready, and still answers.
    """
    if not owns_process():
        yield
        return
    loop = asyncio.get_running_loop()
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    hangup = signal.getsignal(signal.SIGHUP)

    def pass_on(number: int, frame: FrameType | None) -> None:
        then = before[signal.Signals(number)]
        if callable(then):
            then(number, frame)
        elif then is not signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)

    def drain(number: int, frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(on_drain)
        loop.call_soon_threadsafe(loop.call_later, delay_s, pass_on, number, frame)

    for number in before:
        signal.signal(number, drain)
    signal.signal(signal.SIGHUP, lambda *_: loop.call_soon_threadsafe(on_reload))
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        signal.signal(signal.SIGHUP, hangup)


def owns_process() -> bool:
    """Return whether this is the main thread: the service is what the process is for."""
    return threading.current_thread() is threading.main_thread()


def end_with_parent() -> None:
    """See to it that one of several workers drains and ends when what started them is killed."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_follow, args=(parent,), daemon=True, name="parent").start()


def _follow(parent: multiprocessing.process.BaseProcess) -> None:
    parent.join()
    os.kill(os.getpid(), signal.SIGTERM)
