"""The manifest of a folder of parts: what made it, and what must be in it."""

import json
import platform
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final

from nmrshift import __version__
from nmrshift.errors import FileFormatError
from nmrshift.io.store import Store
from nmrshift.io.tally import Tally
from nmrshift.parallel.job import Job, PartReport

MANIFEST: Final[str] = "_manifest.json"
"""Readers of data sets pass over names that begin with an underscore."""

SCHEMA_VERSION: Final[int] = 1

_NAME: Final = re.compile(r"part-\d{6,}[.a-z]*")
_PACKAGES: Final[tuple[str, ...]] = ("rdkit", "torch", "dgl", "numpy", "pyarrow")
_MADE_BY: Final[tuple[str, ...]] = ("schema_version", "inputs", "model", "versions", "options")


@dataclass(frozen=True, slots=True)
class InputFile:
    """One input.

    Attributes:
        name: last part of its path; ``None`` for a structure given as an argument.
        format: what it is read as; ``None`` likewise.
        sha256: hash of the file as it lies there, or of the structure's text.
        n_bytes: its size.
    """

    name: str | None
    format: str | None
    sha256: str
    n_bytes: int


@dataclass(frozen=True, slots=True)
class Origin:
    """Everything that the content of the parts depends on, in plain values.

    Attributes:
        values: ready for JSON; the same run has the same values.
    """

    values: Mapping[str, Any]

    @property
    def part_rows(self) -> int:
        """Rows of a part."""
        return int(self.values["options"]["part_rows"])


def origin_of(
    job: Job, inputs: Sequence[InputFile], model: Mapping[str, str], part_rows: int
) -> Origin:
    """Describe a run before it begins.

    Args:
        job: settings and format.
        inputs: what is read.
        model: identity and hash of the model.
        part_rows: rows of a part.
    """
    settings = asdict(job.settings)
    settings["nuclei"] = list(job.settings.nuclei)
    options = {"format": job.format, "packing": job.packing, "part_rows": part_rows, **settings}
    values = {
        "schema_version": SCHEMA_VERSION,
        "inputs": [asdict(one) for one in inputs],
        "model": dict(model),
        "versions": _versions(job),
        "options": options,
    }
    return Origin(values)


def differences(old: Origin, new: Origin) -> list[str]:
    """Return in words what differs between two runs; empty if nothing does."""
    return list(_differences("", dict(old.values), dict(new.values)))


def write_manifest(store: Store, origin: Origin, reports: Sequence[PartReport] | None) -> None:
    """Write the manifest.

    Args:
        store: the folder.
        origin: what the parts depend on.
        reports: all parts, in order, once the run is complete.
    """
    values: dict[str, Any] = {**origin.values, "complete": reports is not None}
    if reports is not None:
        total = sum((report.tally for report in reports), Tally())
        values["rows"], values["predicted"] = total.rows, total.predicted
        values["failed"] = dict(total.failed)
        values["parts"] = [report_values(report) for report in reports]
    write_json(store, MANIFEST, values)


def read_manifest(store: Store) -> tuple[Origin, list[PartReport] | None] | None:
    """Return what made a folder and, if its run is complete, its parts; ``None`` without one.

    Raises:
        FileFormatError: there is a manifest, but it cannot be read.
    """
    if MANIFEST not in store.names():
        return None
    values = read_json(store, MANIFEST)
    try:
        origin = Origin({key: values[key] for key in _MADE_BY})
        if values["schema_version"] != SCHEMA_VERSION or origin.part_rows < 1:
            raise FileFormatError(f"{MANIFEST} is of another version")
        parts = [report_from(one) for one in values["parts"]] if values["complete"] else None
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise FileFormatError(f"{MANIFEST} is damaged: {error}") from None
    return origin, parts


def report_values(report: PartReport) -> dict[str, Any]:
    """Return the report of a part in plain values."""
    return {
        "number": report.number,
        "name": report.name,
        "predicted": report.tally.predicted,
        "failed": dict(report.tally.failed),
        "bytes": report.n_bytes,
        "sha256": report.sha256,
    }


def report_from(values: Mapping[str, Any]) -> PartReport:
    """Return the report that plain values stand for.

    Raises:
        KeyError, TypeError, ValueError: they stand for none.
    """
    failed = {str(code): int(number) for code, number in values["failed"].items()}
    name = str(values["name"])
    if not _NAME.fullmatch(name):
        raise ValueError("a part has a name that no part has")
    return PartReport(
        int(values["number"]),
        name,
        Tally(int(values["predicted"]), failed),
        int(values["bytes"]),
        str(values["sha256"]),
    )


def write_json(store: Store, name: str, values: Mapping[str, Any]) -> None:
    """Write plain values as a whole file."""
    with store.whole(name) as stream:
        stream.write((json.dumps(values, indent=1) + "\n").encode("ascii"))


def read_json(store: Store, name: str) -> dict[str, Any]:
    """Read a file of plain values.

    Raises:
        FileFormatError: it is no JSON object.
    """
    with store.open(name) as stream:
        data = stream.read()
    try:
        values = json.loads(data)
    except ValueError:
        values = None
    if not isinstance(values, dict):
        raise FileFormatError(f"{name} is no JSON object")
    return values


def _versions(job: Job) -> dict[str, str]:
    """Return the versions that numbers and bytes depend on."""
    with_arrow = job.format == "parquet" or job.packing == "zstd"
    found = {"nmrshift": __version__, "machine": platform.machine()}
    for package in _PACKAGES:
        if package != "pyarrow" or with_arrow:
            found[package] = _version(package)
    return found


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "absent"


def _differences(where: str, old: Any, new: Any) -> list[str]:
    if isinstance(old, dict) and isinstance(new, dict):
        found = []
        for key in dict.fromkeys((*old, *new)):
            path = f"{where}.{key}" if where else str(key)
            found += _differences(path, old.get(key), new.get(key))
        return found
    if isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        pairs = enumerate(zip(old, new, strict=True))
        return [line for i, (a, b) in pairs for line in _differences(f"{where}[{i}]", a, b)]
    return [] if old == new else [f"{where} was {old!r}, is {new!r}"]
