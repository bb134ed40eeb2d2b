"""What a page is made for: a request that passed all checks, and whose console it came to."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from site_agent.console.exchange_state import ExchangeState
from site_agent.console.session import Session
from site_agent.site import Site
from site_agent.standing import exchange_in_words


@dataclass(frozen=True, slots=True)
class Request:
    """A request: its path below the session's, what follows it, and the fields of its form."""

    method: str
    path: str
    query: Mapping[str, str]
    fields: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Console:
    """One console: a hospital's agent, the session, whether the exchange answers.

    Each lock is held by one request at a time: no preview keeps a revocation waiting.
    """

    site: Site
    session: Session
    exchange: ExchangeState
    computing: threading.Lock = field(default_factory=threading.Lock)
    deciding: threading.Lock = field(default_factory=threading.Lock)
    fetching: threading.Lock = field(default_factory=threading.Lock)


def console(site: Site, session: Session, clock: Callable[[], float]) -> Console:
    """Return the console of a hospital. `clock` counts seconds."""
    return Console(site, session, ExchangeState(lambda: exchange_in_words(site), clock))
