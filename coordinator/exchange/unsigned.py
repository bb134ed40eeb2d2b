"""The addresses that anybody may ask: is it there, does it work, how is it doing."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from coordinator.exchange.metrics import MEDIA_TYPE
from coordinator.exchange.surroundings import Here
from site_agent.contract.version import VERSION

router = APIRouter()


@router.get("/healthz")
async def healthz() -> dict[str, str]:
    """The process runs."""
    return {"status": "ok"}


@router.get("/readyz")
def readyz(here: Here) -> dict[str, str]:
    """The database answers too."""
    here.store.read("ready", lambda tx: tx.log.count_releases())
    return {"status": "ok"}


@router.get("/metrics")
def metrics(here: Here) -> Response:
    """Metrics for Prometheus."""
    return Response(here.metrics.exposition(here.store), media_type=MEDIA_TYPE)


@router.get("/v1/")
async def version() -> dict[str, Any]:
    """This is an exchange, and of this version."""
    return {"quorum": 1, "exchange": VERSION}
