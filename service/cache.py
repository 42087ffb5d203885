"""Predictions that need not be computed again."""

import threading
from collections import OrderedDict
from typing import Final, NamedTuple

from nmrshift.io.wire import WrittenPrediction
from nmrshift.types import Prediction

Kept = Prediction | WrittenPrediction

_CHARS_OF_AN_ATOM: Final[int] = 200
"""Characters of text that take about the memory of one atom's shift."""


class Key(NamedTuple):
    """Everything that a prediction depends on.

    Attributes:
        model: hash of the model.
        text: the molecule as given.
        solvent: as given.
        source: reference convention.
        nuclei: by their usual names.
        interval: nominal coverage.
        references: measured shifts named as evidence.
        as_text: whether it may be in JSON.
    """

    model: str
    text: str
    solvent: str | None
    source: str | None
    nuclei: tuple[str, ...]
    interval: float
    references: int
    as_text: bool


class ResultCache:
    """The predictions last asked for, bounded by the number of their atoms.

    Args:
        max_atoms: shifts kept; 0 keeps none.
    """

    def __init__(self, max_atoms: int) -> None:
        self._max_atoms = max_atoms
        self._n_atoms = 0
        self._kept: OrderedDict[Key, Kept] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Key) -> Kept | None:
        """Return the prediction, with the index and the name that it was first asked for with."""
        with self._lock:
            found = self._kept.get(key)
            if found is not None:
                self._kept.move_to_end(key)
            return found

    def put(self, key: Key, prediction: Kept) -> None:
        """Keep a prediction; those asked for longest ago make room."""
        size = _size(key, prediction)
        if size > self._max_atoms:
            return
        with self._lock:
            if key in self._kept:
                return
            self._kept[key] = prediction
            self._n_atoms += size
            while self._n_atoms > self._max_atoms:
                old_key, old = self._kept.popitem(last=False)
                self._n_atoms -= _size(old_key, old)

    @property
    def n_atoms(self) -> int:
        """Shifts kept now."""
        return self._n_atoms


def _size(key: Key, prediction: Kept) -> int:
    n_chars = len(key.text)
    if isinstance(prediction, WrittenPrediction):
        return 1 + (n_chars + len(prediction.rest)) // _CHARS_OF_AN_ATOM
    n_chars += len(prediction.molblock or "")
    return 1 + len(prediction.atoms) + n_chars // _CHARS_OF_AN_ATOM
