"""Places that a tag may take around its atom, and what each costs."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from nmrshift.draw.molecule import Depiction, Points

_DIRECTIONS: Final[int] = 32
_GAPS: Final[tuple[float, ...]] = (0.5, 3.0, 7.0, 13.0, 21.0, 32.0, 46.0, 62.0, 82.0)
_OFF_PAGE: Final[float] = 1e4
_ON_SYMBOL: Final[float] = 300.0
_ON_BOND: Final[float] = 10.0
_FAR: Final[float] = 1.0
_TURNED: Final[float] = 9.0
_CLEAR: Final[float] = 2.0


@dataclass(frozen=True, slots=True)
class Wish:
    """A tag looking for its place.

    Attributes:
        atom: the atom it stands at.
        width: pixels.
        height: pixels.
    """

    atom: int
    width: float
    height: float


def candidates(wish: Wish, depiction: Depiction) -> tuple[Points, Points]:
    """Return where a tag may go.

    Args:
        wish: the tag.
        depiction: the molecule.

    Returns:
        Boxes ``[n, 4]`` (left, top, right, bottom, pixels) around its atom, and their cost
        ``[n]``: distance, direction, and what of the molecule they cover.
    """
    centre = depiction.positions[wish.atom]
    box = _symbol_at(centre, depiction.symbols)
    angles = np.arange(_DIRECTIONS) * (2 * np.pi / _DIRECTIONS)
    ways = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    free = _free_side(wish.atom, depiction)
    turned = _TURNED * (1 - ways @ free)
    half = np.array([wish.width, wish.height]) / 2
    boxes, costs = [], []
    for gap in _GAPS:
        reach = _reach(ways, half + np.maximum(box, depiction.disc) + gap)
        middles = centre + ways * reach[:, None]
        boxes.append(np.concatenate([middles - half, middles + half], axis=1))
        costs.append(turned + _FAR * gap)
    around = np.concatenate(boxes)
    return around, _fixed_cost(around, np.concatenate(costs), depiction)


def _reach(ways: Points, halves: Points) -> Points:
    """Return how far along each way a box of these half sides just leaves the origin."""
    with np.errstate(divide="ignore"):
        return np.asarray(np.min(halves / np.abs(ways), axis=1))


def _symbol_at(centre: Points, symbols: Points) -> Points:
    """Return half width and height of the symbol written over a point, or zeros."""
    over = (symbols[:, :2] - 3 <= centre).all(axis=1) & (symbols[:, 2:] + 3 >= centre).all(axis=1)
    if not over.any():
        return np.zeros(2)
    return np.asarray(np.abs(symbols[over] - np.tile(centre, 2)).reshape(-1, 2).max(axis=0))


def _free_side(atom: int, depiction: Depiction) -> Points:
    around = [n.GetIdx() for n in depiction.mol.GetAtomWithIdx(atom).GetNeighbors()]
    away = np.zeros(2)
    for other in around:
        step = depiction.positions[atom] - depiction.positions[other]
        away += step / max(float(np.linalg.norm(step)), 1e-6)
    length = float(np.linalg.norm(away))
    return away / length if length > 0.2 else np.array([0.0, -0.01])


def _fixed_cost(boxes: Points, costs: Points, depiction: Depiction) -> Points:
    """Add what the page, bonds and symbols cost."""
    page = np.array([depiction.width, depiction.height])
    outside = (boxes[:, :2] < 8).any(axis=1) | (boxes[:, 2:] > page - 8).any(axis=1)
    ink = depiction.ink
    near = (ink >= boxes[:, :2].min(axis=0) - _CLEAR) & (ink <= boxes[:, 2:].max(axis=0) + _CLEAR)
    ink = ink[near.all(axis=1)]
    low, high = boxes[:, None, :2] - _CLEAR, boxes[:, None, 2:] + _CLEAR
    covered = ((ink >= low) & (ink <= high)).all(axis=2).sum(axis=1)
    symbols = (overlaps(boxes, depiction.symbols) > 0).sum(axis=1)
    total = costs + _OFF_PAGE * outside + _ON_BOND * covered + _ON_SYMBOL * symbols
    return np.asarray(total)


def overlaps(boxes: Points, others: Points) -> Points:
    """Return the common area ``[n_boxes, n_others]`` of boxes, each grown by a pixel."""
    low = np.maximum(boxes[:, None, :2] - _CLEAR / 2, others[None, :, :2] - _CLEAR / 2)
    high = np.minimum(boxes[:, None, 2:] + _CLEAR / 2, others[None, :, 2:] + _CLEAR / 2)
    return np.asarray(np.prod(np.maximum(high - low, 0.0), axis=2))
