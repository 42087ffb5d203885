"""Every solvent text of the shared data is understood or says that it is not given."""

import gzip
import json
import re
from collections import Counter
from pathlib import Path

import pytest

from nmrshift.chem.solvents import UNKNOWN, is_reported, normalise, unread

MOST_TEXTS_NOT_UNDERSTOOD = 0


def solvent_texts(folder: Path) -> Counter[str | None]:
    """Count the solvent texts of all record files and of the SD export."""
    texts: Counter[str | None] = Counter()
    for path in sorted(folder.rglob("*.jsonl.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            texts.update(json.loads(line).get("solvent") for line in lines)
    for path in sorted(folder.rglob("*.sd.gz")):
        with gzip.open(path, "rt", encoding="utf-8", errors="replace") as file:
            for line in re.findall(r"^> +<Solvent>\n(.*)$", file.read(), re.MULTILINE):
                texts.update(part.strip() for part in re.split(r"(?:^|\s)\d+:", line)[1:])
    return texts


@pytest.mark.shared
def test_no_reported_solvent_stays_unknown(shared_dir: Path) -> None:
    texts = solvent_texts(shared_dir / "data")
    assert texts.total() > 80_000
    lost = {text for text in texts if is_reported(text) and normalise(text) is UNKNOWN}
    assert len(lost) <= MOST_TEXTS_NOT_UNDERSTOOD, lost
    assert {text: unread(text) for text in texts if unread(text)} == {}


@pytest.mark.shared
def test_texts_not_given_are_only_the_three_known_ways(shared_dir: Path) -> None:
    texts = solvent_texts(shared_dir / "data")
    silent = {text for text in texts if normalise(text) is UNKNOWN}
    assert silent == {None, "Unreported", "Unknown"}
