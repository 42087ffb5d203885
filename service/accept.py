"""Which of the offered media types a client prefers."""

from collections.abc import Sequence
from typing import Final

from service.mapping import ProblemError

_MAX_RANGES: Final[int] = 20


def preferred(accept: str | None, offered: Sequence[str]) -> str:
    """Return the offered media type that the header ``Accept`` rates highest.

    Args:
        accept: value of the header; absent or empty, anything will do.
        offered: media types, the default first; it wins where several are rated alike.

    Raises:
        ProblemError: ``not_acceptable``, because the header excludes all of them.
    """
    ranges = [_range(part) for part in (accept or "*/*").split(",")[:_MAX_RANGES]]
    best = max(offered, key=lambda media_type: _quality(media_type, ranges))
    if _quality(best, ranges) <= 0:
        raise ProblemError("not_acceptable", f"Offered are {', '.join(offered)}.")
    return best


def _range(part: str) -> tuple[str, float]:
    """Return a media range in lower case and its quality, 0-1; what cannot be read counts as 0."""
    name, *parameters = (piece.strip().lower() for piece in part.split(";"))
    quality = next((text[2:] for text in parameters if text.startswith("q=")), "1")
    try:
        value = float(quality)
    except ValueError:
        value = 0.0
    return name, value if 0.0 <= value <= 1.0 else 0.0


def _quality(media_type: str, ranges: Sequence[tuple[str, float]]) -> float:
    """Return the quality that the most specific matching range gives a media type."""
    for name in (media_type, f"{media_type.partition('/')[0]}/*", "*/*"):
        found = [quality for one, quality in ranges if one == name]
        if found:
            return max(found)
    return 0.0
