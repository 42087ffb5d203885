"""One molecule in, a picture out."""

from functools import partial
from typing import Any, Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from nmrshift.errors import UnknownNucleusError
from nmrshift.io.options import parse_nuclei
from service.accept import preferred
from service.deps import EngineDep
from service.draw_schemas import DrawRequest
from service.drawing import draw_document
from service.mapping import check_source, problem_of
from service.routes.predict import PROBLEMS
from service.schemas import ProblemOut
from service.strict import StrictRoute

router = APIRouter(prefix="/v1", tags=["draw"], route_class=StrictRoute)

SVG: Final[str] = "image/svg+xml"
PNG: Final[str] = "image/png"

_RESPONSES: dict[int | str, dict[str, Any]] = {
    **PROBLEMS,
    200: {
        "content": {
            SVG: {"schema": {"type": "string"}},
            PNG: {"schema": {"type": "string", "contentMediaType": PNG}},
        },
        "description": "The picture; SVG unless Accept prefers PNG.",
    },
    406: {"model": ProblemOut, "description": "Neither SVG nor PNG is acceptable."},
    422: {"model": ProblemOut, "description": "Not the schema, or no molecule that can be drawn."},
    504: {"model": ProblemOut, "description": "The layout took too long and was stopped."},
}


@router.post("/draw", response_class=Response, responses=_RESPONSES)
async def picture(body: DrawRequest, engine: EngineDep, request: Request) -> Response:
    """Draw one molecule with its predicted shifts, above a stick spectrum of each nucleus."""
    media_type = preferred(request.headers.get("accept"), (SVG, PNG))
    try:
        nuclei = parse_nuclei(body.nuclei, engine.about.nuclei)
    except UnknownNucleusError as error:
        raise problem_of(error) from None
    check_source(engine.about, body.source)
    png = media_type == PNG
    content = await engine.draw(partial(draw_document, body=body, nuclei=nuclei, png=png))
    return Response(content, media_type=media_type, headers={"vary": "accept"})
