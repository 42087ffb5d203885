"""What answers here, and what it was made from."""

from typing import Any

from fastapi import APIRouter

from service.deps import EngineDep
from service.loaded import About
from service.schemas import DataSourceOut, ModelOut, ProblemOut
from service.strict import StrictRoute

router = APIRouter(prefix="/v1", tags=["model"], route_class=StrictRoute)

_PROBLEMS: dict[int | str, dict[str, Any]] = {
    503: {"model": ProblemOut, "description": "No model is loaded."}
}


@router.get("/model", response_model=ModelOut, responses=_PROBLEMS)
async def describe(engine: EngineDep) -> ModelOut:
    """Return the model's identity, nuclei, training data and scores."""
    return model_out(engine.about)


def model_out(about: About) -> ModelOut:
    """Return the description, without the place of the model's folder."""
    info = getattr(about, "info", None)
    if info is None:
        name = type(about).__name__
        return ModelOut(identity=name, name=name, nuclei=list(about.nuclei))
    return ModelOut(
        identity=info.identity,
        name=info.name,
        version=info.version,
        sha256=info.sha256,
        nuclei=list(info.nuclei),
        sources=list(info.sources),
        solvents=list(info.solvents),
        data=[DataSourceOut(**source) for source in info.data],
        metrics=info.metrics,
        training_data_sha256=info.training_data_sha256,
        rdkit_version=info.rdkit_version,
        ring_finder=info.ring_finder,
    )
