"""Spectra put right where a check knows how, and marked where it only doubts.

Two shifts of one spectrum whose exchange explains both are exchanged; other shifts far from the
same environment in other molecules stay, and their atoms are marked as doubted, so that training
trusts them less. Nothing is left out.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from nmrshift.data.check import check_files
from nmrshift.data.check_report import Finding
from nmrshift.data.records import (
    RecordIssue,
    ShiftRecord,
    only_records,
    read_records,
    record_writer,
)
from nmrshift.errors import ConfigError
from nmrshift.types import ShiftPredictor

_EXCHANGED: Final = "swap"
_DOUBTED: Final = "outlier"


@dataclass(frozen=True, slots=True)
class MendedFiles:
    """What was done.

    Attributes:
        n_records: records written.
        n_changed: records that are not what they were.
        n_exchanged: pairs of shifts that were exchanged.
        n_doubted: atoms newly marked as doubted.
        issues: rows that are no records, and so are not in the output.
    """

    n_records: int
    n_changed: int
    n_exchanged: int
    n_doubted: int
    issues: tuple[RecordIssue, ...]


def mend_files(
    paths: Sequence[Path],
    folder: Path,
    predictor: ShiftPredictor | None = None,
    *,
    force: bool = False,
) -> MendedFiles:
    """Check files as one collection and write them again, under their names, to a folder.

    Args:
        paths: native record files with names of their own.
        folder: where the output goes; made if there is none.
        predictor: asked for a second opinion; what it does not contradict too stays as it is.
        force: whether files of those names may be replaced.

    Raises:
        ConfigError: two files have one name, or one would be written over itself.
        FileExistsError: a name is taken and ``force`` is off.
        FileFormatError: a file cannot be read or made.
    """
    names = [path.name for path in paths]
    if len(set(names)) < len(names):
        raise ConfigError("two files have one name", hint="Mend them into folders of their own.")
    if any(path.resolve() == (folder / path.name).resolve() for path in paths):
        raise ConfigError(f"{folder} holds the files themselves", hint="Name another folder.")
    for name in names:
        if (folder / name).exists() and not force:
            raise FileExistsError(f"{folder / name} exists")
    found = by_record(check_files(paths, predictor).findings)
    folder.mkdir(parents=True, exist_ok=True)
    issues: list[RecordIssue] = []
    n_records = n_changed = n_exchanged = n_doubted = 0
    for path in paths:
        with record_writer(folder / path.name, force=force) as write:
            for record in only_records(read_records(path), issues):
                result = mended(record, found.get((record.id, record.nucleus), ()))
                write(result)
                n_records += 1
                n_changed += result != record
                n_exchanged += _n_moved(record, result) // 2
                n_doubted += len(result.doubted or ()) - len(record.doubted or ())
    return MendedFiles(n_records, n_changed, n_exchanged, n_doubted, tuple(issues))


def by_record(findings: Iterable[Finding]) -> dict[tuple[str, str], tuple[Finding, ...]]:
    """Return what is to be acted on, by id and nucleus; a model that was asked has a say."""
    own: defaultdict[tuple[str, str], list[Finding]] = defaultdict(list)
    for finding in findings:
        if finding.code in (_EXCHANGED, _DOUBTED) and finding.borne_out is not False:
            own[finding.record, finding.nucleus].append(finding)
    return {key: tuple(found) for key, found in own.items()}


def mended(record: ShiftRecord, findings: Iterable[Finding]) -> ShiftRecord:
    """Return a record with pairs exchanged and atoms marked; itself where nothing was found.

    Args:
        record: an assigned spectrum.
        findings: what a check found in it; shifts that it does not have are passed over.
    """
    shifts = list(record.shifts or ())
    doubted = set(record.doubted or ())
    for finding in findings:
        labels = _labels(finding)
        if not set(labels) <= set(shifts):
            continue
        if finding.code == _EXCHANGED:
            first, second = (shifts.index(label) for label in labels)
            (atom, shift_ppm), (other, other_ppm) = labels
            shifts[first], shifts[second] = (atom, other_ppm), (other, shift_ppm)
        else:
            doubted.update(finding.atoms)
    if shifts == list(record.shifts or ()) and doubted == set(record.doubted or ()):
        return record
    return replace(record, shifts=tuple(shifts), doubted=tuple(sorted(doubted)) or None)


def _n_moved(record: ShiftRecord, result: ShiftRecord) -> int:
    pairs = zip(record.shifts or (), result.shifts or (), strict=True)
    return sum(before != after for before, after in pairs)


def _labels(finding: Finding) -> list[tuple[int, float]]:
    return list(zip(finding.atoms, finding.shifts_ppm, strict=True))
