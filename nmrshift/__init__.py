"""NMR chemical shifts of small molecules from structure and solvent.

Importing this package loads neither torch nor dgl; both come with the first model.
"""

from typing import TYPE_CHECKING, Any

from nmrshift.types import AtomShift, Failure, Notice, Prediction, Query

if TYPE_CHECKING:
    from nmrshift.predict.predictor import Predictor

__version__ = "0.1.0"

__all__ = [
    "AtomShift",
    "Failure",
    "Notice",
    "Prediction",
    "Predictor",
    "Query",
    "__version__",
]


def __getattr__(name: str) -> Any:
    """Load the predictor on first use."""
    if name == "Predictor":
        from nmrshift.predict.predictor import Predictor

        return Predictor
    raise AttributeError(f"module 'nmrshift' has no attribute {name!r}")
