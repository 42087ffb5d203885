# ruff: noqa: C901, E501, PTH123, T201 - the corpus is kept as it was handed over
"""Generators for the hazard corpus: pure Python, deterministic, no dependencies.

Each public function makes one input of one family. A line of ``cases.jsonl`` names a function in
``"generator"`` and gives its keyword arguments in ``"args"``; :func:`materialise` turns any line
into the text (``str``) or the raw request body (``bytes``) to be sent.

    python generators.py cases.jsonl     # builds every case and prints the sizes by family
"""

import base64
import gzip
import itertools
import json
import math
import random
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any

Edge = tuple[int, int]


# --------------------------------------------------------------------------- graphs to SMILES


def _ring_label(number: int) -> str:
    if number < 10:
        return str(number)
    return f"%{number}" if number < 100 else f"%({number})"


def graph_smiles(edges: Iterable[Edge], symbols: Sequence[str], double: Iterable[Edge] = ()) -> str:
    """Write a graph as SMILES: depth first, ring numbers reused, components joined by dots.

    ``double`` lists the edges written with ``=``; every other edge gets no bond symbol.
    """
    doubled = {frozenset(edge) for edge in double}
    around: list[list[int]] = [[] for _ in symbols]
    for a, b in sorted({(min(e), max(e)) for e in edges}):
        around[a].append(b)
        around[b].append(a)
    parent: dict[int, int] = {}
    children: list[list[int]] = [[] for _ in symbols]
    order: dict[int, int] = {}
    roots = []
    for root in range(len(symbols)):
        if root in order:
            continue
        roots.append(root)
        stack = [(root, -1)]
        while stack:
            node, came_from = stack.pop()
            if node in order:
                continue
            order[node] = len(order)
            parent[node] = came_from
            if came_from >= 0:
                children[came_from].append(node)
            stack += [(nxt, node) for nxt in reversed(around[node]) if nxt not in order]
    labels: dict[frozenset[int], int] = {}
    used: set[int] = set()

    def bond(a: int, b: int) -> str:
        return "=" if frozenset((a, b)) in doubled else ""

    def atom(node: int) -> str:
        rings = [n for n in around[node] if parent[n] != node and parent[node] != n]
        text, closed = symbols[node], []
        for other in sorted(rings, key=order.__getitem__):
            key = frozenset((node, other))
            if key in labels:
                closed.append(labels[key])
                text += _ring_label(labels[key])
            else:
                labels[key] = next(k for k in itertools.count(1) if k not in used)
                used.add(labels[key])
                text += bond(node, other) + _ring_label(labels[key])
        used.difference_update(closed)
        return text

    def component(root: int) -> str:
        parts: list[str] = []
        todo: list[int | str] = [root]
        while todo:
            item = todo.pop()
            if isinstance(item, str):
                parts.append(item)
                continue
            parts.append(atom(item))
            branches: list[int | str] = []
            for child in children[item][:-1]:
                branches += ["(" + bond(item, child), child, ")"]
            if children[item]:
                branches += [bond(item, children[item][-1]), children[item][-1]]
            todo += reversed(branches)
        return "".join(parts)

    return ".".join(component(root) for root in roots)


def _hexagons(cells: Iterable[Edge], symbol: str) -> str:
    """Fused hexagons at the axial positions ``cells``."""
    points: dict[tuple[float, float], int] = {}
    edges: set[Edge] = set()
    for q, r in cells:
        x0, y0 = math.sqrt(3) * (q + r / 2), 1.5 * r
        corners = []
        for k in range(6):
            angle = math.radians(30 + 60 * k)
            point = (round(x0 + math.cos(angle), 3) + 0.0, round(y0 + math.sin(angle), 3) + 0.0)
            corners.append(points.setdefault(point, len(points)))
        for k in range(6):
            a, b = corners[k], corners[(k + 1) % 6]
            edges.add((min(a, b), max(a, b)))
    return graph_smiles(edges, [symbol] * len(points))


# --------------------------------------------------------------------------- macrocycles and cages


def cycloparaphenylene(n: int) -> str:
    """[n]CPP: n para-linked benzenes in a ring, 6 n heavy atoms."""
    return "c12ccc(cc1)" + "-c1ccc(cc1)" * (n - 2) + "-c1ccc-2cc1"


def paracyclophane(n: int) -> str:
    """n para-phenylenes joined by CH2, 7 n heavy atoms."""
    return "c12ccc(cc1)" + "Cc1ccc(cc1)" * (n - 2) + "Cc1ccc(C2)cc1"


