"""Solvents of NMR spectra: names as people write them, and numbers a network can use.

The catalogue is data (``solvents.toml``), read on first use. Deuterated and protonated forms
of a solvent share one entry: their effect on a chemical shift is the same within what the data
can tell, and so are the tabulated properties, which are those of the protonated liquid.
"""

import difflib
import tomllib
from dataclasses import dataclass, field
from functools import cache, lru_cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any, Final, Literal

from nmrshift.chem import solvent_text

SolventKind = Literal["liquid", "mixture", "class", "unknown"]

_PROPERTIES: Final[tuple[str, ...]] = ("eps", "n", "alpha", "beta", "pi_star")
_TRAITS: Final[tuple[str, ...]] = (
    "aromatic",
    "halogenated",
    "protic",
    "aqueous",
    "buffer",
    "neat",
    "gas",
    "solid",
    "mixture",
)

SOLVENT_FIELDS: Final[tuple[str, ...]] = (
    "known",
    "permittivity",
    "refraction",
    "alpha",
    "beta",
    "pi_star",
    "no_permittivity",
    "no_refraction",
    "no_alpha",
    "no_beta",
    "no_pi_star",
    *_TRAITS,
)
"""Names of the numbers in ``Solvent.vector()``, in order. Weights depend on it: never reorder."""

SOLVENT_DIM: Final[int] = len(SOLVENT_FIELDS)


@dataclass(frozen=True, slots=True)
class Solvent:
    """A solvent, a mixture, a class such as ``neat``, or ``unknown``.

    Attributes:
        key: canonical name: ``cdcl3``, ``cdcl3+cd3od(9:1)``, ``neat``, ``unknown``.
        name: name for people.
        kind: what the entry is.
        names: texts that mean this entry, as written in the catalogue.
        formula: molecular formula of the protonated form.
        deuterated: formula of the form sold for NMR, where there is one.
        eps: relative permittivity at ``eps_celsius``; ``None`` where none is known to us.
        eps_celsius: temperature of ``eps``, degrees Celsius.
        n: refractive index at the sodium D line at ``n_celsius``, or ``None``.
        n_celsius: temperature of ``n``, degrees Celsius.
        alpha: Kamlet-Taft hydrogen-bond donor strength (doi 10.1021/jo00165a018), or ``None``.
        beta: Kamlet-Taft hydrogen-bond acceptor strength, or ``None``.
        pi_star: Kamlet-Taft dipolarity/polarisability, or ``None``.
        traits: which of the yes/no fields of the vector hold.
        components: of a mixture, each key with its volume fraction; they add up to 1.
        source: source of values that differ from those of the whole table.
    """

    key: str
    name: str
    kind: SolventKind
    names: tuple[str, ...] = ()
    formula: str | None = None
    deuterated: str | None = None
    eps: float | None = None
    eps_celsius: float = 25.0
    n: float | None = None
    n_celsius: float = 20.0
    alpha: float | None = None
    beta: float | None = None
    pi_star: float | None = None
    traits: tuple[str, ...] = ()
    components: tuple[tuple[str, float], ...] = ()
    source: str | None = None
    _values: tuple[float, ...] = field(default=(), repr=False)

    def vector(self) -> tuple[float, ...]:
        """Return ``SOLVENT_DIM`` finite numbers of about unit size.

        In the order of ``SOLVENT_FIELDS``:

        * ``known``: 1, except for ``unknown``, which is zero throughout.
        * ``permittivity``: 2 (eps - 1) / (2 eps + 1), from 0 (vacuum) to 1.
        * ``refraction``: 4 (n^2 - 1) / (2 n^2 + 1), from 0 (vacuum) to about 1.
        * ``alpha``, ``beta``, ``pi_star``: Kamlet-Taft parameters as tabulated.
        * ``no_*``: 1 where that value is not known; the value itself is then 0.
        * ``aromatic`` … ``mixture``: 1 where the word applies.

        A mixture has the mean of its components, weighted by volume, and ``mixture`` = 1.
        """
        return self._values


UNKNOWN: Final[Solvent] = Solvent("unknown", "unknown", "unknown", _values=(0.0,) * SOLVENT_DIM)
"""Not given, or not understood; ``is_reported`` tells which."""


def catalogue() -> tuple[Solvent, ...]:
    """Return all entries: liquids, then classes, then ``UNKNOWN``."""
    return tuple(_table().values())


def normalise(text: str | None) -> Solvent:
    """Return the solvent that a text means. Never raises on any text.

    Args:
        text: as users and databases write it: names, formulas, deuterated or not, lists and
            mixtures with or without ratio, notes on standards and traces.

    Returns:
        The entry, a mixture of entries, or ``UNKNOWN``. ``normalise(s.key).key == s.key``.
    """
    stripped = "" if text is None else text.strip()
    return UNKNOWN if len(stripped) > solvent_text.MAX_CHARS else _normalise(stripped)


