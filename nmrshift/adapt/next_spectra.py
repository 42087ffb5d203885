"""Which spectra to measure or assign next, of a list of candidate molecules."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from nmrshift.adapt.next_atoms import Pool, pick
from nmrshift.errors import InputError
from nmrshift.graph.batch import batch_graphs
from nmrshift.graph.environments import N_RADII, environment_codes
from nmrshift.graph.features import preset
from nmrshift.io.table_writer import printable
from nmrshift.predict.predictor import Predictor
from nmrshift.predict.prepare import Prepared, prepare_or_fail
from nmrshift.types import DEFAULT_NUCLEI, Failure, Prediction, Query

_CHUNK = 256
_QUANTILE = 0.25
"""Of the expected errors of a nucleus: larger ones count as this one."""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A molecule to measure.

    Attributes:
        rank: its turn, from 1.
        index: its place among the candidates, from 0.
        input: the structure as it was given.
        name: the user's identifier.
        gain: share of the candidates' expected variance that its spectrum removes, once those
            before it are measured.
        n_signals: signals of the wanted nuclei.
        expected_error_ppm: mean half-width of their 90 % intervals.
    """

    rank: int
    index: int
    input: str
    name: str | None
    gain: float
    n_signals: int
    expected_error_ppm: float


@dataclass(frozen=True, slots=True)
class Suggestions:
    """What to measure next.

    Attributes:
        model: identity of the model that was asked.
        nuclei: whose spectra.
        n_candidates: molecules that could be judged.
        chosen: the molecules, the most telling one first.
        failures: candidates that could not be judged.
    """

    model: str
    nuclei: tuple[str, ...]
    n_candidates: int
    chosen: tuple[Suggestion, ...]
    failures: tuple[Failure, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return plain dicts, lists and strings, ready for JSON."""
        return {"schema_version": 1, **asdict(self)}

    def to_text(self) -> str:
        """Return a table for a terminal."""
        lines = [
            f"{self.n_candidates} candidates, {' '.join(self.nuclei)}, model {self.model}",
            "",
            "rank   gain  signals  expected error, ppm  molecule",
        ]
        lines += [
            f"{one.rank:>4}  {one.gain:>5.1%}  {one.n_signals:>7}  "
            f"{one.expected_error_ppm:>19.2f}  {printable(one.name or one.input)}"
            for one in self.chosen
        ]
        return "\n".join([*lines, ""])


@dataclass(frozen=True, slots=True)
class _Judged:
    """A candidate with one atom a signal: rows of ``h``, interval half-widths, nuclei."""

    prepared: Prepared
    h: np.ndarray
    reach_ppm: tuple[float, ...]
    nucleus: tuple[str, ...]


def learn_next(
    predictor: Predictor,
    candidates: Iterable[str | Query],
    *,
    n: int = 10,
    nuclei: Sequence[str] = DEFAULT_NUCLEI,
    solvent: str | None = None,
    source: str | None = None,
    seed: int = 1,
) -> Suggestions:
    """Choose the molecules whose spectra would teach a model most about all candidates.

    Args:
        predictor: the model, best one that has learned from what is measured already.
        candidates: structures, or queries with a name and a solvent.
        n: how many to choose, at most.
        nuclei: whose spectra are to be measured.
        solvent: solvent of candidates that name none.
        source: reference convention.
        seed: draws the atoms that stand for a large pool.

    Raises:
        UnknownNucleusError: the model has no such nucleus.
        ConfigError: the source is not one the model knows.
        InputError: no candidate can be judged.
    """
    predictor.predict_many([], nuclei=nuclei, source=source)  # refuses wrong settings at once
    features = preset(predictor.features)
    complete = (_complete(candidate, solvent, source) for candidate in candidates)
    read = [
        prepare_or_fail(query, index, tuple(nuclei), features)
        for index, query in enumerate(complete)
    ]
    ready = [item for item in read if isinstance(item, Prepared)]
    judged = list(_judge(predictor, ready))
    if not judged:
        raise InputError("no candidate can be judged", hint="Check structures and nuclei.")
    picked = pick(_pool(judged), n, seed)
    return Suggestions(
        predictor.identity,
        tuple(nuclei),
        len(judged),
        tuple(
            _suggestion(rank, judged[one.mol], one.gain) for rank, one in enumerate(picked, start=1)
        ),
        tuple(item for item in read if isinstance(item, Failure)),
    )


def _complete(candidate: str | Query, solvent: str | None, source: str | None) -> Query:
    query = candidate if isinstance(candidate, Query) else Query(candidate)
    return replace(
        query, solvent=query.solvent or solvent, source=query.source or source, nuclei=None
    )


def _judge(predictor: Predictor, ready: Sequence[Prepared]) -> Iterator[_Judged]:
    network = predictor.artifact.network
    for start in range(0, len(ready), _CHUNK):
        chunk = ready[start : start + _CHUNK]
        graphs = batch_graphs([item.graph for item in chunk])
        codes = environment_codes(graphs, N_RADII)
        h = network.represent(graphs, codes).double().numpy()
        answers = predictor.answer(chunk, interval=0.9)
        for place, (item, answer) in enumerate(zip(chunk, answers, strict=True)):
            first = int(graphs.first_atom[place])
            yield _one_a_signal(item, answer, h[first : first + item.graph.n_atoms])


def _one_a_signal(item: Prepared, answer: Prediction, h: np.ndarray) -> _Judged:
    node_of = {int(atom): node for node, atom in enumerate(item.graph.atom_index)}
    signals = {(atom.nucleus, atom.signal): atom for atom in answer.atoms}
    return _Judged(
        item,
        h[[node_of[atom.atom_index] for atom in signals.values()]],
        tuple((atom.high_ppm - atom.low_ppm) / 2 for atom in signals.values()),
        tuple(nucleus for nucleus, _ in signals),
    )


def _pool(judged: Sequence[_Judged]) -> Pool:
    """Join the candidates; errors are in units of their nucleus' lower quartile, and at most that.

    What a model expects to be far off says little of all others: weighed by it, choices were worse
    than chance. What it knows well still counts for less.
    """
    reach_ppm = np.array([reach for item in judged for reach in item.reach_ppm])
    names = [name for item in judged for name in item.nucleus]
    _, nucleus = np.unique(names, return_inverse=True)
    n_nuclei = int(nucleus.max()) + 1
    quartile_ppm = [np.quantile(reach_ppm[nucleus == n], _QUANTILE) for n in range(n_nuclei)]
    most_ppm = np.maximum(quartile_ppm, 1e-9)[nucleus]
    return Pool(
        h=np.concatenate([item.h for item in judged]),
        error=np.minimum(reach_ppm / most_ppm, 1.0),
        nucleus=nucleus.astype(np.int64),
        mol=np.repeat(np.arange(len(judged)), [len(item.nucleus) for item in judged]),
    )


def _suggestion(rank: int, item: _Judged, gain: float) -> Suggestion:
    return Suggestion(
        rank,
        item.prepared.index,
        item.prepared.text,
        item.prepared.name,
        round(gain, 5),
        len(item.nucleus),
        round(float(np.mean(item.reach_ppm)), 3),
    )
