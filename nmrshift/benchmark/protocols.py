"""The protocols: for each a list of cells. No training set holds a test molecule."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from typing import Final

from nmrshift.benchmark.cell import Cell, Test
from nmrshift.benchmark.methods import Method
from nmrshift.benchmark.spectra import Library, choose, in_solvent
from nmrshift.data.records import ShiftRecord
from nmrshift.evaluate.score import Selection, molecule_number

Protocol = Callable[[Library, int], Iterator[Cell]]

CURVE_SIZES: Final = (100, 250, 500)
LEARNERS: Final[tuple[Method, ...]] = ("hose", "seed", "nmrshift", "pretrained")
LIST_LEARNERS: Final[tuple[Method, ...]] = ("nmrshift", "wide", "pretrained")
TOGETHER: Final[dict[Method, Method]] = {
    "nmrshift": "several",
    "wide": "several-wide",
    "pretrained": "several-pretrained",
}
"""What networks of several seeds are called that answer in the mean."""
CDCL3: Final = "cdcl3"


def seed_19f(library: Library, seeds: int) -> Iterator[Cell]:
    """Train on the 728 spectra of the seed paper's file, test on the other molecules of it."""
    train, test = library.seed_ids("train"), library.seed_ids("test")
    records = library.seed_records
    training = [record for record in records if molecule_number(record.id) in train]
    tested = [record for record in records if molecule_number(record.id) in test]
    tests = (Test("all fluorines", tested, Selection(nuclei=("19F",))), _on_carbon(tested))
    yield Cell("seed-19f", "shipped", (), tests)
    yield from _learners("seed-19f", training, tests, seeds)


def seed_curve(library: Library, seeds: int) -> Iterator[Cell]:
    """Learning curves of 13C and 19F in CDCl3 from 100 spectra up, then with peak lists too."""
    assigned, lists = library.read("nmrshiftdb2/assigned"), library.read("nmrshiftdb2/unassigned")
    test_records = library.read("nmrshiftdb2/test")
    for nucleus in ("13C", "19F"):
        spectra = in_solvent(assigned, nucleus, CDCL3)
        tests = [Test(f"nmrshiftdb2/test {nucleus}", test_records, Selection(nuclei=(nucleus,)))]
        if nucleus == "19F":
            tests.append(_on_carbon(test_records))
        for size in (*CURVE_SIZES, len(spectra)):
            for seed in range(1, seeds + 1):
                chosen = choose(spectra, size, seed)
                name = f"{nucleus} {size}"
                yield from _cells("seed-curve", LEARNERS, chosen, tests, name, seed)
        everything = f"{nucleus} {len(spectra)}"
        yield from _together("seed-curve", LEARNERS, spectra, tests, everything, seeds)
        if nucleus == "13C":
            unassigned = in_solvent(lists, nucleus, CDCL3)
            both = [*spectra, *unassigned]
            size_name = f"{nucleus} {len(spectra)}+{len(unassigned)} lists"
            for seed in range(1, seeds + 1):
                yield from _cells("seed-curve", LIST_LEARNERS, both, tests, size_name, seed)
            yield from _together("seed-curve", LIST_LEARNERS, both, tests, size_name, seeds)


def exp5k(library: Library, seeds: int) -> Iterator[Cell]:
    """Train and test on the published split of CASCADE's experimental set."""
    training = library.read("cascade_exp5k/train")
    tests = (_whole(library, "cascade_exp5k/test", "13C"),)
    yield Cell("exp5k", "shipped", (), tests)
    yield from _learners("exp5k", training, tests, seeds)


def pfas(library: Library, seeds: int) -> Iterator[Cell]:
    """Train and test on poly- and perfluorinated compounds."""
    training = library.read("pfas_19f/train")
    tests = (_whole(library, "pfas_19f/test", "19F"),)
    yield Cell("pfas", "shipped", (), tests)
    yield from _learners("pfas", training, tests, seeds)


def fragments(library: Library, seeds: int) -> Iterator[Cell]:
    """Train and test on fluorinated fragments in buffer."""
    training = library.read("fragments_19f/train")
    records = library.read("fragments_19f/test")
    selection = Selection(nuclei=("19F",))
    tests = (
        Test("fragments_19f/test, assigned", records, selection),
        Test("fragments_19f/test, peak lists", records, selection, matched=True),
    )
    yield Cell("fragments", "shipped", (), tests)
    yield from _learners("fragments", training, tests, seeds)


def nmrshiftdb2(library: Library, seeds: int) -> Iterator[Cell]:
    """Measure the shipped model and a HOSE table of all its assigned spectra, by nucleus."""
    del seeds
    nuclei = ("13C", "1H", "31P", "19F", "11B")
    records = library.read("nmrshiftdb2/test")
    tests = [Test("nmrshiftdb2/test", records, Selection(nuclei=(n,))) for n in nuclei]
    training = tuple(
        chain.from_iterable(
            library.read(name)
            for name in (
                "nmrshiftdb2/assigned",
                "nmrshiftdb2/assigned_by_symmetry",
                "cascade_exp5k/train",
                "cascade_exp5k/valid",
                "pfas_19f/train",
                "fragments_19f/train",
            )
        )
    )
    yield Cell("nmrshiftdb2", "shipped", (), tests)
    yield Cell("nmrshiftdb2", "hose", training, tests)


PROTOCOLS: Final[dict[str, Protocol]] = {
    "seed-19f": seed_19f,
    "seed-curve": seed_curve,
    "exp5k": exp5k,
    "pfas": pfas,
    "fragments": fragments,
    "nmrshiftdb2": nmrshiftdb2,
}


def _whole(library: Library, name: str, nucleus: str) -> Test:
    return Test(name, library.read(name), Selection(nuclei=(nucleus,)))


def _on_carbon(records: Sequence[ShiftRecord]) -> Test:
    """Return the test of fluorines that a dozen inorganic molecules do not rule."""
    window = Selection(nuclei=("19F",), window_ppm=(-300.0, 100.0), bonded_to="C")
    return Test("C-F, -300 to 100 ppm", records, window)


def _learners(
    protocol: str, training: Sequence[ShiftRecord], tests: Sequence[Test], seeds: int
) -> Iterator[Cell]:
    size = f"{len(training)} spectra"
    for seed in range(1, seeds + 1):
        yield from _cells(protocol, LEARNERS, training, tests, size, seed)
    yield from _together(protocol, LEARNERS, training, tests, size, seeds)


def _cells(
    protocol: str,
    learners: Sequence[Method],
    training: Sequence[ShiftRecord],
    tests: Sequence[Test],
    size: str,
    seed: int,
) -> Iterable[Cell]:
    """Yield one cell a method; a table needs no second seed where the spectra are the same."""
    for method in learners:
        if method != "hose" or seed == 1 or protocol == "seed-curve":
            yield Cell(protocol, method, training, tests, size, seed)


def _together(
    protocol: str,
    learners: Sequence[Method],
    training: Sequence[ShiftRecord],
    tests: Sequence[Test],
    size: str,
    seeds: int,
) -> Iterator[Cell]:
    """Yield the cells of networks that learned from the same spectra with different seeds."""
    for method, name in TOGETHER.items():
        if seeds > 1 and method in learners:
            members = tuple(
                Cell(protocol, method, training, tests, size, seed) for seed in range(1, seeds + 1)
            )
            yield Cell(protocol, name, training, tests, size, seeds, members)
