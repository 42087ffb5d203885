"""Where files are: paths of this machine, or URLs that fsspec understands."""

import io
import re
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, Final
from urllib.parse import urlsplit

from nmrshift.errors import FileFormatError, MissingExtraError
from nmrshift.io.extras import load_extra

_URL: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://.*", re.DOTALL)

OnRead = Callable[[int], None]
"""Told the number of bytes of every read, as they lie in the file."""


def is_url(text: str | Path) -> bool:
    """Return whether a text is a URL, such as ``s3://bucket/library.smi.zst``."""
    return isinstance(text, str) and _URL.fullmatch(text) is not None


def name_of(path: str | Path) -> str:
    """Return the last part of a path or URL, without what a URL may hold of secrets."""
    return PurePosixPath(urlsplit(str(path)).path).name if is_url(path) else Path(path).name


def open_raw(path: str | Path, on_read: OnRead | None = None) -> io.BufferedReader:
    """Open a file for reading, as it lies there.

    Args:
        path: path or URL.
        on_read: told how many bytes were read, if given.

    Raises:
        FileFormatError: it cannot be opened.
        MissingExtraError: a URL, and fsspec or what it needs for this one is not installed.
    """
    return io.BufferedReader(_Source(_opened(path), on_read), 1 << 16)


def filesystem(url: str) -> tuple[Any, str]:
    """Return the filesystem of a URL and the path in it.

    Raises:
        FileFormatError: no filesystem is known for this URL.
        MissingExtraError: fsspec or what it needs for this URL is not installed.
    """
    fsspec = load_extra("fsspec", "remote")
    try:
        system, path = fsspec.core.url_to_fs(url)
    except ImportError as error:
        raise MissingExtraError(f"this kind of URL needs a package: {error}") from None
    except ValueError:
        scheme = url.split(":", 1)[0]
        raise FileFormatError(f"no filesystem is known for {scheme}:// URLs") from None
    return system, path


def _opened(path: str | Path) -> BinaryIO:
    try:
        if isinstance(path, str) and is_url(path):
            system, inner = filesystem(path)
            opened: BinaryIO = system.open(inner, "rb")
            return opened
        return Path(path).open("rb", buffering=0)
    except OSError as error:
        what = error.strerror or type(error).__name__
        where = name_of(path) if is_url(path) else path
        raise FileFormatError(f"cannot open {where}: {what}") from None


class _Source(io.RawIOBase):
    """A file that tells how much of it was read."""

    def __init__(self, stream: BinaryIO, on_read: OnRead | None) -> None:
        self._stream = stream
        self._on_read = on_read

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return self._stream.seekable()

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return self._stream.seek(offset, whence)

    def tell(self) -> int:
        return self._stream.tell()

    def readinto(self, buffer: Any) -> int:
        data = self._stream.read(len(buffer))
        buffer[: len(data)] = data
        if self._on_read is not None:
            self._on_read(len(data))
        return len(data)

    def close(self) -> None:
        if not self.closed:
            self._stream.close()
        super().close()
