"""Molecules a second of nmrshift and of CSP5, on the same molecules in the same run.

    python3 -m venv csp5 && csp5/bin/pip install csp5
    python benchmarks/csp5_rate.py --csp5-python csp5/bin/python --csv molecules.csv.gz

Both predict 13C, and 19F where there is fluorine, with intervals (CSP5: its quantile models, one
conformer, as ``predict_smiles`` does by default), from SMILES to shifts in memory. Each runs in a
process of its own with a warm model; start-up, loading and a first small call are not counted.
nmrshift is timed before and after CSP5, so that a machine whose speed changes shows.

CSP5 builds a geometry for every molecule, in ``--threads`` processes; so slow a program needs few
molecules to be timed, and nmrshift goes through the same few again and again for five seconds.
"""

import argparse
import json
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from molecules import add_options, check_options, read_smiles

WARM_UP = 4
LEAST_SECONDS = 5.0
PATIENCE_S = 4 * 3600


def main() -> None:
    """Measure and print."""
    options = read_options()
    if options.only:
        texts = options.file.read_text("utf-8").split()
        print(json.dumps(TIMED[options.only](texts, options.threads)))
        return
    texts = read_smiles(options, options.take)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "sample.smi"
        file.write_text("\n".join(texts) + "\n", "utf-8")
        before = child(sys.executable, "nmrshift", file, options.threads)
        csp5 = child(options.csp5_python, "csp5", file, options.threads)
        after = child(sys.executable, "nmrshift", file, options.threads)
    rate = statistics.mean([before["molecules_per_second"], after["molecules_per_second"]])
    report = {
        "machine": f"{platform.processor() or platform.machine()}, {options.threads} threads",
        "molecules": len(texts),
        "nmrshift, before": before,
        "csp5": csp5,
        "nmrshift, after": after,
        "times_as_fast": round(rate / csp5["molecules_per_second"], 1),
    }
    print(json.dumps(report, indent=2))


def read_options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_options(parser)
    parser.add_argument("--take", type=int, default=200)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--csp5-python", help="Python of an environment with CSP5")
    parser.add_argument("--only", choices=sorted(TIMED), help="time one of them on FILE, here")
    options = parser.parse_args()
    check_options(parser, options)
    if not options.only and not options.csp5_python:
        parser.error("--csp5-python is missing")
    return options


def child(python: str, which: str, file: Path, threads: int) -> dict[str, Any]:
    """Time one of the two in a new process."""
    command = [python, __file__, str(file), "--only", which, "--threads", str(threads)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, timeout=PATIENCE_S)
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def nmrshift_rate(texts: list[str], threads: int) -> dict[str, Any]:
    """Time nmrshift: the median of as many passes as fill five seconds."""
    import torch

    from nmrshift import Failure, Predictor

    torch.set_num_threads(threads)
    predictor = Predictor.load()

    def answers() -> list[Any]:
        return list(predictor.predict_many(texts))

    list(predictor.predict_many(texts[:WARM_UP]))
    seconds, found = passes(answers)
    good = [one for one in found if not isinstance(one, Failure)]
    n_shifts = sum(len(one.atoms) for one in good)
    return rates(len(texts), len(good), n_shifts, seconds) | {"model": predictor.identity}


def csp5_rate(texts: list[str], threads: int) -> dict[str, Any]:
    """Time CSP5: one pass."""
    import torch
    from csp5 import predict_smiles
    from rdkit import Chem

    torch.set_num_threads(threads)

    def predict(smiles: list[str], workers: int) -> list[Any]:
        fluorinated = [one for one in smiles if has_fluorine(Chem.MolFromSmiles(one))]
        found = [predict_smiles(smiles, nucleus="13C", model_name="CSP5q-13C", num_workers=workers)]
        if fluorinated:
            found.append(
                predict_smiles(
                    fluorinated, nucleus="19F", model_name="CSP5q-19F", num_workers=workers
                )
            )
        return found

    predict([*texts[:WARM_UP], "FC(F)F"], 1)
    began = time.perf_counter()
    found = predict(texts, threads)
    seconds = time.perf_counter() - began
    good: set[str] = set().union(*(one.predictions["smiles"] for one in found))
    return rates(len(texts), len(good), sum(len(one.predictions) for one in found), seconds)


def has_fluorine(mol: Any) -> bool:
    return mol is not None and any(atom.GetAtomicNum() == 9 for atom in mol.GetAtoms())


def passes(action: Callable[[], list[Any]]) -> tuple[float, list[Any]]:
    """Repeat an action for five seconds; return the median time of one pass and its result."""
    times: list[float] = []
    found: list[Any] = []
    while sum(times) < LEAST_SECONDS:
        began = time.perf_counter()
        found = action()
        times.append(time.perf_counter() - began)
    return statistics.median(times), found


def rates(n_given: int, n_predicted: int, n_shifts: int, seconds: float) -> dict[str, Any]:
    """Return what one of the two did."""
    return {
        "seconds": round(seconds, 3),
        "molecules_per_second": round(n_given / seconds, 3),
        "predicted": n_predicted,
        "shifts": n_shifts,
    }


TIMED = {"csp5": csp5_rate, "nmrshift": nmrshift_rate}

if __name__ == "__main__":
    main()
