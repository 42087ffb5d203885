"""The sticks of a drawn spectrum, and their words."""

from nmrshift.draw.numbers import half_width_text, shift_text
from nmrshift.spectrum import Stick, nuclei_of, sticks

__all__ = ["Stick", "nuclei_of", "stick_title", "sticks"]


def stick_title(stick: Stick) -> str:
    """Describe a signal in words, for pointers and screen readers."""
    atoms = ", ".join(map(str, stick.atoms))
    return (
        f"{stick.nucleus} {shift_text(stick.nucleus, stick.shift_ppm)} ppm "
        f"{half_width_text(stick.nucleus, stick.half_width_ppm)}, "
        f"{stick.n_nuclei} {'nuclei' if stick.n_nuclei > 1 else 'nucleus'}, "
        f"{'atoms' if len(stick.atoms) > 1 else 'atom'} {atoms}"
    )
