"""What a request to draw becomes: one prediction, one picture."""

import logging
import time
from base64 import b64encode
from dataclasses import replace
from functools import partial

from nmrshift.draw import picture
from nmrshift.io.fields import query_from_fields
from nmrshift.io.stream import predict_rows
from nmrshift.types import Failure, Prediction, ShiftPredictor
from service.draw_schemas import DrawRequest
from service.mapping import STATUS, ProblemError

_LOG = logging.getLogger("nmrshift.service")
_FIELDS = frozenset({"structure", "smiles", "inchi", "molblock", "name", "solvent"})


def draw_document(
    predictor: ShiftPredictor, *, body: DrawRequest, nuclei: tuple[str, ...], png: bool
) -> str:
    """Return a picture as text: an SVG document, or a PNG in base64.

    Raises:
        ProblemError: the molecule cannot be predicted.
        NmrshiftError: it cannot be drawn, or a setting that the predictor does not know.
    """
    start = time.perf_counter()
    prediction = _predict(predictor, body, nuclei)
    drawn = picture(prediction, spectra=body.spectra)
    text = b64encode(drawn.png()).decode() if png else drawn.svg
    _LOG.info("1 molecule drawn, %.0f ms", (time.perf_counter() - start) * 1000)
    return text


def _predict(predictor: ShiftPredictor, body: DrawRequest, nuclei: tuple[str, ...]) -> Prediction:
    fields = body.model_dump(include=set(_FIELDS), exclude_none=True)
    row = query_from_fields(fields, 0, "the molecule")
    if not isinstance(row, Failure):
        row = replace(row, source=body.source)
    predict = partial(predictor.predict_many, nuclei=nuclei, interval=body.interval)
    answer = next(iter(predict_rows(predict, iter([row]))))
    if isinstance(answer, Failure):
        code = answer.code if answer.code in STATUS else "internal_error"
        raise ProblemError(code, f"{answer.message}. {answer.hint}".strip())
    return answer
