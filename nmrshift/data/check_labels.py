"""Labels judged against each other: outliers, exchanged pairs, repeated measurements."""

from array import array
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from nmrshift.data.check_report import Finding, Repeats
from nmrshift.data.environments import RADII, Expected, expect

FLOOR_PPM: Final[dict[str, float]] = {"13C": 2.0, "1H": 0.3, "19F": 3.0, "31P": 4.0, "11B": 3.0}
"""Least width assumed for an environment; 3 ppm for every other nucleus."""

OUTLIER_Z: Final[float] = 6.0
"""Robust z above which a label is reported."""

SWAP_Z: Final[float] = 4.0
"""Both labels of an exchanged pair lie beyond it ..."""

SWAPPED_Z: Final[float] = 2.0
"""... and within this one once they are exchanged."""

REPEAT_WIDTHS: Final[float] = 3.0
"""Repeated measurements may differ by this many floors."""


@dataclass(slots=True)
class Labels:
    """All labels of one nucleus, flat; every array ``[n_labels]``, ``keys`` by radius in turn."""

    record: "array[int]" = field(default_factory=lambda: array("q"))
    atom: "array[int]" = field(default_factory=lambda: array("q"))
    molecule: "array[int]" = field(default_factory=lambda: array("q"))
    isomer: "array[int]" = field(default_factory=lambda: array("q"))
    solvent: "array[int]" = field(default_factory=lambda: array("q"))
    rank: "array[int]" = field(default_factory=lambda: array("q"))
    shift_ppm: "array[float]" = field(default_factory=lambda: array("d"))
    keys: "array[int]" = field(default_factory=lambda: array("q"))


def judge(nucleus: str, labels: Labels, names: Sequence[str]) -> Iterator[Finding]:
    """Yield labels far from the same environment elsewhere, and pairs that look exchanged.

    Args:
        nucleus: nucleus of the labels.
        labels: all labels of that nucleus.
        names: id of each record by number.
    """
    if not len(labels.shift_ppm):
        return
    shift_ppm = np.frombuffer(labels.shift_ppm, dtype=np.float64)
    keys = np.frombuffer(labels.keys, dtype=np.int64).reshape(-1, len(RADII))
    molecule = np.frombuffer(labels.molecule, dtype=np.int64)
    expected = expect(keys, molecule, shift_ppm, FLOOR_PPM.get(nucleus, 3.0))
    z = (shift_ppm - expected.centre_ppm) / expected.scale_ppm
    with np.errstate(invalid="ignore"):
        far = np.flatnonzero(np.abs(z) > SWAP_Z)
    by_record: defaultdict[int, list[int]] = defaultdict(list)
    for row in far.tolist():
        by_record[labels.record[row]].append(row)
    for record, rows in by_record.items():
        swapped = _swaps(rows, labels, shift_ppm, expected)
        for first, second in swapped:
            yield _swap(nucleus, names[record], (first, second), labels, expected, z)
        explained = {row for pair in swapped for row in pair}
        for row in rows:
            if abs(z[row]) > OUTLIER_Z and row not in explained:
                yield _outlier(nucleus, names[record], row, labels, expected, float(z[row]))


def repeats(
    nucleus: str, labels: Labels, names: Sequence[str]
) -> tuple[Repeats | None, list[Finding]]:
    """Return how well repeated measurements of one atom agree, and those that do not.

    An atom is a symmetry class of one stereoisomer; each record counts once, with its mean.
    """
    measured: defaultdict[tuple[int, int, int], dict[int, list[int]]] = defaultdict(dict)
    rows = zip(labels.isomer, labels.rank, labels.solvent, labels.record, strict=True)
    for row, (isomer, rank, solvent, record) in enumerate(rows):
        measured[isomer, rank, solvent].setdefault(record, []).append(row)
    spreads = []
    findings = []
    for records in measured.values():
        if len(records) < 2:
            continue
        means = {
            record: sum(labels.shift_ppm[row] for row in own) / len(own)
            for record, own in records.items()
        }
        low, high = min(means, key=means.__getitem__), max(means, key=means.__getitem__)
        spread = means[high] - means[low]
        spreads.append(spread)
        if spread > REPEAT_WIDTHS * FLOOR_PPM.get(nucleus, 3.0):
            atom = labels.atom[records[high][0]]
            message = f"atom {atom}: {means[high]:.2f}, but {means[low]:.2f} in {names[low]}"
            shifts = (means[high],)
            findings.append(
                Finding(
                    "repeat", names[high], nucleus, (atom,), shifts, (means[low],), spread, message
                )
            )
    if not spreads:
        return None, []
    median, p90 = np.percentile(spreads, (50, 90))
    return Repeats(nucleus, len(spreads), round(float(median), 4), round(float(p90), 4)), findings


def _swaps(
    rows: list[int], labels: Labels, shift_ppm: NDArray[np.float64], expected: Expected
) -> list[tuple[int, int]]:
    """Return the pairs of one record that fit once exchanged, no label twice."""
    pairs = []
    for place, first in enumerate(rows):
        for second in rows[place + 1 :]:
            if labels.rank[first] == labels.rank[second]:
                continue
            here = abs(shift_ppm[second] - expected.centre_ppm[first]) / expected.scale_ppm[first]
            there = abs(shift_ppm[first] - expected.centre_ppm[second]) / expected.scale_ppm[second]
            if max(here, there) < SWAPPED_Z:
                pairs.append((float(here + there), first, second))
    taken: set[int] = set()
    chosen = []
    for _, first, second in sorted(pairs):
        if first not in taken and second not in taken:
            taken |= {first, second}
            chosen.append((first, second))
    return chosen


def _swap(
    nucleus: str,
    name: str,
    rows: tuple[int, int],
    labels: Labels,
    expected: Expected,
    z: NDArray[np.float64],
) -> Finding:
    atoms = tuple(labels.atom[row] for row in rows)
    shifts = tuple(labels.shift_ppm[row] for row in rows)
    centres = tuple(round(float(expected.centre_ppm[row]), 3) for row in rows)
    message = (
        f"atoms {atoms[0]} and {atoms[1]} have {shifts[0]} and {shifts[1]} ppm; "
        f"elsewhere {centres[0]:.1f} and {centres[1]:.1f}"
    )
    score = round(float(min(abs(z[row]) for row in rows)), 2)
    return Finding("swap", name, nucleus, atoms, shifts, centres, score, message)


def _outlier(
    nucleus: str, name: str, row: int, labels: Labels, expected: Expected, z: float
) -> Finding:
    atom, shift_ppm = labels.atom[row], labels.shift_ppm[row]
    centre = round(float(expected.centre_ppm[row]), 3)
    message = (
        f"atom {atom} has {shift_ppm} ppm; {int(expected.n_others[row])} other molecules have "
        f"{centre:.1f} within {int(expected.radius[row])} bonds"
    )
    score = round(abs(z), 2)
    return Finding("outlier", name, nucleus, (atom,), (shift_ppm,), (centre,), score, message)
