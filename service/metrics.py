"""What Prometheus is told: counts and times, never a structure."""

from collections.abc import Iterable
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from nmrshift.io.wire import Answer
from nmrshift.types import Failure

CONTENT_TYPE: Final[str] = "text/plain; version=0.0.4; charset=utf-8"

_SECONDS: Final = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
_SIZES: Final = (1, 2, 4, 8, 16, 32, 64, 128)


class Metrics:
    """The figures of one application, in a registry of its own.

    Attributes:
        requests: answered requests by route template, method and status.
        request_seconds: time to the end of the answer, by route template.
        molecules: outcomes of molecules by code, ``ok`` for predictions.
        batch_molecules: molecules that were answered together.
        cache_lookups: results looked up, by ``hit`` or ``miss``.
        workers_replaced: processes that answer or draw replaced, by reason.
        queued_molecules: molecules of requests that are being answered.
        reloads: model reloads by outcome.
        jobs: jobs ended, by status.
    """

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self.requests = self._counter("requests", "Requests.", ("route", "method", "status"))
        self.request_seconds = Histogram(
            "nmrshift_request_seconds",
            "Time to the end of the answer, by route.",
            ("route",),
            buckets=_SECONDS,
            registry=self._registry,
        )
        self.molecules = self._counter("molecules", "Molecules by outcome.", ("code",))
        self.batch_molecules = Histogram(
            "nmrshift_batch_molecules",
            "Molecules that were answered together.",
            buckets=_SIZES,
            registry=self._registry,
        )
        self.cache_lookups = self._counter("cache_lookups", "Results looked up.", ("outcome",))
        self.workers_replaced = self._counter(
            "workers_replaced", "Processes that answer or draw replaced.", ("reason",)
        )
        self.queued_molecules = Gauge(
            "nmrshift_queued_molecules",
            "Molecules of requests that are being answered.",
            registry=self._registry,
        )
        self.reloads = self._counter("reloads", "Model reloads.", ("outcome",))
        self.jobs = self._counter("jobs", "Jobs ended.", ("status",))

    def count(self, answers: Iterable[Answer]) -> None:
        """Count the outcomes of molecules."""
        for answer in answers:
            code = answer.code if isinstance(answer, Failure) else "ok"
            self.molecules.labels(code).inc()

    def text(self) -> bytes:
        """Return all figures in Prometheus' text form."""
        return generate_latest(self._registry)

    def _counter(self, name: str, what: str, labels: tuple[str, ...]) -> Counter:
        return Counter(f"nmrshift_{name}", what, labels, registry=self._registry)