def cyclodextrin(n: int, dotted: bool = False) -> str:
    """n glucose units, 1->4 linked in a ring, without stereo; 11 n heavy atoms.

    ``dotted`` writes each unit apart and joins them by ring numbers across dots: one molecule.
    """
    if dotted:
        units = (f"C%({100 + i})1C(O)C(O)C(O%({100 + (i + 1) % n}))C(CO)O1" for i in range(n))
        return ".".join(units)
    return "C12OC(CO)C(C(O)C2O)O" + "C2OC(CO)C(C(O)C2O)O" * (n - 2) + "C2OC(CO)C(C(O)C2O)O1"


def pillararene(n: int) -> str:
    """1,4-dimethoxypillar[n]arene, 11 n heavy atoms."""
    return "C1c2cc(OC)c(cc2OC)" + "Cc2cc(OC)c(cc2OC)" * (n - 2) + "Cc2cc(OC)c1cc2OC"


def cucurbituril(n: int) -> str:
    """Cucurbit[n]uril, 12 n heavy atoms."""
    symbols: list[str] = []
    edges: list[Edge] = []
    double: list[Edge] = []
    nitrogens: list[tuple[int, int, int, int]] = []
    for _ in range(n):
        o = len(symbols)
        symbols += ["C", "C", "N", "N", "N", "N", "C", "C", "O", "O"]
        a, b, n1, n2, n3, n4, u1, u2, o1, o2 = range(o, o + 10)
        edges += [(a, b), (a, n1), (a, n2), (b, n3), (b, n4)]
        edges += [(u1, n1), (u1, n3), (u2, n2), (u2, n4), (u1, o1), (u2, o2)]
        double += [(u1, o1), (u2, o2)]
        nitrogens.append((n1, n2, n3, n4))
    for i in range(n):
        for p, q in ((1, 0), (3, 2)):
            edges += [(nitrogens[i][p], len(symbols)), (nitrogens[(i + 1) % n][q], len(symbols))]
            symbols.append("C")
    return graph_smiles(edges, symbols, double)


def phenylene_cage(frame: str, m: int) -> str:
    """A tetrahedron (``tetrahedron``) or ``cube`` of CH corners, each edge m para-phenylenes."""
    corners = 4 if frame == "tetrahedron" else 8
    pairs = list(itertools.combinations(range(corners), 2))
    if corners == 8:
        pairs = [(a, b) for a, b in pairs if (a ^ b).bit_count() == 1]
    symbols, edges = ["C"] * corners, list[Edge]()
    for a, b in pairs:
        previous = a
        for _ in range(m):
            o = len(symbols)
            symbols += ["c"] * 6
            edges += [(o + k, o + (k + 1) % 6) for k in range(6)] + [(previous, o)]
            previous = o + 3
        edges.append((previous, b))
    return graph_smiles(edges, symbols)


def polyol_ring(n: int) -> str:
    """One carbocycle of n + 1 stereo CH(OH) and a CH2."""
    return "[C@H]1(O)" + "[C@@H](O)" * n + "C1"


# --------------------------------------------------------------------------- fused and dense graphs


def benzenoid(n: int, m: int) -> str:
    """Graphene-like n x m parallelogram: 2 (n + 1)(m + 1) - 2 atoms, n m rings; m=1 is an acene."""
    return _hexagons(((q, r) for q in range(n) for r in range(m)), "c")


def graphene_flake(n: int) -> str:
    """Hexagonal flake, 6 n^2 atoms (2: coronene), 3 n (n - 1) + 1 rings."""
    span = range(1 - n, n)
    return _hexagons(((q, r) for q in span for r in span if abs(q + r) < n), "c")


def triangulene(n: int) -> str:
    """Triangular flake written aromatic: no Kekule structure exists for n >= 2."""
    return _hexagons(((q, r) for q in range(n) for r in range(n - q)), "c")


def dense_star_graph(n: int, symbol: str = "*") -> str:
    """n atoms, each bonded to every other one."""
    return graph_smiles(itertools.combinations(range(n), 2), [symbol] * n)


def hypercube(d: int, symbol: str = "*") -> str:
    """The d-dimensional cube, 2^d atoms of degree d (3 with C: cubane)."""
    edges = [(i, i ^ (1 << k)) for i in range(1 << d) for k in range(d) if i < i ^ (1 << k)]
    return graph_smiles(edges, [symbol] * (1 << d))


def cubic_lattice(n: int, symbol: str = "*") -> str:
    """n x n x n atoms on a simple cubic lattice."""
    edges = []
    for i, j, k in itertools.product(range(n), repeat=3):
        here = (i * n + j) * n + k
        edges += [(here, here + step) for x, step in ((i, n * n), (j, n), (k, 1)) if x + 1 < n]
    return graph_smiles(edges, [symbol] * n**3)


def paley_graph(q: int, symbol: str = "*") -> str:
    """Paley graph of a prime q = 1 mod 4: strongly regular, degree (q - 1) / 2."""
    squares = {x * x % q for x in range(1, q)}
    pairs = itertools.combinations(range(q), 2)
    return graph_smiles([(a, b) for a, b in pairs if (b - a) % q in squares], [symbol] * q)


