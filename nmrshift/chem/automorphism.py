"""Search for symmetries of a molecule that respect handedness, and the orbits they make."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from nmrshift.chem.automorphism_plan import Plan, Scene
from nmrshift.chem.handedness import Centre, DoubleBond, Handedness, Part
from nmrshift.chem.table import MolTable

MAX_STEPS: Final[int] = 5_000
"""Atoms placed in one molecule before the search gives up, some 20 ms."""


class Search:
    """Finds symmetries that carry one atom to another and keeps the orbits they make."""

    def __init__(
        self, table: MolTable, ranks: list[int], handed: Handedness, *, reflect: bool
    ) -> None:
        """Prepare the search.

        Args:
            table: a molecule without plain hydrogen atoms.
            ranks: constitutional class of each atom.
            handed: its handed parts.
            reflect: whether reflections are possible at all.
        """
        self._handed = handed
        self._senses = (-1, 1) if reflect else (1,)
        self._scene = Scene(table, ranks, handed)
        self._orbit = list(range(len(ranks)))
        self._signs = _Signs()
        self._settled = {*handed.centres, *(atom for pair in handed.bonds for atom in pair)}
        self._steps = 0
        self._plans: dict[int, Plan] = {}

    @property
    def exhausted(self) -> bool:
        """Whether the search gave up."""
        return self._steps > MAX_STEPS

    def find(self, atom: int) -> int:
        """Return the head of the orbit of an atom."""
        while self._orbit[atom] != atom:
            atom = self._orbit[atom]
        return atom

    def unite(self, a: int, b: int) -> bool:
        """Return whether a symmetry carries ``a`` to ``b``; unite the orbits it implies.

        Once the search is exhausted every pair counts as equal.
        """
        if self.exhausted or self.find(a) == self.find(b):
            return True
        plan = self._plans.get(a)
        if plan is None:
            plan = Plan(a, self._scene)
            self._plans[a] = plan
        for sense in self._senses:
            image = self._carry(plan, b, sense)
            if image is not None:
                for source, target in image.items():
                    if source != target:
                        self._orbit[self.find(source)] = self.find(target)
                return True
        return self.exhausted

    def _carry(self, plan: Plan, goal: int, sense: int) -> dict[int, int] | None:
        """Return a symmetry of the given sense that carries the first atom to ``goal``.

        Depth-first; after a dead end the search goes back to the last choice that had a part in
        it (Prosser, doi 10.1111/j.1467-8640.1993.tb00310.x), not through every flip of a phenyl.
        """
        image = self._scene.fixed.copy()
        taken: dict[int, int] = {}
        stack: list[Iterator[int]] = [iter((goal,))]
        blame: list[set[int]] = [set()]
        while not self.exhausted:
            depth = len(stack) - 1
            atom = plan.order[depth]
            if atom in image:
                del taken[image.pop(atom)]
            if self._place(plan, depth, stack[-1], image, taken, sense):
                taken[image[atom]] = depth
                if depth + 1 < len(plan.order):
                    stack.append(self._targets(plan.order[depth + 1], plan, image, taken, blame))
                    continue
                if self._agree_on_signs(plan, image, sense):
                    return image
                blame[depth] |= set(range(depth))
                continue
            guilty = blame[depth] | plan.reasons[depth]
            if not guilty:
                return None
            back = max(guilty)
            for later in plan.order[back + 1 : depth]:
                del taken[image.pop(later)]
            del stack[back + 1 :], blame[back + 1 :]
            blame[back] |= guilty - {back}
        return None

    def _targets(
        self,
        atom: int,
        plan: Plan,
        image: dict[int, int],
        taken: dict[int, int],
        blame: list[set[int]],
    ) -> Iterator[int]:
        """Return the atoms that may take the place of ``atom``, itself first."""
        parent = plan.parents[atom]
        ranks, links = self._scene.ranks, self._scene.links
        rank = ranks[atom]
        options = [index for index in links[image[parent]] if ranks[index] == rank]
        blame.append({taken[index] for index in options if index in taken})
        options = [index for index in options if index not in taken]
        if atom in options:
            options.remove(atom)
            options.insert(0, atom)
        if len(links[atom]) == 1 and parent not in self._settled:
            del options[1:]
        return iter(options)

    def _place(
        self,
        plan: Plan,
        depth: int,
        targets: Iterator[int],
        image: dict[int, int],
        taken: dict[int, int],
        sense: int,
    ) -> bool:
        """Give the atom at ``depth`` the next target that fits its bonds and handedness."""
        atom = plan.order[depth]
        for target in targets:
            self._steps += 1
            links = self._scene.links[target]
            if target in taken:
                continue
            for other, kind in plan.before[depth]:
                if links.get(image[other]) != kind:
                    break
            else:
                image[atom] = target
                for part in plan.checks[depth]:
                    if not self._agrees(part, image, sense):
                        del image[atom]
                        break
                else:
                    return True
        return False

    def _agrees(self, part: Part, image: dict[int, int], sense: int) -> bool:
        """Return whether a part keeps its handedness (``sense`` 1) or turns it over (-1)."""
        target, turned = self._turn(part, image)
        if target is None:
            return False
        if isinstance(part, tuple):
            sense = 1
        known = self._sign(part) * self._sign(target)
        if part == target:
            return turned == sense
        return known == 0 or turned * known == sense

    def _agree_on_signs(self, plan: Plan, image: dict[int, int], sense: int) -> bool:
        """Return whether the parts without specified handedness can have one that fits."""
        signs = _Signs(dict(self._signs.above))
        for parts in plan.checks:
            for part in parts:
                target, turned = self._turn(part, image)
                if target is None or target == part or self._sign(part) * self._sign(target):
                    continue
                sign = turned if isinstance(part, tuple) else turned * sense
                if self._sign(part):
                    agreed = signs.tie(target, None, sign * self._sign(part))
                elif self._sign(target):
                    agreed = signs.tie(part, None, sign * self._sign(target))
                else:
                    agreed = signs.tie(part, target, sign)
                if not agreed:
                    return False
        self._signs = signs
        return True

    def _sign(self, part: Part) -> int:
        if isinstance(part, tuple):
            return self._handed.bonds[part].sign
        return self._handed.centres[part].sign

    def _turn(self, part: Part, image: dict[int, int]) -> tuple[Part | None, int]:
        """Return where a part goes, and whether its neighbours keep (1) or turn (-1) order."""
        if isinstance(part, tuple):
            return self._turn_bond(part, image)
        target = image[part]
        other = self._handed.centres.get(target)
        centre: Centre = self._handed.centres[part]
        if other is None or len(other.around) != len(centre.around):
            return None, 0
        around = [image[atom] for atom in centre.around]
        if tuple(around) == other.around:
            return target, 1
        places = [other.around.index(atom) for atom in around]
        sign = 1
        for i, place in enumerate(places):
            for later in places[i + 1 :]:
                if later < place:
                    sign = -sign
        return target, sign

    def _turn_bond(
        self, part: tuple[int, int], image: dict[int, int]
    ) -> tuple[tuple[int, int] | None, int]:
        low, high = image[part[0]], image[part[1]]
        key = (low, high) if low < high else (high, low)
        other = self._handed.bonds.get(key)
        bond: DoubleBond = self._handed.bonds[part]
        if other is None:
            return None, 0
        first, second = (other.first, other.second) if low < high else (other.second, other.first)
        sign = 1 if image[bond.first[0]] == first[0] else -1
        return key, sign if image[bond.second[0]] == second[0] else -sign


@dataclass(slots=True)
class _Signs:
    """Union-find over parts of unknown handedness; ``None`` stands for the specified ones."""

    above: dict[Part | None, tuple[Part | None, int]] = field(default_factory=dict)

    def find(self, part: Part | None) -> tuple[Part | None, int]:
        """Return the head of the part's group and its sign against the head."""
        sign = 1
        while part in self.above:
            part, step = self.above[part]
            sign *= step
        return part, sign

    def tie(self, a: Part | None, b: Part | None, sign: int) -> bool:
        """Tie two parts; return whether the sign agrees with what is known."""
        head_a, sign_a = self.find(a)
        head_b, sign_b = self.find(b)
        if head_a == head_b:
            return sign_a * sign_b == sign
        self.above[head_b] = (head_a, sign_a * sign_b * sign)
        return True
