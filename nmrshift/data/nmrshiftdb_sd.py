"""Importer of nmrshiftdb2 SD exports: one record a spectrum, several spectra a molecule."""

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import BinaryIO, Final

from nmrshift.data.records import (
    FaultError,
    Peak,
    RecordIssue,
    ShiftRecord,
    check_record,
    issue_of,
)
from nmrshift.data.sd_entries import sd_entries
from nmrshift.data.structures import FileStructure, read_structure
from nmrshift.errors import InputError, RecordError
from nmrshift.io.sdf_records import SdRecord

SOURCE: Final[str] = "nmrshiftdb2"

_SPECTRUM: Final = re.compile(r"Spectrum\s+(\d{1,3}[A-Z][a-z]?)\s+(\d+)")
_SLOT: Final = re.compile(r"(?:^|(?<=\s))(\d+):")
_HEADER_ID: Final = re.compile(r"nmrshiftdb2?\s+(\d+)")
_LEVEL_FIELDS: Final[tuple[str, ...]] = (
    "Program",
    "NMRModel",
    "NMRBasisSet",
    "NMRLocalis",
    "NMRStandard",
    "GeomMethod",
    "GeomBasisSet",
)


@dataclass(frozen=True, slots=True)
class _Molecule:
    """One record of the file, its spectra still text."""

    row: int
    number: str
    title: str
    structure: FileStructure
    details: Mapping[str, Mapping[int, str]]


def import_nmrshiftdb(stream: BinaryIO) -> Iterator[ShiftRecord | RecordIssue]:
    """Yield one record or issue a spectrum, and one issue a molecule that has none to give.

    Signals read ``ppm;intensity multiplicity;atom|``, atoms from 0 in the order of the molfile; 1H
    signals are filed under the atom that carries the hydrogen. A spectrum with one wrong atom is
    refused as a whole, since its numbering cannot be trusted. Spectra with an entry under
    ``Program`` or another field of a calculation get a ``level``.
    """
    seen: set[str] = set()
    for entry in sd_entries(stream):
        if isinstance(entry, RecordIssue):
            yield entry
            continue
        for item in _spectra(entry):
            if isinstance(item, ShiftRecord) and item.id in seen:
                message = f"spectrum {item.id} stands twice in the file"
                yield RecordIssue(entry.row, "duplicate_id", message, item.id)
                continue
            if isinstance(item, ShiftRecord):
                seen.add(item.id)
            yield item


def is_nmrshiftdb(record: SdRecord) -> bool:
    """Return whether an SD record looks like one of nmrshiftdb2."""
    return any(_SPECTRUM.fullmatch(name) for name in record.fields)


def _spectra(entry: SdRecord) -> Iterator[ShiftRecord | RecordIssue]:
    number = _number(entry)
    spectra = [(found, entry.fields[name]) for name, found in _named(entry.fields)]
    if not spectra:
        yield RecordIssue(entry.row, "no_spectrum", "no spectrum in the record", number)
        return
    try:
        structure = read_structure(entry.molblock, "molblock")
    except (InputError, RecordError) as error:
        message = f"{error.message} ({len(spectra)} spectra)"
        yield RecordIssue(entry.row, "structure", message, number)
        return
    known = {slot for (_, slot), _ in spectra}
    details = {name: _slots(value, known) for name, value in entry.fields.items()}
    molecule = _Molecule(entry.row, number, entry.title, structure, details)
    for (nucleus, slot), text in spectra:
        yield _spectrum(molecule, nucleus, slot, text)


def _spectrum(molecule: _Molecule, nucleus: str, slot: int, text: str) -> ShiftRecord | RecordIssue:
    name = f"{SOURCE}:{molecule.number}/{nucleus}/{slot}"

    def detail(field: str) -> str | None:
        return molecule.details.get(field, {}).get(slot) or None

    levels = (detail(field) for field in _LEVEL_FIELDS)
    level = " ".join(value for value in levels if value and value != "Unreported")
    try:
        shifts, peaks = _signals(text, nucleus, molecule.structure)
        record = ShiftRecord(
            id=name,
            smiles=molecule.structure.smiles,
            nucleus=nucleus,
            solvent=detail("Solvent"),
            source=SOURCE,
            temperature=detail("Temperature [K]"),
            frequency=detail("Field Strength [MHz]"),
            assignment="file" if shifts else None,
            level=level or None,
            name=molecule.title or None,
            shifts=tuple(sorted(shifts)) or None,
            peaks=tuple(peaks) or None,
        )
        check_record(record)
    except RecordError as error:
        return issue_of(error, molecule.row, name)
    return record


def _signals(
    text: str, nucleus: str, structure: FileStructure
) -> tuple[list[tuple[int, float]], list[Peak]]:
    shifts: list[tuple[int, float]] = []
    peaks: list[Peak] = []
    for signal in re.split(r"[|\n]", text):
        if not signal.strip():
            continue
        shift_ppm, label, atoms = _signal(signal)
        if not atoms:
            peaks.append(Peak(shift_ppm, label))
        shifts += [(structure.place(atom, nucleus), shift_ppm) for atom in atoms]
    return shifts, peaks


def _signal(text: str) -> tuple[float, str | None, list[int]]:
    """Return shift, multiplicity and atoms of ``-83.3;1.0S;13``; several atoms part by commas."""
    parts = [part.strip() for part in text.split(";")]
    try:
        shift_ppm = float(parts[0])
        atoms = [int(atom) for atom in parts[-1].split(",") if atom] if len(parts) > 2 else []
    except ValueError:
        raise FaultError("bad_signal", f"{text.strip()[:60]!r} is no signal") from None
    if not math.isfinite(shift_ppm):
        raise FaultError("non_finite", f"{parts[0]} is no shift")
    label = re.sub(r"^[-+.\d]*(?:[eE][-+]?\d+)?", "", parts[1]) if len(parts) > 1 else ""
    return shift_ppm, label or None, atoms


def _named(fields: Mapping[str, str]) -> Iterator[tuple[str, tuple[str, int]]]:
    """Yield the fields that hold spectra, with nucleus and number."""
    for name in fields:
        found = _SPECTRUM.fullmatch(name)
        if found:
            yield name, (found[1], int(found[2]))


def _slots(text: str, known: set[int]) -> dict[int, str]:
    """Cut ``0:neat 1:CDCl3`` into a value for each spectrum, in rising order of their numbers."""
    starts: list[tuple[int, int, int]] = []
    for found in _SLOT.finditer(text):
        slot = int(found[1])
        if slot in known and (not starts or slot > starts[-1][0]):
            starts.append((slot, found.start(), found.end()))
    ends = [start for _, start, _ in starts[1:]] + [len(text)]
    return {
        slot: text[begin:end].strip() for (slot, _, begin), end in zip(starts, ends, strict=False)
    }


def _number(entry: SdRecord) -> str:
    """Return the molecule's number: from its field, from the header, else from its place."""
    given = entry.fields.get("nmrshiftdb2 ID", "").strip()
    if given:
        return given
    found = _HEADER_ID.search("\n".join(entry.molblock.split("\n")[1:3]))
    return found[1] if found else f"row{entry.row}"
