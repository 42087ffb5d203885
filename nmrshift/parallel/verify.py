"""Is a folder of parts complete, and is every part what was written?"""

from dataclasses import dataclass

from nmrshift.errors import FileFormatError
from nmrshift.io.store import Store
from nmrshift.io.tally import Tally
from nmrshift.parallel.manifest import MANIFEST, read_manifest
from nmrshift.parallel.run import finished_parts, is_leftover, is_whole


@dataclass(frozen=True, slots=True)
class Verification:
    """What was found.

    Attributes:
        n_parts: parts that are whole.
        tally: answers in them.
        problems: what is wrong, in words; empty if nothing is.
    """

    n_parts: int
    tally: Tally
    problems: tuple[str, ...]


def verify_parts(store: Store) -> Verification:
    """Check every part of a folder against its manifest, byte for byte.

    Raises:
        FileFormatError: the folder has no manifest, or one that cannot be read.
    """
    found = read_manifest(store)
    if found is None:
        raise FileFormatError(f"there is no {MANIFEST}", hint="Name a folder of a run in parts.")
    parts = found[1]
    if parts is None:
        whole = list(finished_parts(store).values())
        problem = f"the run is not complete; {len(whole)} parts are finished"
        return Verification(len(whole), _total([one.tally for one in whole]), (problem,))
    names = set(store.names())
    whole = [one for one in parts if is_whole(store, one)]
    broken = [one.name for one in parts if one not in whole]
    known = {MANIFEST, *(one.name for one in parts)}
    problems = [f"{name} {'differs' if name in names else 'is missing'}" for name in broken]
    strange = (name for name in sorted(names - known) if not is_leftover(name))
    problems += [f"{name} is in no list" for name in strange]
    return Verification(len(whole), _total([one.tally for one in whole]), tuple(problems))


def _total(tallies: list[Tally]) -> Tally:
    return sum(tallies, Tally())
