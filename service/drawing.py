"""What a request to draw becomes: one prediction, one picture."""

import logging
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from nmrshift.io.fields import query_from_fields
from nmrshift.io.stream import predict_rows
from nmrshift.types import Failure, Prediction, ShiftPredictor
from service.apart.draw_task import Drawing
from service.draw_schemas import DrawRequest
from service.mapping import STATUS, ProblemError

_LOG = logging.getLogger("nmrshift.service")
_FIELDS = frozenset({"structure", "smiles", "inchi", "molblock", "name", "solvent"})


def draw_document(
    predictor: ShiftPredictor,
    *,
    body: DrawRequest,
    nuclei: tuple[str, ...],
    png: bool,
    draw: Callable[[Drawing], bytes | Failure],
) -> bytes:
    """Return a picture, SVG or PNG.

    Args:
        predictor: predicts it.
        body: what is wanted.
        nuclei: by their usual names.
        png: PNG instead of SVG.
        draw: draws a prediction.

    Raises:
        ProblemError: the molecule cannot be predicted.
        NmrshiftError: it cannot be drawn, or a setting that the predictor does not know.
    """
    start = time.perf_counter()
    prediction = _predict(predictor, body, nuclei)
    content = draw(Drawing(prediction, spectra=body.spectra, png=png))
    if isinstance(content, Failure):
        raise _problem(content)
    _LOG.info("1 molecule drawn, %.0f ms", (time.perf_counter() - start) * 1000)
    return content


def _predict(predictor: ShiftPredictor, body: DrawRequest, nuclei: tuple[str, ...]) -> Prediction:
    fields = body.model_dump(include=set(_FIELDS), exclude_none=True)
    row = query_from_fields(fields, 0, "the molecule")
    if not isinstance(row, Failure):
        row = replace(row, source=body.source)
    predict = partial(predictor.predict_many, nuclei=nuclei, interval=body.interval)
    answer = next(iter(predict_rows(predict, iter([row]))))
    if isinstance(answer, Failure):
        raise _problem(answer)
    return answer


def _problem(failure: Failure) -> ProblemError:
    code = failure.code if failure.code in STATUS else "internal_error"
    return ProblemError(code, f"{failure.message}. {failure.hint}".strip())
