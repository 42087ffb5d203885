"""Contributors: each with all of its spectra, which are protected as a whole."""

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from nmrshift.adapt.intake import Intake
from nmrshift.data.dataset import as_dataset
from nmrshift.data.dataset import ShiftDataset
from nmrshift.data.records import ShiftRecord
from nmrshift.errors import TooFewContributorsError

LEAST_CONTRIBUTORS: Final = 10
"""Contributors to learn from; with fewer the noise drowns what they have in common."""


@dataclass(frozen=True, slots=True)
class Contributors:
    """Who learns and who measures.

    Attributes:
        learning: data sets of those that are learned from, one each.
        held_out: spectra of the others, which nothing in the model depends on.
        n_held_out: how many others there are.
    """

    learning: tuple[ShiftDataset, ...]
    held_out: ShiftDataset
    n_held_out: int


def divide_contributors(
    intake: Intake, nuclei: tuple[str, ...], features: str, validation: float, seed: int
) -> Contributors:
    """Hold contributors out, by their names and the seed.

    Args:
        intake: the spectra; those of new nuclei are left out.
        nuclei: those of the base.
        features: preset of the base.
        validation: share of contributors that is held out.
        seed: another one holds others out.

    Raises:
        TooFewContributorsError: fewer than ten are left to learn from.
    """
    groups: dict[str, list[ShiftRecord]] = {}
    for record, name in zip(intake.records, intake.contributors, strict=True):
        if record.nucleus in nuclei:
            groups.setdefault(name, []).append(record)
    order = sorted(groups, key=lambda name: _place(name, seed))
    n_held_out = max(1, math.ceil(validation * len(order)))
    n_learning = len(order) - n_held_out
    if n_learning < LEAST_CONTRIBUTORS:
        who = "one contributor" if len(order) == 1 else f"{len(order)} contributors"
        raise TooFewContributorsError(
            f"the spectra are of {who}; {LEAST_CONTRIBUTORS} are needed to learn from, and "
            f"{n_held_out} to measure on",
            hint="Whose a spectrum is says its `source`, or the column of --contributor-column. "
            "Spectra of one contributor cannot be hidden among others: adapt without --private, "
            "and keep the model to yourself.",
        )

    def dataset(records: Sequence[ShiftRecord]) -> ShiftDataset:
        return as_dataset(records, nuclei, features, lambda _: None)

    return Contributors(
        tuple(dataset(groups[name]) for name in order[n_held_out:]),
        dataset([record for name in order[:n_held_out] for record in groups[name]]),
        n_held_out,
    )


def _place(name: str, seed: int) -> bytes:
    text = f"{seed}:{name}".encode()
    return hashlib.blake2b(text, digest_size=8, person=b"private").digest()
