"""What a request to match becomes: a spectrum, candidates, a document."""

import logging
import time

from nmrshift.io.fields import query_from_fields
from nmrshift.io.options import parse_nucleus
from nmrshift.io.wire import json_text
from nmrshift.match import Peak, PeakList, match_spectrum
from nmrshift.types import ShiftPredictor
from service.match_schemas import MatchRequest

_LOG = logging.getLogger("nmrshift.service")


def match_document(predictor: ShiftPredictor, body: MatchRequest) -> str:
    """Return the JSON document of a match.

    Raises:
        NmrshiftError: the peaks cannot be read, or a setting that the predictor does not know.
    """
    start = time.perf_counter()
    rows = [
        query_from_fields(fields, index, f"molecule {index}")
        for index, fields in enumerate(body.rows())
    ]
    report = match_spectrum(
        predictor,
        rows,
        _spectrum(body),
        nucleus=body.nucleus,
        solvent=body.solvent,
        source=body.source,
    )
    took_ms = (time.perf_counter() - start) * 1000
    n_failed = len(rows) - len(report.ranking)
    n_peaks = len(report.spectrum.peaks)
    _LOG.info("%d peaks, %d candidates, %d failed, %.0f ms", n_peaks, len(rows), n_failed, took_ms)
    return json_text(report.to_dict())


def _spectrum(body: MatchRequest) -> PeakList | str:
    if body.peaks is None:
        return body.text or ""
    peaks = tuple(
        Peak(one.shift_ppm, n_nuclei=one.n_nuclei, n_hydrogens=one.n_hydrogens)
        for one in body.peaks
    )
    return PeakList(parse_nucleus(body.nucleus or ""), peaks)
