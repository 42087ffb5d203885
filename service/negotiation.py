"""Which of the written formats a client wants."""

from typing import Final

from nmrshift.io.writers import WRITERS, OutputFormat
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

_MAX_RANGES: Final[int] = 50


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
    ranges = _ranges(accept or "*/*")
    best: OutputFormat | None = None
    best_quality = 0.0
    for name, media_type in MEDIA_TYPES.items():
        quality = _quality(media_type, ranges)
        if quality > best_quality:
            best, best_quality = name, quality
    if best is None:
        offered = ", ".join(MEDIA_TYPES.values())
        raise ProblemError("not_acceptable", f"Accept one of {offered}.")
    return best


def _ranges(accept: str) -> dict[str, float]:
    """Return quality by media range; what cannot be read counts for nothing."""
    found: dict[str, float] = {}
    for part in accept.split(",")[:_MAX_RANGES]:
        media_range, *parameters = (word.strip().lower() for word in part.split(";"))
        quality = next((word[2:] for word in parameters if word.startswith("q=")), "1")
        try:
            found[media_range] = min(max(float(quality), 0.0), 1.0)
        except ValueError:
            found[media_range] = 0.0
    return found


def _quality(media_type: str, ranges: dict[str, float]) -> float:
    """Return the quality of the narrowest range that holds a media type (RFC 9110, 12.5.1)."""
    main = media_type.split("/", 1)[0]
    for media_range in (media_type, f"{main}/*", "*/*"):
        if media_range in ranges:
            return ranges[media_range]
    return 0.0
