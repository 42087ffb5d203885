"""The molecule as RDKit draws it, and where its ink lies."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from rdkit.Chem.Draw import rdMolDraw2D

from nmrshift.chem.toolkit import Chem
from nmrshift.draw.wedges import prepare, turned
from nmrshift.errors import DrawingError

Points = NDArray[np.float64]

_UNITS: Final[float] = 1.5
"""Length of a bond in a layout; RDKit's option of that name is pixels for one unit."""

_BOND_PX: Final[float] = 62.0
_MARGIN_X: Final[float] = 96.0
_MARGIN_Y: Final[float] = 58.0
_MAX_INNER_HEIGHT: Final[float] = 440.0
_INK_STEP: Final[float] = 3.0
"""Distance between points on a bond, pixels."""

_HEADER_END: Final[str] = "<!-- END OF HEADER -->"
_PATH: Final = re.compile(r"<path class='([^']*)' d='([^']*)'")
_NUMBER: Final = re.compile(r"-?\d+\.?\d*")


@dataclass(frozen=True)
class Depiction:
    """A molecule drawn; an inset of a picture.

    Attributes:
        mol: prepared for drawing, with coordinates; added hydrogens come after all input atoms.
        width: pixels.
        height: pixels.
        bond: length of a bond, pixels.
        positions: ``[n_atoms, 2]`` places of the atoms, pixels from the inset's corner.
        ink: ``[n, 2]`` points on bonds, pixels from the inset's corner.
        symbols: box ``left, top, right, bottom`` of each written atom symbol, pixels.
        svg_body: elements with classes ``atom-N`` and ``bond-N``.
        x: left edge in the picture, pixels.
        y: top edge in the picture, pixels.
    """

    mol: Chem.Mol
    width: int
    height: int
    bond: float
    positions: Points
    ink: Points
    symbols: Points
    svg_body: str
    x: float = 0.0
    y: float = 0.0

    @property
    def disc(self) -> float:
        """Radius of the coloured ground under an atom, pixels."""
        return min(10.0, 0.2 * self.bond)

    @property
    def lowest_ink(self) -> float:
        """Lower end of all bonds, symbols and coloured grounds, pixels from the corner."""
        ends = (self.ink[:, 1], self.symbols[:, 3], self.positions[:, 1] + self.disc)
        return max(float(end.max()) for end in ends if end.size)

    def png(self, scale: float) -> bytes:
        """Draw it again with RDKit's Cairo drawer, transparent, ``scale`` times as large."""
        size = (round(self.width * scale), round(self.height * scale))
        drawer = rdMolDraw2D.MolDraw2DCairo(*size)
        _draw(drawer, self.mol, self.bond, scale)
        return bytes(drawer.GetDrawingText())

    def at(self, x: float, y: float) -> "Depiction":
        """Return it moved to a place in the picture, pixels."""
        return replace(self, x=x, y=y)


def depict(mol: Chem.Mol, *, width: int) -> Depiction:
    """Draw a molecule in black, with room for labels around it.

    Args:
        mol: molecule with a 2D conformer; not changed.
        width: width of the drawing, pixels; the height follows the molecule.

    Raises:
        DrawingError: RDKit cannot draw it.
    """
    try:
        prepared = prepare(turned(mol))
        places = prepared.GetConformer().GetPositions()[:, :2]
        spans = np.maximum(places.max(axis=0) - places.min(axis=0), 1e-3)
        fit = min((width - 2 * _MARGIN_X) / spans[0], _MAX_INNER_HEIGHT / spans[1])
        bond = min(_BOND_PX, float(fit) * _UNITS)
        height = int(np.ceil(spans[1] * bond / _UNITS + 2 * _MARGIN_Y))
        drawer = rdMolDraw2D.MolDraw2DSVG(width, height)
        _draw(drawer, prepared, bond, 1.0)
        text = drawer.GetDrawingText()
        points = [drawer.GetDrawCoords(index) for index in range(prepared.GetNumAtoms())]
    except (ValueError, RuntimeError) as error:
        raise DrawingError(f"RDKit cannot draw it: {str(error).strip()[:100]}") from None
    body = text.partition(_HEADER_END)[2].rpartition("</svg>")[0].strip()
    positions = np.array([(point.x, point.y) for point in points])
    ink, symbols = _read_ink(body)
    return Depiction(prepared, width, height, bond, positions, ink, symbols, body)


def _draw(drawer: Any, mol: Chem.Mol, bond: float, scale: float) -> None:
    options = drawer.drawOptions()
    options.useBWAtomPalette()
    options.clearBackground = False
    options.setBackgroundColour((1.0, 1.0, 1.0, 0.0))
    options.prepareMolsBeforeDrawing = False
    options.includeMetadata = False
    options.padding = 0.0
    options.fixedBondLength = bond * scale / _UNITS
    options.fixedFontSize = round(min(15.0, max(6.0, 0.36 * bond)) * scale)
    options.bondLineWidth = (1.6 if bond > 30 else 1.0) * scale
    options.scaleBondWidth = False
    options.additionalAtomLabelPadding = 0.04
    drawer.DrawMolecule(mol)
    tag: Callable[[Chem.Mol], None] | None = getattr(drawer, "TagAtoms", None)
    if tag is not None:
        tag(mol)
    drawer.FinishDrawing()


def _read_ink(body: str) -> tuple[Points, Points]:
    """Return points along bonds and the boxes of symbols, from the paths that RDKit wrote."""
    ink: list[Points] = [np.empty((0, 2))]
    symbols: list[Points] = [np.empty((0, 4))]
    for kind, path in _PATH.findall(body):
        numbers = np.array(_NUMBER.findall(path), dtype=np.float64)
        corners = numbers[: len(numbers) // 2 * 2].reshape(-1, 2)
        if path.rstrip().endswith("Z"):
            corners = np.concatenate([corners, corners[:1]])
        if kind.startswith("bond-") and len(corners) > 1:
            length = float(np.abs(np.diff(corners, axis=0)).max())
            steps = np.linspace(0.0, 1.0, max(5, 2 + int(length / _INK_STEP)))[:, None, None]
            ink.append((corners[:-1] * (1 - steps) + corners[1:] * steps).reshape(-1, 2))
        elif kind.startswith("atom-"):
            symbols.append(np.concatenate([corners.min(axis=0), corners.max(axis=0)])[None])
    return np.concatenate(ink), np.concatenate(symbols)
