"""A chunk of read molecules in flat arrays: cheap to pass between processes.

A pickled array costs microseconds and some hundred bytes whatever its size, and a molecule has
seven of them. Laid end to end they cost that once a chunk, and what comes out is views of them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Any

import numpy as np

from nmrshift.chem.policy import PERIODIC_TABLE
from nmrshift.graph.molgraph import MolGraph
from nmrshift.predict.prepare import Prepared, Target
from nmrshift.types import Failure

Row = tuple[Any, ...]

_OF_ATOMS = ("V", "atom_index", "atomic_number", "n_hydrogens")
_OF_EDGES = ("E", "edge_src", "edge_dst")


@dataclass(frozen=True, slots=True)
class PackedChunk:
    """Read molecules and failures, in order.

    Attributes:
        arrays: the arrays of all graphs end to end, by their names in ``MolGraph``.
        n_atoms: nodes of each graph.
        n_edges: directed edges of each graph.
        rows: what else there is of each molecule; a failure stands as itself.
    """

    arrays: dict[str, Any]
    n_atoms: list[int]
    n_edges: list[int]
    rows: list[Row | Failure]


def pack(chunk: Sequence[Prepared | Failure]) -> PackedChunk:
    """Lay a chunk out flat."""
    graphs = [item.graph for item in chunk if isinstance(item, Prepared)]
    names = (*_OF_ATOMS, *_OF_EDGES) if graphs else ()
    return PackedChunk(
        arrays={name: np.concatenate([getattr(graph, name) for graph in graphs]) for name in names},
        n_atoms=[graph.n_atoms for graph in graphs],
        n_edges=[graph.n_edges for graph in graphs],
        rows=[item if isinstance(item, Failure) else _row(item) for item in chunk],
    )


def unpack(packed: PackedChunk) -> list[Prepared | Failure]:
    """Return the chunk as it was; the arrays of its graphs are views."""
    graphs = _graphs(packed)
    return [
        row if isinstance(row, Failure) else _prepared(row, next(graphs)) for row in packed.rows
    ]


def _row(item: Prepared) -> Row:
    targets = [(one.nucleus, one.nodes, one.signals, one.flags) for one in item.targets]
    settings = (item.solvent, item.source, item.notices, item.molblock)
    return (item.index, item.text, item.name, targets, *settings)


def _prepared(row: Row, graph: MolGraph) -> Prepared:
    index, text, name, targets, solvent, source, notices, molblock = row
    return Prepared(
        index=index,
        text=text,
        name=name,
        graph=graph,
        symbols=tuple([PERIODIC_TABLE[z - 1] for z in graph.atomic_number.tolist()]),
        targets=tuple([Target(*target) for target in targets]),
        solvent=solvent,
        source=source,
        notices=notices,
        molblock=molblock,
    )


def _graphs(packed: PackedChunk) -> Iterator[MolGraph]:
    arrays = packed.arrays
    of_atoms = pairwise(accumulate(packed.n_atoms, initial=0))
    of_edges = pairwise(accumulate(packed.n_edges, initial=0))
    for (first, end), (first_edge, end_edge) in zip(of_atoms, of_edges, strict=True):
        parts = {name: arrays[name][first:end] for name in _OF_ATOMS}
        parts |= {name: arrays[name][first_edge:end_edge] for name in _OF_EDGES}
        yield MolGraph(**parts)
