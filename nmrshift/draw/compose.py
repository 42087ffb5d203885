"""The whole picture: title, molecule with tags, one spectrum a nucleus, notes."""

from collections.abc import Iterator
from typing import Final

from nmrshift.chem.solvents import UNKNOWN, normalise
from nmrshift.draw.layout import lay_out
from nmrshift.draw.marks import FAINT, PAPER, SOFT, Box, Line, Mark, Scene, Text, text_width
from nmrshift.draw.molecule_panel import molecule_panel
from nmrshift.draw.spectrum import PANEL_HEIGHT, spectrum_marks
from nmrshift.draw.sticks import nuclei_of, sticks
from nmrshift.draw.structure import structure_of
from nmrshift.errors import DrawingError
from nmrshift.types import Prediction

WIDTH: Final[int] = 900
_EDGE: Final[int] = 40
_HEAD: Final[int] = 62
_NOTE_LINE: Final[int] = 16


def compose(prediction: Prediction, *, deadline_s: float, spectra: bool = True) -> Scene:
    """Lay out the picture of a prediction, 900 pixels wide.

    Args:
        prediction: what was predicted.
        deadline_s: seconds that the 2D layout of a large molecule may take.
        spectra: whether title, spectra and notes stand around the molecule.

    Raises:
        InputError: the text of the prediction is no molecule.
        DrawingError: it cannot be drawn.
        DeadlineError: its 2D layout took too long.
    """
    if not prediction.atoms:
        raise DrawingError("the prediction holds no shift")
    mol = lay_out(structure_of(prediction), deadline_s=deadline_s)
    title = f"{_name(prediction)}. {_settings(prediction)}"
    if not spectra:
        alone = molecule_panel(prediction, mol, width=WIDTH, top=0)
        ground = Box(0, 0, WIDTH, alone.height, PAPER)
        return Scene(WIDTH, alone.height, (ground, *alone.marks), title)
    molecule = molecule_panel(prediction, mol, width=WIDTH, top=_HEAD)
    marks: list[Mark] = [*_head(prediction), *molecule.marks]
    top = _HEAD + molecule.height
    for nucleus in nuclei_of(prediction):
        marks.append(Line(_EDGE, top, WIDTH - _EDGE, top, FAINT, 1))
        signals = sticks(prediction, nucleus)
        marks += spectrum_marks(
            nucleus, signals, left=_EDGE + 8, right=WIDTH - _EDGE - 8, top=top + 6
        )
        top += PANEL_HEIGHT
    notes = _notes(prediction, molecule.n_left_out)
    for line, note in enumerate(notes):
        marks.append(Text(_EDGE, top + 14 + _NOTE_LINE * line, note, 11, SOFT))
    height = top + (_NOTE_LINE * len(notes) + 10 if notes else 0)
    ground = Box(0, 0, WIDTH, height, PAPER)
    return Scene(WIDTH, height, (ground, *marks), title)


def _head(prediction: Prediction) -> Iterator[Text]:
    yield Text(_EDGE, 30, _shortened(_name(prediction), WIDTH - 2 * _EDGE, 17), 17)
    yield Text(_EDGE, 50, _shortened(_settings(prediction), WIDTH - 2 * _EDGE, 12), 12, SOFT)


def _name(prediction: Prediction) -> str:
    return " ".join((prediction.name or prediction.input.partition("\n")[0]).split()) or "molecule"


def _settings(prediction: Prediction) -> str:
    solvent = normalise(prediction.solvent)
    where = "in an unknown solvent" if solvent.key == UNKNOWN.key else f"in {solvent.name}"
    share = f"{100 * prediction.interval:g} %"
    return f"Predicted shifts {where} · {prediction.model} · ± and bars: {share} intervals"


def _notes(prediction: Prediction, n_left_out: int) -> list[str]:
    notes = [notice.message for notice in prediction.notices]
    if n_left_out:
        notes.append(f"{n_left_out} labels of the molecule left out for lack of space.")
    return [_shortened(note, WIDTH - 2 * _EDGE, 11) for note in notes]


def _shortened(text: str, width: float, size: float) -> str:
    if text_width(text, size) <= width:
        return text
    while text and text_width(text + "…", size) > width:
        text = text[:-1]
    return text + "…"
