"""Hashes of files, taken while they are read or written."""

import hashlib
import io
from pathlib import Path
from typing import Any, BinaryIO, Final

from nmrshift.io.location import open_raw

_CHUNK: Final[int] = 1 << 20


class HashedStream(io.RawIOBase):
    """Passes bytes on to a stream that it leaves open, and hashes them.

    Attributes:
        n_bytes: bytes written so far.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._sha256 = hashlib.sha256()
        self.n_bytes = 0

    @property
    def sha256(self) -> str:
        """Hash of what was written so far."""
        return self._sha256.hexdigest()

    def writable(self) -> bool:
        """Return that it is."""
        return True

    def write(self, data: Any) -> int:
        """Write bytes, all of them."""
        self._stream.write(data)
        self._sha256.update(data)
        n_bytes = memoryview(data).nbytes
        self.n_bytes += n_bytes
        return n_bytes

    def tell(self) -> int:
        """Return the number of bytes written."""
        return self.n_bytes


def digest(stream: BinaryIO) -> tuple[str, int]:
    """Return the sha256 of what is left of a stream, and its number of bytes."""
    sha256, n_bytes = hashlib.sha256(), 0
    while chunk := stream.read(_CHUNK):
        sha256.update(chunk)
        n_bytes += len(chunk)
    return sha256.hexdigest(), n_bytes


def digest_file(path: str | Path) -> tuple[str, int]:
    """Return the sha256 of a file or URL as it lies there, and its number of bytes.

    Raises:
        FileFormatError: it cannot be opened.
        OSError: it cannot be read.
    """
    with open_raw(path) as stream:
        return digest(stream)
