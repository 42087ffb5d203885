"""Errors of the shipped model and of the HOSE baseline on every test set, as a Markdown table.

    python benchmarks/accuracy.py ../shared/data [--model DIR] [--only cascade_exp5k]

Every row is one call of ``nmrshift evaluate``; the calls are printed on stderr.
"""

import argparse
import json
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

TRAINING = (
    "nmrshiftdb2/assigned.jsonl.gz",
    "nmrshiftdb2/assigned_by_symmetry.jsonl.gz",
    "cascade_exp5k/train.jsonl.gz",
    "cascade_exp5k/valid.jsonl.gz",
    "pfas_19f/train.jsonl.gz",
    "fragments_19f/train.jsonl.gz",
)


class Protocol(NamedTuple):
    """One row of the table."""

    name: str
    file: str
    nucleus: str
    options: tuple[str, ...] = ()
    matched: bool = False


SEED = "seed_19f/nmrshiftdb2withsignals_fl.sd.gz"
PROTOCOLS = (
    Protocol("cascade_exp5k/test", "cascade_exp5k/test.jsonl.gz", "13C"),
    *(
        Protocol("nmrshiftdb2/test", "nmrshiftdb2/test.jsonl.gz", nucleus)
        for nucleus in ("13C", "1H", "31P", "19F", "11B")
    ),
    Protocol("pfas_19f/test", "pfas_19f/test.jsonl.gz", "19F"),
    Protocol("fragments_19f/test, assigned", "fragments_19f/test.jsonl.gz", "19F"),
    Protocol("fragments_19f/test, peak lists", "fragments_19f/test.jsonl.gz", "19F", matched=True),
    Protocol("seed_19f test IDs, all", SEED, "19F", ("--ids", "seed_19f/split.json:test")),
    Protocol(
        "seed_19f test IDs, C-F in -300...100 ppm",
        SEED,
        "19F",
        ("--ids", "seed_19f/split.json:test", "--window", "-300", "100", "--bonded-to", "C"),
    ),
)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--only", default="")
    parser.add_argument("--no-baseline", action="store_true")
    options = parser.parse_args()
    print("| test | nucleus | atoms | MAE | median | RMSE | in 90 % interval | HOSE MAE | median |")
    print("|---|---|---|---|---|---|---|---|---|")
    for protocol in PROTOCOLS:
        if options.only in protocol.name:
            print(row(protocol, options), flush=True)


def row(protocol: Protocol, options: argparse.Namespace) -> str:
    """Measure one protocol with model and baseline."""
    model = ("--model", str(options.model)) if options.model else ()
    found = measure(protocol, options.data, model)
    cells = [
        *(protocol.name, protocol.nucleus, str(found["n_labels"])),
        *(f"{found[key]:.2f}" for key in ("mae_ppm", "median_ppm", "rmse_ppm")),
        f"{100 * found['coverage']:.0f} %",
    ]
    if options.no_baseline:
        cells += ["", ""]
    else:
        training = [part for file in TRAINING for part in ("--train", str(options.data / file))]
        table = measure(protocol, options.data, ("--baseline", "hose", *training))
        cells += [f"{table['mae_ppm']:.2f}", f"{table['median_ppm']:.2f}"]
    return "| " + " | ".join(cells) + " |"


def measure(protocol: Protocol, data: Path, who: tuple[str, ...]) -> dict[str, Any]:
    """Run ``nmrshift evaluate`` and return the row of the nucleus as a whole."""
    options = [
        str(data / option) if option.startswith("seed_19f/") else option
        for option in protocol.options
    ]
    command = [
        *(sys.executable, "-m", "nmrshift", "evaluate", str(data / protocol.file), "--json"),
        *("--nucleus", protocol.nucleus, *options, *who),
    ]
    print(shlex.join(command[1:]), file=sys.stderr)
    done = subprocess.run(command, capture_output=True, check=True, text=True)
    part = "peaks" if protocol.matched else "all"
    (whole,) = [row for row in json.loads(done.stdout)["rows"] if row["part"] == part]
    return dict(whole["metrics"])


if __name__ == "__main__":
    main()
