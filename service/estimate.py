"""How much work a molecule is, told from its text before anything reads it."""

import re
from typing import Final

from nmrshift.types import Query

_OVERHEAD_ATOMS: Final[int] = 10
"""What a molecule costs whatever its size, in atoms."""

_LETTERS: Final = re.compile(r"[A-Za-z]")
_CHARS_A_LINE: Final[int] = 69
"""Of an atom in a molblock."""


def estimated_atoms(query: Query) -> int:
    """Return about how many atoms a molecule costs: one more, or fewer, does no harm."""
    text = query.structure
    if not isinstance(text, str):
        return _OVERHEAD_ATOMS + text.GetNumAtoms()
    if "\n" in text:
        return _OVERHEAD_ATOMS + len(text) // _CHARS_A_LINE
    return _OVERHEAD_ATOMS + len(_LETTERS.findall(text))
