"""Bytes and lines of a file: plain or packed, UTF-8, any line end, bounded memory."""

import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, cast

from nmrshift.errors import FileFormatError
from nmrshift.io.byte_lines import ByteLine, Damage, byte_lines, decode
from nmrshift.io.location import OnRead, open_raw
from nmrshift.io.packing import unpacked

MAX_LINE_BYTES: Final[int] = 4_000_000
"""Longest line kept in memory; a longer one is one failed row."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a text file.

    Attributes:
        number: position in the file, from 1.
        text: the line without its end, cut at the limit.
        too_long: whether it was cut.
    """

    number: int
    text: str
    too_long: bool = False


@contextmanager
def open_bytes(path: str | Path, on_read: OnRead | None = None) -> Iterator[BinaryIO]:
    """Open a file, a URL, or standard input for ``-``; gzip and zstd tell by their first bytes.

    Args:
        path: path, URL or ``-``.
        on_read: told how many bytes of the file were read, if given.

    Raises:
        FileFormatError: the file cannot be opened.
        MissingExtraError: reading it takes a package that is not installed.
    """
    if str(path) == "-":
        yield unpacked(_peekable(sys.stdin.buffer))
        return
    with open_raw(path, on_read) as stream:
        yield unpacked(stream)


def _peekable(stream: BinaryIO) -> io.BufferedReader:
    if isinstance(stream, io.BufferedReader):
        return stream
    return io.BufferedReader(cast("io.RawIOBase", stream))


def text_lines(stream: BinaryIO, max_bytes: int | None = None) -> Iterator[Line]:
    r"""Yield lines, ended by ``\n``, ``\r\n`` or ``\r``.

    Bytes that are not UTF-8 stay visible as letters that no structure may hold, so that only
    their row can fail. The half line before the place where a file breaks off is not given out:
    it may read as another molecule.

    Args:
        stream: binary stream; a leading byte order mark is dropped.
        max_bytes: longest line kept, by default ``MAX_LINE_BYTES``.

    Raises:
        FileFormatError: the file breaks off, is damaged, or is UTF-16.
    """
    last: ByteLine | None = None
    for item in byte_lines(stream, MAX_LINE_BYTES if max_bytes is None else max_bytes):
        if isinstance(item, Damage):
            raise FileFormatError(f"line {item.number}: {item.message}")
        if not item.ended:
            last = item
        else:
            yield Line(item.number, decode(item.data), item.too_long)
    if last is not None:
        yield Line(last.number, decode(last.data), last.too_long)
