"""Molecules in, shifts out."""

import logging
import time
from typing import Annotated, Any, Final

from anyio import to_thread
from fastapi import APIRouter, Header
from starlette.responses import Response

from nmrshift.errors import UnknownNucleusError
from nmrshift.io.fields import query_from_fields
from nmrshift.io.options import parse_nuclei
from nmrshift.types import Failure
from service.deps import EngineDep, SettingsDep
from service.documents import document, is_of_rows
from service.mapping import ProblemError, check_source, problem_of
from service.negotiation import MEDIA_TYPES, content_type, negotiate
from service.options import Options
from service.schemas import PredictRequest, PredictResponse, ProblemOut
from service.strict import StrictRoute

_LOG = logging.getLogger("nmrshift.service")

router = APIRouter(prefix="/v1", tags=["predict"], route_class=StrictRoute)

_SHORT: Final[int] = 4
"""Answers that are written out here: less work than handing it to a thread."""

PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {"model": ProblemOut, "description": description}
    for status, description in (
        (408, "The body did not arrive in time."),
        (413, "Too large a body, or too many molecules."),
        (415, "Not uncompressed JSON in UTF-8."),
        (422, "Not JSON, not the schema, or a setting that the model does not know."),
        (429, "Too many requests are waiting."),
        (503, "No model is loaded."),
        (504, "The answer took too long."),
    )
}
_FORMATS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "One answer a molecule, in order.",
        "content": {
            media_type: {"schema": {"type": "string"}}
            for name, media_type in MEDIA_TYPES.items()
            if name != "json"
        },
    },
    406: {"model": ProblemOut, "description": "No format that is accepted can be written."},
}


@router.post("/predict", response_model=PredictResponse, responses={**PROBLEMS, **_FORMATS})
async def shifts(
    body: PredictRequest,
    engine: EngineDep,
    settings: SettingsDep,
    accept: Annotated[str | None, Header()] = None,
) -> Response:
    """Predict up to 1000 molecules.

    Each molecule gets one answer, in the order of the request: a prediction, or a failure with
    its code. One bad molecule never fails another. The format of the answers is chosen by the
    header `Accept`.
    """
    start = time.perf_counter()
    output = negotiate(accept)
    molecules = body.rows()
    if len(molecules) > settings.max_molecules:
        detail = f"A request may have {settings.max_molecules} molecules."
        raise ProblemError("too_large", detail)
    try:
        nuclei = parse_nuclei(body.nuclei, engine.about.nuclei)
    except UnknownNucleusError as error:
        raise problem_of(error) from None
    check_source(engine.about, body.source)
    rows = [
        query_from_fields(fields, index, f"molecule {index}")
        for index, fields in enumerate(molecules)
    ]
    settled = (body.solvent, body.source, body.interval, body.references)
    options = Options(nuclei, *settled, as_text=is_of_rows(output))
    answers = await engine.answers(rows, options)
    is_quick = options.as_text or len(answers) <= _SHORT
    text = (
        document(answers, output)
        if is_quick
        else await to_thread.run_sync(document, answers, output)
    )
    n_failed = sum(isinstance(answer, Failure) for answer in answers)
    took_ms = (time.perf_counter() - start) * 1000
    _LOG.info("%d molecules, %d failed, %.0f ms", len(rows), n_failed, took_ms)
    return Response(text, media_type=content_type(output))
