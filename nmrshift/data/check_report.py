"""What a check of spectra found: frozen values, as JSON and as text for people."""

from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any, Final

MEANING: Final[dict[str, str]] = {
    "computed": "computed spectra, no measurement",
    "structure": "structures that cannot be read",
    "index_out_of_range": "atom numbers beyond the structure",
    "wrong_element": "labels on an atom that cannot have this nucleus",
    "out_of_range": "shifts outside the plausible window",
    "symmetry": "symmetry-equivalent atoms with clearly different shifts",
    "multiplicity": "multiplicity letters that the structure has no atoms for",
    "outlier": "shifts far from the same environment in other molecules",
    "swap": "pairs whose exchange would explain both shifts",
    "repeat": "one atom measured again in one solvent, with clearly different shifts",
    "duplicate_id": "names that stand twice",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to look at.

    Attributes:
        code: a key of ``MEANING``.
        record: id of the record.
        nucleus: its nucleus.
        atoms: atoms concerned, as numbered in the record.
        shifts_ppm: their shifts.
        expected_ppm: what they should be, where something says so.
        score: how far off: robust z, or ppm; larger is worse.
        message: in words.
        model_ppm: what a model says they should be, where one was asked.
        borne_out: whether it contradicts the labels too.
    """

    code: str
    record: str
    nucleus: str
    atoms: tuple[int, ...] = ()
    shifts_ppm: tuple[float, ...] = ()
    expected_ppm: tuple[float, ...] = ()
    score: float = 0.0
    message: str = ""
    model_ppm: tuple[float, ...] = ()
    borne_out: bool | None = None


@dataclass(frozen=True, slots=True)
class NucleusCount:
    """How much there is of one nucleus."""

    nucleus: str
    n_records: int
    n_molecules: int
    n_labels: int
    n_peaks: int


@dataclass(frozen=True, slots=True)
class Repeats:
    """Atoms of one nucleus measured in more than one record in one solvent.

    Attributes:
        nucleus: the nucleus.
        n_atoms: such atoms (symmetry classes of one stereoisomer).
        median_spread_ppm: median over atoms of the largest less the smallest shift.
        p90_spread_ppm: nine tenths of the atoms stay below it.
    """

    nucleus: str
    n_atoms: int
    median_spread_ppm: float
    p90_spread_ppm: float


@dataclass(frozen=True, slots=True)
class CheckReport:
    """The whole report.

    Attributes:
        n_records: records read.
        issues: rows that are no records, by code.
        nuclei: counts.
        solvents: records by solvent key, the most frequent first.
        unknown_solvents: texts that name a solvent we cannot read, with records.
        repeats: how well repeated measurements agree.
        findings: everything to look at, by code, the worst first.
    """

    n_records: int
    issues: tuple[tuple[str, int], ...]
    nuclei: tuple[NucleusCount, ...]
    solvents: tuple[tuple[str, int], ...]
    unknown_solvents: tuple[tuple[str, int], ...]
    repeats: tuple[Repeats, ...]
    findings: tuple[Finding, ...]

    def counts(self) -> dict[str, int]:
        """Return the number of findings of each code, in the order of ``MEANING``."""
        found = Counter(finding.code for finding in self.findings)
        return {code: found[code] for code in MEANING if found[code]}

    def to_dict(self) -> dict[str, Any]:
        """Return plain dicts, lists and numbers, ready for JSON."""
        return {"counts": self.counts(), **asdict(self)}

    def to_text(self, most: int = 10) -> str:
        """Return the report for people.

        Args:
            most: findings shown of each code, and solvents shown.
        """
        lines = [f"{self.n_records} records"]
        lines += [f"{number} rows are no records: {code}" for code, number in self.issues]
        lines += ["", _row("nucleus", "records", "molecules", "labels", "peaks")]
        lines += [
            _row(n.nucleus, n.n_records, n.n_molecules, n.n_labels, n.n_peaks) for n in self.nuclei
        ]
        lines += ["", "solvents", *_counted(self.solvents, most)]
        if self.unknown_solvents:
            lines += ["", "solvents not understood", *_counted(self.unknown_solvents, most)]
        if self.repeats:
            lines += ["", "measured again in the same solvent: spread, ppm"]
            lines.append(_row("nucleus", "atoms", "median", "90 %"))
            for item in self.repeats:
                spreads = f"{item.median_spread_ppm:.2f}", f"{item.p90_spread_ppm:.2f}"
                lines.append(_row(item.nucleus, item.n_atoms, *spreads))
        for code, number in self.counts().items():
            lines += ["", f"{number} {MEANING[code]}"]
            chosen = [finding for finding in self.findings if finding.code == code]
            lines += [f"  {finding.record}: {finding.message}" for finding in chosen[:most]]
            if number > most:
                lines.append(f"  ... and {number - most} more")
        return "\n".join(lines) + "\n"


def _row(*cells: object) -> str:
    return f"{cells[0]!s:<8}" + "".join(f"{cell!s:>11}" for cell in cells[1:])


def _counted(items: tuple[tuple[str, int], ...], most: int) -> list[str]:
    lines = [f"{number:>9}  {text}" for text, number in items[:most]]
    rest = items[most:]
    if rest:
        lines.append(f"{sum(number for _, number in rest):>9}  ({len(rest)} others)")
    return lines
