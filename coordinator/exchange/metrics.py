"""What an operator may want to watch, for Prometheus: counts and times, no name of a site."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)
from starlette.types import Scope

from coordinator.exchange.releases import RELEASE
from coordinator.exchange.store import Store

MEDIA_TYPE: Final = CONTENT_TYPE_LATEST
SECONDS: Final = (0.005, 0.02, 0.1, 0.5, 2.0, 10.0, 35.0)
METHODS: Final = frozenset({"GET", "PUT", "POST"})


class Metrics:
    """The metrics of one exchange process, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        own = self.registry
        self.requests = Counter(
            "quorum_exchange_requests",
            "Answers given.",
            ["method", "route", "status"],
            registry=own,
        )
        self.seconds = Histogram(
            "quorum_exchange_request_seconds",
            "Time from request to answer; long polls wait on purpose.",
            ["route"],
            buckets=SECONDS,
            registry=own,
        )
        self.polls = Gauge("quorum_exchange_polls", "Long polls waiting.", registry=own)
        self.taken = Counter(
            "quorum_exchange_messages", "Messages put into the log.", ["kind"], registry=own
        )
        self.taken_bytes = Counter(
            "quorum_exchange_message_bytes", "Their bytes.", ["kind"], registry=own
        )
        self.transactions = Histogram(
            "quorum_exchange_transaction_seconds",
            "Time of a transaction with its retries.",
            ["name"],
            buckets=SECONDS,
            registry=own,
        )
        self.retries = Counter(
            "quorum_exchange_transaction_retries", "Transactions tried again.", registry=own
        )
        self.sites = Gauge("quorum_exchange_sites", "Enrolled sites.", registry=own)
        self.releases = Gauge(
            "quorum_exchange_releases", "Releases by state.", ["state"], registry=own
        )

    @contextmanager
    def timing(self, scope: Scope, status: Callable[[], int]) -> Iterator[None]:
        """Count a request and its time, under its route and never under its whole address."""
        began = time.monotonic()
        try:
            yield
        finally:
            route = getattr(scope.get("route"), "path", "none")
            method = scope["method"] if scope["method"] in METHODS else "other"
            self.requests.labels(method, route, str(status())).inc()
            self.seconds.labels(route).observe(time.monotonic() - began)

    def transaction(self, name: str, seconds: float, retries: int) -> None:
        """Note a transaction that has ended."""
        self.transactions.labels(name).observe(seconds)
        self.retries.inc(retries)

    def message(self, kind: str, size: int) -> None:
        """Note a message that was put into the log."""
        self.taken.labels(kind).inc()
        self.taken_bytes.labels(kind).inc(size)

    def exposition(self, store: Store) -> bytes:
        """Return all metrics as text, those of the log as it is now."""
        sites = store.read("count sites", lambda tx: len(tx.directory.parties()))
        states = store.read("count releases", lambda tx: tx.log.count_releases())
        self.sites.set(sites)
        for state in RELEASE:
            self.releases.labels(state).set(states.get(state, 0))
        return generate_latest(self.registry)
