"""Who computes where: the network's threads make room for the processes that read molecules."""

import os
from collections.abc import Iterable, Iterator
from typing import TypeVar

Row = TypeVar("Row")


def share_cpus(rows: Iterable[Row], workers: int | None) -> Iterator[Row]:
    """Pass rows on; where the reading processes start, take their CPUs from torch's threads.

    Args:
        rows: of the input.
        workers: processes that read; ``None`` is the automatic choice, which starts late.
    """
    from nmrshift.predict.stream import AUTOMATIC_FROM, automatic_workers

    start = AUTOMATIC_FROM if workers is None else 0
    for number, row in enumerate(rows):
        if number == start:
            _limit_torch(automatic_workers() if workers is None else workers)
        yield row


def _limit_torch(workers: int) -> None:
    import torch

    left = len(os.sched_getaffinity(0)) - workers
    torch.set_num_threads(max(1, min(left, torch.get_num_threads())))
