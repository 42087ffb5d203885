"""Which of the written formats a client wants."""

from typing import Final

from nmrshift.io.writers import WRITERS, OutputFormat
from service.accept import preferred
from service.mapping import ProblemError

_KNOWN: Final[dict[str, str]] = {
    "json": "application/json",
    "jsonl": "application/x-ndjson",
    "csv": "text/csv",
    "table": "text/plain",
    "sdf": "chemical/x-mdl-sdfile",
    "nmredata": "chemical/x-nmredata",
    "jcamp": "chemical/x-jcamp-dx",
}
"""Media types by name of a format, whether there is a writer for it or not."""

MEDIA_TYPES: Final[dict[OutputFormat, str]] = {
    name: media_type for name, media_type in _KNOWN.items() if name in WRITERS
}
"""Media types of the formats that can be written; the first one is what most clients get."""


def content_type(name: OutputFormat) -> str:
    """Return the header's value for a format; text says that it is UTF-8."""
    media_type = MEDIA_TYPES[name]
    return f"{media_type}; charset=utf-8" if media_type.startswith("text/") else media_type


def format_named(name: str) -> OutputFormat:
    """Return a format by its name.

    Raises:
        ProblemError: ``invalid_request``.
    """
    if name not in MEDIA_TYPES:
        raise ProblemError("invalid_request", f"format is one of {', '.join(MEDIA_TYPES)}.")
    return name


def negotiate(accept: str | None) -> OutputFormat:
    """Return the format that suits an ``Accept`` header best.

    Args:
        accept: the header; without one, JSON.

    Raises:
        ProblemError: ``not_acceptable``.
    """
    best = preferred(accept, tuple(MEDIA_TYPES.values()))
    return next(name for name, media_type in MEDIA_TYPES.items() if media_type == best)
