"""Sees to it that there are as many processes as there should be."""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any, Final

from anyio import to_thread

from service.apart.owner import BrokenNurseryError, Nursery
from service.apart.task import Described
from service.apart.worker import Foreman, Worker
from service.metrics import Metrics

_LOG = logging.getLogger("nmrshift.service")

_PAUSE_S: Final[float] = 0.5
"""Before another process is tried where the last one did not get as far as to say so."""


class Breeder:
    """Forks processes and replaces those that die, and the nursery should it die.

    Args:
        nursery: forks them.
        about: the model that it has loaded, the same whenever it has to be started again.
        foreman: told of them.
        n_workers: processes to have at any time.
        most_aside: processes to have at most that have been set aside.
        metrics: told when the nursery dies.
    """

    def __init__(
        self,
        nursery: Nursery,
        about: Described,
        foreman: Foreman,
        *,
        n_workers: int,
        most_aside: int,
        metrics: Metrics,
    ) -> None:
        self._nursery = nursery
        self._about = about
        self._foreman = foreman
        self._n_workers = n_workers
        self._most_aside = most_aside
        self._metrics = metrics
        self._loop = asyncio.get_running_loop()
        self._workers: set[Worker] = set()
        self._aside: set[Worker] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._watched: int | None = None
        self._is_closing = False

    def start(self) -> None:
        """Start the processes of a nursery that has been described."""
        self._watched = self._nursery.descriptor
        if self._watched is not None:
            self._loop.add_reader(self._watched, self._on_nursery_lost)
        self._fill()

    async def close(self) -> None:
        """End everything, for good."""
        self._is_closing = True
        self._unwatch()
        for task in self._tasks:
            task.cancel()
        for worker in (*self._workers, *self._aside):
            worker.kill()
        await to_thread.run_sync(self._nursery.close)

    @property
    def may_set_aside(self) -> bool:
        """Whether another process may be set aside."""
        return len(self._aside) < self._most_aside

    def set_aside(self, worker: Worker) -> None:
        """Have another process in the place of one."""
        self._workers.discard(worker)
        self._aside.add(worker)
        self._fill()

    def on_lost(self, worker: Worker) -> None:
        """Replace a process, unless that has been done already."""
        self._workers.discard(worker)
        self._aside.discard(worker)
        if worker.is_ready:
            self._fill()
        else:
            self._loop.call_later(_PAUSE_S, self._fill)

    def _fill(self) -> None:
        while len(self._workers) < self._n_workers and self._watched is not None:
            self._fork()

    def _fork(self) -> None:
        try:
            connection, page = self._nursery.fork()
        except OSError:
            self._on_nursery_lost()
            return
        worker = Worker(self._foreman, page)
        self._workers.add(worker)
        self._begin(self._connect(worker, connection))

    async def _connect(self, worker: Worker, connection: Any) -> None:
        await self._loop.create_unix_connection(lambda: worker, sock=connection)

    def _on_nursery_lost(self) -> None:
        self._unwatch()
        if self._is_closing:
            return
        self._metrics.workers_replaced.labels("nursery").inc()
        self._begin(self._replace_nursery())

    async def _replace_nursery(self) -> None:
        """Start the nursery again, again and again if need be; its processes live on meanwhile."""
        while True:
            try:
                about = await to_thread.run_sync(self._nursery.described, abandon_on_cancel=True)
            except (OSError, BrokenNurseryError) as error:
                _LOG.error("no process can be started: %s", error)
            else:
                if about.info.sha256 == self._about.info.sha256:
                    break
                _LOG.error("no process can be started: the model folder holds another model now")
            await asyncio.sleep(_PAUSE_S)
        self.start()

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _unwatch(self) -> None:
        if self._watched is not None:
            self._loop.remove_reader(self._watched)
            self._watched = None
