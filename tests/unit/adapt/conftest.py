"""Laboratories that several tests adapt to."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from laboratory import LAB, offset, records_of, write_lines

from nmrshift import Predictor
from nmrshift.adapt import AdaptReport, adapt
from nmrshift.adapt import run as adapt_run
from nmrshift.adapt.private import ground as private_ground
from nmrshift.adapt.public import public_smiles
from nmrshift.adapt.ways import WAYS

CAUTIOUS = tuple(way for way in WAYS if way.name in ("convention", "heads"))


@pytest.fixture(scope="module")
def few_public() -> Callable[[], tuple[str, ...]]:
    return lambda: public_smiles()[::6]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch, few_public: Callable[[], tuple[str, ...]]) -> None:
    """Rehearse on fewer structures and leave the slow ways to the tests that need them."""
    monkeypatch.setattr(adapt_run, "public_smiles", few_public)
    monkeypatch.setattr(private_ground, "public_smiles", few_public)
    monkeypatch.setattr(adapt_run, "WAYS", CAUTIOUS)


@pytest.fixture(scope="module")
def offset_records(toy_model: Path) -> list[dict[str, Any]]:
    return records_of(Predictor.load(toy_model), offset)


@pytest.fixture(scope="module")
def moved(
    toy_model: Path,
    offset_records: list[dict[str, Any]],
    tmp_path_factory: pytest.TempPathFactory,
    few_public: Callable[[], tuple[str, ...]],
) -> AdaptReport:
    """A laboratory on another reference."""
    folder = tmp_path_factory.mktemp("moved")
    path = write_lines(folder / "lab.jsonl", offset_records)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(adapt_run, "public_smiles", few_public)
        return adapt([path], folder / "model", model=toy_model, settings=LAB)
