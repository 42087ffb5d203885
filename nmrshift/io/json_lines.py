"""Reader of .jsonl: each line a string (the structure) or an object with named fields."""

import json
from collections.abc import Iterator
from typing import Any, BinaryIO, NoReturn

from nmrshift.io.fields import failed, query_from_fields, too_long
from nmrshift.io.source import text_lines
from nmrshift.types import Failure, Query


def read_json_lines(stream: BinaryIO) -> Iterator[Query | Failure]:
    """Yield one row a line; blank lines are no rows, fields without a meaning are ignored."""
    index = 0
    for line in text_lines(stream):
        if not line.text.strip():
            continue
        where = f"line {line.number}"
        yield too_long(index, line.text, where) if line.too_long else _row(line.text, index, where)
        index += 1


def _row(text: str, index: int, where: str) -> Query | Failure:
    try:
        value = strict_json(text)
    except ValueError as error:
        return failed(index, text, f"{where}: not JSON ({error})")
    if isinstance(value, str):
        return Query(value)
    if isinstance(value, dict):
        return query_from_fields(value, index, where)
    return failed(index, text, f"{where}: a string or an object expected")


def strict_json(text: str | bytes) -> Any:
    """Return the value of a JSON text as RFC 8259 has it.

    Raises:
        ValueError: not UTF-8, not JSON, a number that is not finite, a key twice in one object,
            or nested too deeply. The message repeats nothing of the text.
    """
    try:
        text = text.decode("utf-8") if isinstance(text, bytes) else text
        return json.loads(
            text, parse_constant=_refuse, parse_float=_finite, object_pairs_hook=_unique
        )
    except json.JSONDecodeError as error:
        raise ValueError(f"{error.msg} at character {error.pos}") from None
    except UnicodeDecodeError:
        raise ValueError("not UTF-8") from None
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _refuse(_: str) -> NoReturn:
    raise ValueError("a number is not finite")


def _finite(text: str) -> float:
    value = float(text)
    if value in (float("inf"), float("-inf")):
        _refuse(text)
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) < len(pairs):
        raise ValueError("a key stands twice in one object")
    return value
