"""Reading molecules for the network: in this process, or in others while it computes."""

import multiprocessing
import os
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from itertools import chain, islice
from typing import Final

from nmrshift.collector import collect_seldom
from nmrshift.graph.features import preset
from nmrshift.predict.packing import PackedChunk, pack, unpack
from nmrshift.predict.prepare import Prepared, echo, prepare_or_fail
from nmrshift.types import Failure, Query

CHUNK: Final = 512
AUTOMATIC_FROM: Final = CHUNK
"""Queries that are read in this process before the automatic choice starts others."""
_AHEAD: Final = 3
_MAX_AUTOMATIC: Final = 3
"""One process computes and writes; more readers than this only wait for it."""

Chunk = list[Prepared | Failure]
Settings = tuple[tuple[str, ...], tuple[str, ...], str]
"""Nuclei of the queries that name none, nuclei of the model, name of its feature preset."""


def automatic_workers() -> int:
    """Return how many reading processes suit the CPUs this process may use; 0 for a single one."""
    cpus = len(os.sched_getaffinity(0))
    return 0 if cpus < 2 else min(_MAX_AUTOMATIC, max(1, cpus // 4))


def prepare_stream(
    queries: Iterable[Query],
    nuclei: tuple[str, ...],
    known: tuple[str, ...],
    features: str,
    workers: int | None,
) -> Iterator[Chunk]:
    """Read queries in chunks, in order. What comes out does not depend on ``workers``.

    Args:
        queries: what was asked.
        nuclei: nuclei of the queries that name none.
        known: nuclei of the model; a query for another one fails.
        features: name of the model's feature preset.
        workers: processes that read; 0 reads here; ``None`` reads the first
            :data:`AUTOMATIC_FROM` queries here and leaves the rest to
            :func:`automatic_workers` processes.
    """
    chunks = _chunks(queries)
    settings = (nuclei, known, features)
    automatic = workers is None
    if workers is None:
        for first, chunk in islice(chunks, AUTOMATIC_FROM // CHUNK):
            yield prepare_chunk(first, chunk, *settings)
        workers = automatic_workers()
    if workers < 1:
        for first, chunk in chunks:
            yield prepare_chunk(first, chunk, *settings)
        return
    beginning = next(chunks, None)
    if beginning is not None:  # no process is started for nothing
        rest = chain((beginning,), chunks)
        yield from _read_elsewhere(rest, settings, workers, meanwhile=automatic)


def _read_elsewhere(
    chunks: Iterator[tuple[int, list[Query]]], settings: Settings, workers: int, *, meanwhile: bool
) -> Iterator[Chunk]:
    """Read chunks in other processes; if ``meanwhile``, in this one until the first is up."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, context, collect_seldom) as pool:
        up = pool.submit(preset, settings[-1])
        waiting: deque[Future[PackedChunk]] = deque()
        for first, chunk in chunks:
            if meanwhile and not up.done():
                yield prepare_chunk(first, chunk, *settings)
                continue
            waiting.append(pool.submit(_read_packed, first, chunk, settings))
            if len(waiting) >= workers + _AHEAD:
                yield unpack(waiting.popleft().result())
        while waiting:
            yield unpack(waiting.popleft().result())


def _read_packed(first: int, queries: list[Query], settings: Settings) -> PackedChunk:
    return pack(prepare_chunk(first, queries, *settings))


def prepare_chunk(
    first: int,
    queries: list[Query],
    nuclei: tuple[str, ...],
    known: tuple[str, ...],
    features: str,
) -> Chunk:
    """Read one chunk whose first query has the number ``first``."""
    chosen = preset(features)
    results: Chunk = []
    for index, query in enumerate(queries, start=first):
        unknown = [nucleus for nucleus in query.nuclei or () if nucleus not in known]
        if unknown:
            results.append(_unknown_nucleus(query, index, unknown, known))
        else:
            results.append(prepare_or_fail(query, index, nuclei, chosen))
    return results


def _unknown_nucleus(
    query: Query, index: int, unknown: list[str], known: tuple[str, ...]
) -> Failure:
    return Failure(
        index,
        echo(query),
        query.name,
        "unknown_nucleus",
        f"the model does not predict {', '.join(unknown)}",
        f"It predicts {', '.join(known)}.",
    )


def _chunks(queries: Iterable[Query]) -> Iterator[tuple[int, list[Query]]]:
    iterator = iter(queries)
    first = 0
    while chunk := list(islice(iterator, CHUNK)):
        yield first, chunk
        first += len(chunk)
