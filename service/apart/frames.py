"""Values between processes: pickled, each behind its length."""

import pickle
import select
import socket
import struct
from collections.abc import Iterator
from typing import Any, Final

_LENGTH: Final = struct.Struct("!Q")


def packed(value: object) -> bytes:
    """Return a value as it goes over the wire."""
    payload = pickle.dumps(value, pickle.HIGHEST_PROTOCOL)
    return _LENGTH.pack(len(payload)) + payload


class Unpacker:
    """Puts values together from bytes as they arrive."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[Any]:
        """Take bytes, and yield the values that they complete."""
        self._buffer += data
        while len(self._buffer) >= _LENGTH.size:
            end = _LENGTH.size + _LENGTH.unpack_from(self._buffer)[0]
            if len(self._buffer) < end:
                return
            payload = bytes(self._buffer[_LENGTH.size : end])
            del self._buffer[:end]
            yield pickle.loads(payload)  # noqa: S301 - from a process of ours


class Channel:
    """A socket to another process, for those who can wait."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection

    def send(self, value: object) -> None:
        """Send a value.

        Raises:
            OSError: the other process is dead.
        """
        self._connection.sendall(packed(value))

    def receive(self) -> Any:
        """Wait for a value.

        Raises:
            EOFError: the other process is dead.
            OSError: the other process is dead.
        """
        (length,) = _LENGTH.unpack(self._exactly(_LENGTH.size))
        return pickle.loads(self._exactly(length))  # noqa: S301 - from a process of ours

    def is_ready(self, timeout_s: float) -> bool:
        """Wait until something has come, or the process is dead; return whether either is so."""
        poll = select.poll()
        poll.register(self._connection, select.POLLIN)
        return bool(poll.poll(max(0.0, timeout_s) * 1000))

    def close(self) -> None:
        """Close the socket."""
        self._connection.close()

    def _exactly(self, n_bytes: int) -> bytes:
        parts = bytearray()
        while len(parts) < n_bytes:
            part = self._connection.recv(n_bytes - len(parts))
            if not part:
                raise EOFError
            parts += part
        return bytes(parts)
