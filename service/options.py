"""Settings of one request for predictions."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Options:
    """Settings of one request.

    Attributes:
        nuclei: nuclei by their usual names.
        solvent: solvent of molecules that name none.
        source: reference convention.
        interval: nominal coverage of the intervals, 0-1.
        references: measured shifts to name as evidence of each atom.
        as_text: whether predictions are wanted as JSON, where that can be had.
    """

    nuclei: tuple[str, ...]
    solvent: str | None
    source: str | None
    interval: float
    references: int = 0
    as_text: bool = False
