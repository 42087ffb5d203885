"""What is written at the atoms: one tag for an atom, or for equivalent ends of one group."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from nmrshift.chem.toolkit import Chem
from nmrshift.draw.certainty import step_of
from nmrshift.draw.marks import INK, SOFT, Box, Group, Text, text_width
from nmrshift.draw.molecule import Points
from nmrshift.draw.numbers import half_width_text, shift_text, split_nucleus
from nmrshift.draw.sticks import Stick, stick_title
from nmrshift.types import AtomShift, Prediction

_VALUE: Final[float] = 12.0
_REACH: Final[float] = 9.5
"""Font sizes of a shift and of its half-width, pixels."""

_ROW: Final[float] = 17.0


@dataclass(frozen=True, slots=True)
class Tag:
    """A tag.

    Attributes:
        atoms: indices in the input; equivalent atoms on one neighbour share a tag.
        rows: one shift a nucleus.
        width: pixels.
        height: pixels.
    """

    atoms: tuple[int, ...]
    rows: tuple[AtomShift, ...]
    width: float
    height: float


def tags_of(prediction: Prediction, mol: Chem.Mol) -> tuple[Tag, ...]:
    """Return the tags of a prediction, by first atom.

    Args:
        prediction: what was predicted.
        mol: its molecule, in the same order.
    """
    rows: dict[int, list[AtomShift]] = {}
    for shift in prediction.atoms:
        rows.setdefault(shift.atom_index, []).append(shift)
    groups: dict[tuple[object, ...], list[int]] = {}
    for index, shifts in sorted(rows.items()):
        around = mol.GetAtomWithIdx(index).GetNeighbors()
        place = ("end", around[0].GetIdx()) if len(around) == 1 else ("atom", index)
        signals = tuple((shift.nucleus, shift.signal) for shift in shifts)
        groups.setdefault((*place, signals), []).append(index)
    return tuple(_tag(tuple(atoms), tuple(rows[atoms[0]])) for atoms in groups.values())


def anchor_of(tag: Tag, mol: Chem.Mol, positions: Points) -> int:
    """Return the atom that a tag stands at: of equivalent ends the middle one."""
    centre = positions[list(tag.atoms)].mean(axis=0)
    around = mol.GetAtomWithIdx(tag.atoms[0]).GetNeighbors()
    hub = positions[around[0].GetIdx()] if around else centre
    reach = [float((positions[atom] - hub) @ (centre - hub)) for atom in tag.atoms]
    return tag.atoms[int(np.argmax(reach))]


def tag_marks(tag: Tag, left: float, top: float) -> tuple[Group, ...]:
    """Draw a tag, one group of kind ``tag`` a nucleus.

    Args:
        tag: what to write.
        left: its left edge, pixels.
        top: its top edge, pixels.
    """
    if len(tag.rows) == 1:
        return (_single(tag, tag.rows[0], left, top),)
    return tuple(_row(tag, shift, left, top + rank * _ROW) for rank, shift in enumerate(tag.rows))


def _tag(atoms: tuple[int, ...], rows: tuple[AtomShift, ...]) -> Tag:
    if len(rows) == 1:
        value, reach = _words(rows[0])
        times = _times(atoms)
        width = max(text_width(value, _VALUE), text_width(reach + times, _REACH)) + 7
        return Tag(atoms, rows, width, 27.0)
    widths = [_row_width(row, atoms) for row in rows]
    return Tag(atoms, rows, max(widths), _ROW * len(rows))


def _row_width(shift: AtomShift, atoms: Sequence[int]) -> float:
    value, reach = _words(shift)
    _, symbol = split_nucleus(shift.nucleus)
    return (
        text_width(symbol, _REACH)
        + text_width(value, _VALUE)
        + text_width(reach + _times(atoms), _REACH)
        + 16
    )


def _single(tag: Tag, shift: AtomShift, left: float, top: float) -> Group:
    value, reach = _words(shift)
    middle = left + tag.width / 2
    marks = (
        _frame(shift, left, top, tag.width, tag.height),
        Text(middle, top + 13, value, _VALUE, INK, "middle"),
        Text(middle, top + 23.5, reach + _times(tag.atoms), _REACH, SOFT, "middle"),
    )
    return Group(marks, "tag", shift.nucleus, tag.atoms, _title(tag, shift))


def _row(tag: Tag, shift: AtomShift, left: float, top: float) -> Group:
    value, reach = _words(shift)
    _, symbol = split_nucleus(shift.nucleus)
    right = left + tag.width - 4
    words = reach + _times(tag.atoms)
    marks = (
        _frame(shift, left, top, tag.width, _ROW - 1.5),
        Text(left + 4, top + 12, symbol, _REACH, SOFT),
        Text(right - text_width(words, _REACH) - 3, top + 12, value, _VALUE, INK, "end"),
        Text(right, top + 12, words, _REACH, SOFT, "end"),
    )
    return Group(marks, "tag", shift.nucleus, tag.atoms, _title(tag, shift))


def _frame(shift: AtomShift, left: float, top: float, width: float, height: float) -> Box:
    step = step_of(shift.nucleus, (shift.high_ppm - shift.low_ppm) / 2)
    return Box(left, top, width, height, step.ground, step.line, 1.3, 4)


def _words(shift: AtomShift) -> tuple[str, str]:
    half_width_ppm = (shift.high_ppm - shift.low_ppm) / 2
    return (
        shift_text(shift.nucleus, shift.shift_ppm),
        half_width_text(shift.nucleus, half_width_ppm),
    )


def _times(atoms: Sequence[int]) -> str:
    return f" ×{len(atoms)}" if len(atoms) > 1 else ""


def _title(tag: Tag, shift: AtomShift) -> str:
    n_nuclei = len(tag.atoms) * (shift.n_hydrogens if shift.nucleus == "1H" else 1)
    return stick_title(
        Stick(shift.nucleus, tag.atoms, shift.shift_ppm, shift.low_ppm, shift.high_ppm, n_nuclei)
    )
