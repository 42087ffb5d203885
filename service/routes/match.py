"""A measured spectrum and candidate structures in, assignments and a ranking out."""

from functools import partial

from fastapi import APIRouter
from starlette.responses import Response

from service.deps import EngineDep
from service.mapping import check_source
from service.match_schemas import MatchRequest, MatchResponse
from service.matching import match_document
from service.routes.predict import PROBLEMS
from service.strict import StrictRoute

router = APIRouter(prefix="/v1", tags=["match"], route_class=StrictRoute)


@router.post("/match", response_model=MatchResponse, responses=PROBLEMS)
async def spectrum(body: MatchRequest, engine: EngineDep) -> Response:
    """Match one spectrum to up to 20 structures.

    Each structure gets one answer, in the order of the request: an assignment with its
    probability relative to the others, or a failure with its code.
    """
    check_source(engine.about, body.source)
    document = await engine.run(partial(match_document, body=body))
    return Response(document, media_type="application/json")
