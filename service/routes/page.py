"""The page at ``/``, the API's own page at ``/docs``, and the files of both."""

import gzip
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from service.mapping import ProblemError
from service.strict import StrictRoute

router = APIRouter(tags=["page"], route_class=StrictRoute, include_in_schema=False)

WEB: Final[Path] = Path(__file__).resolve().parents[1] / "web"

_TYPES: Final[dict[str, str]] = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
}
"""Media types of the files that are served; a file with another suffix is not."""

_EDITOR_STYLE: Final[str] = "sha256-KkPhEb3KBCp3iR8A8raUcd+vv3T0JZbBfcAocMNUR8M="
"""Hash of the one style element that openchemlib's editor adds to the page."""

_COMMON_POLICY: Final[tuple[str, ...]] = (
    "default-src 'none'",
    "script-src 'self'",
    "connect-src 'self'",
    "img-src 'self' data: blob:",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
)
_PAGE_POLICY: Final[str] = "; ".join([*_COMMON_POLICY, f"style-src 'self' '{_EDITOR_STYLE}'"])
_DOCS_POLICY: Final[str] = "; ".join([*_COMMON_POLICY, "style-src 'self' 'unsafe-inline'"])
"""Swagger UI writes style attributes; it needs no inline script."""

_HEADERS: Final[dict[str, str]] = {
    "cache-control": "no-cache",
    "cross-origin-opener-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "vary": "accept-encoding",
    "x-content-type-options": "nosniff",
}


@dataclass(frozen=True, slots=True)
class WebFile:
    """A file as it is sent.

    Attributes:
        content: its bytes.
        packed: the same, by gzip.
        media_type: value of ``Content-Type``.
        etag: value of ``ETag``.
    """

    content: bytes
    packed: bytes
    media_type: str
    etag: str


@cache
def web_files() -> Mapping[str, Path]:
    """Return the files that may be asked for, by their path below ``web``."""
    found = (path for path in sorted(WEB.rglob("*")) if path.suffix in _TYPES)
    return {path.relative_to(WEB).as_posix(): path for path in found}


@cache
def web_file(name: str) -> WebFile:
    """Read a file once.

    Args:
        name: a key of ``web_files()``.
    """
    path = web_files()[name]
    content = path.read_bytes()
    etag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
    return WebFile(content, gzip.compress(content, 6, mtime=0), _TYPES[path.suffix], etag)


@router.get("/")
async def index(request: Request) -> Response:
    """Return the page."""
    return _answer(request, "index.html", {"content-security-policy": _PAGE_POLICY})


@router.get("/docs")
async def docs(request: Request) -> Response:
    """Return the API's own page."""
    return _answer(request, "docs.html", {"content-security-policy": _DOCS_POLICY})


@router.get("/web/{name:path}")
async def web(request: Request, name: str) -> Response:
    """Return a file of the two pages."""
    if name not in web_files() or name.endswith(".html"):
        raise ProblemError("not_found", "There is no such file.")
    return _answer(request, name, {"content-security-policy": "default-src 'none'"})


def _answer(request: Request, name: str, more: Mapping[str, str]) -> Response:
    """Return a file, packed if the client can unpack it, or 304 if it has it."""
    file = web_file(name)
    headers = {**_HEADERS, **more, "etag": file.etag}
    if file.etag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    if "gzip" in request.headers.get("accept-encoding", "").replace("gzip;q=0", ""):
        headers["content-encoding"] = "gzip"
        return Response(file.packed, headers=headers, media_type=file.media_type)
    return Response(file.content, headers=headers, media_type=file.media_type)