def _first_clash(pairs: Sequence[Edge]) -> int | None:
    seen: set[frozenset[int]] = set()
    for k, pair in enumerate(map(frozenset, pairs)):
        if len(pair) == 1 or pair in seen:
            return k
        seen.add(pair)
    return None


def regular_graph(n: int, d: int, seed: int, symbol: str = "C") -> str:
    """A random simple d-regular graph on n atoms."""
    rng = random.Random(seed)
    stubs = [i for i in range(n) for _ in range(d)]
    rng.shuffle(stubs)
    pairs = [(stubs[k], stubs[k + 1]) for k in range(0, len(stubs), 2)]
    while (bad := _first_clash(pairs)) is not None:
        other = rng.randrange(len(pairs))
        (a, b), (c, e) = pairs[bad], pairs[other]
        pairs[bad], pairs[other] = (a, e), (c, b)
    return graph_smiles(pairs, [symbol] * n)


# --------------------------------------------------------------------------- chains, trees, fragments


def chain(n: int, symbol: str = "C") -> str:
    """n atoms in a line."""
    return symbol * n


def nested(n: int, closed: bool = True) -> str:
    """n nested branches; ``closed=False`` leaves every parenthesis open."""
    return "C(" * n + "C" + ")" * n if closed else "C" + "(" * n


def fragments(n: int, smiles: str = "C") -> str:
    """n copies of a fragment joined by dots."""
    return ".".join([smiles] * n)


def dendrimer(depth: int) -> str:
    """Ternary tree of carbons, (3^(depth + 1) - 1) / 2 heavy atoms."""
    inner = dendrimer(depth - 1) if depth else ""
    return f"C({inner})({inner}){inner}" if depth else "C"


def polyene(n: int) -> str:
    """n skipped E double bonds, 3 n + 1 heavy atoms."""
    return "C/C=C/" * n + "C"


def polyyne(n: int) -> str:
    """H-(C#C)n-H, 2 n heavy atoms."""
    return "C#C" * n


def cumulene(n: int) -> str:
    """n consecutive double bonds, n + 1 heavy atoms."""
    return "C" + "=C" * n


def chiral_chain(n: int) -> str:
    """n stereo CH(OH) in a line, 2 n + 2 heavy atoms."""
    return "C" + "[C@H](O)" * n + "C"


def linked_cyclopropanes(n: int) -> str:
    """n + 1 cyclopropanes in a line, 3 n + 3 heavy atoms."""
    return "C1CC1" + "C2CC2" * n


def peptide(n: int, residue: str = "Gly") -> str:
    """Homopeptide of Gly, Phe or Asn."""
    unit = {"Gly": "NCC(=O)", "Phe": "N[C@@H](Cc1ccccc1)C(=O)", "Asn": "N[C@@H](CC(=O)N)C(=O)"}
    return unit[residue] * n + "O"


# --------------------------------------------------------------------------- broken text


def repeated(text: str, n: int, before: str = "", after: str = "") -> str:
    """``text`` n times between ``before`` and ``after``."""
    return before + text * n + after


def open_rings(n: int) -> str:
    """n ring bonds opened, none closed."""
    return "".join(f"C{_ring_label(i)}" for i in range(1, n + 1))


def crossed_rings(n: int) -> str:
    """n ring bonds opened, then closed in the same order: 2 n atoms, n ring bonds."""
    return open_rings(n) * 2


# --------------------------------------------------------------------------- molfiles


ATOM_LINE = "{x:>10}{y:>10}{z:>10} {symbol:<3} 0  0  0  0  0  0  0  0  0  0  0  0\n"


def molblock(
    counts: str | None = None,
    symbols: Sequence[str] = ("C", "C"),
    bonds: Sequence[str] = ("  1  2  1  0",),
    extra: Sequence[str] = (),
    xyz: Sequence[str] | None = None,
    end: bool = True,
    newline: str = "\n",
    cut: int | None = None,
) -> str:
    """A V2000 block (ethane by default) with any one part replaced; ``cut`` truncates it."""
    counts = counts or f"{len(symbols):>3}{len(bonds):>3}  0  0  0  0  0  0  0  0999 V2000"
    text = f"\n  hazard\n\n{counts}\n"
    for i, symbol in enumerate(symbols):
        x, y, z = xyz if xyz and i == 0 else (f"{i:.4f}", "0.0000", "0.0000")
        text += ATOM_LINE.format(x=x, y=y, z=z, symbol=symbol)
    text += "".join(line + "\n" for line in (*bonds, *extra)) + ("M  END\n" if end else "")
    return text.replace("\n", newline)[:cut]


