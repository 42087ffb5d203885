"""Molecules in, shifts out."""

from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from nmrshift.errors import UnknownNucleusError
from nmrshift.io.options import parse_nuclei
from service.deps import EngineDep, SettingsDep
from service.engine import Options
from service.mapping import ProblemError, check_source, problem_of
from service.schemas import PredictRequest, PredictResponse, ProblemOut
from service.strict import StrictRoute

router = APIRouter(prefix="/v1", tags=["predict"], route_class=StrictRoute)

PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {"model": ProblemOut, "description": description}
    for status, description in (
        (408, "The body did not arrive in time."),
        (413, "Too large a body, or too many molecules."),
        (415, "Not uncompressed JSON in UTF-8."),
        (422, "Not JSON, not the schema, or a setting that the model does not know."),
        (429, "Too many requests are waiting."),
        (503, "No model is loaded."),
    )
}


@router.post("/predict", response_model=PredictResponse, responses=PROBLEMS)
async def shifts(body: PredictRequest, engine: EngineDep, settings: SettingsDep) -> Response:
    """Predict up to 1000 molecules.

    Each molecule gets one answer, in the order of the request: a prediction, or a failure with
    its code. One bad molecule never fails another.
    """
    molecules = body.rows()
    if len(molecules) > settings.max_molecules:
        detail = f"A request may have {settings.max_molecules} molecules."
        raise ProblemError("too_large", detail)
    try:
        nuclei = parse_nuclei(body.nuclei, engine.predictor.nuclei)
    except UnknownNucleusError as error:
        raise problem_of(error) from None
    check_source(engine.predictor, body.source)
    options = Options(nuclei, body.solvent, body.source, body.interval, body.references)
    document = await engine.predict(molecules, options)
    return Response(document, media_type="application/json")
