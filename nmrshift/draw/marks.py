"""Marks of a picture, in pixels from its top left corner; SVG and PNG are drawn from the same."""

from dataclasses import dataclass
from typing import Final, Literal, Protocol

INK: Final[str] = "#1f2328"
SOFT: Final[str] = "#5b6470"
FAINT: Final[str] = "#c3c9d1"
PAPER: Final[str] = "#ffffff"

Anchor = Literal["start", "middle", "end"]


@dataclass(frozen=True, slots=True)
class Line:
    """A straight line; pixels and a ``#rrggbb`` colour."""

    x1: float
    y1: float
    x2: float
    y2: float
    colour: str = INK
    width: float = 1.0


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle with round corners (a disc where ``radius`` is half its sides)."""

    x: float
    y: float
    width: float
    height: float
    fill: str
    stroke: str = ""
    stroke_width: float = 0.0
    radius: float = 0.0


@dataclass(frozen=True, slots=True)
class Text:
    """A line of text.

    Attributes:
        x: anchor, pixels.
        y: base line, pixels.
        text: the words, not yet escaped.
        size: height of the font, pixels.
        colour: ``#rrggbb``.
        anchor: what of the text stands at ``x``.
        superscript: small raised text in front, as the mass number of a nucleus.
        upwards: whether the text reads from bottom to top.
    """

    x: float
    y: float
    text: str
    size: float
    colour: str = INK
    anchor: Anchor = "start"
    superscript: str = ""
    upwards: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """Marks that belong to the same atoms.

    Attributes:
        marks: what is drawn, first below.
        kind: class in the SVG, for example ``stick``.
        nucleus: for example ``13C``.
        atoms: indices in the input.
        title: shown by a browser under the pointer, and read by screen readers.
    """

    marks: tuple["Line | Box | Text", ...]
    kind: str
    nucleus: str
    atoms: tuple[int, ...]
    title: str


class Inset(Protocol):
    """A finished drawing inside the picture: RDKit's molecule."""

    @property
    def x(self) -> float:
        """Left edge, pixels."""
        ...

    @property
    def y(self) -> float:
        """Top edge, pixels."""
        ...

    @property
    def svg_body(self) -> str:
        """SVG elements in pixels from the inset's corner, already escaped."""
        ...

    def png(self, scale: float) -> bytes:
        """Return the drawing as PNG with a transparent ground.

        Args:
            scale: pixels of the PNG for a pixel of the picture.
        """
        ...


Mark = Line | Box | Text | Group | Inset


@dataclass(frozen=True, slots=True)
class Scene:
    """A whole picture.

    Attributes:
        width: pixels.
        height: pixels.
        marks: first below.
        title: what the picture shows, for screen readers.
    """

    width: int
    height: int
    marks: tuple[Mark, ...]
    title: str


def text_width(text: str, size: float) -> float:
    """Return an upper estimate of the width of a text in a sans-serif font, pixels."""
    return size * sum(_letter_width(letter) for letter in text)


def _letter_width(letter: str) -> float:
    if letter in ".,:;|!'il()·[] /":
        return 0.36
    if letter in "@mMW%w":
        return 0.95
    return 0.74 if letter.isupper() or letter in "=+±×" else 0.6
