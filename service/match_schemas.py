"""Bodies of ``POST /v1/match``."""

from typing import Annotated, Any, Final, Literal

from pydantic import Field, model_validator

from nmrshift.match.peaks import MAX_NUCLEI, MAX_PEAKS
from nmrshift.match.plain import MAX_CHARS
from service.schemas import FailureOut, Label, MoleculeIn, NoticeOut, Strict, fields_of

MAX_CANDIDATES: Final[int] = 20
"""Most structures of one request."""


class PeakIn(Strict):
    """One peak."""

    shift_ppm: float
    n_nuclei: Annotated[int, Field(ge=1, le=MAX_NUCLEI)] | None = Field(
        None, description="Nuclei under the peak, if known."
    )
    n_hydrogens: Annotated[int, Field(ge=0, le=3)] | None = Field(
        None, description="13C: hydrogens on the carbon, if known."
    )


class MatchRequest(Strict):
    """A spectrum and candidates: ``text`` or ``peaks``, and ``molecules`` or ``smiles``."""

    molecules: (
        Annotated[list[MoleculeIn], Field(min_length=1, max_length=MAX_CANDIDATES)] | None
    ) = None
    smiles: Annotated[list[str], Field(min_length=1, max_length=MAX_CANDIDATES)] | str | None = None
    text: Annotated[str, Field(max_length=MAX_CHARS)] | None = Field(
        None, description="The spectrum as in a paper, or shifts in ppm."
    )
    peaks: Annotated[list[PeakIn], Field(min_length=1, max_length=MAX_PEAKS)] | None = None
    nucleus: Label | None = Field(None, description="Needed where the text does not name it.")
    solvent: Label | None = Field(None, description="By default the one that the text names.")
    source: Label | None = Field(None, description="Reference convention; see GET /v1/model.")

    @model_validator(mode="after")
    def _one_of_each(self) -> "MatchRequest":
        if (self.molecules is None) == (self.smiles is None):
            raise ValueError("exactly one of molecules, smiles expected")
        if (self.text is None) == (self.peaks is None):
            raise ValueError("exactly one of text, peaks expected")
        if self.peaks is not None and self.nucleus is None:
            raise ValueError("peaks need a nucleus")
        return self

    def rows(self) -> list[dict[str, Any]]:
        """Return the candidates as plain fields, in order."""
        return fields_of(self.molecules, self.smiles)


class PeakOut(Strict):
    """One peak as it was understood."""

    shift_ppm: float
    range_ppm: list[float] | None
    n_nuclei: int | None
    multiplicity: str | None
    n_hydrogens: int | None
    couplings_hz: list[float]
    label: str


class SpectrumOut(Strict):
    """The spectrum as it was understood."""

    nucleus: str
    peaks: list[PeakOut]
    frequency_mhz: float | None
    solvent: str | None
    ignored: list[str] = Field(description="Parts of the text that were passed over.")


class AlternativeOut(Strict):
    """A peak that a signal may belong to."""

    peak: int
    probability: float


class SignalMatchOut(Strict):
    """One signal and its peak in the best assignment; null if it has none."""

    signal: int
    atom_indices: list[int]
    n_hydrogens: int
    shift_ppm: float = Field(description="Predicted.")
    low_ppm: float
    high_ppm: float
    peak: int | None
    observed_ppm: float | None
    error_ppm: float | None
    probability: float
    alternatives: list[AlternativeOut]
    flags: list[str]


class PeakMatchOut(Strict):
    """One peak and the signals it was given."""

    peak: int
    shift_ppm: float
    signals: list[int]
    extra_probability: float
    flags: list[str]


class CandidateOut(Strict):
    """One structure against the spectrum."""

    status: Literal["ok"]
    index: int
    input: str
    name: str | None
    solvent: str
    model: str
    log_evidence: float
    probability: float = Field(description="Relative to the other candidates.")
    mean_abs_error_ppm: float | None
    n_missing: int
    n_extra: int
    signals: list[SignalMatchOut]
    peaks: list[PeakMatchOut]
    notices: list[NoticeOut]
    molblock: str | None


class MatchResponse(Strict):
    """One answer a candidate, in the order of the request."""

    schema_version: int
    spectrum: SpectrumOut
    temperature: float
    ranking: list[int] = Field(description="Positions of candidates, the most probable first.")
    candidates: list[Annotated[CandidateOut | FailureOut, Field(discriminator="status")]]
