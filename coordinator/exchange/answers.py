"""What every answer has in common: its headers, and one form for all that goes wrong.

Nothing but problem+json tells of an error, whoever raised it: a rule of ours, the router, the
validation of a query, or a defect. A defect is logged by its type and place, never its text,
because the text could hold what somebody sent.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable, Sequence
from email.utils import formatdate
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from coordinator.exchange.bodies import misfits
from coordinator.exchange.metrics import Metrics
from site_agent.contract.problems import KINDS, MEDIA_TYPE, Problem
from site_agent.contract.requests import SCHEME

logger: Final = logging.getLogger("quorum.exchange")

HEADERS: Final = {
    "content-security-policy": "default-src 'none'",
    "x-content-type-options": "nosniff",
    "cache-control": "no-store",
}
RETRY_AFTER_S: Final = 2


def problem_response(problem: Problem, headers: dict[str, str] | None = None) -> Response:
    """Return the answer that tells of a problem."""
    own = dict(headers or {})
    if problem.status == 401:
        own["www-authenticate"] = SCHEME
    if problem.code == "store":
        own["retry-after"] = str(RETRY_AFTER_S)
    return JSONResponse(problem.document(), problem.status, own, media_type=MEDIA_TYPE)


def answer_problems(app: FastAPI, routes: Sequence[BaseRoute]) -> None:
    """Have the application tell of every error as a problem; `routes` are all of its own."""

    async def of_router(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        if error.status_code == KINDS["method"].status:
            allowed = ", ".join(_allowed(routes, request))
            return problem_response(
                Problem("method", f"this address takes {allowed}"), {"allow": allowed}
            )
        if error.status_code == KINDS["not_found"].status:
            return problem_response(
                Problem("not_found", "expected an address that /openapi.json lists")
            )
        return problem_response(Problem("malformed", "the request cannot be read"))

    app.add_exception_handler(Problem, _ours)
    app.add_exception_handler(HTTPException, of_router)
    app.add_exception_handler(RequestValidationError, _of_query)


async def _ours(_request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)
    return problem_response(error)


async def _of_query(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    return problem_response(Problem("malformed", misfits(error.errors())))


def _allowed(routes: Sequence[BaseRoute], request: Request) -> list[str]:
    """Return the methods of all routes at an address, not of the first alone."""
    found: set[str] = set()
    for route in routes:
        match, _ = route.matches(request.scope)
        if match is not Match.NONE:
            found |= set(getattr(route, "methods", None) or ())
    return sorted(found)


class Envelope:
    """Middleware around everything: common headers, metrics, and the answer to a defect."""

    def __init__(self, app: ASGIApp, *, clock: Callable[[], float], metrics: Metrics) -> None:
        self._app = app
        self._clock = clock
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and its answer back with what all answers have."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status = 0

        async def sent(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers["date"] = formatdate(self._clock(), usegmt=True)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        with self._metrics.timing(scope, lambda: status):
            try:
                await self._app(scope, receive, sent)
            except ClientDisconnect:
                return  # it went away in the middle of its body: nothing was done
            except Exception as error:
                logger.error("internal error: %s", place(error))
                if status == 0:
                    await problem_response(_defect())(scope, receive, sent)


def _defect() -> Problem:
    return Problem(
        "internal",
        "the exchange wrote the place of the defect into its log; the request may be sent again",
    )


def place(error: BaseException) -> str:
    """Return type and place of an unforeseen error, without its text."""
    frames: list[Any] = list(traceback.extract_tb(error.__traceback__))
    own = [frame for frame in frames if "/coordinator/" in frame.filename] or frames
    where = f" at {own[-1].filename.rpartition('/')[2]}:{own[-1].lineno}" if own else ""
    return f"{type(error).__name__}{where}"
