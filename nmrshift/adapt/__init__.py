"""Learning from a laboratory's own few spectra."""

from nmrshift.adapt.report import AdaptReport
from nmrshift.adapt.run import adapt

__all__ = ["AdaptReport", "adapt"]
