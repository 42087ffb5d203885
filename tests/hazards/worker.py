"""A process that parses on request and is killed when it does not answer in time."""

import multiprocessing
import time
from multiprocessing.connection import Connection
from typing import Self

from nmrshift.chem.parse import parse
from nmrshift.chem.symmetry import signal_classes
from nmrshift.errors import InputError

DEADLINE_S = 2.5


def answer(structure: str, kind: str) -> str:
    """Return ``ok`` or the code of the refusal; look for symmetry as a prediction would."""
    try:
        parsed = parse(structure, kind=kind)
    except InputError as error:
        return error.code
    classes = signal_classes(parsed.mol)
    assert len(classes) == len(parsed.atom_maps) == parsed.mol.GetNumAtoms()
    return "ok"


def serve(pipe: Connection) -> None:
    """Answer until the other end closes."""
    while True:
        try:
            structure, kind = pipe.recv()
        except EOFError:
            return
        start = time.perf_counter()
        outcome = answer(structure, kind)
        pipe.send((outcome, time.perf_counter() - start))


class Worker:
    """Owns the process; a hang or a crash is an outcome of its own and costs one process."""

    def __init__(self) -> None:
        self._context = multiprocessing.get_context("spawn")
        self._start()

    def _start(self) -> None:
        self._pipe, far = self._context.Pipe()
        self._process = self._context.Process(target=serve, args=(far,), daemon=True)
        self._process.start()
        far.close()
        assert self.ask("C", "smiles", deadline_s=60)[0] == "ok"

    def ask(self, structure: str, kind: str, deadline_s: float = DEADLINE_S) -> tuple[str, float]:
        """Return the outcome and the seconds it took inside the process."""
        self._pipe.send((structure, kind))
        try:
            if self._pipe.poll(deadline_s):
                return self._pipe.recv()
        except EOFError:
            self.close()
            self._start()
            return "crash", 0.0
        self.close()
        self._start()
        return "hang", deadline_s

    def close(self) -> None:
        """Kill the process."""
        self._process.kill()
        self._process.join()
        self._pipe.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
