"""Lines of a damaged or undamaged file: every line, then what stopped the reading, if anything."""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final

MAX_LINE_BYTES: Final[int] = 8_000_000
"""Longest line kept; a longer one is cut and marked."""

_CHUNK: Final[int] = 1 << 16
_BOM: Final[bytes] = b"\xef\xbb\xbf"
_UTF16_MARKS: Final[tuple[bytes, ...]] = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True, slots=True)
class ByteLine:
    """One line.

    Attributes:
        number: position in the file, from 1.
        data: the line without its end.
        too_long: whether the line was cut at the limit.
        ended: whether a line end followed; ``False`` only for the last line.
    """

    number: int
    data: bytes
    too_long: bool = False
    ended: bool = True


@dataclass(frozen=True, slots=True)
class Damage:
    """The file could not be read further.

    Attributes:
        number: line at which the reading stopped, from 1.
        message: why.
    """

    number: int
    message: str


def byte_lines(stream: BinaryIO, max_bytes: int = MAX_LINE_BYTES) -> Iterator[ByteLine | Damage]:
    r"""Yield the lines of a stream, ended by ``\n``, ``\r\n`` or ``\r``.

    Whatever was read before a compressed file breaks off is yielded first, the half line at its
    end included (``ended`` is false), then one ``Damage``, always last.

    Args:
        stream: binary stream, compressed or not; a leading byte order mark is dropped.
        max_bytes: longest line kept in memory.
    """
    lines = _Lines(max_bytes)
    damage: str | None = None
    chunks = _chunks(stream)
    while damage is None:
        try:
            chunk = next(chunks, b"")
        except (OSError, EOFError, zlib.error) as error:
            damage = f"the file breaks off or is damaged here: {error}"
            break
        if not chunk:
            break
        if lines.number == 0 and chunk[:2] in _UTF16_MARKS:
            damage = "the file is UTF-16; save it as UTF-8"
            break
        yield from lines.feed(chunk)
    yield from lines.finish()
    if damage is not None:
        yield Damage(lines.number + 1, damage)


def decode(data: bytes) -> str:
    """Return text of a line: UTF-8 if it is, else Windows-1252, which old files are written in."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace")


def _chunks(stream: BinaryIO) -> Iterator[bytes]:
    """Yield raw chunks, one read of the file each, so that damage costs no data before it."""
    read = getattr(stream, "read1", stream.read)
    while chunk := read(_CHUNK):
        yield chunk


class _Lines:
    """Cuts chunks into lines."""

    def __init__(self, max_bytes: int) -> None:
        self.number = 0
        self._max = max_bytes
        self._rest = b""
        self._too_long = False
        self._after_cr = False
        self._first = True

    def feed(self, chunk: bytes) -> Iterator[ByteLine]:
        """Yield the lines that a chunk completes."""
        if self._after_cr and chunk.startswith(b"\n"):
            chunk = chunk[1:]
        self._after_cr = chunk.endswith(b"\r") if chunk else False
        data = self._rest + chunk
        if self._first and len(data) < len(_BOM) and _BOM.startswith(data):
            self._rest = data
            return
        if self._first:
            data = data.removeprefix(_BOM)
            self._first = False
        if b"\r" in data:
            data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        *whole, self._rest = data.split(b"\n")
        for line in whole:
            yield self._line(line, ended=True)
        if len(self._rest) > self._max:
            self._rest = self._rest[: self._max]
            self._too_long = True

    def finish(self) -> Iterator[ByteLine]:
        """Yield the last line, if it has no end."""
        if self._rest:
            rest, self._rest = self._rest, b""
            yield self._line(rest, ended=False)

    def _line(self, data: bytes, *, ended: bool) -> ByteLine:
        self.number += 1
        too_long = self._too_long or len(data) > self._max
        self._too_long = False
        return ByteLine(self.number, data[: self._max], too_long, ended)
