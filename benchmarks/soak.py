"""Memory of a server and all its processes against the number of requests."""

import asyncio
import itertools
import json
from pathlib import Path
from typing import Any

from http_load import get, in_turn, post
from processes import descendants_of
from server import Server

WARM_UP_SHARE = 0.25
N_SAMPLES = 60


async def soak(server: Server, texts: list[str], minutes: float) -> dict[str, Any]:
    """Ask for molecules, one or ten a request, some bad, some pictures, and watch the memory.

    The slope is that of a straight line through all samples after the first quarter of the time:
    processes load what they need and caches fill in it.
    """
    requests = itertools.cycle(_requests(texts))
    samples: list[tuple[int, float]] = []
    statuses: dict[int, int] = {}
    n_requests = 0
    n_samples = max(8, min(N_SAMPLES, round(4 * minutes)))
    for _ in range(n_samples):
        seconds = 60 * minutes / n_samples
        tally = await in_turn(server.port, requests, n_connections=8, seconds=seconds)
        for status, n in tally.statuses.items():
            statuses[status] = statuses.get(status, 0) + n
            n_requests += n
        await asyncio.sleep(0.2)
        samples.append((n_requests, _tree_mb(server.process.pid)))
    kept = samples[int(WARM_UP_SHARE * len(samples)) :]
    return {
        "minutes": minutes,
        "requests": n_requests,
        "statuses": {str(status): n for status, n in sorted(statuses.items())},
        "mb_after_warm_up": round(kept[0][1], 1),
        "mb_at_the_end": round(kept[-1][1], 1),
        "mb_per_10000_requests": round(1e4 * _slope(kept), 2),
        "samples": [[n, round(mb, 1)] for n, mb in samples],
    }


def _requests(texts: list[str]) -> list[bytes]:
    found = []
    for n in range(0, len(texts) - 10, 10):
        found.append(post("/v1/predict", json.dumps({"smiles": texts[n : n + 10]}).encode()))
        found += [
            post("/v1/predict", json.dumps({"smiles": text}).encode())
            for text in (*texts[n : n + 5], "C1CC", "x" * 500)
        ]
        if n % 100 == 0:
            found.append(post("/v1/draw", json.dumps({"smiles": texts[n]}).encode()))
            found += [get("/health/ready"), get("/metrics")]
    return found


def _tree_mb(pid: int) -> float:
    """Return the memory of a process and all it started; shared pages count once, by share."""
    total_kb = 0
    for one in (pid, *descendants_of(pid)):
        try:
            lines = Path(f"/proc/{one}/smaps_rollup").read_text("ascii").splitlines()
        except OSError:
            continue
        total_kb += next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return total_kb / 1024


def _slope(samples: list[tuple[int, float]]) -> float:
    """Return the slope of the line of least squares, MB a request."""
    mean_n = sum(n for n, _ in samples) / len(samples)
    mean_mb = sum(mb for _, mb in samples) / len(samples)
    spread = sum((n - mean_n) ** 2 for n, _ in samples)
    return sum((n - mean_n) * (mb - mean_mb) for n, mb in samples) / spread
