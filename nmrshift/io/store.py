"""Folders of whole files: on this machine, or wherever fsspec reaches."""

import os
import secrets
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Protocol

from nmrshift.errors import BatchError
from nmrshift.io.location import filesystem, is_url, name_of
from nmrshift.io.safe_file import check_free, whole_binary_file


class Store(Protocol):
    """A folder whose files are whole or absent; may be sent to other processes."""

    def names(self) -> list[str]:
        """Return the names of all files, sorted; an absent folder has none."""
        ...

    def open(self, name: str) -> BinaryIO:
        """Open a file for reading; raises ``OSError`` where there is none."""
        ...

    def whole(self, name: str) -> AbstractContextManager[BinaryIO]:
        """Open a file that takes its name, and replaces another one, once it is complete."""
        ...

    def remove(self, name: str) -> None:
        """Remove a file if it is there."""
        ...

    def lock(self) -> AbstractContextManager[None]:
        """Keep other runs on this machine out for as long as the block lasts."""
        ...


@dataclass(frozen=True, slots=True)
class LocalStore:
    """A folder of this machine, made when the first file is written."""

    folder: str

    def names(self) -> list[str]:
        """Return the names of all files, sorted."""
        folder = Path(self.folder)
        return sorted(entry.name for entry in folder.iterdir()) if folder.is_dir() else []

    def open(self, name: str) -> BinaryIO:
        """Open a file for reading."""
        return (Path(self.folder) / name).open("rb")

    @contextmanager
    def whole(self, name: str) -> Iterator[BinaryIO]:
        """Open a file that is synced, then renamed, when the block ends."""
        Path(self.folder).mkdir(exist_ok=True)
        with whole_binary_file(Path(self.folder) / name, force=True) as stream:
            yield stream

    def remove(self, name: str) -> None:
        """Remove a file if it is there."""
        (Path(self.folder) / name).unlink(missing_ok=True)

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Keep other runs out, by a lock on the folder that ends with this process.

        Raises:
            BatchError: another run holds it.
        """
        Path(self.folder).mkdir(exist_ok=True)
        handle = os.open(self.folder, os.O_RDONLY)
        try:
            _lock(handle, Path(self.folder).name)
            yield
        finally:
            os.close(handle)


@dataclass(frozen=True, slots=True)
class RemoteStore:
    """A folder at a URL that fsspec understands."""

    url: str

    def names(self) -> list[str]:
        """Return the names of all files, sorted."""
        system, path = filesystem(self.url)
        try:
            found = system.ls(path, detail=False, refresh=True)
        except FileNotFoundError:
            return []
        return sorted(PurePosixPath(one).name for one in found)

    def open(self, name: str) -> BinaryIO:
        """Open a file for reading."""
        system, path = filesystem(self.url)
        stream: BinaryIO = system.open(f"{path}/{name}", "rb")
        return stream

    @contextmanager
    def whole(self, name: str) -> Iterator[BinaryIO]:
        """Open a file that is moved to its name when the block ends."""
        system, path = filesystem(self.url)
        system.makedirs(path, exist_ok=True)
        temporary = f"{path}/.{name}.{secrets.token_hex(4)}.tmp"
        try:
            with system.open(temporary, "wb") as stream:
                yield stream
            system.mv(temporary, f"{path}/{name}")
        except BaseException:
            with suppress(OSError):
                system.rm(temporary)
            raise

    def remove(self, name: str) -> None:
        """Remove a file if it is there."""
        system, path = filesystem(self.url)
        with suppress(FileNotFoundError):
            system.rm(f"{path}/{name}")

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Do nothing: object stores know no locks, and two runs would write the same files."""
        yield


def open_store(folder: str) -> Store:
    """Return the store at a path or URL; nothing is made or read yet."""
    return RemoteStore(folder.rstrip("/")) if is_url(folder) else LocalStore(folder)


def check_free_at(place: str, *, force: bool) -> None:
    """Check that a file may be written at a path or URL.

    Raises:
        FileExistsError: something stands there that must not be replaced.
    """
    if not is_url(place):
        check_free(Path(place), force=force)
        return
    system, path = filesystem(place)
    if system.exists(path) and not (force and system.isfile(path)):
        raise FileExistsError(f"{name_of(place)} exists")


@contextmanager
def whole_at(place: str, *, force: bool) -> Iterator[BinaryIO]:
    """Open a file at a path or URL that takes its name only once it is complete.

    Raises:
        FileExistsError: the name is taken and ``force`` is off.
        OSError: the file cannot be written.
    """
    if not is_url(place):
        with whole_binary_file(Path(place), force=force) as stream:
            yield stream
        return
    check_free_at(place, force=force)
    folder, _, name = place.rpartition("/")
    with RemoteStore(folder).whole(name) as stream:
        yield stream


def _lock(handle: int, name: str) -> None:
    try:
        import fcntl
    except ImportError:
        return
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise BatchError(f"another run is writing to {name}", hint="Wait until it ends.") from None
    except OSError:
        return
