"""Molecules a second from a SMILES file to JSONL, and where the time goes.

    python benchmarks/throughput.py molecules.smi
    python benchmarks/throughput.py --csv molecules.csv.gz --source deepchem_chembl --take 10000

The rate is that of the command ``nmrshift predict FILE --out OUT`` as a whole, start-up, model
loading and writing included. The stages are timed apart, in one process, on the same molecules.
Beside them: ``nmrshift predict CCO`` as a new process, and one molecule after another in this one.
``--cpu-time`` counts processor time in place of wall time, for a machine that is busy otherwise.
"""

import argparse
import csv
import gzip
import io
import json
import os
import pickle
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

STAGE_CHUNK = 256
ONE_MOLECULE = "CC(C)[C@H](NC(=O)c1ccc(OC)cc1)C(=O)N1CCC(c2ccncc2F)CC1"


def main() -> None:
    """Measure and print."""
    options = read_options()
    with tempfile.TemporaryDirectory() as folder:
        smiles_file = options.file or sample(options, Path(folder) / "sample.smi")
        texts = [line.split()[0] for line in smiles_file.read_text("utf-8").splitlines() if line]
        report = {
            "machine": f"{platform.processor() or platform.machine()}, {options.threads} threads",
            "clock": "processor" if options.cpu_time else "wall",
            "molecules": len(texts),
            **in_this_process(texts[: options.stage_molecules], options),
            "cold_start_s": cold_start(cpu_time=options.cpu_time),
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
    parser.add_argument("--one-molecule", type=int, default=300, help="predictions, one at a time")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--workers", nargs="*", default=["auto", "0", "1"])
    parser.add_argument("--cpu-time", action="store_true", help="processor time, not wall time")
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


def command(smiles_file: Path, workers: str, folder: Path) -> dict[str, Any]:
    """Run the real command on the whole file."""
    out = folder / f"out-{workers}.jsonl"
    began = time.perf_counter()
    subprocess.run(
        [
            *(sys.executable, "-m", "nmrshift", "predict", str(smiles_file)),
            *(() if workers == "auto" else ("--workers", workers)),
            *("--out", str(out)),
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


def cold_start(*, cpu_time: bool, repeats: int = 5) -> float:
    """Return the median seconds of ``nmrshift predict CCO`` as a new process."""
    seconds = []
    for _ in range(repeats):
        before = os.times()
        command = [sys.executable, "-m", "nmrshift", "predict", "CCO"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        after = os.times()
        used = after.children_user - before.children_user
        used += after.children_system - before.children_system
        seconds.append(used if cpu_time else after.elapsed - before.elapsed)
    return round(statistics.median(seconds), 2)


def in_this_process(texts: list[str], options: argparse.Namespace) -> dict[str, Any]:
    """Time every stage apart, then one molecule after another."""
    import torch

    from nmrshift import Predictor
    from nmrshift.model.artifact import load_artifact

    torch.set_num_threads(options.threads)
    clock = time.process_time if options.cpu_time else time.perf_counter
    artifact = load_artifact(Predictor.default_path())
    predictor = Predictor(artifact)
    times = []
    for _ in range(options.one_molecule):
        began = clock()
        predictor.predict(ONE_MOLECULE)
        times.append(1e3 * (clock() - began))
    return {
        "one_molecule_p50_ms": round(statistics.median(times[len(times) // 10 :]), 2),
        "stages_ms_per_molecule": stages(predictor, artifact.network.config.features, texts, clock),
    }


def stages(
    predictor: Any, features: str, texts: list[str], clock: Callable[[], float]
) -> dict[str, float]:
    """Time every stage apart."""
    from nmrshift import Query
    from nmrshift.chem.parse import parse
    from nmrshift.chem.symmetry import signal_classes
    from nmrshift.chem.table import read_table
    from nmrshift.errors import InputError
    from nmrshift.graph.features import preset
    from nmrshift.graph.molgraph import table_graph
    from nmrshift.io.writers import JsonLinesWriter
    from nmrshift.predict.packing import pack, unpack
    from nmrshift.predict.prepare import Prepared
    from nmrshift.predict.stream import prepare_chunk

    seconds: dict[str, float] = {}

    def timed(name: str, action: Callable[[], Any]) -> Any:
        began = clock()
        result = action()
        seconds[name] = seconds.get(name, 0.0) + clock() - began
        return result

    def read(text: str) -> Any:
        try:
            return parse(text)
        except InputError:
            return None

    chosen = preset(features)
    parsed = [item for item in timed("parse", lambda: [read(text) for text in texts]) if item]
    for item in parsed:  # a table lives only as long as its molecule is read
        table = timed("table", partial(read_table, item.mol))
        timed("features", partial(table_graph, table, chosen))
        timed("signals", partial(signal_classes, item.mol, table))
    settings = (("13C", "19F"), predictor.nuclei, features)
    chunk = prepare_chunk(0, [Query(text) for text in texts], *settings)
    packed = timed("packing", lambda: pickle.dumps(pack(chunk)))
    ready = [
        item
        for item in timed("unpacking", lambda: unpack(pickle.loads(packed)))
        if isinstance(item, Prepared)
    ]
    list(predictor.answer(ready[:STAGE_CHUNK]))
    answers = timed("network", lambda: list(predictor.answer(ready)))
    writer = JsonLinesWriter(io.StringIO())
    timed("writing", lambda: [writer.write(answer) for answer in answers])
    per_molecule = {name: round(1e3 * value / len(texts), 3) for name, value in seconds.items()}
    return per_molecule | {"total": round(sum(per_molecule.values()), 3)}


if __name__ == "__main__":
    main()
