"""Shifts and half-widths as they are written in pictures."""

_MINUS = "−"


def decimals_of(nucleus: str) -> int:
    """Return the decimals of a shift: two for 1H, one for all others."""
    return 2 if nucleus == "1H" else 1


def shift_text(nucleus: str, shift_ppm: float) -> str:
    """Write a shift, ppm, with a true minus sign and never as minus zero."""
    return number(shift_ppm, decimals_of(nucleus))


def half_width_text(nucleus: str, half_width_ppm: float) -> str:
    """Write the half-width of an interval, ppm: ``±1.9``."""
    return f"±{half_width_ppm:.{decimals_of(nucleus)}f}"


def number(value: float, decimals: int) -> str:
    """Write a number with a true minus sign."""
    text = f"{round(value, decimals) + 0.0:.{decimals}f}"
    return text.replace("-", _MINUS)


def split_nucleus(nucleus: str) -> tuple[str, str]:
    """Return mass number and symbol: ``("13", "C")``."""
    symbol = nucleus.lstrip("0123456789")
    return nucleus[: len(nucleus) - len(symbol)], symbol
