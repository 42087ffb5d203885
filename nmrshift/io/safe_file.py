"""Output files that are whole or absent: written under a temporary name, then renamed."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, BinaryIO, TextIO


def check_free(path: Path, *, force: bool) -> None:
    """Check that a file may be written under this name.

    Args:
        path: the file to be.
        force: whether a file of that name may be replaced.

    Raises:
        FileExistsError: something stands there that must not be replaced.
    """
    if path.exists() and not (force and path.is_file()):
        raise FileExistsError(f"{path} exists" + ("" if path.is_file() else ", and is no file"))


@contextmanager
def whole_file(path: Path, *, force: bool = False) -> Iterator[TextIO]:
    """Open a UTF-8 file that takes its name only once it is complete and on disk.

    Args:
        path: the file to be.
        force: whether a file of that name may be replaced.

    Yields:
        The stream to write to; if the block raises, nothing is left behind.

    Raises:
        FileExistsError: the name is taken and ``force`` is off.
        OSError: the file cannot be written.
    """
    with _whole(path, "x", force=force, encoding="utf-8", newline="") as stream:
        yield stream


@contextmanager
def whole_binary_file(path: Path, *, force: bool = False) -> Iterator[BinaryIO]:
    """Open a file of bytes that takes its name only once it is complete and on disk.

    Arguments, what is yielded and errors are those of :func:`whole_file`.
    """
    with _whole(path, "xb", force=force) as stream:
        yield stream


@contextmanager
def _whole(path: Path, mode: str, *, force: bool, **how: str) -> Iterator[Any]:
    check_free(path, force=force)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        with _open(temporary, mode, **how) as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        check_free(path, force=force)
        temporary.replace(path)
        _sync_folder(path.parent)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise


def _sync_folder(folder: Path) -> None:
    """Put a renaming on disk; systems that cannot open folders do without."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _open(path: Path, mode: str, **how: str) -> IO[Any]:
    return path.open(mode, **how)  # type: ignore[call-overload, no-any-return]
