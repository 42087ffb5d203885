"""The answer for all candidates, and its plain form."""

from dataclasses import asdict, dataclass
from typing import Any, Final

from nmrshift.match.matches import CandidateMatch
from nmrshift.match.peaks import PeakList
from nmrshift.types import Failure

SCHEMA_VERSION: Final[int] = 1

_DIGITS: Final[dict[str, int]] = {"_ppm": 3, "probability": 4, "_evidence": 3}


@dataclass(frozen=True, slots=True)
class MatchReport:
    """All candidates against one spectrum.

    Attributes:
        spectrum: the spectrum as it was understood.
        temperature: by which differences of log evidence were divided.
        candidates: one value a structure, in the order of the call.
        ranking: positions of the candidates that could be predicted, the most probable first.
    """

    spectrum: PeakList
    temperature: float
    candidates: tuple[CandidateMatch | Failure, ...]
    ranking: tuple[int, ...]

    @property
    def best(self) -> CandidateMatch | None:
        """The most probable candidate, if any could be predicted."""
        found = self.candidates[self.ranking[0]] if self.ranking else None
        return found if isinstance(found, CandidateMatch) else None

    def to_dict(self) -> dict[str, Any]:
        """Return plain dicts, lists and numbers, ready for JSON; ppm are rounded to 0.001."""
        rows = [
            {"status": "error" if isinstance(one, Failure) else "ok", **asdict(one)}
            for one in self.candidates
        ]
        document = {
            "schema_version": SCHEMA_VERSION,
            "spectrum": asdict(self.spectrum),
            "temperature": self.temperature,
            "ranking": list(self.ranking),
            "candidates": rows,
        }
        plain: dict[str, Any] = _plain(document)
        return plain


def _plain(value: Any, key: str = "") -> Any:
    """Return a value with lists for tuples and numbers rounded by the end of their name."""
    if isinstance(value, dict):
        return {name: _plain(one, name) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one, key) for one in value]
    if isinstance(value, float):
        digits = next((n for end, n in _DIGITS.items() if key.endswith(end)), None)
        return value if digits is None else round(value, digits) + 0.0
    return value
