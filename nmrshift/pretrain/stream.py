"""Molecules in shards, one after another: read, prepared ahead by another process, kept on disk."""

import csv
import gzip
import hashlib
import json
import multiprocessing
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from itertools import groupby, islice
from pathlib import Path
from typing import Final

from nmrshift.chem.toolkit import RDKIT_VERSION
from nmrshift.data.records import ShiftRecord, read_records
from nmrshift.data.splits import read_connectivities
from nmrshift.errors import ConfigError
from nmrshift.graph.features import preset
from nmrshift.pretrain.config import MoleculeFile, PretrainConfig
from nmrshift.pretrain.shards import Preparation, Row, Shard, build_shard, load_shard, save_shard
from nmrshift.pretrain.text import peak_text

_CODE_VERSION: Final = 2


@dataclass(frozen=True, slots=True)
class Place:
    """One shard of a run.

    Attributes:
        file: what it is cut from.
        first: the first of its rows in the file.
        rows: how many rows, before preparation.
        path: where it is kept once it is prepared.
        seed: of its random SMILES.
    """

    file: MoleculeFile
    first: int
    rows: int
    path: Path
    seed: int


class MoleculeStream:
    """The shards of a run, in order, without ever holding more than two of them.

    Raises:
        ConfigError: a file is missing.
    """

    def __init__(self, config: PretrainConfig) -> None:
        missing = [str(item.path) for item in config.molecules if not item.path.exists()]
        if missing:
            raise ConfigError(f"no such data file: {', '.join(missing)}")
        banned = config.exclude_connectivities
        self._how = Preparation(
            features=config.network.features,
            excluded=frozenset() if banned is None else read_connectivities(banned),
            validation_fraction=config.validation_fraction,
            most_atoms=config.most_atoms,
            longest_text=config.longest_text,
        )
        config.cache.mkdir(parents=True, exist_ok=True)
        self.places: Final = tuple(
            place
            for item in config.molecules
            for place in _places(item, config, self._how) * item.repeat
        )
        self.fingerprint: Final = hashlib.sha256(
            "\n".join(place.path.name for place in self.places).encode()
        ).hexdigest()

    @property
    def n_rows(self) -> int:
        """Rows of one pass, those that will be left out included."""
        return sum(place.rows for place in self.places)

    def rows_by_file(self) -> Iterator[tuple[MoleculeFile, int]]:
        """Yield every file with its number of rows, repeats not counted."""
        for file, places in groupby(self.places, key=lambda place: place.file):
            yield file, sum(place.rows for place in places) // file.repeat

    def shards(self, order: Sequence[int]) -> Iterator[Shard | None]:
        """Yield shards by their numbers; while one is in use the next ones are prepared."""
        context = multiprocessing.get_context("spawn")
        places = [self.places[number] for number in order]
        waiting = list({p.path: p for p in places if not p.path.exists()}.values())
        with ProcessPoolExecutor(1, mp_context=context) as pool:
            pending = {place.path: pool.submit(_build, place, self._how) for place in waiting[:2]}
            upcoming = iter(waiting[2:])
            for place in places:
                future: Future[None] | None = pending.pop(place.path, None)
                if future is not None:
                    future.result()
                    following = next(upcoming, None)
                    if following is not None:
                        pending[following.path] = pool.submit(_build, following, self._how)
                yield _read(place.path)


def _read(path: Path) -> Shard | None:
    return load_shard(path) if path.stat().st_size else None


def _build(place: Place, how: Preparation) -> None:
    """Prepare a shard and keep it; an empty file stands for one without a molecule."""
    rows = islice(rows_of(place.file), place.first, place.first + place.rows)
    shard = build_shard(rows, how, place.seed)
    if shard is None:
        place.path.touch()
    else:
        save_shard(place.path, shard)


def rows_of(file: MoleculeFile) -> Iterator[Row]:
    """Read the molecules of a file, one after another.

    Raises:
        ConfigError: a CSV file has no column ``smiles``.
    """
    rows = _records(file) if file.path.name.endswith(".jsonl.gz") else _table(file.path)
    return islice(rows, file.take)


def _records(file: MoleculeFile) -> Iterator[Row]:
    records = (entry for entry in read_records(file.path) if isinstance(entry, ShiftRecord))
    if file.computed:
        for smiles, spectra in groupby(records, key=lambda record: record.smiles):
            yield Row(smiles, computed=tuple(_computed(spectra)))
        return
    for record in records:
        yield Row(record.smiles, peak_text(record) if file.peaks else None)


def _computed(spectra: Iterable[ShiftRecord]) -> Iterator[tuple[str, int, float]]:
    """Yield the shifts of computed spectra; measured ones are no structure's own."""
    for record in spectra:
        if record.level is not None:
            for atom, shift_ppm in record.shifts or ():
                yield record.nucleus, atom, shift_ppm


def _table(path: Path) -> Iterator[Row]:
    with gzip.open(path, "rt", encoding="utf-8", newline="") as stream:
        table = csv.DictReader(stream)
        if "smiles" not in (table.fieldnames or ()):
            raise ConfigError(f"{path} has no column smiles")
        for row in table:
            yield Row(row["smiles"] or "")


def _places(file: MoleculeFile, config: PretrainConfig, how: Preparation) -> tuple[Place, ...]:
    n_rows = sum(1 for _ in rows_of(file)) if file.take is None else file.take
    digest = hashlib.sha256(file.path.read_bytes())
    options = [
        *(_CODE_VERSION, RDKIT_VERSION, preset(how.features).to_dict(), sorted(how.excluded)),
        *(how.validation_fraction, how.most_atoms, how.longest_text),
        *(file.peaks, file.computed, config.seed),
    ]
    digest.update(json.dumps(options).encode())
    key = digest.hexdigest()[:16]
    firsts = range(0, n_rows, config.shard_molecules)
    counts = [min(config.shard_molecules, n_rows - first) for first in firsts]
    return tuple(
        Place(
            file=file,
            first=first,
            rows=rows,
            path=config.cache / f"molecules-{key}-{first:07d}-{rows}.npz",
            seed=config.seed * 1_000_003 + first,
        )
        for first, rows in zip(firsts, counts, strict=True)
    )
