"""The solvents protocol: what a solvent changes, told for compounds that are left out.

The shipped model has seen the tables, so for each fold the part that knows solvents is fitted anew
without the fold's compounds, on the shipped encoder. That encoder was trained with the tables among
its spectra and stays as it is.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import numpy as np

from nmrshift.benchmark.solvent_folds import (
    conditions_predictor,
    response_predictor,
    write_spectra,
)
from nmrshift.benchmark.solvent_tables import (
    N_FOLDS,
    REFERENCE,
    Change,
    changes,
    folds,
    table_spectra,
)
from nmrshift.benchmark.spectra import Library
from nmrshift.errors import FileFormatError
from nmrshift.evaluate.baseline import HeldOut
from nmrshift.model.shipped import shipped_model
from nmrshift.predict.predictor import Predictor
from nmrshift.train.checkpoint import write_whole

METHODS: Final = {
    "shipped": "shipped model (has seen the compounds)",
    "response": "solvent response anew for each fold",
    "conditions": "heads and conditions anew for each fold",
}
NUCLEI: Final = ("13C", "1H")
_HEADER: Final = (
    "| protocol | nucleus | method | changes | compounds | correlation | MAE of the change "
    "| MAE of no change | MAE of the shift |\n|---|---|---|---|---|---|---|---|---|"
)


@dataclass(frozen=True, slots=True)
class SolventResult:
    """How well a method tells changes from chloroform; all errors in ppm.

    Attributes:
        nucleus: what was scored.
        method: one of ``METHODS``.
        n_changes: atoms times solvents.
        n_compounds: compounds.
        correlation: of predicted and measured changes.
        mae_ppm: mean absolute error of the change.
        no_change_ppm: the same for the claim that nothing changes.
        shift_mae_ppm: mean absolute error of the shifts themselves, which every model has seen.
    """

    nucleus: str
    method: str
    n_changes: int
    n_compounds: int
    correlation: float
    mae_ppm: float
    no_change_ppm: float
    shift_mae_ppm: float


def solvents(
    library: Library,
    out: Path,
    model: Path | None,
    report: Callable[[str], None],
    *,
    quiet: bool = False,
) -> Iterator[SolventResult]:
    """Carry the protocol out; what is done is not done again.

    Args:
        library: where the spectra are.
        out: folder of all results.
        model: folder of the model that stands for the shipped one.
        report: told in words how it goes.
        quiet: show no progress bars.
    """
    path = model or shipped_model()
    for nucleus in NUCLEI:
        for method in METHODS:
            done = out / "solvents" / f"{method}_{nucleus}" / "result.json"
            if not done.exists():
                report(f"solvents: {method}, {nucleus}")
                folder = out / "solvents"
                result = _measure(library, folder, path, nucleus, method, quiet=quiet)
                done.parent.mkdir(parents=True, exist_ok=True)
                write_whole(done, (json.dumps(asdict(result), indent=1) + "\n").encode())
            yield _read(done)


def solvents_markdown(results: Sequence[SolventResult]) -> str:
    """Return one row for each nucleus and method."""
    rows = [
        f"| solvents | {r.nucleus} | {METHODS[r.method]} | {r.n_changes} | {r.n_compounds} "
        f"| {r.correlation:.2f} | {r.mae_ppm:.3f} | {r.no_change_ppm:.3f} | {r.shift_mae_ppm:.2f} |"
        for r in results
    ]
    return "\n".join([_HEADER, *rows])


def _measure(
    library: Library, out: Path, model: Path, nucleus: str, method: str, *, quiet: bool
) -> SolventResult:
    tables = table_spectra(library, nucleus)
    wanted = changes(tables, Predictor.load(model))
    fold_of = folds(record.smiles for record in tables)
    spectra = write_spectra(library, tables, nucleus, out)
    predicted = np.zeros((len(wanted), 2))
    for fold in range(N_FOLDS):
        left_out = HeldOut.of(smiles for smiles, own in fold_of.items() if own == fold)
        rows = [row for row, item in enumerate(wanted) if fold_of[item.smiles] == fold]
        if method == "response":
            predictor = response_predictor(spectra, left_out, model)
        elif method == "conditions":
            folder = out / f"{method}_{nucleus}" / f"fold{fold}"
            predictor = conditions_predictor(spectra, left_out, model, folder, quiet=quiet)
        else:
            predictor = Predictor.load(model)
        predicted[rows] = _told(predictor, [wanted[row] for row in rows], nucleus)
    return _result(nucleus, method, wanted, predicted)


def _told(predictor: Predictor, wanted: Sequence[Change], nucleus: str) -> np.ndarray:
    """Return predicted shifts in the solvent and in chloroform, ppm ``[n, 2]``."""
    keys = {(item.smiles, solvent) for item in wanted for solvent in (item.solvent, REFERENCE)}
    shifts = {
        key: {
            atom.atom_index: atom.shift_ppm
            for atom in predictor.predict(key[0], solvent=key[1], nuclei=(nucleus,)).atoms
        }
        for key in sorted(keys)
    }
    return np.array(
        [
            [shifts[item.smiles, solvent][item.atom_index] for solvent in (item.solvent, REFERENCE)]
            for item in wanted
        ]
    )


def _result(
    nucleus: str, method: str, wanted: Sequence[Change], predicted: np.ndarray
) -> SolventResult:
    measured = np.array([item.change_ppm for item in wanted])
    told = predicted[:, 0] - predicted[:, 1]
    shift = np.array([item.shift_ppm for item in wanted])
    return SolventResult(
        nucleus=nucleus,
        method=method,
        n_changes=len(wanted),
        n_compounds=len({item.smiles for item in wanted}),
        correlation=round(float(np.corrcoef(told, measured)[0, 1]), 4),
        mae_ppm=round(float(np.abs(told - measured).mean()), 4),
        no_change_ppm=round(float(np.abs(measured).mean()), 4),
        shift_mae_ppm=round(float(np.abs(predicted[:, 0] - shift).mean()), 4),
    )


def _read(path: Path) -> SolventResult:
    try:
        return SolventResult(**json.loads(path.read_text("utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise FileFormatError(f"{path} holds no benchmark result: {error}") from None
