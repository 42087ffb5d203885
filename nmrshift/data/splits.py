"""Splits by connectivity: a molecule's part follows from its own bonds and the seed alone."""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Collection, Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from pathlib import Path
from typing import Final

from nmrshift.chem.parse import parse
from nmrshift.chem.policy import RECORD_LIMITS
from nmrshift.data.connectivity import connectivity, fragment_connectivities
from nmrshift.data.records import RecordIssue, ShiftRecord, read_records, record_writer
from nmrshift.errors import ConfigError, FileFormatError, InputError

PARTS: Final[tuple[str, ...]] = ("train", "valid", "test")
EXCLUDED: Final[str] = "excluded"
FRACTIONS: Final[tuple[float, ...]] = (0.8, 0.1, 0.1)


@dataclass(frozen=True, slots=True)
class SplitPlan:
    """Which part a molecule belongs to.

    Attributes:
        parts: names of the parts.
        fractions: share of each, in the order of ``parts``; they add up to 1.
        seed: another number gives another split.
        excluded: connectivities kept out of every part, as are molecules with one of them among
            their fragments.
    """

    parts: tuple[str, ...] = PARTS
    fractions: tuple[float, ...] = FRACTIONS
    seed: int = 0
    excluded: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        """Check the fractions.

        Raises:
            ConfigError: they do not match the parts, are negative or do not add up to 1.
        """
        if len(self.fractions) != len(self.parts) or not self.parts:
            raise ConfigError(f"{len(self.parts)} fractions expected, {len(self.fractions)} given")
        if min(self.fractions) < 0 or abs(sum(self.fractions) - 1) > 1e-9:
            raise ConfigError("the fractions must not be negative and must add up to 1")

    def part_of(self, smiles: str) -> str:
        """Return the part of a molecule, or ``EXCLUDED``.

        Stereoisomers, isotopomers, charge states and salts of one largest fragment go together.

        Raises:
            InputError: the structure cannot be read.
        """
        whole, fragments = _keys(smiles)
        if whole in self.excluded or not self.excluded.isdisjoint(fragments):
            return EXCLUDED
        return self.part_of_key(fragments[0])

    def part_of_key(self, key: str) -> str:
        """Return the part of a connectivity: by its hash, whatever else the data hold."""
        digest = hashlib.blake2b(f"{self.seed}:{key}".encode(), digest_size=8, person=b"nmrsplit")
        place = int.from_bytes(digest.digest(), "big") / 2**64
        for name, edge in zip(self.parts, accumulate(self.fractions), strict=True):
            if place < edge:
                return name
        return next(
            name
            for name, share in zip(self.parts[::-1], self.fractions[::-1], strict=True)
            if share > 0
        )


def fold_plan(n_folds: int, *, seed: int = 0, excluded: Iterable[str] = ()) -> SplitPlan:
    """Return a plan of ``n_folds`` equal parts, ``fold0`` and on.

    Raises:
        ConfigError: fewer than two folds, or more than a hundred.
    """
    if not 2 <= n_folds <= 100:
        raise ConfigError("between 2 and 100 folds, please")
    names = tuple(f"fold{number}" for number in range(n_folds))
    return SplitPlan(names, (1 / n_folds,) * n_folds, seed, frozenset(excluded))


@dataclass(frozen=True, slots=True)
class SplitResult:
    """What a split wrote.

    Attributes:
        n_records: records of each part; ``excluded`` counts those left out on purpose.
        n_molecules: connectivities of each part.
        issues: rows that are in no part.
    """

    n_records: dict[str, int]
    n_molecules: dict[str, int]
    issues: tuple[RecordIssue, ...]


def split_files(
    paths: Iterable[str | Path],
    out: Path,
    plan: SplitPlan,
    *,
    suffix: str = ".jsonl.gz",
    force: bool = False,
) -> SplitResult:
    """Write the records of native files into one file a part, which appear once all are done.

    Args:
        paths: files read in turn.
        out: folder of the parts, made if need be.
        plan: which part a molecule belongs to.
        suffix: ``.jsonl.gz`` or ``.jsonl``.
        force: whether files of those names may be replaced.

    Raises:
        FileExistsError: a file stands there and ``force`` is off.
        FileFormatError: a file cannot be opened.
    """
    targets = {name: out / f"{name}{suffix}" for name in plan.parts}
    taken = [path for path in targets.values() if path.exists()]
    if taken and not force:
        raise FileExistsError(f"{taken[0]} exists")
    out.mkdir(parents=True, exist_ok=True)
    records: Counter[str] = Counter()
    molecules: dict[str, set[str]] = {name: set() for name in (*plan.parts, EXCLUDED)}
    issues: list[RecordIssue] = []
    with ExitStack() as stack:
        writers: dict[str, Callable[[ShiftRecord], None]] = {
            name: stack.enter_context(record_writer(path, force=force))
            for name, path in targets.items()
        }
        for path in paths:
            for row, entry in enumerate(read_records(path), 1):
                if isinstance(entry, RecordIssue):
                    issues.append(entry)
                    continue
                try:
                    name = plan.part_of(entry.smiles)
                except InputError as error:
                    issues.append(RecordIssue(row, "structure", error.message, entry.id))
                    continue
                if name in writers:
                    writers[name](entry)
                records[name] += 1
                molecules[name].add(_keys(entry.smiles)[0])
    return SplitResult(
        {name: records[name] for name in molecules},
        {name: len(keys) for name, keys in molecules.items()},
        tuple(issues),
    )


def read_connectivities(path: str | Path) -> frozenset[str]:
    """Read a JSON list of first InChIKey blocks; whole keys are cut.

    Raises:
        FileFormatError: the file is no such list.
    """
    try:
        names = json.loads(Path(path).read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise FileFormatError(f"cannot read {path}: {error}") from None
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise FileFormatError(f"{path} is no list of InChIKey blocks")
    return _first_blocks(names)


def _first_blocks(names: Collection[str]) -> frozenset[str]:
    return frozenset(name.strip().split("-", 1)[0] for name in names)


@lru_cache(maxsize=4096)
def _keys(smiles: str) -> tuple[str, tuple[str, ...]]:
    """Return the connectivity of a molecule and those of its fragments, the largest first."""
    mol = parse(smiles, kind="smiles", limits=RECORD_LIMITS).mol
    return connectivity(mol), fragment_connectivities(mol)
