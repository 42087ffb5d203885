"""Peak lists without assignment, cut into groups within which peaks and atoms belong together.

In 13C the letters S, D, T, Q say how many hydrogens the carbon carries, which cuts one list into
four. Within a group nothing but the shift says which peak is whose.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean
from typing import Final, Protocol, TypeVar

from nmrshift.data.records import Peak

HYDROGENS_OF_LETTER: Final[Mapping[str, int]] = {"S": 0, "D": 1, "T": 2, "Q": 3}


class _HasHydrogens(Protocol):
    @property
    def n_hydrogens(self) -> int: ...


Counted = TypeVar("Counted", bound=_HasHydrogens)


@dataclass(frozen=True, slots=True)
class Carrier:
    """An atom that can give a peak.

    Attributes:
        node: its node in the molecular graph.
        signal: class of symmetry-equivalent atoms.
        n_hydrogens: hydrogens on it.
    """

    node: int
    signal: int
    n_hydrogens: int


@dataclass(frozen=True, slots=True)
class PeakGroup:
    """Peaks and the atoms they come from, not paired.

    Attributes:
        nodes: one node for each peak where the numbers agree; else every signal's first node.
        shifts_ppm: the peaks, ascending.
    """

    nodes: tuple[int, ...]
    shifts_ppm: tuple[float, ...]

    @property
    def balanced(self) -> bool:
        """Whether there are as many peaks as atoms."""
        return len(self.nodes) == len(self.shifts_ppm)


def merge_peaks(peaks: Sequence[Peak]) -> list[Peak]:
    """Average the peaks that the source gives to one atom."""
    groups: defaultdict[object, list[Peak]] = defaultdict(list)
    for row, peak in enumerate(peaks):
        same = peak.source_index if isinstance(peak.source_index, int) else f"row {row}"
        groups[same].append(peak)
    return [
        replace(group[0], shift_ppm=fmean(peak.shift_ppm for peak in group))
        for group in groups.values()
    ]


def letter_classes(
    carriers: Sequence[Counted], peaks: Sequence[Peak], nucleus: str
) -> list[tuple[list[Counted], list[Peak]]]:
    """Return which atoms and peaks may belong together: by hydrogens, or all with all.

    Args:
        carriers: atoms that tell their hydrogens.
        peaks: cut by their letters where all have one.
        nucleus: of both.
    """
    if not _has_letters(peaks, nucleus):
        return [(list(carriers), list(peaks))]
    return [
        (
            [carrier for carrier in carriers if min(carrier.n_hydrogens, 3) == n],
            [peak for peak in peaks if HYDROGENS_OF_LETTER[peak.label or ""] == n],
        )
        for n in range(4)
    ]


def _has_letters(peaks: Sequence[Peak], nucleus: str) -> bool:
    """Say whether every peak tells the hydrogens of its carbon."""
    return nucleus == "13C" and all(peak.label in HYDROGENS_OF_LETTER for peak in peaks)


def peak_groups(
    carriers: Sequence[Carrier], peaks: Sequence[Peak], nucleus: str
) -> list[PeakGroup]:
    """Cut a peak list into groups.

    Args:
        carriers: all atoms of the nucleus' element; for 1H those that carry hydrogens.
        peaks: the list; peaks of one ``source_index`` are averaged first.
        nucleus: of both.

    Returns:
        Groups that have both peaks and atoms.
    """
    pairs = letter_classes(carriers, merge_peaks(peaks), nucleus)
    return [_group(atoms, lines) for atoms, lines in pairs if atoms and lines]


def _group(carriers: list[Carrier], peaks: list[Peak]) -> PeakGroup:
    first: dict[int, int] = {}
    for carrier in carriers:
        first.setdefault(carrier.signal, carrier.node)
    nodes = [carrier.node for carrier in carriers]
    if len(peaks) != len(nodes):
        nodes = list(first.values())
    return PeakGroup(tuple(nodes), tuple(sorted(peak.shift_ppm for peak in peaks)))
