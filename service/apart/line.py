"""Molecules in line: requests before jobs, each in the order in which they came."""

import math
from collections import deque
from collections.abc import Sequence
from typing import Final

from service.tickets import Item

_MOST_ATOMS: Final[int] = 2000
"""Atoms of a batch, unless a single molecule has more."""


class Line:
    """What waits for a process.

    Args:
        max_molecules: size of a batch; half of it where nobody waits for the answers.
    """

    def __init__(self, max_molecules: int) -> None:
        self._requests: deque[Item] = deque()
        self._jobs: deque[Item] = deque()
        self._max_molecules = max_molecules

    def put(self, items: Sequence[Item]) -> None:
        """Line molecules of one request up."""
        self._of(items[0]).extend(items)

    def put_back(self, items: Sequence[Item]) -> None:
        """Put molecules that were taken where they were."""
        for item in reversed(items):
            self._of(item).appendleft(item)

    def take(self, n_takers: int) -> tuple[list[Item], int]:
        """Take a batch: a fair share of what waits, not all of it.

        Args:
            n_takers: processes that share the line, the one that asks included.

        Returns:
            The molecules, and how many were dropped because nobody waits for them any longer.
        """
        line, most = self._requests, self._max_molecules
        if not line:
            line, most = self._jobs, max(1, self._max_molecules // 2)
        most = min(most, math.ceil(len(line) / n_takers))
        batch: list[Item] = []
        n_atoms = n_dropped = 0
        while line and len(batch) < most:
            if not line[0].ticket.is_wanted:
                line.popleft()
                n_dropped += 1
                continue
            n_atoms += line[0].n_atoms
            if batch and n_atoms > _MOST_ATOMS:
                break
            batch.append(line.popleft())
        return batch, n_dropped

    def clear(self) -> None:
        """Drop everything."""
        self._requests.clear()
        self._jobs.clear()

    def __len__(self) -> int:
        """Return how many wait."""
        return len(self._requests) + len(self._jobs)

    def _of(self, item: Item) -> deque[Item]:
        return self._jobs if item.ticket.is_background else self._requests
