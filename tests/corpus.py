"""The hazard corpus of ``tests/hazards``, by kind of input."""

import json
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

HAZARDS = Path(__file__).resolve().parent / "hazards"


def load_generators() -> ModuleType:
    """Return the generators, loaded by path: the folder is no package."""
    spec = spec_from_file_location("hazard_generators", HAZARDS / "generators.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def cases_of(kind: str) -> list[dict[str, Any]]:
    """Return the cases of one kind."""
    lines = (HAZARDS / "cases.jsonl").read_text("ascii").splitlines()
    return [case for case in map(json.loads, lines) if case["kind"] == kind]


def can_be_sent(text: str) -> bool:
    """Return whether a case fits into a request: lone surrogates are no JSON text."""
    return len(text) < 200_000 and not any("\ud800" <= one <= "\udfff" for one in text)
