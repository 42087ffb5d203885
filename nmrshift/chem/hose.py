"""HOSE codes: the environment of an atom, written sphere by sphere.

Own implementation of the hierarchically ordered spherical description of environment,
Bremser, Anal. Chim. Acta 1978, 103, 355, doi 10.1016/S0003-2670(01)83100-7.

A code reads ``C-3;*C*CO(*C,*C,/*C,*&/*&)``: the centre with the number of its ligands
(hydrogens included), then the spheres, set apart by ``(``, ``/``, ``/``, ``)`` and further ``/``.
Within a sphere the substituents of one atom of the sphere before stand together, ``,`` parts them
from those of the next. Bonds are ``%`` triple, ``=`` double, ``*`` aromatic (RDKit's model),
nothing else; ``Q X Y`` are Si, Cl, Br; ``&`` closes a ring onto an atom already written, and has no
substituents of its own; ``'+'`` and ``'-'`` are charges.

Substituents are ordered by the rank of their atom in the sphere before, then bond, then element.
Ties are broken by what lies farther out, sphere by sphere: symbols first, then ring closures, then
whether an earlier substituent already holds the atoms beyond. Substituents that remain equal are
interchangeable, so the text does not depend on the numbering of the atoms, and the code of *s*
spheres is the beginning of the code of *s + 1*.

Hydrogens are implicit, written or not (a hydrogen that bridges two heavy atoms is an atom like any
other): the code of a hydrogen is that of the atom that carries it. Stereochemistry, isotopes and
conformation are not seen: diastereotopic atoms share a code.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from nmrshift.chem.toolkit import Chem

if TYPE_CHECKING:
    from rdkit.Chem import Atom, Bond, Mol

MAX_SPHERES: Final = 6
"""Spheres used where nothing else is asked for."""

_ELEMENTS: Final = ("C", "O", "N", "S", "P", "Si", "B", "F", "Cl", "Br", "I")
_LETTERS: Final = {"Si": "Q", "Cl": "X", "Br": "Y", "Y": "Yt"}
_CLOSURE: Final = 0
_ORDERS: Final = 1000
_BONDS: Final = {
    Chem.BondType.TRIPLE: (3, "%"),
    Chem.BondType.DOUBLE: (2, "="),
    Chem.BondType.AROMATIC: (1, "*"),
}
_DELIMITERS: Final = ("", "(", "/", "/", ")")


@dataclass(frozen=True, slots=True)
class _Link:
    """One direction of a bond, as seen from its first atom; larger keys are written first."""

    atom: int
    key: int
    text: str
    closure_key: int
    closure_text: str
    edge: int


@dataclass(frozen=True, slots=True)
class _Skeleton:
    """A molecule without its implicit hydrogens.

    Attributes:
        links: bonds of each atom, best symbol first.
        prefix: what the code centred on each atom begins with.
        carrier: for each atom the atom whose code it takes: itself, but for hydrogens.
        rank: rank of each atom's symbol.
        unfolded: ``unfolded[t][edge]``, rank of the tree of depth ``t`` behind a directed bond.
        final: canonical rank of each atom, the last resort between interchangeable atoms.
    """

    links: list[list[_Link]]
    prefix: list[str]
    carrier: list[int]
    rank: list[int]
    unfolded: list[list[int]]
    final: list[int]


def hose_code(mol: "Mol", atom_index: int, spheres: int = MAX_SPHERES) -> str:
    """Return the HOSE code of one atom.

    Args:
        mol: sanitised molecule, not changed.
        atom_index: index of the centre; a hydrogen stands for the atom that carries it.
        spheres: number of spheres, at least 1.

    Returns:
        The code; it does not depend on the numbering of the atoms.
    """
    return hose_codes(mol, atom_index, spheres)[-1]


def hose_codes(mol: "Mol", atom_index: int, max_spheres: int = MAX_SPHERES) -> tuple[str, ...]:
    """Return the codes of one atom with 1, 2, … ``max_spheres`` spheres."""
    return hose_codes_of_mol(mol, max_spheres, atoms=(atom_index,))[0]


def hose_codes_of_mol(
    mol: "Mol", max_spheres: int = MAX_SPHERES, *, atoms: Sequence[int] | None = None
) -> tuple[tuple[str, ...], ...]:
    """Return the codes of many atoms of a molecule, much faster than one by one.

    Args:
        mol: sanitised molecule, not changed.
        max_spheres: number of spheres, at least 1.
        atoms: indices of the centres; all atoms of the molecule where not given.

    Returns:
        For each atom asked for, in that order, its codes with 1 … ``max_spheres`` spheres.

    Raises:
        ValueError: ``max_spheres`` is below 1.
        IndexError: the molecule has no atom of that index.
    """
    if max_spheres < 1:
        raise ValueError(f"a HOSE code has at least one sphere, not {max_spheres}")
    centres = range(mol.GetNumAtoms()) if atoms is None else atoms
    for index in centres:
        if not 0 <= index < mol.GetNumAtoms():
            raise IndexError(f"the molecule has no atom {index}")
    skeleton = _skeleton(mol, max_spheres)
    known: dict[int, tuple[str, ...]] = {}
    for centre in {skeleton.carrier[index] for index in centres}:
        spheres = _Walk(skeleton, centre, max_spheres).spheres()
        known[centre] = _texts(skeleton.prefix[centre], spheres)
    return tuple(known[skeleton.carrier[index]] for index in centres)


def _texts(prefix: str, spheres: list[str]) -> tuple[str, ...]:
    """Join the spheres to the codes of growing size."""
    texts = []
    text = prefix
    for number, sphere in enumerate(spheres):
        text += (_DELIMITERS[number] if number < len(_DELIMITERS) else "/") + sphere
        texts.append(text + ")" if 1 <= number <= 3 else text)
    return tuple(texts)


def _skeleton(mol: "Mol", depth: int) -> _Skeleton:
    """Read all that the codes need out of RDKit, once per molecule."""
    atoms = list(mol.GetAtoms())
    carrier = [_carrier(atom) for atom in atoms]
    symbols = [_symbol(atom) for atom in atoms]
    links: list[list[_Link]] = [[] for _ in atoms]
    edge = 0
    for bond in mol.GetBonds():
        begin, end = bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()
        if carrier[begin] != begin or carrier[end] != end:
            continue
        order, mark = _bond(bond)
        for here, there in ((begin, end), (end, begin)):
            key, text = symbols[there]
            closure = order * _ORDERS * _ORDERS + _CLOSURE
            link = _Link(there, closure + key, mark + text, closure, mark + "&", edge)
            links[here].append(link)
            edge += 1
    prefix = [f"{symbols[atom.GetIdx()][1]}-{atom.GetTotalDegree()};" for atom in atoms]
    final = Chem.CanonicalRankAtoms(
        mol, breakTies=True, includeChirality=False, includeIsotopes=False, includeAtomMaps=False
    )
    rank = [key for key, _ in symbols]
    return _Skeleton(links, prefix, carrier, rank, _unfold(links, edge, depth), list(final))


def _carrier(atom: "Atom") -> int:
    """Return the atom whose code this atom takes: a heavy neighbour for a terminal hydrogen."""
    if atom.GetAtomicNum() == 1 and atom.GetDegree() == 1:
        neighbour = atom.GetNeighbors()[0]
        if neighbour.GetAtomicNum() > 1:
            return int(neighbour.GetIdx())
    return int(atom.GetIdx())


def _symbol(atom: "Atom") -> tuple[int, str]:
    """Return rank (larger first, below one bond order's step) and text of an atom."""
    element = atom.GetSymbol()
    charge = atom.GetFormalCharge()
    if element in _ELEMENTS:
        rank = _ORDERS - 1 - _ELEMENTS.index(element)
    else:
        rank = _ORDERS - 100 - atom.GetAtomicNum()
    text = _LETTERS.get(element, element)
    if charge:
        size = "" if abs(charge) == 1 else str(abs(charge))
        text += f"'{'+' if charge > 0 else '-'}{size}'"
    return rank * _ORDERS - charge, text


def _bond(bond: "Bond") -> tuple[int, str]:
    """Return rank and text of a bond; all but double, triple and aromatic count as single."""
    return _BONDS.get(bond.GetBondType(), (0, ""))


def _unfold(links: list[list[_Link]], n_edges: int, depth: int) -> list[list[int]]:
    """Rank, for every directed bond, the tree behind it: depth 1 is the atom alone.

    The ranks of one depth refine those of the depth before and keep the order of symbols, so
    comparing them depth by depth compares the spheres behind two bonds.
    """
    symbols: list[tuple[int, ...]] = [(0,)] * n_edges
    beyond: list[list[int]] = [[]] * n_edges
    for source, bonds in enumerate(links):
        for link in bonds:
            symbols[link.edge] = (link.key,)
            beyond[link.edge] = [b.edge for b in links[link.atom] if b.atom != source]
    ranks = _dense(symbols)
    levels = [ranks, ranks]
    for _ in range(depth - 1):
        grown = []
        for edge, edges in enumerate(beyond):
            behind = sorted([ranks[other] for other in edges], reverse=True)
            grown.append((ranks[edge], *behind))
        ranks = _dense(grown)
        levels.append(ranks)
    return levels


def _dense(values: list[tuple[int, ...]]) -> list[int]:
    """Replace each value by its place among the distinct values, smallest first."""
    place = {value: number for number, value in enumerate(sorted(set(values)))}
    return [place[value] for value in values]


class _Walk:
    """One walk outwards from a centre, sphere by sphere."""

    def __init__(self, skeleton: _Skeleton, centre: int, n_spheres: int) -> None:
        self._links = skeleton.links
        self._unfolded = skeleton.unfolded
        self._final = skeleton.final
        self._rank = skeleton.rank
        self._centre = centre
        self._n_spheres = n_spheres
        self._distance = self._distances()
        self._held: list[int] = []

    def spheres(self) -> list[str]:
        """Write the spheres, first to last; spheres beyond the molecule are empty."""
        written = [False] * len(self._links)
        written[self._centre] = True
        front = [(self._centre, -1)]
        spheres = []
        for number in range(1, self._n_spheres + 1):
            groups = []
            beyond: list[tuple[int, int]] = []
            self._held = []
            for atom, parent in front:
                texts = []
                for link, is_new in self._substituents(atom, parent, number, written):
                    texts.append(link.text if is_new else link.closure_text)
                    if is_new:
                        written[link.atom] = True
                        beyond.append((link.atom, atom))
                groups.append("".join(texts))
            spheres.append(",".join(groups))
            front = beyond
        return spheres

    def _substituents(
        self, atom: int, parent: int, number: int, written: list[bool]
    ) -> list[tuple[_Link, bool]]:
        """Order the bonds of an atom of sphere ``number - 1``, marked new or ring closure."""
        bonds = [
            (link.closure_key, link, False) if written[link.atom] else (link.key, link, True)
            for link in self._links[atom]
            if link.atom != parent
        ]
        if len(bonds) > 1:
            bonds.sort(key=_first, reverse=True)
        ordered: list[tuple[_Link, bool]] = []
        start = 0
        while start < len(bonds):
            key = bonds[start][0]
            stop = start + 1
            while stop < len(bonds) and bonds[stop][0] == key:
                stop += 1
            tied = [link for _, link, _ in bonds[start:stop]]
            is_new = bonds[start][2]
            if is_new:
                if len(tied) > 1 and any(len(self._links[link.atom]) > 1 for link in tied):
                    tied = self._break_ties(tied, number)
                self._held.extend(link.atom for link in tied)
            ordered.extend((link, is_new) for link in tied)
            start = stop
        return ordered

    def _break_ties(self, tied: list[_Link], number: int) -> list[_Link]:
        """Order substituents of equal symbol by what lies beyond them within the spheres."""
        depth = self._n_spheres - number
        reach = [self._layers({link.atom}, number, depth) for link in tied]
        outlook = [
            self._outlook(link, layers, number) for link, layers in zip(tied, reach, strict=True)
        ]
        taken = self._layers(set(self._held), number, depth)
        rest = list(range(len(tied)))
        ordered: list[_Link] = []
        while rest:
            keys = {i: self._key(tied[i], outlook[i], reach[i], taken) for i in rest}
            best = max(rest, key=keys.__getitem__)
            rest.remove(best)
            ordered.append(tied[best])
            taken = [held | new for held, new in zip(taken, reach[best], strict=True)]
        return ordered

    def _key(
        self,
        link: _Link,
        outlook: list[tuple[int, ...]],
        reach: list[set[int]],
        taken: list[set[int]],
    ) -> tuple[object, ...]:
        """Return what decides between tied substituents, nearest sphere first."""
        free = [len(new - held) for new, held in zip(reach[1:], taken[1:], strict=True)]
        return (*zip(outlook, free, strict=True), self._final[link.atom])

    def _outlook(self, link: _Link, layers: list[set[int]], number: int) -> list[tuple[int, ...]]:
        """Describe each sphere beyond a substituent: its symbols, then its ring closures."""
        return [
            (
                self._unfolded[step + 1][link.edge],
                *sorted(self._links_to(atom, number + step - 1) for atom in layers[step]),
                *sorted(self._links_to(atom, number + step - 1, 0) for atom in layers[step - 1]),
            )
            for step in range(1, len(layers))
        ]

    def _links_to(self, atom: int, sphere: int, weight: int = 16) -> int:
        """Count the bonds of an atom to a sphere, joined with its symbol where weighted."""
        distance = self._distance
        count = sum(distance[link.atom] == sphere for link in self._links[atom])
        return self._rank[atom] * weight + count

    def _layers(self, atoms: set[int], number: int, depth: int) -> list[set[int]]:
        """Return atoms of sphere ``number`` and those beyond them, sphere by sphere."""
        layers = [atoms]
        for sphere in range(number + 1, number + depth + 1):
            layers.append(
                {
                    link.atom
                    for atom in layers[-1]
                    for link in self._links[atom]
                    if self._distance[link.atom] == sphere
                }
            )
        return layers

    def _distances(self) -> list[int]:
        """Return the bonds between the centre and every atom within the spheres, else -1."""
        distance = [-1] * len(self._links)
        distance[self._centre] = 0
        front = [self._centre]
        for sphere in range(1, self._n_spheres + 1):
            reached = []
            for atom in front:
                for link in self._links[atom]:
                    if distance[link.atom] < 0:
                        distance[link.atom] = sphere
                        reached.append(link.atom)
            front = reached
        return distance


def _first(bond: tuple[int, _Link, bool]) -> int:
    """Return the sort key of a bond."""
    return bond[0]
