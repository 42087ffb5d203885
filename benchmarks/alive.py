"""Asks ``/health/live`` ten times a second, in a process of its own, until it is told to end.

    python benchmarks/alive.py PORT

A client that sends a thousand requests a second would measure itself. Prints the times of the
answers when its standard input is closed.
"""

import http.client
import json
import select
import sys
import time
from typing import Any

PAUSE_S = 0.1


def main() -> None:
    """Ask and print."""
    connection = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]), timeout=60)
    took_ms: list[float] = []
    n_bad = 0
    while not select.select([sys.stdin], [], [], PAUSE_S)[0]:
        start_s = time.perf_counter()
        connection.request("GET", "/health/live")
        reply = connection.getresponse()
        reply.read()
        took_ms.append(1e3 * (time.perf_counter() - start_s))
        n_bad += reply.status != 200
    sys.stdout.write(json.dumps(figures(took_ms, n_bad)))


def figures(took_ms: list[float], n_bad: int) -> dict[str, Any]:
    """Return what is reported."""
    ranked = sorted(took_ms)
    if not ranked:
        return {"asked": 0}
    p99_ms = ranked[min(len(ranked) - 1, int(0.99 * len(ranked)))]
    return {
        "asked": len(ranked),
        "p99_ms": round(p99_ms, 1),
        "max_ms": round(ranked[-1], 1),
        "not_200": n_bad,
    }


if __name__ == "__main__":
    main()
