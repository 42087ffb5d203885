"""A scene as PNG, with Pillow and the font that comes with it (RDKit depends on Pillow)."""

from functools import lru_cache
from io import BytesIO
from typing import Final

from PIL import Image, ImageDraw, ImageFont

from nmrshift.draw.marks import PAPER, Anchor, Box, Group, Inset, Line, Mark, Scene, Text

_OVERSAMPLING: Final[int] = 2
_ANCHORS: Final[dict[Anchor, str]] = {"start": "ls", "middle": "ms", "end": "rs"}
_SUBSTITUTES: Final = str.maketrans({"−": "-", "–": "-", "×": "x"})
"""Signs that Pillow's font lacks."""

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


def to_png(scene: Scene, *, scale: float = 2.0) -> bytes:
    """Return the picture as PNG.

    Args:
        scene: what to draw.
        scale: pixels of the PNG for a pixel of the scene; 2 suits screens and print.
    """
    fine = scale * _OVERSAMPLING
    size = (round(scene.width * scale), round(scene.height * scale))
    page = Image.new("RGB", (size[0] * _OVERSAMPLING, size[1] * _OVERSAMPLING), PAPER)
    for mark in scene.marks:
        _paint(page, mark, fine)
    stream = BytesIO()
    page.resize(size, Image.Resampling.BOX).save(stream, "PNG", optimize=True)
    return stream.getvalue()


def _paint(page: Image.Image, mark: Mark, fine: float) -> None:
    pen = ImageDraw.Draw(page)
    if isinstance(mark, Line):
        ends = [value * fine for value in (mark.x1, mark.y1, mark.x2, mark.y2)]
        pen.line(ends, mark.colour, max(1, round(mark.width * fine)))
    elif isinstance(mark, Box):
        _paint_box(pen, mark, fine)
    elif isinstance(mark, Text):
        _paint_text(page, mark, fine)
    elif isinstance(mark, Group):
        for part in mark.marks:
            _paint(page, part, fine)
    else:
        _paste(page, mark, fine)


def _paint_box(pen: ImageDraw.ImageDraw, mark: Box, fine: float) -> None:
    grown = mark.stroke_width / 2
    left, top = mark.x - grown, mark.y - grown
    right, bottom = mark.x + mark.width + grown, mark.y + mark.height + grown
    pen.rounded_rectangle(
        [side * fine for side in (left, top, right, bottom)],
        radius=(mark.radius + grown) * fine,
        fill=mark.fill,
        outline=mark.stroke or None,
        width=round(mark.stroke_width * fine) if mark.stroke else 0,
    )


def _paint_text(page: Image.Image, mark: Text, fine: float) -> None:
    if mark.upwards:
        _paint_upwards(page, mark, fine)
        return
    pen = ImageDraw.Draw(page)
    text, x, y = mark.text.translate(_SUBSTITUTES), mark.x * fine, mark.y * fine
    font, small = _font(mark.size * fine), _font(0.72 * mark.size * fine)
    anchor = mark.anchor
    if mark.superscript:
        raised = small.getlength(mark.superscript)
        shift = {"start": 0.0, "middle": 0.5, "end": 1.0}[anchor]
        x, anchor = x - shift * (raised + font.getlength(text)), "start"
        up = 0.35 * mark.size * fine
        pen.text((x, y - up), mark.superscript, mark.colour, small, _ANCHORS[anchor])
        x += raised
    pen.text((x, y), text, mark.colour, font, _ANCHORS[anchor])


def _paint_upwards(page: Image.Image, mark: Text, fine: float) -> None:
    """Write on a strip of its own, turn the strip, and lay it on the page."""
    text, font = mark.text.translate(_SUBSTITUTES), _font(mark.size * fine)
    length, height = round(font.getlength(text)) + 2, round(mark.size * fine * 1.5)
    base = round(mark.size * fine * 1.1)
    strip = Image.new("L", (length, height), 0)
    ImageDraw.Draw(strip).text((0, base), text, 255, font, "ls")
    turned = strip.transpose(Image.Transpose.ROTATE_90)
    corner = (round(mark.x * fine) - base, round(mark.y * fine) - length)
    page.paste(mark.colour, (*corner, corner[0] + height, corner[1] + length), turned)


def _paste(page: Image.Image, mark: Inset, fine: float) -> None:
    with Image.open(BytesIO(mark.png(fine))) as drawing:
        drawn = drawing.convert("RGBA")
    page.paste(drawn, (round(mark.x * fine), round(mark.y * fine)), drawn)


@lru_cache(maxsize=64)
def _font(size: float) -> Font:
    return ImageFont.load_default(size)
