"""Figures for Prometheus."""

from fastapi import APIRouter
from starlette.responses import Response

from service.deps import MetricsDep
from service.metrics import CONTENT_TYPE
from service.strict import StrictRoute

router = APIRouter(tags=["metrics"], route_class=StrictRoute)

_TEXT = {"text/plain": {"schema": {"type": "string"}}}


@router.get("/metrics", response_class=Response, responses={200: {"content": _TEXT}})
async def figures(metrics: MetricsDep) -> Response:
    """Return counts and times in Prometheus' text form."""
    return Response(metrics.text(), media_type=CONTENT_TYPE)
