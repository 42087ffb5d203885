"""A server some of whose molecules hang, or crash the process that reads them."""

import asyncio
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from http_load import Reply, at_rate, in_turn, post
from server import running

PREDICT = "/v1/predict"
APP = "poison:app"
HANGING, CRASHING = 0.05, 0.01
OK = 200
SAME_PPM = 0.0015
CODES = {"hang": "timeout", "crash": "crashed"}


def poisoned(
    model: Path, texts: list[str], per_s: float, seconds: float, settings: dict[str, Any]
) -> dict[str, Any]:
    """Ask for good molecules only, then for the same with poison among them.

    Returns:
        Times of the good ones in both cases, and how many of them came out otherwise.
    """
    with running(model, app=APP, **settings) as server:
        return asyncio.run(_compare(server.port, texts, per_s, seconds))


async def _compare(port: int, texts: list[str], per_s: float, seconds: float) -> dict[str, Any]:
    texts = texts[: int(per_s * seconds * 1.5) + 1]
    bodies = {text: _request(text, None) for text in texts}
    expected: dict[str, Any] = {}
    await in_turn(port, iter(list(bodies.values())[:50] * 2), n_connections=4, seconds=3)

    def remember(request: bytes, reply: Reply) -> None:
        if reply.status == OK:
            expected[_text_of(request)] = _shifts(reply)

    clean = await at_rate(port, iter(bodies.values()), per_s=per_s, seconds=seconds, check=remember)
    counts = {"good": 0, "refused": 0, "wrong": 0, "hang": 0, "crash": 0, "miscoded": 0}
    took_s: list[float] = []

    def compare(request: bytes, reply: Reply) -> None:
        name = json.loads(request.partition(b"\r\n\r\n")[2])["molecules"][0].get("name")
        if name:
            counts[name] += 1
            counts["miscoded"] += _code(reply) != CODES[name]
            return
        counts["good"] += 1
        if reply.status != OK:
            counts["refused"] += 1
            return
        took_s.append(reply.took_s)
        shifts_ppm = _shifts(reply)
        counts["wrong"] += not _alike(shifts_ppm, expected.get(_text_of(request), shifts_ppm))

    await at_rate(port, _mixed(list(expected)), per_s=per_s, seconds=seconds, check=compare, seed=1)
    took_s.sort()
    p99_ms = round(1e3 * took_s[int(0.99 * len(took_s))], 1)
    p50_ms = round(1e3 * took_s[len(took_s) // 2], 1)
    return {
        "asked_per_s": per_s,
        "clean": {"p50_ms": clean.percentile_ms(50), "p99_ms": clean.percentile_ms(99)},
        "good among poison": {"p50_ms": p50_ms, "p99_ms": p99_ms},
        "p99_times_clean": round(p99_ms / (clean.percentile_ms(99) or 1.0), 2),
        **counts,
    }


def _mixed(texts: list[str]) -> Iterator[bytes]:
    randomly = random.Random(2)
    while True:
        for text in texts:
            draw = randomly.random()
            name = "hang" if draw < HANGING else "crash" if draw < HANGING + CRASHING else None
            yield _request(text, name)


def _request(text: str, name: str | None) -> bytes:
    molecule = {"smiles": text} | ({"name": name} if name else {})
    return post(PREDICT, json.dumps({"molecules": [molecule]}).encode())


def _text_of(request: bytes) -> str:
    text: str = json.loads(request.partition(b"\r\n\r\n")[2])["molecules"][0]["smiles"]
    return text


def _code(reply: Reply) -> str | None:
    if reply.status != OK:
        return None
    code: str | None = json.loads(reply.body)["predictions"][0].get("code")
    return code


def _shifts(reply: Reply) -> list[float]:
    (row,) = json.loads(reply.body)["predictions"]
    return [atom["shift_ppm"] for atom in row.get("atoms", [])]


def _alike(found_ppm: list[float], expected_ppm: list[float]) -> bool:
    """Say whether shifts are the same; batches of other sizes differ in the last digit given."""
    pairs = zip(found_ppm, expected_ppm, strict=False)
    return len(found_ppm) == len(expected_ppm) and all(abs(a - b) < SAME_PPM for a, b in pairs)
