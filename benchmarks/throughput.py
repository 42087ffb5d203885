"""Molecules a second from a SMILES file to JSONL, and where the time goes.

    python benchmarks/throughput.py molecules.smi
    python benchmarks/throughput.py --csv molecules.csv.gz --source deepchem_chembl --take 10000

The rate is that of the command ``nmrshift predict FILE --out OUT`` as a whole, start-up, model
loading and writing included. The stages are timed apart, in one process, on the same molecules.
"""

import argparse
import csv
import gzip
import io
import json
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

STAGE_CHUNK = 256


def main() -> None:
    """Measure and print."""
    options = read_options()
    with tempfile.TemporaryDirectory() as folder:
        smiles_file = options.file or sample(options, Path(folder) / "sample.smi")
        texts = [line.split()[0] for line in smiles_file.read_text("utf-8").splitlines() if line]
        report = {
            "machine": f"{platform.processor() or platform.machine()}, {options.threads} threads",
            "molecules": len(texts),
            "stages_ms_per_molecule": stages(texts[: options.stage_molecules], options.threads),
        }
        for workers in options.workers:
            report[f"command, {workers} workers"] = command(smiles_file, workers, Path(folder))
    print(json.dumps(report, indent=2))


def read_options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", nargs="?", type=Path, help="one SMILES a line")
    parser.add_argument("--csv", type=Path, help="gzipped CSV with columns smiles,source")
    parser.add_argument("--source", default="deepchem_chembl", help="rows of --csv to take")
    parser.add_argument("--take", type=int, default=10_000)
    parser.add_argument("--stage-molecules", type=int, default=2_000)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--workers", type=int, nargs="*", default=[0, 1, 2])
    options = parser.parse_args()
    if not options.file and not options.csv:
        parser.error("name a SMILES file or --csv")
    return options


def sample(options: argparse.Namespace, path: Path) -> Path:
    """Write the first molecules of one source to a SMILES file."""
    taken: list[str] = []
    with gzip.open(options.csv, "rt", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if row["source"] == options.source:
                taken.append(row["smiles"])
                if len(taken) == options.take:
                    break
    path.write_text("\n".join(taken) + "\n", "utf-8")
    return path


def command(smiles_file: Path, workers: int, folder: Path) -> dict[str, Any]:
    """Run the real command on the whole file."""
    out = folder / f"out-{workers}.jsonl"
    began = time.perf_counter()
    subprocess.run(
        [
            *(sys.executable, "-m", "nmrshift", "predict", str(smiles_file)),
            *("--workers", str(workers), "--out", str(out)),
        ],
        check=False,
    )
    seconds = time.perf_counter() - began
    rows = out.read_text("utf-8").splitlines()
    failed = sum('"error"' in row for row in rows)
    return {
        "seconds": round(seconds, 2),
        "molecules_per_second": round(len(rows) / seconds, 1),
        "rows": len(rows),
        "failed": failed,
    }


def stages(texts: list[str], threads: int) -> dict[str, float]:
    """Time every stage apart."""
    import torch

    from nmrshift import Predictor, Query
    from nmrshift.chem.parse import parse
    from nmrshift.chem.symmetry import signal_classes
    from nmrshift.errors import InputError
    from nmrshift.graph.features import V1
    from nmrshift.graph.molgraph import mol_graph
    from nmrshift.io.writers import JsonLinesWriter
    from nmrshift.predict.prepare import Prepared, prepare_or_fail

    torch.set_num_threads(threads)
    predictor = Predictor.load()
    seconds: dict[str, float] = {}

    def timed(name: str, action: Callable[[], Any]) -> Any:
        began = time.perf_counter()
        result = action()
        seconds[name] = seconds.get(name, 0.0) + time.perf_counter() - began
        return result

    def read(text: str) -> Any:
        try:
            return parse(text)
        except InputError:
            return None

    parsed = [item for item in timed("parse", lambda: [read(text) for text in texts]) if item]
    timed("features", lambda: [mol_graph(item.mol, V1) for item in parsed])
    timed("signals", lambda: [signal_classes(item.mol) for item in parsed])
    queries = [prepare_or_fail(Query(text), 0, ("13C", "19F"), V1) for text in texts]
    ready = [item for item in queries if isinstance(item, Prepared)]
    list(predictor.answer(ready[:STAGE_CHUNK]))
    answers = timed("network", lambda: list(predictor.answer(ready)))
    writer = JsonLinesWriter(io.StringIO())
    timed("writing", lambda: [writer.write(answer) for answer in answers])
    per_molecule = {name: round(1e3 * value / len(texts), 3) for name, value in seconds.items()}
    return per_molecule | {"total": round(sum(per_molecule.values()), 3)}


if __name__ == "__main__":
    main()
