"""API keys: hashed in a file, each with a rate; run as a program, it makes one."""

import hashlib
import math
import re
import secrets
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from nmrshift.errors import ConfigError
from service.mapping import ProblemError, problem_response

_PROTECTED: Final[str] = "/v1/"
_BEARER: Final = re.compile(r"bearer +(\S+)", re.IGNORECASE)
_HASH: Final = re.compile(r"[0-9a-f]{64}")
_SECONDS_PER_MINUTE: Final[float] = 60.0


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key as it is kept.

    Attributes:
        name: whose it is.
        sha256: hash of the key. Keys are random and long, so that no slow hash is needed.
        per_minute: requests a minute; as many at once after a pause.
    """

    name: str
    sha256: str
    per_minute: float


def read_keys(path: Path) -> dict[str, ApiKey]:
    """Read a file of keys: a line each, ``name sha256 requests-a-minute``; ``#`` is a comment.

    Returns:
        Keys by their hashes.

    Raises:
        ConfigError: a line cannot be read, or the file cannot.
    """
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        raise ConfigError("the file of API keys cannot be read") from None
    keys: dict[str, ApiKey] = {}
    for number, line in enumerate(lines, start=1):
        words = line.split("#", 1)[0].split()
        if words:
            key = _key(words, number)
            keys[key.sha256] = key
    return keys


def _key(words: list[str], number: int) -> ApiKey:
    try:
        name, sha256, rate = words
        per_minute = float(rate)
    except ValueError:
        raise ConfigError(f"line {number} of the API keys: name, hash and rate expected") from None
    if not _HASH.fullmatch(sha256) or not 0 < per_minute < math.inf:
        raise ConfigError(f"line {number} of the API keys: not a SHA-256, or not a rate")
    return ApiKey(name, sha256, per_minute)


def hash_of(key: str) -> str:
    """Return the hash by which a key is known."""
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()


class _Bucket:
    """Requests that a key may still make; refilled steadily."""

    def __init__(self, per_minute: float) -> None:
        self._per_s = per_minute / _SECONDS_PER_MINUTE
        self._most = max(1.0, per_minute)
        self._left = self._most
        self._then_s = time.monotonic()

    def take(self) -> float:
        """Take one; return 0, or the seconds until there is one."""
        now_s = time.monotonic()
        self._left = min(self._most, self._left + (now_s - self._then_s) * self._per_s)
        self._then_s = now_s
        if self._left >= 1.0:
            self._left -= 1.0
            return 0.0
        return (1.0 - self._left) / self._per_s


class KeyGate:
    """ASGI middleware that lets only the holders of keys ask below ``/v1/``, each at its rate.

    Args:
        app: the application.
        keys: keys by their hashes.
    """

    def __init__(self, app: ASGIApp, *, keys: Mapping[str, ApiKey]) -> None:
        self._app = app
        self._buckets = {sha256: _Bucket(key.per_minute) for sha256, key in keys.items()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on one request, or answer it with 401 or 429."""
        if scope["type"] == "http" and scope["path"].startswith(_PROTECTED):
            try:
                self._check(Headers(scope=scope))
            except ProblemError as problem:
                response = problem_response(problem)
                if problem.code == "unauthorized":
                    response.headers["www-authenticate"] = "Bearer"
                await response(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _check(self, headers: Headers) -> None:
        found = _BEARER.fullmatch(headers.get("authorization", ""))
        bucket = self._buckets.get(hash_of(found[1])) if found else None
        if bucket is None:
            detail = "Send a key of this service as Authorization: Bearer KEY."
            raise ProblemError("unauthorized", detail)
        wait_s = bucket.take()
        if wait_s:
            detail = "The key's requests of this minute are used up."
            raise ProblemError("rate_limited", detail, retry_after_s=math.ceil(wait_s))


def main() -> None:
    """Make a key: the key itself goes to stderr, its line for the file to stdout."""
    name = sys.argv[1] if len(sys.argv) > 1 else "somebody"
    rate = sys.argv[2] if len(sys.argv) > 2 else "600"
    key = secrets.token_urlsafe(32)
    sys.stderr.write(f"{key}\n")
    sys.stdout.write(f"{name} {hash_of(key)} {rate}\n")


if __name__ == "__main__":
    main()
