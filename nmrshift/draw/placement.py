"""Where tags go: near their atom, clear of bonds, symbols and each other."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from nmrshift.draw.candidates import Wish, candidates, overlaps
from nmrshift.draw.molecule import Depiction, Points

_ROUNDS: Final[int] = 3
_TRIES: Final[int] = 24
_MOST_BLOCKERS: Final[int] = 2
_ON_TAG: Final[float] = 400.0
_NOWHERE: Final = np.full(4, 1e9)


def place(wishes: Sequence[Wish], depiction: Depiction) -> list[tuple[float, float] | None]:
    """Find a place for every tag.

    Candidates around each atom are scored by what they cover, by distance, and by how far they
    turn from the free side of the atom. Tags are set one after the other, most crowded atoms
    first, then moved with all others in place, and then allowed to push up to two others away
    where that helps on the whole. The answer depends on nothing but the arguments.

    Args:
        wishes: the tags.
        depiction: the molecule.

    Returns:
        Left and top of each tag, pixels from the depiction's corner; ``None`` for a tag that
        would cover another one.
    """
    search = _Search([candidates(wish, depiction) for wish in wishes])
    order = search.most_crowded_first()
    for _ in range(_ROUNDS):
        for i in order:
            search.settle(i)
    for i in order:
        search.push(i)
    return _without_overlaps(search.taken, order)


class _Search:
    """The places taken so far.

    Attributes:
        taken: box of each tag, far away where it has none yet.
    """

    def __init__(self, options: Sequence[tuple[Points, Points]]) -> None:
        self._boxes = [boxes for boxes, _ in options]
        self._fixed = [fixed for _, fixed in options]
        self.taken = np.tile(_NOWHERE, (len(options), 1))

    def most_crowded_first(self) -> list[int]:
        """Return the tags, those first whose best place costs most."""
        return sorted(range(len(self._fixed)), key=lambda i: (-float(self._fixed[i].min()), i))

    def settle(self, i: int) -> float:
        """Move a tag to its best place among the others; return what that costs."""
        cost = self._fixed[i] + self._crowding(self._boxes[i], i)
        best = int(np.argmin(cost))
        self.taken[i] = self._boxes[i][best]
        return float(cost[best])

    def push(self, i: int) -> None:
        """Let a tag take a better place from one or two others if all together gain by it."""
        now = self.settle(i)
        for option in np.argsort(self._fixed[i], kind="stable")[:_TRIES]:
            fixed = float(self._fixed[i][option])
            if fixed >= now - 1:
                return
            box = self._boxes[i][option]
            covered = overlaps(box[None], self.taken)[0]
            covered[i] = 0.0
            blockers = np.flatnonzero(covered).tolist()
            if 0 < len(blockers) <= _MOST_BLOCKERS and self._swap(i, box, fixed, blockers, now):
                return

    def _swap(self, i: int, box: Points, fixed: float, blockers: list[int], now: float) -> bool:
        before, saved = now + sum(map(self.settle, blockers)), self.taken.copy()
        self.taken[i] = box
        after = sum(map(self.settle, blockers))
        after += fixed + float(self._crowding(box[None], i)[0])
        if after < before - 1:
            return True
        self.taken = saved
        return False

    def _crowding(self, boxes: Points, i: int) -> Points:
        """Return what covering other tags costs, for each box."""
        far = (self.taken[:, 2:] < boxes[:, :2].min(axis=0) - 2).any(axis=1)
        far |= (self.taken[:, :2] > boxes[:, 2:].max(axis=0) + 2).any(axis=1)
        far[i] = True
        common = overlaps(boxes, self.taken[~far])
        return np.asarray(_ON_TAG * (common > 0).sum(axis=1) + common.sum(axis=1))


def _without_overlaps(taken: Points, order: Sequence[int]) -> list[tuple[float, float] | None]:
    kept = np.empty((0, 4))
    answer: list[tuple[float, float] | None] = [None] * len(taken)
    for i in reversed(order):
        if not overlaps(taken[i][None], kept).any():
            kept = np.concatenate([kept, taken[i][None]])
            answer[i] = (float(taken[i][0]), float(taken[i][1]))
    return answer
