"""What an adaptation came to, as values and as text."""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from textwrap import wrap
from typing import Any, Final

from nmrshift.adapt.choice import Verdict
from nmrshift.adapt.control import Public
from nmrshift.adapt.ways import WayName
from nmrshift.types import Notice

_WIDTH: Final = 80


@dataclass(frozen=True, slots=True)
class BeforeAfter:
    """Errors on held-out molecules of one nucleus, whole models with their evidence.

    Attributes:
        nucleus: for example ``19F``.
        n_shifts: measured shifts.
        n_listed: those of them from peak lists without assignment, which stand beside the atoms
            that either model pairs them with, so that their errors are lower bounds.
        mae_before_ppm: mean absolute error of the base.
        mae_after_ppm: that of the adapted model.
        median_before_ppm: median absolute error of the base.
        median_after_ppm: that of the adapted model.
    """

    nucleus: str
    n_shifts: int
    n_listed: int
    mae_before_ppm: float
    mae_after_ppm: float
    median_before_ppm: float
    median_after_ppm: float


@dataclass(frozen=True, slots=True)
class Tried:
    """One way of learning.

    Attributes:
        way: its name.
        epochs: passes over the spectra.
        share: of what it learned that was kept, 0-1: the rest would have cost public knowledge.
        relative_error: error on held-out molecules, 1 is the base's.
        public_growth: largest share by which the error of a nucleus on public molecules grows.
        refused: whether that is too much.
        seconds: time it took.
    """

    way: WayName
    epochs: int
    share: float
    relative_error: float
    public_growth: float
    refused: bool
    seconds: float


def error_lines(before_after: Iterable[BeforeAfter]) -> Iterator[str]:
    """Yield the lines of a table of errors before and after, for a terminal."""
    yield "held out      shifts    mean error, ppm       median error, ppm"
    for row in before_after:
        yield (
            f"  {row.nucleus:<10}{row.n_shifts:>8}    "
            f"{row.mae_before_ppm:>7.2f} -> {row.mae_after_ppm:<7.2f}   "
            f"{row.median_before_ppm:>7.2f} -> {row.median_after_ppm:<7.2f}"
        )


@dataclass(frozen=True, slots=True)
class AdaptReport:
    """An adaptation.

    Attributes:
        folder: of the adapted model.
        identity: its name, version and short hash.
        base: identity of the model it began with.
        name: of the laboratory, by which its convention is asked for.
        n_spectra: spectra used.
        n_molecules: molecules of those.
        n_held_out: molecules of those that chose the way and measured it.
        way: the chosen way.
        verdict: better, no difference or worse.
        reason: the verdict in a sentence.
        before_after: errors on held-out molecules, by nucleus.
        tried: all ways, from cautious to free.
        control: what measured public knowledge: ``file`` or ``drift``.
        public: errors on public molecules, by nucleus.
        evidence_added: measured shifts added to the evidence, by nucleus.
        recalibrated: nuclei whose intervals were calibrated anew.
        refitted: whether the written weights learned from the held-out molecules too, afterwards.
        notices: what was left out or looks odd.
        seconds: time of the whole.
    """

    folder: Path
    identity: str
    base: str
    name: str
    n_spectra: int
    n_molecules: int
    n_held_out: int
    way: WayName
    verdict: Verdict
    reason: str
    before_after: tuple[BeforeAfter, ...]
    tried: tuple[Tried, ...]
    control: str
    public: tuple[Public, ...]
    evidence_added: dict[str, int]
    recalibrated: tuple[str, ...]
    refitted: bool
    notices: tuple[Notice, ...]
    seconds: float

    def to_dict(self) -> dict[str, Any]:
        """Return plain dicts, lists and strings, ready for JSON."""
        return {"schema_version": 1, **asdict(self), "folder": str(self.folder)}

    def to_text(self) -> str:
        """Return the report for a terminal of 80 columns."""
        return "\n".join([*self._lines(), ""])

    def _lines(self) -> Iterator[str]:
        yield f"{self.name}: {self.n_spectra} spectra of {self.n_molecules} molecules,"
        yield f"  {self.n_held_out} molecules held out; base {self.base}"
        for notice in self.notices:
            yield from wrap(
                f"note: {notice.message}", _WIDTH, initial_indent="  ", subsequent_indent="    "
            )
        yield ""
        yield "way           passes  kept  held-out error  public error  seconds"
        for tried in self.tried:
            mark = "*" if tried.way == self.way else " "
            refused = "  refused" if tried.refused else ""
            yield (
                f"{mark} {tried.way:<12}{tried.epochs:>6}  {tried.share:>4.0%}  "
                f"{tried.relative_error:>14.0%}  "
                f"{tried.public_growth:>+11.1%}  {tried.seconds:>7.0f}{refused}"
            )
        yield ""
        yield from error_lines(self.before_after)
        yield ""
        yield f"{self.verdict.upper()}. {self.reason}"
        if self.refitted:
            yield "The model written has then learned in this way from all molecules."
        added = ", ".join(f"{n} {name}" for name, n in self.evidence_added.items() if n)
        yield f"Evidence: {added or 'no'} shifts added. Intervals calibrated anew: " + (
            ", ".join(self.recalibrated) or "none"
        )
        yield f"Model: {self.identity} in {self.folder}; ask for this laboratory's convention"
        yield f"with `nmrshift predict --model {self.folder} --source {self.name}`."
