"""What was measured on atoms with the same environment: the evidence beside a prediction.

An environment is an atom with everything out to a number of bonds, its sphere. Environments of a
larger sphere divide those of a smaller one, so that in a table sorted by the codes of all spheres
every environment is a range of rows.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from nmrshift.errors import ArtifactError

N_SPHERES: Final = 5

Codes = NDArray[np.int64]
Floats = NDArray[np.float64]
Rows = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Measured:
    """Labels of one nucleus; all arrays ``[n_labels]``.

    Attributes:
        codes: environment codes ``[n_labels, N_SPHERES]``.
        shift_ppm: what was measured.
        record: number of the record it stands in.
    """

    codes: Codes
    shift_ppm: NDArray[np.float32]
    record: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Support:
    """What supports predictions on atoms; all arrays ``[n_atoms]``.

    Attributes:
        sphere: largest sphere whose environment was measured, 0 for none.
        start: first row of that environment in the nucleus' table.
        n_measured: rows of it.
        mean_ppm: mean of its shifts; 0 where there is none.
        spread_ppm: standard deviation of its shifts; 0 below two.
        median_ppm: median of its shifts where ``sphere`` is the largest there is, else 0.
    """

    sphere: NDArray[np.int64]
    start: NDArray[np.int64]
    n_measured: NDArray[np.int64]
    mean_ppm: Floats
    spread_ppm: Floats
    median_ppm: Floats


@dataclass(frozen=True, slots=True)
class NucleusTable:
    """The labels of one nucleus, sorted by environment.

    Attributes:
        shift_ppm: ``[n_labels]``.
        record: row of the record names ``[n_labels]``.
        codes: for every sphere the codes that occur, ascending.
        start: for every sphere the first row of each code.
        count: for every sphere the rows of each code.
        centre_ppm: mean of all shifts, which is taken off before squares are summed, so that they
            stay precise.
        sums_ppm: sums of the shifts before each row, less the centre ``[n_labels + 1]``.
        squares: the same of their squares.
    """

    shift_ppm: NDArray[np.float32]
    record: Rows
    codes: tuple[Codes, ...]
    start: tuple[Rows, ...]
    count: tuple[Rows, ...]
    centre_ppm: float
    sums_ppm: Floats
    squares: Floats

    @classmethod
    def of(cls, arrays: Mapping[str, NDArray[Any]]) -> "NucleusTable":
        """Take the arrays that :meth:`to_arrays` gave."""
        shift_ppm = arrays["shift_ppm"].astype(np.float64)
        centre_ppm = float(shift_ppm.mean()) if len(shift_ppm) else 0.0
        centred = shift_ppm - centre_ppm
        spheres = range(1, N_SPHERES + 1)
        return cls(
            shift_ppm=arrays["shift_ppm"],
            record=arrays["record"],
            codes=tuple(arrays[f"codes_{sphere}"] for sphere in spheres),
            start=tuple(arrays[f"start_{sphere}"] for sphere in spheres),
            count=tuple(arrays[f"count_{sphere}"] for sphere in spheres),
            centre_ppm=centre_ppm,
            sums_ppm=_before(centred),
            squares=_before(centred**2),
        )

    @classmethod
    def build(cls, measured: Measured) -> "NucleusTable":
        """Sort labels by environment, and by shift within the largest sphere."""
        keys = [measured.shift_ppm, *measured.codes.T[::-1]]
        order = np.lexsort(keys)
        arrays: dict[str, NDArray[Any]] = {
            "shift_ppm": measured.shift_ppm[order],
            "record": measured.record[order].astype(np.int32),
        }
        for sphere, column in enumerate(measured.codes[order].T, start=1):
            codes, start, count = np.unique(column, return_index=True, return_counts=True)
            arrays[f"codes_{sphere}"] = codes
            arrays[f"start_{sphere}"] = start.astype(np.int32)
            arrays[f"count_{sphere}"] = count.astype(np.int32)
        return cls.of(arrays)

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """Return what has to be stored."""
        arrays: dict[str, NDArray[Any]] = {"shift_ppm": self.shift_ppm, "record": self.record}
        for sphere in range(1, N_SPHERES + 1):
            arrays[f"codes_{sphere}"] = self.codes[sphere - 1]
            arrays[f"start_{sphere}"] = self.start[sphere - 1]
            arrays[f"count_{sphere}"] = self.count[sphere - 1]
        return arrays

    def lookup(self, codes: Codes) -> Support:
        """Find the largest measured environment of atoms with codes ``[n_atoms, N_SPHERES]``."""
        n_atoms = len(codes)
        sphere = np.zeros(n_atoms, dtype=np.int64)
        start, count = np.zeros(n_atoms, dtype=np.int64), np.zeros(n_atoms, dtype=np.int64)
        for column, (known, first, size) in enumerate(
            zip(self.codes, self.start, self.count, strict=True)
        ):
            place = np.minimum(np.searchsorted(known, codes[:, column]), len(known) - 1)
            found = known[place] == codes[:, column]
            sphere[found] = column + 1
            start[found] = first[place[found]]
            count[found] = size[place[found]]
        mean, spread = self._moments(start, count)
        median = np.where(sphere == N_SPHERES, self._median(start, count), 0.0)
        return Support(sphere, start, count, mean, spread, median)

    def _moments(self, start: NDArray[np.int64], count: NDArray[np.int64]) -> tuple[Floats, Floats]:
        n = np.maximum(count, 1)
        mean = (self.sums_ppm[start + count] - self.sums_ppm[start]) / n
        total = self.squares[start + count] - self.squares[start] - n * mean**2
        spread = np.sqrt(np.maximum(total, 0.0) / np.maximum(n - 1, 1))
        return np.where(count > 0, mean + self.centre_ppm, 0.0), np.where(count > 1, spread, 0.0)

    def _median(self, start: NDArray[np.int64], count: NDArray[np.int64]) -> Floats:
        """Return the middle of ranges whose rows are sorted by shift."""
        low = start + np.maximum(count - 1, 0) // 2
        high = np.minimum(start + count // 2, len(self.shift_ppm) - 1)
        middle: Floats = (self.shift_ppm[low].astype(np.float64) + self.shift_ppm[high]) / 2
        return middle


@dataclass(frozen=True, slots=True)
class EvidenceTable:
    """All that a model knows of measured environments.

    Attributes:
        nuclei: the table of each nucleus.
        records: names of the records, one a row.
        atom_kinds: elements with their charges that occur in training, ascending.
        largest_atoms: heavy atoms of the largest training molecule.
    """

    nuclei: Mapping[str, NucleusTable]
    records: tuple[str, ...]
    atom_kinds: NDArray[np.int64]
    largest_atoms: int

    @classmethod
    def build(
        cls,
        measured: Mapping[str, Measured],
        record_ids: NDArray[np.str_],
        kinds: NDArray[np.int64],
        largest_atoms: int,
    ) -> "EvidenceTable":
        """Make the table of training labels.

        Args:
            measured: labels of each nucleus, or of none where all that is learned from is
                computed; only records that occur among them are kept.
            record_ids: names of all records.
            kinds: what :func:`atom_kinds` says of training molecules, ascending.
            largest_atoms: heavy atoms of the largest of them.
        """
        records = [item.record for item in measured.values()]
        used = np.unique(np.concatenate([np.zeros(0, dtype=np.int64), *records]))
        tables = {}
        for nucleus, item in measured.items():
            record = np.searchsorted(used, item.record)
            tables[nucleus] = NucleusTable.build(Measured(item.codes, item.shift_ppm, record))
        return cls(tables, tuple(record_ids[used].tolist()), kinds, largest_atoms)

    def support(self, nucleus: str, codes: Codes) -> Support:
        """Find what supports atoms of a nucleus, if it has a table.

        Args:
            nucleus: for example ``13C``.
            codes: environment codes ``[n_atoms, N_SPHERES]``.
        """
        if nucleus in self.nuclei:
            return self.nuclei[nucleus].lookup(codes)
        counts, ppm = np.zeros(len(codes), dtype=np.int64), np.zeros(len(codes))
        return Support(counts, counts, counts, ppm, ppm, ppm)

    def seen(self, kinds: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Say of each atom kind whether training has it ``[n_atoms]``."""
        if not len(self.atom_kinds):
            return np.zeros(len(kinds), dtype=np.bool_)
        place = np.minimum(np.searchsorted(self.atom_kinds, kinds), len(self.atom_kinds) - 1)
        known: NDArray[np.bool_] = self.atom_kinds[place] == kinds
        return known

    def references(
        self, nucleus: str, start: int, n_measured: int, most: int
    ) -> list[tuple[str, float]]:
        """Return records and shifts of an environment, evenly taken from the lowest to the highest.

        Args:
            nucleus: of the table.
            start: first row of the environment.
            n_measured: its rows.
            most: references to return at most.
        """
        table = self.nuclei[nucleus]
        shifts_ppm = table.shift_ppm[start : start + n_measured]
        order = np.argsort(shifts_ppm, kind="stable")
        n = min(most, n_measured)
        chosen = order[np.linspace(0, n_measured - 1, n).round().astype(int)] if n else order[:0]
        return [
            (self.records[table.record[start + row]], round(float(shifts_ppm[row]), 3))
            for row in chosen.tolist()
        ]

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """Return flat arrays to store."""
        arrays: dict[str, NDArray[Any]] = {
            "records": np.frombuffer("\n".join(self.records).encode("utf-8"), dtype=np.uint8),
            "atom_kinds": self.atom_kinds,
            "largest_atoms": np.array([self.largest_atoms]),
        }
        for nucleus, table in self.nuclei.items():
            arrays |= {f"{nucleus}.{name}": value for name, value in table.to_arrays().items()}
        return arrays

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> "EvidenceTable":
        """Read what :meth:`to_arrays` wrote.

        Raises:
            ArtifactError: an array is missing or does not fit the others.
        """
        nuclei = dict.fromkeys(name.split(".")[0] for name in arrays if "." in name)
        try:
            names = arrays["records"].tobytes().decode("utf-8")
            records = tuple(names.split("\n")) if names else ()
            tables = {
                nucleus: NucleusTable.of(
                    {
                        name.removeprefix(f"{nucleus}."): value
                        for name, value in arrays.items()
                        if name.startswith(f"{nucleus}.")
                    }
                )
                for nucleus in nuclei
            }
            table = cls(tables, records, arrays["atom_kinds"], int(arrays["largest_atoms"][0]))
        except (KeyError, UnicodeDecodeError) as error:
            raise ArtifactError(f"the evidence table is incomplete: {error}") from None
        if not all(table._fits(nucleus) for nucleus in nuclei):
            raise ArtifactError("the evidence table does not fit together")
        return table

    def _fits(self, nucleus: str) -> bool:
        table = self.nuclei[nucleus]
        n = len(table.shift_ppm)
        spheres = zip(table.codes, table.start, table.count, strict=True)
        return (
            n == len(table.record) > 0
            and 0 <= table.record.min() <= table.record.max() < len(self.records)
            and all(len(c) == len(s) == len(k) and int(k.sum()) == n for c, s, k in spheres)
        )


def atom_kinds(V: NDArray[np.int16]) -> NDArray[np.int64]:
    """Return element and charge of atoms as one number each ``[n_atoms]``.

    Args:
        V: atom codes, element in column 0 and charge in column 3 as in every preset.
    """
    return V[:, 0].astype(np.int64) * 4096 + V[:, 3]


def _before(values: Floats) -> Floats:
    return np.concatenate([np.zeros(1), np.cumsum(values)])
