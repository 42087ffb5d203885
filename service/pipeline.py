"""From rows to answers: what has been answered before is looked up, the rest is lined up."""

from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import replace
from functools import partial

from nmrshift.io.wire import Answer
from nmrshift.types import Failure, Query
from service.cache import Key, ResultCache
from service.estimate import estimated_atoms
from service.loaded import Loaded
from service.metrics import Metrics
from service.options import Options
from service.settings import Settings
from service.tickets import Answers, Item, Ticket


class Pipeline:
    """Answers rows, by any model, from any thread.

    Args:
        settings: size of the cache.
        metrics: told what happens.
    """

    def __init__(self, settings: Settings, metrics: Metrics) -> None:
        self._metrics = metrics
        self._cache = ResultCache(settings.cache_atoms)

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
        ticket = Ticket(options, len(rows), first=first, is_background=is_background)
        ticket.future.add_done_callback(self._count)
        if not rows:
            ticket.future.set_result([])
        items: list[Item] = []
        for position, row in enumerate(rows):
            if isinstance(row, Failure):
                ticket.deliver(position, row)
                continue
            query = _complete(row, options)
            key = _key(query, options, loaded.answerers.key)
            found = self._look_up(key, query)
            if found is not None:
                ticket.deliver(position, found)
            else:
                keep = partial(self._keep, key)
                items.append(Item(ticket, position, query, estimated_atoms(query), keep))
        if items:
            loaded.answerers.put(items)
        return ticket.future

    def _look_up(self, key: Key | None, query: Query) -> Answer | None:
        found = None if key is None else self._cache.get(key)
        self._metrics.cache_lookups.labels("miss" if found is None else "hit").inc()
        return None if found is None else replace(found, name=query.name)

    def _keep(self, key: Key | None, answer: Answer) -> None:
        if key is not None and not isinstance(answer, Failure):
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


def _key(query: Query, options: Options, model: str) -> Key | None:
    """Return the key of a result; molecules that are no text have none."""
    if not isinstance(query.structure, str):
        return None
    return Key(
        model,
        query.structure,
        query.solvent,
        query.source,
        query.nuclei or options.nuclei,
        options.interval,
        options.references,
        options.as_text,
    )
