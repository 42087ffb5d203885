"""Is the process alive, and does it predict?"""

from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from service.deps import EngineDep
from service.schemas import HealthOut, ProblemOut
from service.strict import StrictRoute

router = APIRouter(prefix="/health", tags=["health"], route_class=StrictRoute)

_NOT_READY: dict[int | str, dict[str, Any]] = {
    503: {"model": ProblemOut, "description": "No model, or not the one that was verified."}
}


@router.get("/live", response_model=HealthOut)
async def live() -> HealthOut:
    """Answer as long as the process does."""
    return HealthOut(status="live")


@router.get("/ready", response_model=HealthOut, responses=_NOT_READY)
async def ready(engine: EngineDep, response: Response) -> HealthOut:
    """Predict a canary molecule and compare it with what it was when the model was verified."""
    await engine.check()
    response.headers["cache-control"] = "no-store"
    return HealthOut(status="ready")