def is_reported(text: str | None) -> bool:
    """Say whether the text names something, be it understood or not.

    ``is_reported(text) and normalise(text) is UNKNOWN`` is a solvent we could not read.
    """
    if text is None:
        return False
    squashed = solvent_text.squash(text.strip()[: solvent_text.MAX_CHARS])
    return solvent_text.NOT_REPORTED.fullmatch(squashed) is None


def unread(text: str | None) -> tuple[str, ...]:
    """Return the parts of the text that ``normalise`` passed over without understanding them.

    Standards, acids and bases in small amount, concentrations and traces do not count.
    """
    if text is None or not is_reported(text):
        return ()
    stripped = text.strip()
    if len(stripped) > solvent_text.MAX_CHARS:
        return (stripped,)
    return solvent_text.read(stripped, _lookup).unread


def suggest(text: str) -> tuple[str, ...]:
    """Return up to three catalogue keys that look like the text, the closest first."""
    wanted = solvent_text.squash(text.strip()[: solvent_text.MAX_CHARS])
    close = difflib.get_close_matches(wanted, _index(), n=12, cutoff=0.7)
    keys = dict.fromkeys(_index()[name] for name in close)
    return tuple(key for key in keys if key != UNKNOWN.key)[:3]


@lru_cache(maxsize=4096)
def _normalise(text: str) -> Solvent:
    if not is_reported(text):
        return UNKNOWN
    reading = solvent_text.read(text, _lookup)
    shares = dict(reading.shares)
    if not shares or len(reading.unread) > len(shares):
        return UNKNOWN
    if "aqueous-buffer" in shares and "d2o" in shares:
        shares["aqueous-buffer"] += shares.pop("d2o")
    if len(shares) == 1:
        return _table()[next(iter(shares))]
    if any(key in {"neat", "gas", "solid", "mixed", "unknown"} for key in shares):
        return _table()["mixed"]
    return _mixture(shares)


def _mixture(shares: dict[str, int]) -> Solvent:
    table = _table()
    rank = {key: place for place, key in enumerate(table)}
    order = sorted(shares, key=lambda key: (-shares[key], rank[key]))
    whole = sum(shares.values())
    parts = [shares[key] for key in order]
    ratio = "" if len(set(parts)) == 1 else f"({':'.join(map(str, parts))})"
    vectors = [table[key].vector() for key in order]
    mean = [
        sum(part * value for part, value in zip(parts, column, strict=True)) / whole
        for column in zip(*vectors, strict=True)
    ]
    mean[SOLVENT_FIELDS.index("mixture")] = 1.0
    return Solvent(
        key="+".join(order) + ratio,
        name=" + ".join(table[key].name for key in order) + (ratio and f" {ratio}"),
        kind="mixture",
        traits=("mixture",),
        components=tuple((key, shares[key] / whole) for key in order),
        _values=tuple(mean),
    )


def _lookup(name: str) -> str | None:
    """Return the key of one name, or ``None``. Any isotope label on a known name will do."""
    index = _index()
    if key := index.get(solvent_text.squash(name)):
        return key
    return index.get(solvent_text.squash(solvent_text.without_isotopes(name)))


@cache
def _table() -> MappingProxyType[str, Solvent]:
    """Read the catalogue: entries by key, in the order of the file."""
    text = files("nmrshift.chem").joinpath("solvents.toml").read_text(encoding="utf-8")
    entries = {key: _entry(key, row) for key, row in tomllib.loads(text).items()}
    return MappingProxyType(entries | {UNKNOWN.key: UNKNOWN})


@cache
def _index() -> MappingProxyType[str, str]:
    """Return the key of every name in squashed form."""
    index: dict[str, str] = {}
    for entry in _table().values():
        for name in (entry.key, *entry.names):
            index.setdefault(solvent_text.squash(name), entry.key)
    return MappingProxyType(index)


def _entry(key: str, row: dict[str, Any]) -> Solvent:
    kind: SolventKind = "liquid" if "liquid" in row else "class"
    given: dict[str, Any] = dict(row[kind])
    traits = tuple(trait for trait in _TRAITS if given.pop(trait, False))
    values = {name: given.get(name) for name in _PROPERTIES}
    return Solvent(
        key=key,
        name=row["names"][0],
        kind=kind,
        names=tuple(row["names"]),
        traits=traits,
        _values=_vector(values, traits),
        **given,
    )


def _vector(values: dict[str, float | None], traits: tuple[str, ...]) -> tuple[float, ...]:
    """Lay one entry out in the order of ``SOLVENT_FIELDS``."""
    eps, n = values["eps"], values["n"]
    numbers = (
        None if eps is None else 2 * (eps - 1) / (2 * eps + 1),
        None if n is None else 4 * (n * n - 1) / (2 * n * n + 1),
        values["alpha"],
        values["beta"],
        values["pi_star"],
    )
    return (
        1.0,
        *(0.0 if number is None else number for number in numbers),
        *(float(number is None) for number in numbers),
        *(float(trait in traits) for trait in _TRAITS),
    )
