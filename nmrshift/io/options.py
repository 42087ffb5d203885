"""What users write for nuclei, read the same way on the command line and in the service."""

import re
from collections.abc import Iterable
from typing import Final

from nmrshift.constants import ELEMENT_OF_NUCLEUS
from nmrshift.errors import UnknownNucleusError

_SPELLING: Final = re.compile(
    r"(?:(?P<mass>\d{1,3})-?(?P<after>[A-Za-z]{1,2})|(?P<before>[A-Za-z]{1,2})-?(?P<last>\d{1,3}))"
)


def parse_nucleus(text: str) -> str:
    """Return the usual name of a nucleus: ``13C`` for ``13C``, ``c13``, ``C-13`` or ``13-c``.

    Raises:
        UnknownNucleusError: the text names no nucleus known here.
    """
    found = _SPELLING.fullmatch(text.strip(" "))
    if found:
        mass = found["mass"] or found["last"]
        element = (found["after"] or found["before"]).capitalize()
        if f"{mass}{element}" in ELEMENT_OF_NUCLEUS:
            return f"{mass}{element}"
    known = ", ".join(ELEMENT_OF_NUCLEUS)
    raise UnknownNucleusError("unknown nucleus", hint=f"Write one of {known}.")


def parse_nuclei(texts: Iterable[str], offered: tuple[str, ...]) -> tuple[str, ...]:
    """Return nuclei by their usual names, each once, in the order given.

    Args:
        texts: nuclei as users write them.
        offered: nuclei of the predictor.

    Raises:
        UnknownNucleusError: a nucleus is not known, or not offered.
    """
    nuclei = tuple(dict.fromkeys(parse_nucleus(text) for text in texts))
    missing = [nucleus for nucleus in nuclei if nucleus not in offered]
    if missing:
        raise UnknownNucleusError(
            f"the model does not predict {', '.join(missing)}",
            hint=f"It predicts {', '.join(offered)}.",
        )
    return nuclei
