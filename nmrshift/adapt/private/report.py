"""What a private adaptation came to, for who holds the spectra."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from nmrshift.adapt.report import BeforeAfter, error_lines
from nmrshift.types import Notice


@dataclass(frozen=True, slots=True)
class PrivateReport:
    """A private adaptation. Errors are on contributors that were not learned from.

    Attributes:
        folder: of the adapted model.
        identity: its name, version and short hash.
        base: identity of the model it began with.
        name: of the convention.
        n_contributors: contributors learned from.
        n_held_out: the others.
        epsilon: what these contributors have spent, earlier runs of the journal included.
        delta: probability with which more may have been.
        noise_multiplier: standard deviation of the noise, in clip norms.
        rate: chance of a contributor to take part in a round.
        n_rounds: rounds of this run.
        n_directions: in how many directions the convention was sought.
        clip_norm: largest norm of a contributor's update.
        before_after: errors on held-out contributors, by nucleus; known to who runs this, and
            not in the model folder.
        notices: what was left out.
    """

    folder: Path
    identity: str
    base: str
    name: str
    n_contributors: int
    n_held_out: int
    epsilon: float
    delta: float
    noise_multiplier: float
    rate: float
    n_rounds: int
    n_directions: int
    clip_norm: float
    before_after: tuple[BeforeAfter, ...]
    notices: tuple[Notice, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return plain dicts, lists and strings, ready for JSON."""
        return {"schema_version": 1, **asdict(self), "folder": str(self.folder)}

    def to_text(self) -> str:
        """Return the report for a terminal."""
        return "\n".join([*self._lines(), ""])

    def _lines(self) -> Iterator[str]:
        yield f"{self.name}: {self.n_contributors} contributors, {self.n_held_out} held out"
        for notice in self.notices:
            yield f"  note: {notice.message}"
        yield (
            f"spent: epsilon {self.epsilon:.3f}, delta {self.delta:g}; {self.n_rounds} rounds, "
            f"rate {self.rate:g},"
        )
        yield (
            f"  noise {self.noise_multiplier:.2f} clip norms in each of {self.n_directions} "
            "directions"
        )
        yield ""
        yield from error_lines(self.before_after)
        yield ""
        yield "This report and the journal are not private, the model folder is: keep the one,"
        yield "share the other."
        yield f"Model: {self.identity} in {self.folder}; ask with `--source {self.name}`."
