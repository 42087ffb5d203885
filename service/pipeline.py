"""From rows to answers: cache, reading in other processes, the network, each on its own threads."""

from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import replace
from functools import partial
from typing import Final

from nmrshift.predict.prepare import Prepared
from nmrshift.types import Failure, Prediction, Query
from service.batcher import Batcher, Item
from service.cache import Key, ResultCache
from service.loaded import CANARY, Loaded
from service.metrics import Metrics
from service.options import Options
from service.reading.pool import ReaderPool
from service.settings import BYTES_PER_MB, Settings
from service.tickets import Answers, Ticket, wait_for

READ: Final[str] = "service.reading.task:read_query"
_INTERACTIVE: Final[int] = 0
_BACKGROUND: Final[int] = 1
_TRIES: Final[int] = 3


class Pipeline:
    """Answers rows, for any model, from any thread.

    Args:
        settings: sizes and deadlines.
        metrics: told what happens.
        read: ``module:function`` that reads one molecule in a reading process.
    """

    def __init__(self, settings: Settings, metrics: Metrics, read: str = READ) -> None:
        self._metrics = metrics
        self._closing = False
        self._cache = ResultCache(settings.cache_atoms)
        self._pool = ReaderPool(
            read,
            n_readers=settings.readers,
            deadline_s=settings.molecule_timeout_s,
            memory_bytes=settings.reader_memory_mb * BYTES_PER_MB,
            metrics=metrics,
        )
        self._batcher = Batcher(
            n_threads=settings.threads,
            max_molecules=settings.batch_molecules,
            max_wait_s=settings.batch_wait_ms / 1000,
            n_coming=lambda: self._pool.n_waiting,
            metrics=metrics,
        )

    def start(self) -> None:
        """Start the threads."""
        self._pool.start()
        self._batcher.start()

    def close(self) -> None:
        """Stop the threads and end the processes."""
        self._closing = True
        self._pool.close()
        self._batcher.close()

    def try_out(self, loaded: Loaded) -> None:
        """Send the canary molecule all the way, so that the reading processes are up as well.

        Raises:
            RuntimeError: it does not come out as the model itself predicts it.
        """
        if loaded.features is None:
            return
        options = Options(loaded.predictor.nuclei, None, None, 0.9)
        for _ in range(_TRIES):
            (answer,) = wait_for(self.submit(loaded, [CANARY], options), lambda: self._closing)
            if isinstance(answer, Prediction):
                if not loaded.is_canary(tuple(atom.shift_ppm for atom in answer.atoms)):
                    raise RuntimeError("the canary molecule comes out otherwise when read apart")
                return
        raise RuntimeError("the canary molecule cannot be read apart")

    def submit(
        self,
        loaded: Loaded,
        rows: Sequence[Query | Failure],
        options: Options,
        *,
        first: int = 0,
        is_background: bool = False,
    ) -> "Future[Answers]":
        """Have rows answered.

        Args:
            loaded: the model.
            rows: queries, and failures that stay in their places.
            options: settings of queries that name none.
            first: index of the first row.
            is_background: whether all others go first.

        Returns:
            The answers to be, in order; cancel it if nobody waits any longer.
        """
        ticket = Ticket(loaded, options, len(rows), first=first, is_background=is_background)
        ticket.future.add_done_callback(self._count)
        if not rows:
            ticket.future.set_result([])
        unread: list[tuple[int, Query]] = []
        for position, row in enumerate(rows):
            if isinstance(row, Failure):
                ticket.deliver(position, row)
                continue
            query = _complete(row, options)
            found = self._look_up(query, ticket)
            if found is not None:
                ticket.deliver(position, found)
            elif loaded.features is None:
                self._put(ticket, {position: query}, position, query)
            else:
                unread.append((position, query))
        self._read(ticket, unread)
        return ticket.future

    def _read(self, ticket: Ticket, unread: list[tuple[int, Query]]) -> None:
        if unread:
            self._pool.read(
                unread,
                ticket.loaded.reading(ticket.options),
                partial(self._put, ticket, dict(unread)),
                lambda: ticket.is_wanted,
                priority=_BACKGROUND if ticket.is_background else _INTERACTIVE,
            )

    def _put(
        self,
        ticket: Ticket,
        queries: dict[int, Query],
        position: int,
        ready: Prepared | Query | Failure,
    ) -> None:
        """Pass a molecule that has been read on to the network."""
        if isinstance(ready, Failure):
            ticket.deliver(position, ready)
            return
        keep = partial(self._keep, _key(queries[position], ticket))
        self._batcher.put(Item(ticket, position, ready, keep))

    def _look_up(self, query: Query, ticket: Ticket) -> Prediction | None:
        key = _key(query, ticket)
        found = None if key is None else self._cache.get(key)
        self._metrics.cache_lookups.labels("miss" if found is None else "hit").inc()
        return None if found is None else replace(found, name=query.name)

    def _keep(self, key: Key | None, answer: Prediction | Failure) -> None:
        if key is not None and isinstance(answer, Prediction):
            self._cache.put(key, answer)

    def _count(self, future: "Future[Answers]") -> None:
        if not future.cancelled() and future.exception() is None:
            self._metrics.count(future.result())


def _complete(query: Query, options: Options) -> Query:
    """Fill in what a query leaves to the request."""
    if query.solvent is not None and query.source is not None:
        return query
    return replace(
        query,
        solvent=options.solvent if query.solvent is None else query.solvent,
        source=options.source if query.source is None else query.source,
    )


def _key(query: Query, ticket: Ticket) -> Key | None:
    """Return the key of a result; molecules that are no text have none."""
    if not isinstance(query.structure, str):
        return None
    options = ticket.options
    nuclei = query.nuclei or options.nuclei
    return Key(
        ticket.loaded.key,
        query.structure,
        query.solvent,
        query.source,
        nuclei,
        options.interval,
        options.references,
    )
