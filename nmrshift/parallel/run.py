"""A run in parts: begun or taken up again, each part written once, the same bytes either way."""

import re
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Final

from nmrshift.errors import BatchError, NmrshiftError, ResumeError
from nmrshift.io.hashing import digest
from nmrshift.io.store import Store
from nmrshift.io.tally import Tally
from nmrshift.parallel.job import Engine, Job, Part, PartReport
from nmrshift.parallel.manifest import (
    MANIFEST,
    Origin,
    differences,
    read_json,
    read_manifest,
    report_from,
    write_manifest,
)
from nmrshift.parallel.worker import report_name
from nmrshift.types import Failure, Query

_REPORT: Final[str] = "_part-"
_PART: Final[str] = "part-"
_TEMPORARY: Final = re.compile(r"\.(_manifest\.json|_part-.*|part-.*)\.[0-9a-f]{8}\.tmp")

OnPart = Callable[[PartReport], None]


def run_parts(
    job: Job,
    origin: Origin,
    rows: Iterable[Query | Failure],
    engine: Engine,
    *,
    resume: bool = False,
    force: bool = False,
    on_part: OnPart = lambda _: None,
    check_inputs: Callable[[], bool] = lambda: True,
) -> Tally:
    """Predict rows in parts.

    Args:
        job: settings, format and folder.
        origin: everything that the content depends on.
        rows: the whole input, from its first row.
        engine: who works the parts off.
        resume: go on where another run stopped; begin where there was none.
        force: remove the parts of another run first.
        on_part: told of every finished part, those of the earlier run first.
        check_inputs: says at the end whether the input is still what it was.

    Returns:
        The answers of all parts.

    Raises:
        FileExistsError: the folder is not empty, and neither ``resume`` nor ``force`` applies.
        ResumeError: the other run had another origin.
        BatchError: the run had to stop; finished parts are kept.
    """
    with job.store.lock():
        finished = _begin(job.store, origin, resume=resume, force=force)
        reports = dict(finished)
        for report in finished.values():
            on_part(report)
        try:
            for report in engine.run(job, _todo(rows, origin.part_rows, finished)):
                reports[report.number] = report
                on_part(report)
            if not check_inputs():
                raise BatchError("the input changed while it was read", hint="Begin again.")
            return _finish(job.store, origin, reports)
        except OSError as error:
            reason = error.strerror or str(error) or type(error).__name__
            raise BatchError(f"{reason}; {len(reports)} finished parts are kept") from error


def finished_parts(store: Store) -> dict[int, PartReport]:
    """Return the parts that have a report and are as it says, byte for byte.

    Raises:
        FileFormatError: the manifest cannot be read.
    """
    names = set(store.names())
    found = read_manifest(store)
    complete = found[1] if found else None
    reports = _reports(store, names) if complete is None else complete
    return {one.number: one for one in reports if one.name in names and is_whole(store, one)}


def is_whole(store: Store, report: PartReport) -> bool:
    """Return whether the file of a part is there and as its report says."""
    try:
        with store.open(report.name) as stream:
            return digest(stream) == (report.sha256, report.n_bytes)
    except OSError:
        return False


def is_leftover(name: str) -> bool:
    """Return whether a file is one that a killed run may leave, and that nobody misses."""
    return name.startswith(_REPORT) or _is_temporary(name)


def _begin(store: Store, origin: Origin, *, resume: bool, force: bool) -> dict[int, PartReport]:
    """Make the folder ready; return the parts that are finished already."""
    found, names = read_manifest(store), store.names()
    if found is None and names and not _only_temporary(names):
        raise FileExistsError("the folder is not empty, and no run in parts made it")
    if found is not None and resume:
        if unlike := differences(found[0], origin):
            raise ResumeError(f"the run in this folder was another one: {'; '.join(unlike)}")
    elif found is not None and not force:
        raise FileExistsError("the folder holds a run in parts; --resume goes on with it")
    for name in names:
        if _is_temporary(name) or (found is not None and not resume and _is_ours(name)):
            store.remove(name)
    if found is None or not resume:
        write_manifest(store, origin, None)
        return {}
    return finished_parts(store)


def _todo(
    rows: Iterable[Query | Failure], part_rows: int, finished: dict[int, PartReport]
) -> Iterator[Part]:
    """Cut rows into parts and yield those that are not finished."""
    iterator = iter(rows)
    number = 0
    while chunk := tuple(islice(iterator, part_rows)):
        report = finished.get(number)
        if report is None:
            yield Part(number, number * part_rows, chunk)
        elif report.tally.rows != len(chunk):
            raise ResumeError(f"part {number} has {report.tally.rows} rows, not {len(chunk)}")
        number += 1


def _finish(store: Store, origin: Origin, reports: dict[int, PartReport]) -> Tally:
    """Write the final manifest; remove the reports that it replaces and what lost workers left."""
    ordered = [reports[number] for number in sorted(reports)]
    if [report.number for report in ordered] != list(range(len(ordered))):
        raise BatchError("a part is missing", hint="Run the same command with --resume.")
    write_manifest(store, origin, ordered)
    for name in filter(is_leftover, store.names()):
        store.remove(name)
    return sum((report.tally for report in ordered), Tally())


def _reports(store: Store, names: set[str]) -> Iterator[PartReport]:
    for name in sorted(names):
        if name.startswith(_REPORT):
            try:
                report = report_from(read_json(store, name))
            except (OSError, KeyError, TypeError, ValueError, NmrshiftError):
                continue
            if name == report_name(report.number):
                yield report


def _is_temporary(name: str) -> bool:
    return _TEMPORARY.fullmatch(name) is not None


def _only_temporary(names: list[str]) -> bool:
    return all(map(_is_temporary, names))


def _is_ours(name: str) -> bool:
    return name == MANIFEST or name.startswith((_REPORT, _PART))
