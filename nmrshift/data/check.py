"""A check of spectra: what is there, what repeats, and what looks wrong."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from statistics import fmean
from typing import Final

from nmrshift.chem.parse import parse
from nmrshift.chem.policy import RECORD_LIMITS
from nmrshift.chem.solvents import UNKNOWN, is_reported, normalise
from nmrshift.chem.symmetry import signal_classes
from nmrshift.chem.toolkit import Chem
from nmrshift.constants import ELEMENT_OF_NUCLEUS, PLAUSIBLE_RANGE_PPM
from nmrshift.data.check_labels import Labels, judge, repeats
from nmrshift.data.check_report import MEANING, CheckReport, Finding, NucleusCount
from nmrshift.data.check_witness import with_opinions
from nmrshift.data.connectivity import structure_key
from nmrshift.data.environments import environments
from nmrshift.data.records import RecordIssue, ShiftRecord, read_records
from nmrshift.errors import InputError
from nmrshift.types import ShiftPredictor

SYMMETRY_TOLERANCE_PPM: Final[dict[str, float]] = {"13C": 2.0, "1H": 0.5, "31P": 5.0, "11B": 5.0}
"""Spread that one signal may show before it is reported; 3 ppm for every other nucleus."""

_LETTERS: Final[dict[str, int]] = {"S": 0, "D": 1, "T": 2, "Q": 3}


@dataclass(frozen=True, slots=True)
class Known:
    """What a check needs of a molecule, by atom."""

    key: str
    elements: tuple[str, ...]
    n_hydrogens: tuple[int, ...]
    signals: tuple[int, ...]
    ranks: tuple[int, ...]
    environments: tuple[tuple[int, ...], ...]


@dataclass(slots=True)
class _Tally:
    """Numbers of one nucleus."""

    n_records: int = 0
    n_labels: int = 0
    n_peaks: int = 0
    molecules: set[int] = field(default_factory=set)


class Checker:
    """Takes records one by one and reports at the end; holds labels, not records."""

    def __init__(self) -> None:
        self._issues: Counter[str] = Counter()
        self._names: list[str] = []
        self._seen: set[str] = set()
        self._molecules: dict[str, int] = {}
        self._isomers: dict[str, int] = {}
        self._solvents: Counter[str] = Counter()
        self._solvent_numbers: dict[str, int] = {}
        self._unread: Counter[str] = Counter()
        self._tallies: defaultdict[str, _Tally] = defaultdict(_Tally)
        self._labels: defaultdict[str, Labels] = defaultdict(Labels)
        self._findings: list[Finding] = []

    def add(self, entry: ShiftRecord | RecordIssue) -> None:
        """Take one row of a file."""
        if isinstance(entry, RecordIssue):
            self._issues[entry.code] += 1
            return
        number = len(self._names)
        self._names.append(entry.id)
        if entry.id in self._seen:
            self._find(entry, "duplicate_id", message="the name stands twice")
        self._seen.add(entry.id)
        solvent = normalise(entry.solvent)
        self._solvents[solvent.key] += 1
        if solvent is UNKNOWN and entry.solvent is not None and is_reported(entry.solvent):
            self._unread[entry.solvent] += 1
        tally = self._tallies[entry.nucleus]
        tally.n_records += 1
        tally.n_labels += len(entry.shifts or ())
        tally.n_peaks += len(entry.peaks or ())
        if entry.level is not None:
            self._find(entry, "computed", message=entry.level)
        self._ranges(entry)
        try:
            known = _know(entry.smiles)
        except InputError as error:
            self._find(entry, "structure", message=error.message)
            return
        block = known.key.split("-", 1)[0]
        molecule = self._molecules.setdefault(block, len(self._molecules))
        isomer = self._isomers.setdefault(known.key, len(self._isomers))
        tally.molecules.add(molecule)
        condition = self._solvent_numbers.setdefault(solvent.key, len(self._solvent_numbers))
        self._take(entry, known, (number, molecule, isomer, condition))
        self._letters(entry, known)

    def report(self) -> CheckReport:
        """Return what was found in all records so far."""
        findings = list(self._findings)
        spreads = []
        for nucleus, labels in sorted(self._labels.items()):
            findings += judge(nucleus, labels, self._names)
            spread, doubtful = repeats(nucleus, labels, self._names)
            findings += doubtful
            if spread is not None:
                spreads.append(spread)
        order = {code: place for place, code in enumerate(MEANING)}
        findings.sort(key=lambda item: (order[item.code], -item.score, item.record, item.atoms))
        return CheckReport(
            n_records=len(self._names),
            issues=tuple(sorted(self._issues.items())),
            nuclei=tuple(
                NucleusCount(name, t.n_records, len(t.molecules), t.n_labels, t.n_peaks)
                for name, t in sorted(self._tallies.items(), key=lambda item: -item[1].n_records)
            ),
            solvents=tuple(_ranked(self._solvents)),
            unknown_solvents=tuple(_ranked(self._unread)),
            repeats=tuple(spreads),
            findings=tuple(findings),
        )

    def _take(self, entry: ShiftRecord, known: Known, numbers: tuple[int, int, int, int]) -> None:
        """Keep the labels that can be right; report the others."""
        element = ELEMENT_OF_NUCLEUS.get(entry.nucleus, entry.nucleus.lstrip("0123456789"))
        by_signal: defaultdict[int, list[tuple[int, float]]] = defaultdict(list)
        for atom, shift_ppm in entry.shifts or ():
            if atom >= len(known.elements):
                message = f"atom {atom} of {len(known.elements)}, from 0"
                self._find(entry, "index_out_of_range", (atom,), (shift_ppm,), message=message)
                continue
            own = known.elements[atom]
            if own != element and not (element == "H" and known.n_hydrogens[atom]):
                message = f"atom {atom} is {own}" + (" without hydrogen" if element == "H" else "")
                self._find(entry, "wrong_element", (atom,), (shift_ppm,), message=message)
                continue
            by_signal[known.signals[atom]].append((atom, shift_ppm))
            if entry.level is None and _in_range(entry.nucleus, shift_ppm):
                labels = self._labels[entry.nucleus]
                labels.record.append(numbers[0])
                labels.atom.append(atom)
                labels.molecule.append(numbers[1])
                labels.isomer.append(numbers[2])
                labels.solvent.append(numbers[3])
                labels.rank.append(known.ranks[atom])
                labels.shift_ppm.append(shift_ppm)
                labels.keys.extend(known.environments[atom])
        for members in by_signal.values():
            self._symmetry(entry, members)

    def _symmetry(self, entry: ShiftRecord, members: list[tuple[int, float]]) -> None:
        """Report one signal whose atoms differ; atoms with two labels count with their mean."""
        of_atom: defaultdict[int, list[float]] = defaultdict(list)
        for atom, shift_ppm in members:
            of_atom[atom].append(shift_ppm)
        if len(of_atom) < 2:
            return
        means = {atom: fmean(shifts) for atom, shifts in of_atom.items()}
        spread = max(means.values()) - min(means.values())
        if spread > SYMMETRY_TOLERANCE_PPM.get(entry.nucleus, 3.0):
            written = ", ".join(f"{atom}: {shift:.2f}" for atom, shift in sorted(means.items()))
            message = f"equivalent atoms differ by {spread:.2f} ppm ({written})"
            atoms, shifts = tuple(sorted(means)), tuple(means[atom] for atom in sorted(means))
            self._find(entry, "symmetry", atoms, shifts, score=spread, message=message)

    def _ranges(self, entry: ShiftRecord) -> None:
        placed = [((atom,), shift_ppm) for atom, shift_ppm in entry.shifts or ()]
        loose = [((), peak.shift_ppm) for peak in entry.peaks or ()]
        for atoms, shift_ppm in [*placed, *loose]:
            if not _in_range(entry.nucleus, shift_ppm):
                where = f"atom {atoms[0]}, " if atoms else ""
                message = f"{where}{shift_ppm} ppm"
                self._find(entry, "out_of_range", atoms, (shift_ppm,), message=message)

    def _letters(self, entry: ShiftRecord, known: Known) -> None:
        """Compare the letters of a 13C peak list with the carbons that have so many hydrogens."""
        if entry.nucleus != "13C" or not entry.peaks:
            return
        lines: defaultdict[str, set[object]] = defaultdict(set)
        for place, peak in enumerate(entry.peaks):
            if peak.label in _LETTERS:
                named = peak.source_index is not None
                lines[peak.label].add(peak.source_index if named else ("line", place))
        carbons = Counter(
            hydrogens
            for element, hydrogens in zip(known.elements, known.n_hydrogens, strict=True)
            if element == "C"
        )
        for letter, atoms in sorted(lines.items()):
            there = carbons[_LETTERS[letter]]
            if len(atoms) > there:
                message = f"{len(atoms)} {letter} lines, {there} carbons with {_LETTERS[letter]} H"
                self._find(entry, "multiplicity", score=len(atoms) - there, message=message)

    def _find(
        self,
        entry: ShiftRecord,
        code: str,
        atoms: tuple[int, ...] = (),
        shifts_ppm: tuple[float, ...] = (),
        *,
        score: float = 0.0,
        message: str,
    ) -> None:
        self._findings.append(
            Finding(code, entry.id, entry.nucleus, atoms, shifts_ppm, (), score, message)
        )


def check_files(
    paths: Iterable[str | Path], predictor: ShiftPredictor | None = None
) -> CheckReport:
    """Check native record files as one collection.

    Args:
        paths: the files.
        predictor: asked for a second opinion on labels that look wrong; those that it contradicts
            too come first.

    Raises:
        FileFormatError: a file cannot be opened.
    """
    files = tuple(paths)
    checker = Checker()
    for entry in _entries(files):
        checker.add(entry)
    report = checker.report()
    if predictor is None:
        return report
    records = (entry for entry in _entries(files) if isinstance(entry, ShiftRecord))
    heard = with_opinions(report.findings, records, predictor)
    order = {code: place for place, code in enumerate(MEANING)}
    heard.sort(key=lambda item: (order[item.code], not item.borne_out))
    return replace(report, findings=tuple(heard))


def _entries(paths: Iterable[str | Path]) -> Iterator[ShiftRecord | RecordIssue]:
    for path in paths:
        yield from read_records(path)


@lru_cache(maxsize=4096)
def _know(smiles: str) -> Known:
    mol = parse(smiles, kind="smiles", limits=RECORD_LIMITS).mol
    atoms = list(mol.GetAtoms())
    return Known(
        key=structure_key(mol),
        elements=tuple([atom.GetSymbol() for atom in atoms]),
        n_hydrogens=tuple([atom.GetTotalNumHs(includeNeighbors=True) for atom in atoms]),
        signals=_signals(mol),
        ranks=tuple(Chem.CanonicalRankAtoms(mol, breakTies=False, includeChirality=False)),
        environments=tuple(environments(mol)),
    )


def _signals(mol: Chem.Mol) -> tuple[int, ...]:
    """Return the signal of each atom; ligands of a crowded centre (SF5, PF5) stand alone.

    Axial and equatorial places differ there, which bonds alone do not tell.
    """
    signals = list(signal_classes(mol))
    for atom in mol.GetAtoms():
        if any(neighbour.GetTotalDegree() > 4 for neighbour in atom.GetNeighbors()):
            signals[atom.GetIdx()] = -1 - atom.GetIdx()
    return tuple(signals)


def _in_range(nucleus: str, shift_ppm: float) -> bool:
    low, high = PLAUSIBLE_RANGE_PPM.get(nucleus, (-20_000.0, 20_000.0))
    return low <= shift_ppm <= high


def _ranked(counts: Counter[str]) -> Iterator[tuple[str, int]]:
    yield from sorted(counts.items(), key=lambda item: (-item[1], item[0]))
