"""The panel of the molecule: coloured grounds, RDKit's drawing, and tags tied to their atoms."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from nmrshift.chem.toolkit import Chem
from nmrshift.draw.candidates import Wish
from nmrshift.draw.certainty import step_of
from nmrshift.draw.marks import SOFT, Box, Line, Mark
from nmrshift.draw.molecule import Depiction, depict
from nmrshift.draw.placement import place
from nmrshift.draw.tags import Tag, anchor_of, tag_marks, tags_of
from nmrshift.types import Prediction

_ROOM_BELOW: Final[float] = 20.0


@dataclass(frozen=True, slots=True)
class MoleculePanel:
    """A molecule ready to be set into a picture.

    Attributes:
        marks: first below.
        height: pixels.
        n_left_out: tags that found no place.
    """

    marks: tuple[Mark, ...]
    height: int
    n_left_out: int


def molecule_panel(
    prediction: Prediction, mol: Chem.Mol, *, width: int, top: float
) -> MoleculePanel:
    """Draw the molecule of a prediction with a tag for every shift.

    Args:
        prediction: what was predicted.
        mol: its molecule with a 2D conformer, atoms in the same order.
        width: width of the picture, pixels.
        top: top of the panel, pixels.

    Raises:
        DrawingError: RDKit cannot draw it.
    """
    depiction = depict(mol, width=width).at(0.0, top)
    tags = tags_of(prediction, depiction.mol)
    anchors = [anchor_of(tag, depiction.mol, depiction.positions) for tag in tags]
    wishes = [Wish(atom, tag.width, tag.height) for atom, tag in zip(anchors, tags, strict=True)]
    below: list[Mark] = [disc for tag in tags for disc in _discs(tag, depiction)]
    above: list[Mark] = []
    places = place(wishes, depiction)
    lowest = depiction.lowest_ink
    for tag, atom, spot in zip(tags, anchors, places, strict=True):
        if spot is not None:
            left, upper = spot[0] + depiction.x, spot[1] + depiction.y
            below += _leader(tag, atom, left, upper, depiction)
            above += tag_marks(tag, left, upper)
            lowest = max(lowest, spot[1] + tag.height)
    height = math.ceil(lowest + _ROOM_BELOW)
    return MoleculePanel((*below, depiction, *above), height, places.count(None))


def _discs(tag: Tag, depiction: Depiction) -> Iterator[Box]:
    """Colour the ground of atoms by the certainty of their first nucleus."""
    shift = tag.rows[0]
    step = step_of(shift.nucleus, (shift.high_ppm - shift.low_ppm) / 2)
    radius = depiction.disc
    for atom in tag.atoms:
        x, y = depiction.positions[atom] + (depiction.x, depiction.y)
        sides = (float(x) - radius, float(y) - radius, 2 * radius, 2 * radius)
        symbol = depiction.mol.GetAtomWithIdx(atom).GetAtomicNum() != 6
        edge = ("", 0.0) if symbol else (step.line, 0.8)
        yield Box(*sides, step.ground, *edge, radius)


def _leader(tag: Tag, atom: int, left: float, top: float, depiction: Depiction) -> Iterator[Line]:
    """Tie a tag to its atom where there is a gap between them."""
    x, y = (float(v) for v in depiction.positions[atom] + (depiction.x, depiction.y))
    near_x = min(max(x, left), left + tag.width)
    near_y = min(max(y, top), top + tag.height)
    gap = math.hypot(near_x - x, near_y - y)
    if gap > depiction.disc + 4:
        share = depiction.disc / gap
        start = (x + share * (near_x - x), y + share * (near_y - y))
        yield Line(*start, near_x, near_y, SOFT, 0.9)
