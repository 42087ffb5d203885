"""Files that say who wrote them, and updates that only the coordinator can read.

Every laboratory shares a secret with the coordinator. What the coordinator says to all is JSON with
a keyed hash for each of them (HMAC-SHA256, RFC 2104). What a laboratory says is encrypted and
authenticated (Fernet, of the ``cryptography`` package): others who see the folder learn nothing.
"""

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NoReturn

from nmrshift.errors import ExchangeError
from nmrshift.io.extras import load_extra
from nmrshift.io.safe_file import whole_binary_file

_MOST_BYTES: Final = 16 * 2**20
_KEY_BYTES: Final = 32
_EXTRA: Final = "private"

Body = dict[str, Any]


def digest(body: Body) -> str:
    """Return the name by which one message refers to another."""
    return hashlib.sha256(_canonical(body)).hexdigest()


def send(path: Path, body: Body, keys: Mapping[str, bytes]) -> None:
    """Write a message that everybody can read.

    Args:
        path: the file to be.
        body: what it says.
        keys: of the laboratories that are to trust it.

    Raises:
        FileExistsError: the name is taken.
    """
    tags = {name: _tag(body, key) for name, key in keys.items()}
    with whole_binary_file(path) as stream:
        stream.write(json.dumps({"body": body, "tags": tags}).encode())


def receive(path: Path, kind: str, laboratory: str, key: bytes) -> Body:
    """Read a message that somebody with the key wrote.

    Args:
        path: the file.
        kind: what it should be.
        laboratory: whose key it is.
        key: the key.

    Raises:
        ExchangeError: it is missing, altered, by somebody else, or something else.
    """
    found = _parse(path, _read(path))
    body, tags = found.get("body"), found.get("tags")
    tag = tags.get(laboratory) if isinstance(tags, dict) else None
    if not isinstance(body, dict) or not isinstance(tag, str) or not tag.isascii():
        raise ExchangeError(f"{path.name} holds nothing for {laboratory}")
    if not hmac.compare_digest(tag, _tag(body, key)):
        raise _altered(path)
    if body.get("kind") != kind:
        raise ExchangeError(f"{path.name} is no {kind}")
    return body


def seal(path: Path, body: Body, key: bytes) -> None:
    """Write a message that only who has the key can read; a file of that name is replaced.

    Raises:
        MissingExtraError: ``cryptography`` is not installed.
    """
    token: bytes = _cipher(key).encrypt(_canonical(body))
    with whole_binary_file(path, force=True) as stream:
        stream.write(token)


def unseal(path: Path, kind: str, key: bytes) -> Body:
    """Read a message that was sealed with a key.

    Raises:
        ExchangeError: it is missing, altered, sealed with another key, or something else.
        MissingExtraError: ``cryptography`` is not installed.
    """
    refused = load_extra("cryptography.fernet", _EXTRA).InvalidToken
    try:
        text: bytes = _cipher(key).decrypt(_read(path))
    except refused:
        raise _altered(path) from None
    body = _parse(path, text)
    if body.get("kind") != kind:
        raise ExchangeError(f"{path.name} is no {kind}")
    return body


def new_key() -> bytes:
    """Return a secret."""
    return secrets.token_bytes(_KEY_BYTES)


def write_key(path: Path, key: bytes) -> None:
    """Write a key for its owner's eyes."""
    path.touch(mode=0o600)
    path.write_text(key.hex() + "\n", "ascii")


def read_key(path: Path) -> bytes:
    """Read a key.

    Raises:
        ExchangeError: there is none.
    """
    try:
        key = bytes.fromhex(path.read_text("ascii").strip())
    except (OSError, ValueError) as error:
        raise ExchangeError(f"{path}: no key: {error}") from None
    if len(key) != _KEY_BYTES:
        raise ExchangeError(f"{path}: no key: it has {len(key)} bytes")
    return key


def _canonical(body: Body) -> bytes:
    return json.dumps(body, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def _tag(body: Body, key: bytes) -> str:
    return hmac.new(key, _canonical(body), hashlib.sha256).hexdigest()


def _cipher(key: bytes) -> Any:
    return load_extra("cryptography.fernet", _EXTRA).Fernet(base64.urlsafe_b64encode(key))


def _altered(path: Path) -> ExchangeError:
    return ExchangeError(
        f"{path.name} was altered, or written with another key",
        hint="Ask for the file again, and check that the key is that of this federation.",
    )


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise ExchangeError(f"{path.name} is too large")
        return path.read_bytes()
    except OSError as error:
        raise ExchangeError(f"{path}: {error.strerror}") from None


def _parse(path: Path, text: bytes) -> dict[str, Any]:
    try:
        found = json.loads(text, parse_constant=_not_finite)
    except (ValueError, RecursionError):
        raise ExchangeError(f"{path.name} cannot be read") from None
    if not isinstance(found, dict):
        raise ExchangeError(f"{path.name} cannot be read")
    return found


def _not_finite(text: str) -> NoReturn:
    raise ValueError(text)
