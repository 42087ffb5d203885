"""Contributors: each with all of its spectra, which are protected as a whole."""

import hashlib
import math
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from nmrshift.adapt.intake import Intake
from nmrshift.data.dataset import ShiftDataset, as_dataset
from nmrshift.data.records import ShiftRecord
from nmrshift.errors import NoContributorError, RecordError, TooFewContributorsError

LEAST_CONTRIBUTORS: Final = 10
"""Contributors to learn from; with fewer the noise drowns what they have in common."""


@dataclass(frozen=True, slots=True)
class Contributors:
    """Who learns and who measures.

    Attributes:
        names: of those that are learned from.
        learning: their data sets; ``None`` where no spectrum can be learned from.
        held_out: spectra of the others, which nothing in the model depends on.
        n_held_out: how many others there are.
    """

    names: tuple[str, ...]
    learning: tuple[ShiftDataset | None, ...]
    held_out: ShiftDataset | None
    n_held_out: int


def divide_contributors(
    intake: Intake,
    nuclei: tuple[str, ...],
    features: str,
    learned: Sequence[str],
    validation: float,
    seed: int,
) -> Contributors:
    """Hold contributors out, by their names and the seed.

    Args:
        intake: the spectra.
        nuclei: those of the base.
        features: preset of the base.
        learned: nuclei that are learned from.
        validation: share of contributors that is held out.
        seed: another one holds others out.

    Raises:
        NoContributorError: nothing says whose a spectrum is.
        TooFewContributorsError: fewer than ten are left to learn from.
    """
    groups: dict[str, list[ShiftRecord]] = {}
    for record, name in zip(intake.records, intake.contributors, strict=True):
        kept = groups.setdefault(_plain(name), [])
        if record.nucleus in learned:
            kept.append(record)
    _check_names(groups, intake)
    order = sorted(groups, key=lambda name: _place(name, seed))
    n_held_out = max(1, math.ceil(validation * len(order)))
    if len(order) - n_held_out < LEAST_CONTRIBUTORS:
        raise _too_few(len(order), n_held_out)

    def dataset(records: Sequence[ShiftRecord]) -> ShiftDataset | None:
        try:
            return as_dataset(records, nuclei, features, lambda _: None)
        except RecordError:
            return None

    names = tuple(sorted(order[n_held_out:]))
    held_out = [record for name in order[:n_held_out] for record in groups[name]]
    return Contributors(
        names, tuple(dataset(groups[name]) for name in names), dataset(held_out), n_held_out
    )


def _plain(name: str) -> str:
    """Return a name without what people write differently: one laboratory is one contributor."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def _check_names(groups: dict[str, list[ShiftRecord]], intake: Intake) -> None:
    if "" in groups:
        n_unnamed = sum(not _plain(name) for name in intake.contributors)
        raise NoContributorError(
            f"{n_unnamed} spectra name no contributor",
            hint="Fill the column of --contributor-column, or leave these spectra out.",
        )


def _too_few(n: int, n_held_out: int) -> TooFewContributorsError:
    who = "one contributor" if n == 1 else f"{n} contributors"
    return TooFewContributorsError(
        f"the spectra are of {who}; {LEAST_CONTRIBUTORS} are needed to learn from, and "
        f"{n_held_out} to measure on",
        hint="Whose a spectrum is says the column of --contributor-column; without it every file "
        "is of one contributor. Spectra of one contributor cannot be hidden among others: adapt "
        "without --private, and keep the model to yourself.",
    )


def _place(name: str, seed: int) -> bytes:
    text = f"{seed}:{name}".encode()
    return hashlib.blake2b(text, digest_size=8, person=b"private").digest()
