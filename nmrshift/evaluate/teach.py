"""What a model says of molecules nobody measured, as spectra for another model to learn from.

Distillation (Hinton et al., arXiv 1503.02531): a network that learns from the mean of several comes
near to their accuracy at the cost of one. Molecules that stand in no file of spectra take part.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Final

import numpy as np

from nmrshift.constants import ELEMENT_OF_NUCLEUS
from nmrshift.data.records import RecordIssue, ShiftRecord
from nmrshift.types import Failure, Prediction, Query, ShiftPredictor

HIDE: Final = 0.15
"""Chance that a spectrum is taught without its solvent, and that it is without its convention."""

_CHUNK: Final = 2048

Condition = tuple[str | None, str | None]
"""Solvent and source, as records have them."""


class Conditions:
    """How often the labels of each nucleus were measured in which solvent, by which source.

    Args:
        spectra: measured spectra; computed ones are passed over.
        sources: conventions the model knows; others are the general one.
    """

    def __init__(self, spectra: Iterable[ShiftRecord], sources: tuple[str, ...]) -> None:
        counts: dict[str, Counter[Condition]] = {}
        for record in spectra:
            if record.level is None:
                source = record.source if record.source in sources else None
                lines = len(record.shifts or record.peaks or ())
                counts.setdefault(record.nucleus, Counter())[record.solvent, source] += lines
        self._of = {nucleus: list(found.items()) for nucleus, found in counts.items()}

    @property
    def nuclei(self) -> tuple[str, ...]:
        """Nuclei that were measured at all."""
        return tuple(self._of)

    def draw(self, nucleus: str, smiles: str, seed: int) -> Condition:
        """Return a condition of a nucleus, for a molecule and a seed always the same."""
        text = f"{seed} {nucleus} {smiles}".encode()
        digest = hashlib.blake2b(text, digest_size=8, person=b"teach").digest()
        rng = np.random.default_rng(int.from_bytes(digest, "big"))
        shares = np.array([count for _, count in self._of[nucleus]], dtype=np.float64)
        solvent, source = self._of[nucleus][rng.choice(len(shares), p=shares / shares.sum())][0]
        hidden = rng.random(2) < HIDE
        return None if hidden[0] else solvent, None if hidden[1] else source


def teach(
    molecules: Iterable[Query | Failure],
    predictor: ShiftPredictor,
    conditions: Conditions,
    seed: int = 0,
) -> Iterator[ShiftRecord | RecordIssue]:
    """Yield the spectra that a model predicts, one for each molecule and nucleus it carries.

    A molecule of which none comes is an issue. Every atom has a shift, under a condition drawn as
    often as it was measured. The spectra count as computed, their level being the model: no error
    scale, interval or evidence comes of them.

    Args:
        molecules: SMILES, and what could not be read; a text that came before is passed over.
        predictor: the model that teaches.
        conditions: under which it is asked; nuclei that these do not know are left out.
        seed: another number, other conditions.
    """
    nuclei = [nucleus for nucleus in predictor.nuclei if nucleus in conditions.nuclei]
    seen: set[str] = set()
    rows = enumerate(molecules, 1)
    while chunk := list(islice(rows, _CHUNK)):
        asked: list[tuple[int, Query]] = []
        for row, entry in chunk:
            if isinstance(entry, Failure):
                yield _issue(row, entry)
            elif (smiles := str(entry.structure)) not in seen:
                seen.add(smiles)
                asked += [
                    (row, _query(smiles, nucleus, conditions, seed))
                    for nucleus in nuclei
                    if _may_carry(smiles, nucleus)
                ]
        answers = predictor.predict_many([query for _, query in asked], nuclei=predictor.nuclei)
        taught: set[int] = set()
        failures: dict[int, Failure] = {}
        for (row, query), answer in zip(asked, answers, strict=True):
            if isinstance(answer, Failure):
                failures.setdefault(row, answer)
            else:
                taught.add(row)
                yield _spectrum(row, query, answer)
        for row in failures.keys() - taught:
            yield _issue(row, failures[row])


def _may_carry(smiles: str, nucleus: str) -> bool:
    """Say whether a molecule may have atoms of a nucleus; hydrogens are seldom written."""
    element = ELEMENT_OF_NUCLEUS[nucleus].lower()
    return element == "h" or element in smiles.lower()


def _query(smiles: str, nucleus: str, conditions: Conditions, seed: int) -> Query:
    solvent, source = conditions.draw(nucleus, smiles, seed)
    return Query(smiles, solvent=solvent, nuclei=(nucleus,), source=source)


def _spectrum(row: int, query: Query, answer: Prediction) -> ShiftRecord:
    (nucleus,) = query.nuclei or ()
    return ShiftRecord(
        id=f"taught:{row}/{nucleus}",
        smiles=str(query.structure),
        nucleus=nucleus,
        solvent=query.solvent,
        source=query.source,
        level=answer.model,
        shifts=tuple((atom.atom_index, round(atom.shift_ppm, 3)) for atom in answer.atoms),
    )


def _issue(row: int, failure: Failure) -> RecordIssue:
    return RecordIssue(row, failure.code, failure.message, failure.input[:60])
