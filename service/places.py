"""Where an exception arose."""

import traceback


def places_of(error: BaseException) -> str:
    """Return files and lines, innermost first; never the message, which may hold a structure."""
    frames = traceback.extract_tb(error.__traceback__)
    return " < ".join(f"{frame.filename}:{frame.lineno}" for frame in reversed(frames))
