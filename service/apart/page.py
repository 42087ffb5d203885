"""Where a process is in its task, readable even when it hangs or is dead."""

import mmap
import os
import struct
import time
from typing import Final, NamedTuple

BEFORE: Final[int] = -1
"""Place of a process that has not begun with its task."""

_PLACE: Final = struct.Struct("=q")
_TIMES: Final = struct.Struct("=dd")
_ASIDE: Final[int] = _PLACE.size + _TIMES.size
"""Where the owner notes that only the molecule just being read is wanted."""
_SIZE: Final[int] = 4096


class Standing(NamedTuple):
    """What a process is busy with.

    Attributes:
        place: number of the molecule in its task; their count once all have been read.
        began_s: when it began with it, by the system's monotonic clock.
        worked_s: how long the process had worked by then, by its own clock.
    """

    place: int
    began_s: float
    worked_s: float


class Page:
    """A page of memory that two processes share.

    Args:
        descriptor: of the memory, which this object closes once it is mapped.
    """

    def __init__(self, descriptor: int) -> None:
        self._memory = mmap.mmap(descriptor, _SIZE)
        os.close(descriptor)

    def mark(self, place: int) -> None:
        """Note that work on a molecule begins now, in the process that does it.

        The times go first: a reader between the two takes the molecule before for a young one,
        and not this one for an old one.
        """
        self._write(place, time.monotonic(), time.process_time())

    def clear(self) -> None:
        """Note that a task is on its way."""
        self._write(BEFORE, time.monotonic(), 0.0)

    def set_aside(self) -> None:
        """Ask the process for nothing but the molecule that it is reading, for good."""
        self._memory[_ASIDE] = 1

    @property
    def is_aside(self) -> bool:
        """Whether nothing else is wanted any longer."""
        return bool(self._memory[_ASIDE])

    def read(self) -> Standing:
        """Return what was noted last."""
        (place,) = _PLACE.unpack_from(self._memory, 0)
        return Standing(place, *_TIMES.unpack_from(self._memory, _PLACE.size))

    def _write(self, place: int, began_s: float, worked_s: float) -> None:
        _TIMES.pack_into(self._memory, _PLACE.size, began_s, worked_s)
        _PLACE.pack_into(self._memory, 0, place)

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
