"""A scene as SVG: one self-contained document, every text escaped."""

import re
from collections.abc import Iterable
from typing import Final
from xml.sax.saxutils import escape, quoteattr

from nmrshift.draw.marks import Box, Group, Line, Mark, Scene, Text

FONTS: Final[str] = "Helvetica, Arial, 'Liberation Sans', 'DejaVu Sans', sans-serif"

_NOT_XML: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def to_svg(scene: Scene) -> str:
    """Return the document, UTF-8 text without an XML declaration.

    Groups carry ``class``, ``data-nucleus`` and ``data-atoms`` (indices in the input, separated
    by spaces); the molecule's elements carry RDKit's classes ``atom-N`` and ``bond-N``.
    """
    size = f'width="{scene.width}" height="{scene.height}"'
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} '
        f'viewBox="0 0 {scene.width} {scene.height}" role="img" font-family="{FONTS}">'
    )
    return f"{head}\n<title>{_words(scene.title)}</title>\n{_all(scene.marks)}\n</svg>\n"


def _all(marks: Iterable[Mark]) -> str:
    return "\n".join(map(_element, marks))


def _element(mark: Mark) -> str:
    if isinstance(mark, Line):
        return (
            f'<line x1="{_n(mark.x1)}" y1="{_n(mark.y1)}" x2="{_n(mark.x2)}" y2="{_n(mark.y2)}" '
            f'stroke="{mark.colour}" stroke-width="{_n(mark.width)}"/>'
        )
    if isinstance(mark, Box):
        return _box(mark)
    if isinstance(mark, Text):
        return _text(mark)
    if isinstance(mark, Group):
        atoms = " ".join(map(str, mark.atoms))
        return (
            f"<g class={_quoted(mark.kind)} data-nucleus={_quoted(mark.nucleus)} "
            f'data-atoms="{atoms}"><title>{_words(mark.title)}</title>\n{_all(mark.marks)}</g>'
        )
    place = f"translate({_n(mark.x)},{_n(mark.y)})"
    return f'<g class="molecule" transform="{place}">\n{mark.svg_body}\n</g>'


def _box(mark: Box) -> str:
    stroke = (
        f' stroke="{mark.stroke}" stroke-width="{_n(mark.stroke_width)}"' if mark.stroke else ""
    )
    round_ = f' rx="{_n(mark.radius)}"' if mark.radius else ""
    return (
        f'<rect x="{_n(mark.x)}" y="{_n(mark.y)}" width="{_n(mark.width)}" '
        f'height="{_n(mark.height)}" fill="{mark.fill}"{stroke}{round_}/>'
    )


def _text(mark: Text) -> str:
    turn = f' transform="rotate(-90 {_n(mark.x)} {_n(mark.y)})"' if mark.upwards else ""
    raised = ""
    if mark.superscript:
        up = _n(0.35 * mark.size)
        raised = (
            f'<tspan font-size="{_n(0.72 * mark.size)}" dy="-{up}">{_words(mark.superscript)}'
            f'</tspan><tspan dy="{up}">{_words(mark.text)}</tspan>'
        )
    return (
        f'<text x="{_n(mark.x)}" y="{_n(mark.y)}" font-size="{_n(mark.size)}" '
        f'fill="{mark.colour}" text-anchor="{mark.anchor}"{turn}>'
        f"{raised or _words(mark.text)}</text>"
    )


def _n(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")


def _words(text: str) -> str:
    return escape(_NOT_XML.sub("\ufffd", text))


def _quoted(text: str) -> str:
    return quoteattr(_NOT_XML.sub("\ufffd", text))
