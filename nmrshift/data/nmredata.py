"""Importer of NMReDATA files, versions 1.0 and 1.1 (doi 10.1002/mrc.4737)."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import BinaryIO, Final

from nmrshift.constants import ELEMENT_OF_NUCLEUS
from nmrshift.data.nmredata_text import Assignment, Signal, Spectrum, assignments, first, spectrum
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

SOURCE: Final[str] = "nmredata"

_SPECTRUM: Final = re.compile(r"NMREDATA_1D_(\d{1,3}[A-Z][a-z]?)(?:_[^#]*)?(?:#\d+)?")
_NUCLEUS_OF: Final = {element: nucleus for nucleus, element in ELEMENT_OF_NUCLEUS.items()}


@dataclass(frozen=True, slots=True)
class _Placed:
    """A label with its atoms found in the structure."""

    nucleus: str
    shift_ppm: float
    positions: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Molecule:
    """What all spectra of one record share."""

    row: int
    name: str
    structure: FileStructure
    labels: Mapping[str, _Placed]
    uncertain: frozenset[str]
    common: Mapping[str, str | None]


def import_nmredata(stream: BinaryIO) -> Iterator[ShiftRecord | RecordIssue]:
    """Yield one record a 1D spectrum, one a nucleus known by its assignment alone, and issues.

    Signals whose label the assignment knows become shifts, the others peaks. Atoms are numbered
    from 1; ``H3`` is the hydrogens on atom 3. Labels under ``Interchangeable`` make the record
    ``order-uncertain``. A line that cannot be read is one issue; an atom that does not exist
    refuses the molecule, since its numbering cannot be trusted.
    """
    seen: set[str] = set()
    for entry in sd_entries(stream):
        if isinstance(entry, RecordIssue):
            yield entry
            continue
        name = f"{SOURCE}:{entry.title or f'row{entry.row}'}"
        if name in seen:
            name = f"{name}#{entry.row}"
        seen.add(name)
        yield from _molecule(entry, name)


def is_nmredata(record: SdRecord) -> bool:
    """Return whether an SD record carries NMReDATA."""
    return any(name.startswith("NMREDATA_") for name in record.fields)


def _molecule(entry: SdRecord, name: str) -> Iterator[ShiftRecord | RecordIssue]:
    fields = {key.split()[0]: value for key, value in entry.fields.items() if key.strip()}
    version = fields.get("NMREDATA_VERSION", "").strip().rstrip("\\").strip()
    written, broken = assignments(fields.get("NMREDATA_ASSIGNMENT", ""), version)
    tags = [(found[1], key) for key in fields if (found := _SPECTRUM.fullmatch(key))]
    spectra = [spectrum(nucleus, fields[key], version) for nucleus, key in tags]
    broken += [line for item in spectra for line in item.broken]
    for line in broken:
        yield RecordIssue(entry.row, "bad_signal", f"cannot read {line[:80]!r}", name)
    if not written.labels and not spectra:
        if not broken:
            yield RecordIssue(entry.row, "no_spectrum", "neither assignment nor 1D spectrum", name)
        return
    try:
        structure = read_structure(entry.molblock, "molblock")
        labels = {key: _place(label, structure) for key, label in written.labels.items()}
    except (InputError, RecordError) as error:
        yield RecordIssue(entry.row, "structure", error.message, name)
        return
    common = {
        "solvent": first(fields.get("NMREDATA_SOLVENT", ""), version),
        "temperature": _kelvin(first(fields.get("NMREDATA_TEMPERATURE", ""), version)),
        "level": "predicted" if "predict" in fields.get("NMREDATA_ID", "").lower() else None,
        "name": entry.title or None,
    }
    molecule = _Molecule(entry.row, name, structure, labels, written.interchangeable, common)
    yield from _records(molecule, spectra)


def _records(molecule: _Molecule, spectra: list[Spectrum]) -> Iterator[ShiftRecord | RecordIssue]:
    used: set[str] = set()
    for number, item in enumerate(spectra):
        shifts: list[tuple[int, float]] = []
        peaks: list[Peak] = []
        for signal in item.signals:
            known = [key for key in signal.labels if _is_of(molecule, key, item.nucleus)]
            used.update(known)
            for key in known:
                places = molecule.labels[key].positions
                shifts += [(position, signal.shift_ppm) for position in places]
            if not known:
                peaks.append(_peak(signal))
        name = f"{molecule.name}/{item.nucleus}/{number}"
        uncertain = not molecule.uncertain.isdisjoint(used)
        yield _record(molecule, name, item, shifts, peaks, uncertain=uncertain)
    rest = {key: label for key, label in molecule.labels.items() if key not in used}
    for nucleus in dict.fromkeys(label.nucleus for label in rest.values()):
        own = {key: label for key, label in rest.items() if label.nucleus == nucleus}
        shifts = [(place, item.shift_ppm) for item in own.values() for place in item.positions]
        name = f"{molecule.name}/{nucleus}/assignment"
        uncertain = not molecule.uncertain.isdisjoint(own)
        yield _record(molecule, name, Spectrum(nucleus), shifts, [], uncertain=uncertain)


def _record(
    molecule: _Molecule,
    name: str,
    item: Spectrum,
    shifts: list[tuple[int, float]],
    peaks: list[Peak],
    *,
    uncertain: bool,
) -> ShiftRecord | RecordIssue:
    assignment = ("order-uncertain" if uncertain else "file") if shifts else None
    record = ShiftRecord(
        id=name,
        smiles=molecule.structure.smiles,
        nucleus=item.nucleus,
        source=SOURCE,
        frequency=item.larmor_mhz,
        assignment=assignment,
        shifts=tuple(sorted(shifts)) or None,
        peaks=tuple(peaks) or None,
        doubted=None,
        **molecule.common,
    )
    try:
        check_record(record)
    except RecordError as error:
        return issue_of(error, molecule.row, name)
    return record


def _peak(signal: Signal) -> Peak:
    label = ", ".join(signal.labels) or signal.multiplicity
    return Peak(signal.shift_ppm, label)


def _is_of(molecule: _Molecule, label: str, nucleus: str) -> bool:
    placed = molecule.labels.get(label)
    return placed is not None and placed.nucleus == nucleus


def _place(label: Assignment, structure: FileStructure) -> _Placed:
    """Find the atoms of a label; all of them must have the same nucleus.

    Raises:
        RecordError: no such atom, or atoms of two elements under one label.
    """
    nuclei: set[str] = set()
    positions = []
    for number, on_carrier in label.atoms:
        if not 1 <= number <= len(structure.elements):
            n_atoms = len(structure.elements)
            raise FaultError("index_out_of_range", f"atom {number} of {n_atoms}, from 1")
        element = "H" if on_carrier else structure.elements[number - 1]
        nucleus = _NUCLEUS_OF.get(element)
        if nucleus is None:
            raise FaultError("wrong_element", f"no nucleus is known for {element}")
        nuclei.add(nucleus)
        positions.append(structure.place(number - 1, nucleus))
    if len(nuclei) != 1:
        raise FaultError("wrong_element", f"label {label.label!r} mixes nuclei")
    return _Placed(nuclei.pop(), label.shift_ppm, tuple(positions))


def _kelvin(text: str | None) -> str | None:
    return None if text is None else text.removesuffix("K").strip() or None
