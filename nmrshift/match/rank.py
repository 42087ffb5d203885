"""Several structures against one spectrum: which is it, and how sure are we."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial
from typing import Final

import numpy as np

from nmrshift.errors import NmrshiftError
from nmrshift.io.options import parse_nuclei, parse_nucleus
from nmrshift.io.stream import predict_rows
from nmrshift.match.candidate import match_prediction
from nmrshift.match.matches import CandidateMatch
from nmrshift.match.peak_text import read_peaks
from nmrshift.match.peaks import PeakList
from nmrshift.match.report import MatchReport
from nmrshift.types import Failure, Prediction, Query, ShiftPredictor

TEMPERATURE: Final[float] = 3.0
"""By what differences of log evidence are divided before they become probabilities. Errors within
a molecule are correlated, so its peaks are fewer witnesses than they seem; a judgement, to be
fitted on benchmarks of known structures and their isomers."""

INTERVAL: Final[float] = 0.9
"""Coverage of the intervals from which the scales of errors are taken."""


def match_spectrum(
    predictor: ShiftPredictor,
    structures: Iterable[Query | Failure | str],
    spectrum: PeakList | str,
    *,
    nucleus: str | None = None,
    solvent: str | None = None,
    source: str | None = None,
    temperature: float = TEMPERATURE,
) -> MatchReport:
    """Match a spectrum to one or more candidate structures.

    Args:
        predictor: predicts the nucleus of the spectrum.
        structures: SMILES, InChI, molblocks or queries; a failure of reading stays in its place.
        spectrum: peaks, or text for :func:`~nmrshift.match.read_peaks`.
        nucleus: nucleus of the spectrum, needed where the text names none or several.
        solvent: solvent; by default that of the text.
        source: reference convention, see ``Predictor.sources``.
        temperature: at least 1; see :data:`TEMPERATURE`.

    Returns:
        One value a structure, in order; probabilities are relative to the structures given.

    Raises:
        PeakTextError: the peaks cannot be read.
        UnknownNucleusError: the predictor lacks the nucleus.
    """
    wanted = None if nucleus is None else parse_nucleus(nucleus)
    peaks = read_peaks(spectrum, wanted) if isinstance(spectrum, str) else spectrum.checked()
    nuclei = parse_nuclei([peaks.nucleus], predictor.nuclei)
    rows = (_query(one, source, nuclei) for one in structures)
    predict = partial(
        predictor.predict_many,
        solvent=peaks.solvent if solvent is None else solvent,
        nuclei=nuclei,
        interval=INTERVAL,
    )
    answers = [_match(answer, peaks) for answer in predict_rows(predict, rows)]
    return rank(answers, peaks, temperature=temperature)


def rank(
    answers: Sequence[CandidateMatch | Failure],
    spectrum: PeakList,
    *,
    temperature: float = TEMPERATURE,
) -> MatchReport:
    """Turn log evidences into probabilities of the candidates (softmax) and rank them.

    Args:
        answers: matches of one spectrum, and failures, which have no probability.
        spectrum: that spectrum.
        temperature: at least 1.

    Raises:
        ValueError: the temperature is below 1.
    """
    if not temperature >= 1.0:
        raise ValueError("temperature must be at least 1")
    fitting = [n for n, one in enumerate(answers) if isinstance(one, CandidateMatch)]
    evidence = [one.log_evidence for one in answers if isinstance(one, CandidateMatch)]
    scaled = np.array(evidence) / temperature
    share = np.exp(scaled - scaled.max(initial=-np.inf))
    share /= share.sum() or 1.0
    of_candidate = dict(zip(fitting, share.tolist(), strict=True))
    candidates = tuple(
        replace(one, probability=of_candidate[n]) if isinstance(one, CandidateMatch) else one
        for n, one in enumerate(answers)
    )
    order = sorted(fitting, key=lambda n: (-of_candidate[n], n))
    return MatchReport(spectrum, temperature, candidates, tuple(order))


def _query(
    one: Query | Failure | str, source: str | None, nuclei: tuple[str, ...]
) -> Query | Failure:
    if isinstance(one, Failure):
        return one
    query = one if isinstance(one, Query) else Query(one)
    return replace(query, nuclei=nuclei, source=query.source if source is None else source)


def _match(answer: Prediction | Failure, spectrum: PeakList) -> CandidateMatch | Failure:
    if isinstance(answer, Failure):
        return answer
    try:
        return match_prediction(answer, spectrum)
    except NmrshiftError as error:
        text = answer.input[:200]
        return Failure(answer.index, text, answer.name, error.code, error.message, error.hint)
