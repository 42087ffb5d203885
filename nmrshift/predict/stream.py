"""Reading molecules for the network: in this process, or in others while it computes."""

import multiprocessing
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from itertools import islice

from nmrshift.graph.features import preset
from nmrshift.predict.prepare import Prepared, echo, prepare_or_fail
from nmrshift.types import Failure, Query

CHUNK = 256
_AHEAD = 3

Chunk = list[Prepared | Failure]


def prepare_stream(
    queries: Iterable[Query],
    nuclei: tuple[str, ...],
    known: tuple[str, ...],
    features: str,
    workers: int,
) -> Iterator[Chunk]:
    """Read queries in chunks, in order.

    Args:
        queries: what was asked.
        nuclei: nuclei of the queries that name none.
        known: nuclei of the model; a query for another one fails.
        features: name of the model's feature preset.
        workers: processes that read; 0 reads here.
    """
    chunks = _chunks(queries)
    if workers < 1:
        for first, chunk in chunks:
            yield prepare_chunk(first, chunk, nuclei, known, features)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context) as pool:
        waiting: deque[Future[Chunk]] = deque()
        for first, chunk in chunks:
            waiting.append(pool.submit(prepare_chunk, first, chunk, nuclei, known, features))
            if len(waiting) >= workers + _AHEAD:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


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
