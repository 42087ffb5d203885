"""A laboratory's files as records under its own name, with the faults that records show."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np

from nmrshift.adapt.new_nuclei import NewNuclei, choose_new
from nmrshift.chem.parse import parse
from nmrshift.chem.policy import RECORD_LIMITS
from nmrshift.chem.toolkit import Chem
from nmrshift.constants import ELEMENT_OF_NUCLEUS, PLAUSIBLE_RANGE_PPM
from nmrshift.data.importing import read_spectra
from nmrshift.data.records import RecordIssue, ShiftRecord
from nmrshift.errors import (
    FlippedSignError,
    HertzError,
    InputError,
    NoUsableRecordError,
    TooFewSpectraError,
    UnknownNucleusError,
    WrongAtomsError,
)
from nmrshift.types import Notice

LEAST_SPECTRA: Final = 10

_SHARE_OUTSIDE: Final = 0.3
_SHARE_MISPLACED: Final = 0.2
_ATOM_ISSUES: Final = frozenset({"wrong_element", "index_out_of_range"})


@dataclass(frozen=True, slots=True)
class Intake:
    """What a laboratory's files hold.

    Attributes:
        records: its measured spectra, under its own name.
        contributors: whose each of them is: what its column says, or its file.
        new_nuclei: nuclei of those that the base model does not have.
        notices: what was left out, in words.
    """

    records: tuple[ShiftRecord, ...]
    contributors: tuple[str, ...]
    new_nuclei: tuple[str, ...]
    notices: tuple[Notice, ...]


def read_laboratory(
    paths: Sequence[Path],
    nuclei: tuple[str, ...],
    name: str,
    solvent: str | None,
    contributor_column: str | None = None,
    least: int = LEAST_SPECTRA,
) -> Intake:
    """Read and check a laboratory's files.

    Args:
        paths: shift records, or anything that can be imported.
        nuclei: those of the base model.
        name: of the laboratory; becomes the source of every spectrum.
        solvent: of spectra that name none.
        contributor_column: column of tables, or field of records, that says whose a spectrum is;
            without it every file is of one contributor.
        least: spectra that must be usable.

    Raises:
        FileFormatError: a file cannot be opened or is of no known format.
        NoUsableRecordError: no row is a measured spectrum.
        UnknownNucleusError: the base model has none of the nuclei, and none can be added.
        HertzError: many shifts are far out of their nucleus' range.
        FlippedSignError: they are, but not with the opposite sign.
        WrongAtomsError: many shifts stand on atoms of another element.
        TooFewSpectraError: fewer than that.
    """
    entries = [entry for path in paths for entry in _entries(path, contributor_column)]
    issues = [entry for entry in entries if isinstance(entry, RecordIssue)]
    found = [entry for entry in entries if isinstance(entry, ShiftRecord)]
    measured = [record for record in found if record.level is None]
    _check_issues(issues, len(measured))
    new = choose_new([record for record in measured if record.nucleus not in nuclei])
    known = [record for record in measured if record.nucleus in nuclei] + list(new.records)
    if not known:
        raise UnknownNucleusError(
            f"the base model predicts none of the nuclei, and none can be added: {_words(new)}",
            hint=f"It predicts {', '.join(nuclei)}. Add spectra, or check the name of the nucleus.",
        )
    _check_values(known)
    placed, n_unreadable = _check_atoms(known)
    if len(placed) < least:
        raise TooFewSpectraError(
            f"{len(placed)} usable spectra; at least {least} are needed",
            hint="Add spectra; with fewer nothing could be held out to measure the gain.",
        )
    notices = [
        *_left_out("rows_left_out", len(issues), _by_code(issues)),
        *_left_out("computed_left_out", len(found) - len(measured), "computed spectra"),
        *_left_out("nucleus_left_out", len(measured) - len(known), _words(new)),
        *_left_out("structure_left_out", n_unreadable, "structures that cannot be read"),
    ]
    return Intake(
        tuple(replace(record, source=name, solvent=record.solvent or solvent) for record in placed),
        tuple(record.source or "" for record in placed),
        new.names,
        tuple(notices),
    )


def _entries(path: Path, contributor_column: str | None) -> Iterator[ShiftRecord | RecordIssue]:
    """Yield what a file holds; the source of a record says whose it is."""
    for entry in read_spectra(path, contributor_column):
        if isinstance(entry, ShiftRecord) and contributor_column is None:
            yield replace(entry, source=str(path))
        else:
            yield entry


def _left_out(code: str, n: int, why: str) -> list[Notice]:
    return [Notice(code, f"{n} left out: {why}.")] if n else []


def _by_code(issues: Sequence[RecordIssue]) -> str:
    counts = Counter(issue.code for issue in issues)
    return "rows with " + ", ".join(f"{code} ({n})" for code, n in counts.most_common())


def _words(new: NewNuclei) -> str:
    return "; ".join(f"{nucleus}: {why}" for nucleus, why in new.refused.items())


def _check_issues(issues: Sequence[RecordIssue], n_measured: int) -> None:
    """Refuse files most of whose rows are no spectra, or name impossible atoms."""
    misplaced = [issue for issue in issues if issue.code in _ATOM_ISSUES]
    if len(misplaced) > _SHARE_MISPLACED * (len(misplaced) + n_measured):
        first = misplaced[0]
        raise WrongAtomsError(
            f"{len(misplaced)} spectra name impossible atoms, the first in row {first.row}: "
            f"{first.message}",
            hint="Atoms are counted from 0; for a table counted from 1 use "
            "`nmrshift data import --first-atom 1` first. Else check the columns.",
        )
    if not n_measured:
        first_words = f": row {issues[0].row}: {issues[0].message}" if issues else ""
        raise NoUsableRecordError(f"no row is a measured spectrum{first_words}")


def _check_values(records: Sequence[ShiftRecord]) -> None:
    for nucleus in dict.fromkeys(record.nucleus for record in records):
        if nucleus not in PLAUSIBLE_RANGE_PPM:
            continue
        low, high = PLAUSIBLE_RANGE_PPM[nucleus]
        shifts_ppm = np.array(
            [shift for record in records if record.nucleus == nucleus for shift in values(record)]
        )
        outside = float(((shifts_ppm < low) | (shifts_ppm > high)).mean())
        mirrored = float(((-shifts_ppm < low) | (-shifts_ppm > high)).mean())
        if outside > _SHARE_OUTSIDE:
            words = f"{outside:.0%} of the {nucleus} shifts lie outside of {low:g} to {high:g} ppm"
            if mirrored < outside / 3:
                raise FlippedSignError(f"{words}, but not with the opposite sign")
            raise HertzError(f"{words}: they look like Hz")


def values(record: ShiftRecord) -> list[float]:
    """Return the shifts of a record, assigned or not, ppm."""
    assigned = [shift_ppm for _, shift_ppm in record.shifts or ()]
    return assigned + [peak.shift_ppm for peak in record.peaks or ()]


def _check_atoms(records: Sequence[ShiftRecord]) -> tuple[list[ShiftRecord], int]:
    """Return records with readable structures, and how many have none.

    Raises:
        WrongAtomsError: many shifts stand on atoms that cannot have them.
        NoUsableRecordError: no structure can be read.
    """
    kept, right, total = [], np.zeros(3, dtype=np.int64), 0
    for record in records:
        try:
            mol = parse(record.smiles, kind="smiles", limits=RECORD_LIMITS).mol
        except InputError:
            continue
        kept.append(record)
        fits = _carrier_test(mol, record.nucleus)
        for atom, _ in record.shifts or ():
            total += 1
            right += [fits(atom), fits(atom - 1), fits(atom + 1)]
    if not kept:
        raise NoUsableRecordError("no structure can be read", hint="Check the SMILES column.")
    if total and right[0] < (1 - _SHARE_MISPLACED) * total:
        hint = "Check that the columns of atoms, shifts and structures belong together."
        if right[1] > (1 - _SHARE_MISPLACED) * total:
            hint = "Atoms seem to be counted from 1; count from 0 (`data import --first-atom 1`)."
        elif right[2] > (1 - _SHARE_MISPLACED) * total:
            hint = "Atom numbers seem to be one too low; they are counted from 0."
        raise WrongAtomsError(
            f"{total - right[0]} of {total} shifts stand on atoms that cannot have them", hint=hint
        )
    return kept, len(records) - len(kept)


def _carrier_test(mol: Chem.Mol, nucleus: str) -> Callable[[int], bool]:
    element = ELEMENT_OF_NUCLEUS[nucleus]

    def fits(index: int) -> bool:
        if not 0 <= index < mol.GetNumAtoms():
            return False
        atom = mol.GetAtomWithIdx(index)
        if element == "H":
            return bool(atom.GetSymbol() == "H" or atom.GetTotalNumHs(includeNeighbors=True))
        return bool(atom.GetSymbol() == element)

    return fits
