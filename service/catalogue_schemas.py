"""Answers of ``GET /v1/solvents`` and ``GET /v1/nuclei``."""

from typing import Literal

from pydantic import Field

from service.schemas import Strict


class SolventOut(Strict):
    """One entry of the catalogue."""

    key: str = Field(description="As predictions name it.")
    name: str
    label: str = Field(description="Short name, as it stands in a spectrum's heading.")
    kind: Literal["liquid", "class", "unknown"]
    formula: str | None
    deuterated: str | None
    many_spectra: bool = Field(description="Whether the model saw many spectra in it.")


class SolventsOut(Strict):
    """All solvents, those with many training spectra first.

    Requests may name a solvent in any usual spelling, and mixtures.
    """

    solvents: list[SolventOut]


class NucleusOut(Strict):
    """A nucleus that the model predicts."""

    nucleus: str
    element: str = Field(description="Element that carries it; for 1H the hydrogens' neighbour.")
    is_default: bool = Field(description="Predicted where a request names no nuclei.")
    decimals: int = Field(description="With which a shift is usually written.")
    step_ends_ppm: list[float] = Field(
        description="Half-widths of intervals at which the colours of pictures change."
    )


class NucleiOut(Strict):
    """All nuclei, in the order of the model."""

    nuclei: list[NucleusOut]
