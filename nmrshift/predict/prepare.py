"""From a query to arrays: chemistry only, no torch, so that worker processes can do it."""

from dataclasses import dataclass

import numpy as np

from nmrshift.chem.parse import parse
from nmrshift.chem.policy import PERIODIC_TABLE
from nmrshift.chem.solvents import UNKNOWN, Solvent, is_reported, normalise, suggest
from nmrshift.chem.symmetry import signal_classes
from nmrshift.chem.table import MolTable, read_table
from nmrshift.chem.toolkit import Chem
from nmrshift.constants import ELEMENT_OF_NUCLEUS
from nmrshift.errors import InputError, NoTargetAtomsError
from nmrshift.graph.features import FeaturePreset
from nmrshift.graph.molgraph import MolGraph, table_graph
from nmrshift.types import Failure, Notice, Query


@dataclass(frozen=True, slots=True)
class Target:
    """The atoms of one nucleus.

    Attributes:
        nucleus: its name.
        nodes: nodes of the graph that carry it.
        signals: number of the signal of each node, from 0 in the order of the atoms.
        flags: words of caution on each node.
    """

    nucleus: str
    nodes: tuple[int, ...]
    signals: tuple[int, ...]
    flags: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Prepared:
    """A molecule ready for the network.

    Attributes:
        index: position of the query.
        text: the input as echoed.
        name: the user's identifier.
        graph: the molecule.
        symbols: element of every node.
        targets: the nuclei asked for that the molecule carries.
        solvent: what the solvent text means.
        source: reference convention asked for.
        notices: warnings from reading the molecule and its solvent.
        molblock: the molblock whose atom order is used, where the input has none.
    """

    index: int
    text: str
    name: str | None
    graph: MolGraph
    symbols: tuple[str, ...]
    targets: tuple[Target, ...]
    solvent: Solvent
    source: str | None
    notices: tuple[Notice, ...]
    molblock: str | None


def prepare(query: Query, index: int, nuclei: tuple[str, ...], features: FeaturePreset) -> Prepared:
    """Read one query.

    Args:
        query: what was asked.
        index: its position.
        nuclei: nuclei to predict where the query names none.
        features: preset of the model.

    Raises:
        InputError: the molecule cannot be predicted.
    """
    parsed = parse(query.structure)
    table = read_table(parsed.mol)
    graph = table_graph(table, features)
    atoms = graph.atom_index.tolist()
    symbols = tuple([PERIODIC_TABLE[table.numbers[atom] - 1] for atom in atoms])
    wanted = query.nuclei or nuclei
    targets = _targets(table, graph, symbols, wanted)
    if not targets:
        raise NoTargetAtomsError(f"no atom carries {' or '.join(wanted)}")
    solvent = normalise(query.solvent)
    return Prepared(
        index=index,
        text=parsed.text,
        name=query.name,
        graph=graph,
        symbols=symbols,
        targets=targets,
        solvent=solvent,
        source=query.source,
        notices=parsed.notices + _solvent_notices(query.solvent, solvent),
        molblock=parsed.molblock,
    )


def prepare_or_fail(
    query: Query, index: int, nuclei: tuple[str, ...], features: FeaturePreset
) -> Prepared | Failure:
    """Read one query; what cannot be read is a value."""
    try:
        return prepare(query, index, nuclei, features)
    except InputError as error:
        return Failure(index, echo(query), query.name, error.code, error.message, error.hint)


def echo(query: Query) -> str:
    """Return the text by which a query is recognised in its answer."""
    structure = query.structure
    return structure if isinstance(structure, str) else Chem.MolToSmiles(structure)


def _targets(
    table: MolTable, graph: MolGraph, symbols: tuple[str, ...], nuclei: tuple[str, ...]
) -> tuple[Target, ...]:
    classes: tuple[int, ...] | None = None
    atoms = graph.atom_index.tolist()
    targets = []
    for nucleus in nuclei:
        element = ELEMENT_OF_NUCLEUS[nucleus]
        if element == "H":
            nodes = np.flatnonzero(graph.n_hydrogens > 0).tolist()
        else:
            nodes = [node for node, symbol in enumerate(symbols) if symbol == element]
        if not nodes:
            continue
        if classes is None:
            classes = signal_classes(table.mol, table)
        numbers: dict[int, int] = {}
        signals = tuple([numbers.setdefault(classes[atoms[node]], len(numbers)) for node in nodes])
        flags = [_flags(table, atoms[node]) for node in nodes] if nucleus == "19F" else None
        targets.append(Target(nucleus, tuple(nodes), signals, tuple(flags or [()] * len(nodes))))
    return tuple(targets)


def _flags(table: MolTable, atom: int) -> tuple[str, ...]:
    """Name the neighbour of a fluorine that is not on carbon: such shifts are few and far apart."""
    neighbours = {n.GetSymbol() for n in table.atoms[atom].GetNeighbors()}
    if neighbours == {"C"}:
        return ()
    return tuple(f"fluorine_on_{symbol}" for symbol in sorted(neighbours)) or ("fluoride_ion",)


def _solvent_notices(text: str | None, solvent: Solvent) -> tuple[Notice, ...]:
    if solvent.key != UNKNOWN.key or not is_reported(text):
        return ()
    close = suggest(text or "")
    hint = f" Did you mean {' or '.join(close)}?" if close else ""
    return (Notice("solvent_unknown", f"The solvent is not in the catalogue; ignored.{hint}"),)
