"""A match to read: the ranking, then a line a signal; ASCII, flags last."""

import textwrap
from collections.abc import Iterator
from typing import Final

from nmrshift.io.table_writer import printable
from nmrshift.match.matches import CandidateMatch, SignalMatch
from nmrshift.match.report import MatchReport
from nmrshift.types import Failure

_INPUT_CHARS: Final[int] = 32
_ATOM_CHARS: Final[int] = 13


def table_text(report: MatchReport, *, every: bool = False) -> str:
    """Return the tables of a report.

    Args:
        report: what to show.
        every: show the assignment of every candidate, not of the best alone.
    """
    lines = [_title(report), "", *_ranking(report)]
    shown = report.ranking if every else report.ranking[:1]
    for number in shown:
        candidate = report.candidates[number]
        if isinstance(candidate, CandidateMatch):
            lines += ["", *_assignment(report, candidate)]
    return "\n".join(lines) + "\n"


def _title(report: MatchReport) -> str:
    spectrum = report.spectrum
    best = report.best
    parts = [
        f"{spectrum.nucleus} spectrum",
        f"{spectrum.frequency_mhz:g} MHz" if spectrum.frequency_mhz else "",
        f"{len(spectrum.peaks)} peaks",
        f"solvent {best.solvent}" if best else "",
        f"model {printable(best.model)}" if best else "",
    ]
    return ", ".join(part for part in parts if part)


def _ranking(report: MatchReport) -> Iterator[str]:
    yield (
        f"  {'candidate':<{_INPUT_CHARS + 5}}{'probability':>11}{'error/ppm':>11}"
        f"{'missing':>9}{'extra':>7}"
    )
    failed = [n for n, one in enumerate(report.candidates) if isinstance(one, Failure)]
    for number in (*report.ranking, *failed):
        one = report.candidates[number]
        name = f"[{number}] {_cut(one.name or one.input)}"
        if isinstance(one, Failure):
            yield f"  {name:<{_INPUT_CHARS + 5}}  error {one.code}: {printable(one.message)}"
            continue
        error = "-" if one.mean_abs_error_ppm is None else f"{one.mean_abs_error_ppm:.2f}"
        yield (
            f"  {name:<{_INPUT_CHARS + 5}}{one.probability:>11.3f}{error:>11}"
            f"{one.n_missing:>9}{one.n_extra:>7}"
        )


def _assignment(report: MatchReport, candidate: CandidateMatch) -> Iterator[str]:
    decimals = 2 if report.spectrum.nucleus == "1H" else 1
    yield f"[{candidate.index}] {_cut(candidate.name or candidate.input)}, atoms counted from 0"
    yield (
        f"  {'atoms':<{_ATOM_CHARS}}{'H':>2}{'predicted':>10}  {'90 % interval':^18}"
        f"{'observed':>9}{'error':>7}{'prob.':>7}  flags"
    )
    for one in sorted(candidate.signals, key=lambda one: -one.shift_ppm):
        yield from _signal(one, decimals)
    for peak in candidate.peaks:
        if peak.flags:
            yield f"  peak {peak.shift_ppm:.{decimals}f}: {', '.join(peak.flags)}"
    for notice in candidate.notices:
        yield f"  note {notice.code}: {printable(notice.message)}"


def _signal(one: SignalMatch, decimals: int) -> Iterator[str]:
    first, *more = textwrap.wrap(", ".join(map(str, one.atom_indices)), _ATOM_CHARS - 1)
    interval = f"{one.low_ppm:.{decimals}f} to {one.high_ppm:.{decimals}f}"
    observed = "-" if one.observed_ppm is None else f"{one.observed_ppm:.{decimals}f}"
    error = (
        "-" if one.error_ppm is None else f"{round(one.error_ppm, decimals) + 0.0:+.{decimals}f}"
    )
    yield (
        f"  {first:<{_ATOM_CHARS}}{one.n_hydrogens:>2}{one.shift_ppm:>10.{decimals}f}"
        f"  {interval:^18}{observed:>9}{error:>7}{one.probability:>7.2f}  {', '.join(one.flags)}"
    ).rstrip()
    yield from (f"  {atoms}" for atoms in more)


def _cut(text: str) -> str:
    line = printable(text)
    return line if len(line) <= _INPUT_CHARS else line[: _INPUT_CHARS - 3] + "..."
