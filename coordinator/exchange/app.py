"""The application: its routes, its answers to errors, and what it is given to work with."""

from __future__ import annotations

import time
from collections.abc import Callable

from fastapi import FastAPI

from coordinator.exchange import routes, unsigned
from coordinator.exchange.answers import Envelope, answer_problems
from coordinator.exchange.bodies import LARGEST_MESSAGE
from coordinator.exchange.mail import Watch
from coordinator.exchange.openapi import PROBLEMS
from coordinator.exchange.pages import routes as pages
from coordinator.exchange.store import Store
from coordinator.exchange.surroundings import Surroundings
from site_agent.contract.party import Member
from site_agent.contract.version import VERSION


def create_app(
    store: Store,
    center: Member,
    *,
    clock: Callable[[], float] = time.time,
    largest_message: int = LARGEST_MESSAGE,
) -> FastAPI:
    """Return the exchange of one center over a store; `clock()` gives Unix seconds."""
    here = Surroundings(store, center, clock, largest_message, Watch(store))
    store.on_end = here.metrics.transaction
    app = FastAPI(
        title="Quorum exchange",
        version=VERSION,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        responses=PROBLEMS,
    )
    app.state.surroundings = here
    app.include_router(unsigned.router)
    app.include_router(routes.router)
    app.include_router(pages.router)
    answer_problems(app, [*unsigned.router.routes, *routes.router.routes, *pages.router.routes])
    app.add_middleware(Envelope, clock=clock, metrics=here.metrics)
    return app
