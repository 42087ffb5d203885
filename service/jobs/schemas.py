"""What is sent and answered where jobs are concerned."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from nmrshift.types import DEFAULT_NUCLEI
from service.schemas import Label, Strict


class JobQuery(BaseModel):
    """Settings of a job, in the query of its URL; the structures are in the body."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    nucleus: list[Label] = Field(
        list(DEFAULT_NUCLEI),
        min_length=1,
        max_length=20,
        description="For example 13C or f19; repeat for more.",
    )
    solvent: Label | None = Field(None, description="Solvent of molecules that name none.")
    source: Label | None = Field(None, description="Reference convention; see GET /v1/model.")
    interval: float = Field(
        0.9, ge=0.5, le=0.99, description="Share of true shifts that the intervals are to hold."
    )
    name: Label | None = Field(None, description="Your name for the job; no structure.")


class JobProblemOut(Strict):
    """Why a job failed."""

    code: str
    detail: str


class JobOut(Strict):
    """Where a job stands; times in UTC."""

    id: str
    status: Literal["queued", "running", "done", "cancelled", "failed"]
    name: str | None
    n_rows: int = Field(description="Molecules of the file.")
    n_done: int = Field(description="Molecules answered.")
    n_ok: int
    n_failed: int
    created: str
    finished: str | None
    expires: str | None = Field(description="When the job is removed.")
    problem: JobProblemOut | None
