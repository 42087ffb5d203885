"""A row of named fields to one query, or to a failure in its place."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from nmrshift.errors import FileFormatError, InputError, InvalidTextError, TooLargeError
from nmrshift.types import Failure, Query

STRUCTURE_KEYS: Final[tuple[str, ...]] = ("structure", "smiles", "inchi", "molblock")
NAME_KEYS: Final[tuple[str, ...]] = ("id", "name", "title")
MAX_ECHO_CHARS: Final[int] = 200
"""Characters of a bad row that are repeated in its failure."""


def failed(
    index: int,
    text: str,
    message: str,
    *,
    error: type[InputError | FileFormatError] = InvalidTextError,
    name: str | None = None,
    hint: str | None = None,
) -> Failure:
    """Return the failure of one row.

    Args:
        index: position of the row.
        text: the row as read; its beginning is repeated.
        message: what is wrong.
        error: class whose code and hint the failure takes.
        name: identifier of the row, if any.
        hint: what to do about it, instead of the class's.
    """
    hint = error.default_hint if hint is None else hint
    return Failure(index, text[:MAX_ECHO_CHARS], name, error.code, message, hint)


def too_long(index: int, text: str, where: str) -> Failure:
    """Return the failure of a row that is longer than the readers keep."""
    return failed(index, text, f"{where}: the row is too long", error=TooLargeError)


def query_from_fields(fields: Mapping[str, Any], index: int, where: str) -> Query | Failure:
    """Read one row.

    Args:
        fields: ``structure``, ``smiles``, ``inchi`` or ``molblock`` (one of them), and
            optionally ``id``, ``name`` or ``title`` and ``solvent``; other fields are ignored.
        index: position of the row.
        where: place of the row, for messages.

    Returns:
        The query, or why there is none.
    """
    given = [key for key in STRUCTURE_KEYS if fields.get(key) is not None]
    name = next((str(fields[key]) for key in NAME_KEYS if fields.get(key) is not None), None)
    if len(given) != 1:
        what = f"{where}: one of {', '.join(STRUCTURE_KEYS)} expected, {len(given)} given"
        return failed(index, "", what, name=name)
    key, solvent = given[0], fields.get("solvent")
    text = fields[key]
    if not isinstance(text, str) or not (solvent is None or isinstance(solvent, str)):
        return failed(index, "", f"{where}: structure and solvent must be text", name=name)
    problem = mismatch(key, text)
    if problem:
        return failed(index, text, f"{where}: {problem}", name=name)
    return Query(text, solvent=solvent or None, name=name)


def mismatch(key: str, text: str) -> str | None:
    """Return why a text cannot stand under a key that names its kind, or ``None``."""
    is_inchi = text.lstrip().startswith("InChI=")
    if key == "inchi" and not is_inchi:
        return "an InChI begins with InChI="
    if key == "smiles" and (is_inchi or "\n" in text.strip()):
        return "not a SMILES"
    if key == "molblock" and "\n" not in text and "\r" not in text:
        return "a molblock has several lines"
    return None


def at_index(row: Query | Failure, index: int) -> Query | Failure:
    """Return a row with its position: failures carry it, queries do not."""
    return replace(row, index=index) if isinstance(row, Failure) else row
