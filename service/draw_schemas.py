"""Body of ``POST /v1/draw``."""

from typing import Annotated

from pydantic import Field

from nmrshift.types import DEFAULT_NUCLEI
from service.schemas import Label, MoleculeIn


class DrawRequest(MoleculeIn):
    """One molecule to draw with its predicted shifts."""

    nuclei: Annotated[list[Label], Field(min_length=1, max_length=20)] = Field(
        list(DEFAULT_NUCLEI), description="For example 13C or f19."
    )
    source: Label | None = Field(None, description="Reference convention; see GET /v1/model.")
    interval: float = Field(
        0.9, ge=0.5, le=0.99, description="Share of true shifts that the intervals are to hold."
    )
    spectra: bool = Field(True, description="False draws the molecule alone, without a title.")
