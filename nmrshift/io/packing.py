"""Compressed streams: gzip and zstd, told by the first bytes in and by the name out."""

import gzip
import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO, Final, Literal, cast

from nmrshift.io.extras import load_extra

Packing = Literal["gzip", "zstd"]

PACKINGS: Final[dict[str, Packing]] = {".gz": "gzip", ".zst": "zstd"}

_GZIP_MAGIC: Final[bytes] = b"\x1f\x8b"
_ZSTD_MAGIC: Final[bytes] = b"\x28\xb5\x2f\xfd"
_GZIP_LEVEL: Final[int] = 6


def packing_of(name: str) -> tuple[str, Packing | None]:
    """Return a file name without the ending of its compression, and that compression."""
    for suffix, packing in PACKINGS.items():
        if name.lower().endswith(suffix):
            return name[: -len(suffix)], packing
    return name, None


def unpacked(stream: io.BufferedReader) -> BinaryIO:
    """Return the content of a stream that may be gzip or zstd, which its first bytes tell.

    Raises:
        MissingExtraError: zstd, and pyarrow is not installed.
    """
    start = stream.peek(4)[:4]
    if start[:2] == _GZIP_MAGIC:
        return cast("BinaryIO", gzip.GzipFile(fileobj=stream, mode="rb"))
    if start == _ZSTD_MAGIC:
        arrow = load_extra("pyarrow", "parquet")
        return cast("BinaryIO", arrow.CompressedInputStream(stream, "zstd"))
    return stream


@contextmanager
def packed(stream: BinaryIO, packing: Packing | None) -> Iterator[BinaryIO]:
    """Give a stream whose content is compressed into another one, which stays open.

    The same content gives the same bytes: no time and no name is written.

    Raises:
        MissingExtraError: zstd, and pyarrow is not installed.
    """
    if packing is None:
        yield stream
        return
    with _packer(_KeptOpen(stream), packing) as out:
        yield out


def _packer(stream: "_KeptOpen", packing: Packing) -> Any:
    if packing == "gzip":
        return gzip.GzipFile("", "wb", _GZIP_LEVEL, cast("BinaryIO", stream), mtime=0)
    return load_extra("pyarrow", "parquet").CompressedOutputStream(stream, "zstd")


class _KeptOpen(io.RawIOBase):
    """Passes bytes on and keeps the stream open when it is closed itself."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        return self._stream.write(data)

    def flush(self) -> None:
        if not self.closed and not self._stream.closed:
            self._stream.flush()
