"""Does this spectrum fit this structure? Peak lists against predicted shifts."""

from nmrshift.match.candidate import match_prediction
from nmrshift.match.matches import Alternative, CandidateMatch, PeakMatch, SignalMatch
from nmrshift.match.peak_text import read_peaks
from nmrshift.match.peaks import Peak, PeakList
from nmrshift.match.rank import TEMPERATURE, match_spectrum, rank
from nmrshift.match.report import MatchReport

__all__ = [
    "TEMPERATURE",
    "Alternative",
    "CandidateMatch",
    "MatchReport",
    "Peak",
    "PeakList",
    "PeakMatch",
    "SignalMatch",
    "match_prediction",
    "match_spectrum",
    "rank",
    "read_peaks",
]
