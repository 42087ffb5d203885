"""Molecules a second from a SMILES file to a file of shifts, and where the time goes.

    python benchmarks/throughput.py molecules.smi
    python benchmarks/throughput.py --csv molecules.csv.gz --source deepchem_chembl --take 10000
    python benchmarks/throughput.py molecules.smi --format parquet --parts 2

The rate is that of the command ``nmrshift predict FILE --out OUT`` as a whole, start-up, model
loading and writing included; ``--parts N`` is a run in parts (10,000 rows each) by N processes
that each hold the model. ``peak_mb`` is the memory of all its processes together, shared pages
counted once. The stages are timed apart, in one process, on the same molecules.
Beside them: ``nmrshift predict CCO`` as a new process, and one molecule after another in this one.
``--cpu-time`` counts processor time in place of wall time, for a machine that is busy otherwise.
"""

import argparse
import io
import json
import os
import pickle
import platform
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from molecules import add_options, check_options, read_smiles

from nmrshift.model.shipped import TIERS, shipped_model

STAGE_CHUNK = 256
PREDICT = (sys.executable, "-m", "nmrshift", "predict")
ONE_MOLECULE = "CC(C)[C@H](NC(=O)c1ccc(OC)cc1)C(=O)N1CCC(c2ccncc2F)CC1"


def main() -> None:
    """Measure and print."""
    options = read_options()
    with tempfile.TemporaryDirectory() as folder:
        texts = read_smiles(options, None if options.file else options.take)
        smiles_file = options.file or Path(folder) / "sample.smi"
        if not options.file:
            smiles_file.write_text("\n".join(texts) + "\n", "utf-8")
        report = {
            "machine": f"{platform.processor() or platform.machine()}, {options.threads} threads",
            "clock": "processor" if options.cpu_time else "wall",
            "molecules": len(texts),
            **in_this_process(texts[: options.stage_molecules], options),
            "cold_start_s": cold_start(options.tier, cpu_time=options.cpu_time),
        }
        run = partial(command, smiles_file, Path(folder), options.format, options.tier)
        for workers in options.workers:
            chosen = [] if workers == "auto" else ["--workers", workers]
            report[f"command, {workers} workers"] = run(chosen)
        for workers in options.parts:
            in_parts = ["--part-rows", "10000", "--workers", workers]
            report[f"command in parts, {workers} workers"] = run(in_parts)
    print(json.dumps(report, indent=2))


def read_options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_options(parser)
    parser.add_argument("--take", type=int, default=10_000)
    parser.add_argument("--stage-molecules", type=int, default=2_000)
    parser.add_argument("--one-molecule", type=int, default=300, help="predictions, one at a time")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--workers", nargs="*", default=["auto", "0", "1"])
    parser.add_argument("--parts", nargs="*", default=[], help="workers of runs in parts")
    parser.add_argument("--format", choices=["jsonl", "parquet", "csv"], default="jsonl")
    parser.add_argument("--tier", choices=list(TIERS), default="fast")
    parser.add_argument("--cpu-time", action="store_true", help="processor time, not wall time")
    options = parser.parse_args()
    check_options(parser, options)
    return options


def command(
    smiles_file: Path, folder: Path, kind: str, tier: str, how: list[str]
) -> dict[str, Any]:
    """Run the real command on the whole file."""
    out = folder / f"out{len(list(folder.iterdir()))}.{kind}"
    program = [*PREDICT, str(smiles_file), "--out", str(out), "--tier", tier]
    began = time.perf_counter()
    with subprocess.Popen([*program, *how], stderr=subprocess.PIPE, text=True) as process:
        peak_mb = watch(process)
        seconds = time.perf_counter() - began
        summary = process.stderr.read() if process.stderr else ""
    found = re.search(r"(\d+) rows: (\d+) predicted, (\d+) failed", summary)
    if found is None:
        raise RuntimeError(summary)
    rows, _, failed = map(int, found.groups())
    return {
        "seconds": round(seconds, 2),
        "molecules_per_second": round(rows / seconds, 1),
        "rows": rows,
        "failed": failed,
        "peak_mb": round(peak_mb),
    }


def watch(process: "subprocess.Popen[str]") -> float:
    """Wait for the end of a process; return the most memory that it and its children had, MB."""
    peak_mb = 0.0
    while process.poll() is None:
        peak_mb = max(peak_mb, sum(map(memory_mb, family(process.pid))))
        time.sleep(0.2)
    return peak_mb


def family(pid: int) -> list[int]:
    """Return a process and all that descend from it."""
    try:
        text = Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii")
    except OSError:
        text = ""
    return [pid, *(one for child in text.split() for one in family(int(child)))]


def memory_mb(pid: int) -> float:
    """Return the memory of a process, a page shared by two counted half."""
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text("ascii")
    except OSError:
        return 0.0
    found = re.search(r"^Pss:\s+(\d+) kB", text, re.MULTILINE)
    return int(found[1]) / 1024 if found else 0.0


def cold_start(tier: str, *, cpu_time: bool, repeats: int = 5) -> float:
    """Return the median seconds of ``nmrshift predict CCO`` as a new process."""
    seconds = []
    for _ in range(repeats):
        before = os.times()
        subprocess.run([*PREDICT, "CCO", "--tier", tier], check=True, stdout=subprocess.DEVNULL)
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
    artifact = load_artifact(shipped_model(options.tier))
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
    from nmrshift.io.writers import OUTPUT_FORMATS, open_writer
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

    def write(kind: Any, answers: list[Any]) -> None:
        with open_writer(kind, io.BytesIO()) as writer:
            for answer in answers:
                writer.write(answer)

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
    for kind in OUTPUT_FORMATS:
        if kind in ("jsonl", "parquet", "csv"):
            write(kind, answers[:1])  # packages that it loads are not counted
            timed(f"writing {kind}", partial(write, kind, answers))
    per_molecule = {name: round(1e3 * value / len(texts), 3) for name, value in seconds.items()}
    others = {"writing parquet", "writing csv"}
    total = sum(value for name, value in per_molecule.items() if name not in others)
    return per_molecule | {"total, to jsonl": round(total, 3)}


if __name__ == "__main__":
    main()
