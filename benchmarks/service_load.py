"""What a really started server bears: latency, rates, overload, poisoned molecules; or a soak.

    python benchmarks/service_load.py --csv ../shared/data/unlabelled/molecules.csv.gz
    python benchmarks/service_load.py --csv ... --soak 30

Server and client share the machine, the server's cache is off, every request asks for other
molecules. Times count from when a request was due. The parts:

* capacity: one molecule a request, from 16 connections, each its next request when the last one is
  answered; and the same with 100 molecules a request, from 4 connections;
* half load: one molecule a request at random times, at half of that rate;
* overload: ten times the rate of either, whether answers come or not; goodput is what is answered
  with 200, against capacity;
* poison: the rate of half load on a server some of whose molecules hang or crash their reader; the
  good ones are compared with the answers of the sound server.

``/health/live`` is asked ten times a second throughout, by a process of its own. ``--only`` takes
some of the parts.
"""

import argparse
import asyncio
import itertools
import json
import os
import platform
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "benchmarks")]

from http_load import Tally, at_rate, in_turn, post  # noqa: E402
from molecules import add_options, check_options, read_smiles  # noqa: E402
from poisoned import poisoned  # noqa: E402
from server import Server, running  # noqa: E402
from soak import soak  # noqa: E402

from nmrshift.model.shipped import shipped_model  # noqa: E402

PREDICT = "/v1/predict"
PARTS = ("capacity", "half", "overload", "poison")
N_CONNECTIONS = 16
MOST_MOLECULES = 20_000


def main() -> None:
    """Measure and print."""
    options = read_options()
    texts = read_smiles(options, MOST_MOLECULES)
    settings = {"cache_atoms": 0, "processes": options.processes}
    arguments = ["--workers", str(options.workers)] if options.workers > 1 else []
    with running(options.model, arguments=arguments, **settings) as server:
        if options.soak:
            report = asyncio.run(soak(server, texts, options.soak))
        else:
            report = asyncio.run(measure(server, texts, options))
    if "poison" in options.only and not options.soak:
        rate = options.poison_per_s or report["half load"]["asked_per_s"]
        report["poison"] = poisoned(options.model, texts, rate, options.seconds, settings)
    machine = f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores"
    setting = f"{options.workers} servers, {options.processes} processes each"
    print(json.dumps({"machine": machine, "server": setting, **report}, indent=2))


def read_options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_options(parser)
    parser.add_argument("--model", type=Path, default=shipped_model())
    parser.add_argument("--seconds", type=float, default=20.0, help="length of each part")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--poison-per-s", type=float, help="rate of the part poison")
    parser.add_argument("--workers", type=int, default=1, help="server processes")
    parser.add_argument("--processes", type=int, default=2, help="answering processes of each")
    parser.add_argument("--soak", type=float, metavar="MINUTES")
    options = parser.parse_args()
    check_options(parser, options)
    if "poison" in options.only and "half" not in options.only and not options.poison_per_s:
        parser.error("poison without half needs --poison-per-s")
    return options


def requests(texts: list[str], size: int) -> Iterator[bytes]:
    """Yield requests of so many molecules, again and again."""
    chunks = [texts[n : n + size] for n in range(0, len(texts) - size + 1, size)]
    bodies = (json.dumps({"smiles": chunk}).encode() for chunk in chunks)
    return itertools.cycle([post(PREDICT, body) for body in bodies])


async def measure(server: Server, texts: list[str], options: argparse.Namespace) -> dict[str, Any]:
    """Run the parts that one server can do, in order."""
    port, seconds = server.port, options.seconds
    ones, hundreds = requests(texts, 1), requests(texts, 100)
    await in_turn(port, ones, n_connections=4, seconds=min(5.0, seconds))
    report: dict[str, Any] = {}
    n_one = {"n_connections": N_CONNECTIONS, "seconds": seconds}
    single = await watched(port, in_turn(port, ones, **n_one))
    report["capacity, single"] = single[1]
    rate = single[0].per_s
    n_hundred = {"n_connections": 4, "seconds": seconds}
    hundred = await watched(port, in_turn(port, hundreds, **n_hundred))
    per_s = round(100 * hundred[0].per_s, 1)
    report["capacity, hundreds"] = {"molecules_per_s": per_s, **hundred[1]}
    if "half" in options.only:
        half = at_rate(port, ones, per_s=rate / 2, seconds=seconds)
        report["half load"] = {"asked_per_s": round(rate / 2, 1), **(await watched(port, half))[1]}
    if "overload" in options.only:
        for name, source, peak in (
            ("single", ones, rate),
            ("hundreds", hundreds, hundred[0].per_s),
        ):
            over = at_rate(port, source, per_s=10 * peak, seconds=seconds)
            tally, result = await watched(port, over)
            share = round(tally.per_s / peak, 3)
            result |= {"goodput_share": share, "429_without_retry_after": tally.unexplained}
            report[f"overload, {name}"] = {"asked_per_s": round(10 * peak, 1), **result}
            await asyncio.sleep(2)
    return report


async def watched(port: int, load: Any) -> tuple[Tally, dict[str, Any]]:
    """Run a load, ask ``/health/live`` meanwhile, and return the tally and its figures."""
    pipe = asyncio.subprocess.PIPE
    command = (sys.executable, str(ROOT / "benchmarks" / "alive.py"), str(port))
    asking = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe)
    tally = await load
    live, _ = await asking.communicate(b"")
    return tally, {**tally.report(), "live": json.loads(live)}


if __name__ == "__main__":
    main()
