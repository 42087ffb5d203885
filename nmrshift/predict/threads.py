"""Work on a stream in several threads, each with one of torch's threads."""

import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import chain, islice
from typing import TypeVar

import torch

Item = TypeVar("Item")
Result = TypeVar("Result")


def map_in_order(
    work: Callable[[Item], Result], items: Iterable[Item]
) -> Generator[Result, None, None]:
    """Apply a function that computes with torch to a stream; results in the order of the items.

    As many items are worked on side by side as torch has threads: matrices of a few molecules keep
    one CPU busy, not several. A lone item gets all threads.
    """
    stream = iter(items)
    beginning = list(islice(stream, 2))
    n_threads = torch.get_num_threads()
    if len(beginning) < 2 or n_threads < 2:
        yield from map(work, chain(beginning, stream))
        return
    pool = _single_threaded_pool(n_threads)
    try:
        waiting: deque[Future[Result]] = deque()
        for item in chain(beginning, stream):
            waiting.append(pool.submit(work, item))
            if len(waiting) > n_threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


def _single_threaded_pool(n_threads: int) -> ThreadPoolExecutor:
    """Start threads that give torch one thread each; the caller's own number stays as it is.

    Setting the number in a thread also sets what later threads begin with, so it is set back.
    """
    pool = ThreadPoolExecutor(n_threads, thread_name_prefix="nmrshift-compute")
    started = threading.Barrier(n_threads + 1)
    for _ in range(n_threads):
        pool.submit(_compute_alone, started)
    started.wait()
    torch.set_num_threads(n_threads)
    return pool


def _compute_alone(started: threading.Barrier) -> None:
    torch.set_num_threads(1)
    torch.get_num_threads()  # settles this thread's number before the common one is set back
    started.wait()
