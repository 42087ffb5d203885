"""Tables of molecules from Python: data frames of pandas and polars, data sets of Ray."""

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from nmrshift.io.frames import frame_kind, frame_rows, to_frame
from nmrshift.io.options import parse_nuclei
from nmrshift.io.stream import predict_rows
from nmrshift.parallel.job import Settings
from nmrshift.types import DEFAULT_NUCLEI

if TYPE_CHECKING:
    from nmrshift.predict.predictor import Predictor

__all__ = ["map_dataset", "predict_frame"]


def predict_frame(
    frame: Any,
    *,
    predictor: "Predictor | None" = None,
    structure: str | None = None,
    solvent: str | None = None,
    nuclei: Sequence[str] = DEFAULT_NUCLEI,
    source: str | None = None,
    interval: float = 0.9,
    workers: int = 0,
) -> Any:
    """Predict the molecules of a data frame.

    Args:
        frame: of pandas or polars; structures, names and solvents are found in columns with the
            names that a CSV file may have (``smiles``, ``id``, ``solvent``, ...).
        predictor: a loaded model; the shipped one is loaded if absent.
        structure: the column of structures, whatever its name.
        solvent: solvent of rows that name none.
        nuclei: nuclei to predict, in any spelling.
        source: reference convention.
        interval: nominal coverage of the intervals, 0.5-0.99.
        workers: processes that read molecules while the network computes.

    Returns:
        A frame of the same kind in long form: one row an atom, ppm rounded to 0.001, failures as
        rows; ``index`` is the position of the row in ``frame``, from 0.

    Raises:
        FileFormatError: no data frame, or no column of structures.
        UnknownNucleusError: the model has no such nucleus.
        ConfigError: the source or the interval is not one the model knows.
    """
    kind = frame_kind(frame)
    if predictor is None:
        from nmrshift import Predictor

        predictor = Predictor.load()
    settings = Settings(parse_nuclei(nuclei, predictor.nuclei), solvent, source, interval)
    predict = partial(predictor.predict_many, **settings.keywords(), workers=workers)
    return to_frame(predict_rows(predict, frame_rows(frame, structure)), kind)


def map_dataset(
    dataset: Any,
    *,
    model: str | None = None,
    structure: str | None = None,
    solvent: str | None = None,
    nuclei: Sequence[str] = DEFAULT_NUCLEI,
    source: str | None = None,
    interval: float = 0.9,
    concurrency: int = 1,
    batch_size: int = 2048,
) -> Any:
    """Predict the molecules of a Ray Dataset, the model loaded once an actor.

    Args:
        dataset: with columns as :func:`predict_frame` takes them.
        model: a model folder that every node sees; the shipped one if absent.
        structure: the column of structures, whatever its name.
        solvent: solvent of rows that name none.
        nuclei: nuclei to predict, by their usual names.
        source: reference convention.
        interval: nominal coverage of the intervals, 0.5-0.99.
        concurrency: actors, one CPU each.
        batch_size: rows of a batch.

    Returns:
        A lazy Ray Dataset in long form, as :func:`predict_frame` returns it, without ``index``:
        the rows of a data set have no position. The ``name`` column tells them apart.

    Raises:
        MissingExtraError: Ray is not installed.
    """
    from nmrshift.parallel.ray_data import map_batches

    settings = Settings(tuple(nuclei), solvent, source, interval)
    return map_batches(dataset, model, settings, structure, concurrency, batch_size)
