"""How often Python looks for unreachable cycles, in processes that are ours.

A batch of predictions is some hundred thousand small objects without a cycle. At Python's own
thresholds the collector walks them over and over, for a fifth of the time of a run.
"""

import gc
from typing import Final

_THRESHOLDS: Final = (50_000, 20, 50)


def collect_seldom() -> None:
    """Set what has been loaded aside for good, and look at new objects seldom.

    For a process whose main program this is; a library does not decide this for its caller.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_THRESHOLDS)
