"""Where a process is in its task, readable even when it hangs or is dead."""

import mmap
import os
import struct
import time
from typing import Final, NamedTuple

BEFORE: Final[int] = -1
"""Place of a process that has not begun with its task."""

_PLACE: Final = struct.Struct("=q")
_BEGAN: Final = struct.Struct("=d")
_SIZE: Final[int] = 4096


class Standing(NamedTuple):
    """What a process is busy with.

    Attributes:
        place: number of the molecule in its task; their count once all have been read.
        began_s: when it began with it, by the system's monotonic clock.
    """

    place: int
    began_s: float


class Page:
    """A page of memory that two processes share.

    Args:
        descriptor: of the memory, which this object closes once it is mapped.
    """

    def __init__(self, descriptor: int) -> None:
        self._memory = mmap.mmap(descriptor, _SIZE)
        os.close(descriptor)

    def mark(self, place: int) -> None:
        """Note that work on a molecule begins now.

        The time goes first: a reader between the two takes the molecule before for a young one,
        and not this one for an old one.
        """
        _BEGAN.pack_into(self._memory, _PLACE.size, time.monotonic())
        _PLACE.pack_into(self._memory, 0, place)

    def read(self) -> Standing:
        """Return what was noted last."""
        (place,) = _PLACE.unpack_from(self._memory, 0)
        (began_s,) = _BEGAN.unpack_from(self._memory, _PLACE.size)
        return Standing(place, began_s)

    def close(self) -> None:
        """Let go of the memory."""
        self._memory.close()


def new_memory() -> int:
    """Return a descriptor of memory for a page.

    Raises:
        OSError: there is none to be had.
    """
    descriptor = os.memfd_create("nmrshift")
    os.ftruncate(descriptor, _SIZE)
    return descriptor
