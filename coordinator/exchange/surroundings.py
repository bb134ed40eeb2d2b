"""What all routes of one exchange work with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Depends, Request

from coordinator.exchange.mail import Bells, Watch
from coordinator.exchange.metrics import Metrics
from coordinator.exchange.store import Store
from site_agent.contract.party import Member


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Store, center, clock (Unix seconds), largest message, what wakes polls, metrics."""

    store: Store
    center: Member
    clock: Callable[[], float]
    largest_message: int
    watch: Watch
    bells: Bells = field(default_factory=Bells)
    metrics: Metrics = field(default_factory=Metrics)


def surroundings(request: Request) -> Surroundings:
    """Return what the application of this request works with."""
    found: Surroundings = request.app.state.surroundings
    return found


Here = Annotated[Surroundings, Depends(surroundings)]
