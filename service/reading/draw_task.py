"""What goes to a process that draws, and what it does; nothing here needs torch."""

from dataclasses import dataclass

from nmrshift.draw import picture
from nmrshift.errors import NmrshiftError
from nmrshift.types import Failure, Prediction


@dataclass(frozen=True, slots=True)
class Drawing:
    """A picture that is wanted.

    Attributes:
        prediction: what it shows.
        spectra: whether title, spectra and notes stand around the molecule.
        png: PNG instead of SVG.
    """

    prediction: Prediction
    spectra: bool
    png: bool


def draw(drawing: Drawing, _: None) -> bytes | Failure:
    """Return a picture, or why there is none."""
    one = drawing.prediction
    try:
        drawn = picture(one, spectra=drawing.spectra)
        return drawn.png() if drawing.png else drawn.svg.encode()
    except NmrshiftError as error:
        return Failure(one.index, one.input, one.name, error.code, error.message, error.hint)
