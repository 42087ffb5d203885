"""Asserts on predictors that hold for any molecule: use them on models of your own.

Every one raises ``AssertionError`` with the molecule and the largest deviation.
"""

import random
from collections.abc import Sequence

from nmrshift.chem.toolkit import Chem
from nmrshift.errors import NmrshiftError
from nmrshift.types import Failure, Prediction, Query, ShiftPredictor

Values = dict[tuple[str, int], float]


def assert_atom_order_kept(
    predictor: ShiftPredictor, smiles: str, *, seed: int = 0, tolerance_ppm: float = 1e-4
) -> None:
    """Renumber the atoms at random: every atom keeps its shift under its new index."""
    mol = Chem.MolFromSmiles(smiles)
    order = list(range(mol.GetNumAtoms()))
    random.Random(seed).shuffle(order)  # noqa: S311
    shuffled = Chem.RenumberAtoms(mol, order)
    plain, renumbered = _predict(predictor, [Query(mol), Query(shuffled)])
    moved = {(nucleus, order[atom]): shift for (nucleus, atom), shift in renumbered.items()}
    _assert_close(plain, moved, smiles, tolerance_ppm)


def assert_batch_independent(
    predictor: ShiftPredictor, smiles: Sequence[str], *, tolerance_ppm: float = 1e-4
) -> None:
    """Predict molecules together and one by one: the same shifts."""
    together = _predict(predictor, [Query(text) for text in smiles])
    for text, expected in zip(smiles, together, strict=True):
        (alone,) = _predict(predictor, [Query(text)])
        _assert_close(alone, expected, text, tolerance_ppm)


def assert_equivalent_atoms_equal(
    predictor: ShiftPredictor, smiles: str, *, tolerance_ppm: float = 1e-4
) -> None:
    """Atoms of one signal have one shift."""
    prediction = _answer(predictor, Query(smiles))
    first: dict[tuple[str, int], float] = {}
    for atom in prediction.atoms:
        shift_ppm = first.setdefault((atom.nucleus, atom.signal), atom.shift_ppm)
        if abs(shift_ppm - atom.shift_ppm) > tolerance_ppm:
            raise AssertionError(
                f"{smiles}: {atom.nucleus} signal {atom.signal} holds {shift_ppm} and "
                f"{atom.shift_ppm} ppm"
            )


def assert_mirror_image_equal(
    predictor: ShiftPredictor, smiles: str, *, tolerance_ppm: float = 1e-4
) -> None:
    """Enantiomers have the same shifts."""
    mol = Chem.MolFromSmiles(smiles)
    mirror = Chem.Mol(mol)
    for atom in mirror.GetAtoms():
        atom.InvertChirality()
    plain, reflected = _predict(predictor, [Query(mol), Query(mirror)])
    _assert_close(plain, reflected, smiles, tolerance_ppm)


def _predict(predictor: ShiftPredictor, queries: Sequence[Query]) -> list[Values]:
    answers = list(predictor.predict_many(queries, nuclei=predictor.nuclei))
    return [_values(answer) for answer in answers]


def _answer(predictor: ShiftPredictor, query: Query) -> Prediction:
    (answer,) = predictor.predict_many([query], nuclei=predictor.nuclei)
    if isinstance(answer, Failure):
        raise NmrshiftError(f"{answer.code}: {answer.message}")
    return answer


def _values(answer: Prediction | Failure) -> Values:
    if isinstance(answer, Failure):
        raise NmrshiftError(f"{answer.code}: {answer.message}")
    return {(atom.nucleus, atom.atom_index): atom.shift_ppm for atom in answer.atoms}


def _assert_close(found: Values, expected: Values, what: str, tolerance_ppm: float) -> None:
    if found.keys() != expected.keys():
        raise AssertionError(f"{what}: other atoms: {sorted(found.keys() ^ expected.keys())}")
    worst = max(abs(found[key] - expected[key]) for key in found)
    if worst > tolerance_ppm:
        raise AssertionError(f"{what}: shifts differ by up to {worst:.2g} ppm")
