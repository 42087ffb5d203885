"""What a search for symmetries decides beforehand: which atoms to place, and in which order."""

from collections.abc import Iterator
from heapq import heappop, heappush

from nmrshift.chem.handedness import Handedness, Part
from nmrshift.chem.table import MolTable

Candidate = tuple[int, int, int]
"""Size of the class of an atom, the atom, and the placed atom that it is bonded to."""


class Scene:
    """What the plans of one molecule share.

    An atom alone in its class stays where it is in every symmetry: it is never searched for, and a
    part of the molecule that consists of such atoms is as it was.
    """

    def __init__(self, table: MolTable, ranks: list[int], handed: Handedness) -> None:
        self.ranks = ranks
        self.links: list[dict[int, int]] = [{} for _ in ranks]
        for a, b, kind in zip(table.begins, table.ends, table.types, strict=True):
            self.links[a][b] = self.links[b][a] = kind
        self.sizes: dict[int, int] = {}
        for rank in ranks:
            self.sizes[rank] = self.sizes.get(rank, 0) + 1
        self.fixed = {atom: atom for atom, rank in enumerate(ranks) if self.sizes[rank] == 1}
        self.parts: list[tuple[Part, list[int]]] = []
        parts: list[Part] = [*handed.centres, *handed.bonds]
        for part in parts:
            moving = [atom for atom in handed.atoms(part) if atom not in self.fixed]
            if moving:
                self.parts.append((part, moving))
        self._beyond: dict[int, list[Candidate]] = {}

    def around(self, atom: int) -> Iterator[Candidate]:
        """Yield the moving atoms next to ``atom``, and those beyond the fixed atoms next to it."""
        for next_ in self.links[atom]:
            if next_ in self.fixed:
                known = self._beyond.get(next_)
                yield from self._cross(next_) if known is None else known
            else:
                yield self.sizes[self.ranks[next_]], next_, atom

    def _cross(self, start: int) -> list[Candidate]:
        """Return the moving atoms around a connected group of fixed atoms; keep them for all."""
        found: list[Candidate] = []
        group = [start]
        self._beyond[start] = found
        for atom in group:
            for next_ in self.links[atom]:
                if next_ not in self.fixed:
                    found.append((self.sizes[self.ranks[next_]], next_, atom))
                elif next_ not in self._beyond:
                    self._beyond[next_] = found
                    group.append(next_)
        return found


class Plan:
    """In which order the atoms of a fragment are placed, and what is checked after each."""

    def __init__(self, start: int, scene: Scene) -> None:
        self.order = [start]
        self.parents = {start: start}
        place = {start: 0}
        border: list[Candidate] = []
        atom = start
        while True:
            for candidate in scene.around(atom):
                if candidate[1] not in place:
                    heappush(border, candidate)
            while border and border[0][1] in place:
                heappop(border)
            if not border:
                break
            _, atom, parent = heappop(border)
            self.parents[atom] = parent
            place[atom] = len(self.order)
            self.order.append(atom)
        self.before = [
            [
                (other, kind)
                for other, kind in scene.links[atom].items()
                if other in scene.fixed or place[other] < depth
            ]
            for depth, atom in enumerate(self.order)
        ]
        self.reasons = [
            {place[other] for other, _ in bonds if other in place} for bonds in self.before
        ]
        self.checks: list[list[Part]] = [[] for _ in self.order]
        for part, moving in scene.parts:
            if moving[0] in place:
                depths = {place[atom] for atom in moving}
                last = max(depths)
                self.checks[last].append(part)
                self.reasons[last] |= depths - {last}