def molblock_v3000(
    counts: str, atoms: Sequence[str] = (), bonds: Sequence[str] = (), repeat: int = 1
) -> str:
    """A V3000 block; atom lines may be repeated to make a continuation bomb."""
    lines = ["", "  hazard", "", "  0  0  0  0  0  0  0  0  0  0999 V3000", "M  V30 BEGIN CTAB"]
    lines += [f"M  V30 COUNTS {counts}", "M  V30 BEGIN ATOM"]
    lines += [f"M  V30 {line}" for line in atoms] * repeat
    lines += ["M  V30 END ATOM", "M  V30 BEGIN BOND", *(f"M  V30 {line}" for line in bonds)]
    return "\n".join([*lines, "M  V30 END BOND", "M  V30 END CTAB", "M  END", ""])


def molblock_chain(n: int) -> str:
    """A V2000 chain of n carbons (n <= 999)."""
    return molblock(symbols=["C"] * n, bonds=[f"{i:>3}{i + 1:>3}  1  0" for i in range(1, n)])


def sdf(
    n: int,
    delimiter: str = "$$$$",
    missing: Sequence[int] = (),
    bad: Sequence[int] = (),
    cut: int = 0,
    tail: str = "",
    newline: str = "\n",
    title_line: str = "",
) -> str:
    """n ethane records with an ID each.

    ``missing`` lists records without a delimiter (-1: all), ``bad`` records replaced by junk,
    ``cut`` drops that many characters from the end, ``title_line`` starts the file.
    """
    out = title_line
    for i in range(n):
        body = "junk\njunk\njunk\njunk\n" if i in bad else molblock() + f"> <ID>\n{i}\n\n"
        out += body + ("" if i in missing or -1 in missing else delimiter + "\n")
    return (out + tail)[: len(out + tail) - cut].replace("\n", newline)


def sdf_property(size: int) -> str:
    """One record whose property is a single line of ``size`` characters."""
    return molblock() + "> <NOTE>\n" + "A" * size + "\n\n$$$$\n"


# --------------------------------------------------------------------------- request bodies


def json_items(n: int, smiles: str = "C", field: str = "smiles") -> bytes:
    """``n`` items in one request."""
    return json.dumps({field: [smiles] * n}, separators=(",", ":")).encode()


def json_padded(size: int, field: str = "smiles") -> bytes:
    """One item of ``size`` characters."""
    return b'{"%s":["' % field.encode() + b"C" * size + b'"]}'


def json_nested(depth: int, field: str = "", closed: bool = True) -> bytes:
    """``depth`` arrays in each other, bare or as the value of ``field``."""
    deep = b"[" * depth + (b"]" * depth if closed else b"")
    return b'{"%s":%s}' % (field.encode(), deep) if field else deep


def json_digits(n: int, field: str = "smiles") -> bytes:
    """An integer of n digits where the list of molecules belongs."""
    return b'{"%s":[%s]}' % (field.encode(), b"9" * n)


def json_gzip(size: int, field: str = "smiles") -> bytes:
    """A gzip body that unpacks to ``size`` characters and a little."""
    return gzip.compress(json_padded(size, field), mtime=0)


# --------------------------------------------------------------------------- the corpus

# fmt: off
_FAMILIES: tuple[Callable[..., str | bytes], ...] = (
    cycloparaphenylene, paracyclophane, cyclodextrin, pillararene, cucurbituril, phenylene_cage,
    polyol_ring, benzenoid, graphene_flake, triangulene, dense_star_graph, hypercube, cubic_lattice,
    paley_graph, regular_graph, chain, nested, fragments, dendrimer, polyene, polyyne, cumulene,
    chiral_chain, linked_cyclopropanes, peptide, repeated, open_rings, crossed_rings, molblock,
    molblock_v3000, molblock_chain, sdf, sdf_property, json_items, json_padded, json_nested,
    json_digits, json_gzip,
)
# fmt: on
GENERATORS = {family.__name__: family for family in _FAMILIES}


def materialise(case: dict[str, Any]) -> str | bytes:
    """The input of one line of the corpus: text, or raw bytes for a request body."""
    if "generator" in case:
        return GENERATORS[case["generator"]](**case["args"])
    if "input_base64" in case:
        return base64.b64decode(case["input_base64"])
    value: str = case["input"]
    return value.encode() if case["kind"] == "http-json" else value


def main(path: str) -> None:
    """Build every case of a corpus file and print how many, and how long, by family."""
    sizes: dict[str, list[int]] = {}
    with open(path, encoding="ascii") as lines:
        for line in lines:
            case = json.loads(line)
            sizes.setdefault(case["family"], []).append(len(materialise(case)))
    for family, values in sorted(sizes.items()):
        print(f"{family:<24}{len(values):>4} cases, longest {max(values):>11,}")


if __name__ == "__main__":
    main(sys.argv[1])
