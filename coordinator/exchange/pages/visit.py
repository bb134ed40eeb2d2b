"""Who visits a page, and what they send with a form.

The session's token is in a cookie that scripts cannot read, that goes over TLS alone (browsers make
an exception for this machine) and never along with what another site makes a browser do. A form
counts if it holds the token that stands in the forms of this session.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Coroutine
from typing import Annotated, Any, Final
from urllib.parse import parse_qsl

from fastapi import Depends, Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.responses import Response

from coordinator.exchange import accounts
from coordinator.exchange.accounts import Visitor
from coordinator.exchange.auth import bounded_body
from coordinator.exchange.bodies import LARGEST_JSON
from coordinator.exchange.pages.render import page, see_other
from coordinator.exchange.surroundings import surroundings
from site_agent.contract.problems import Problem

COOKIE: Final = "__Host-quorum"
MOST_FIELDS: Final = 20
HERE: Final = ("same-origin", "none", "")

Form = dict[str, str]
Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class LoginNeeded(Exception):
    """Nobody is logged in."""


class PageRoute(APIRoute):
    """A route that answers people: what goes wrong is a page, and without a login the login is."""

    def get_route_handler(self) -> Handler:
        """Return the handler of the route."""
        handler = super().get_route_handler()

        async def answered(request: Request) -> Response:
            try:
                return await handler(request)
            except LoginNeeded:
                return see_other(request, "login")
            except RequestValidationError:
                return page(request, "message.html", status=404, text="There is no such page.")
            except Problem as problem:
                return page(request, "message.html", status=problem.status, text=problem.detail)

        return answered


def token(request: Request) -> str:
    """Return the token of a session, if the request has one."""
    return request.cookies.get(COOKIE, "")


def visitor(request: Request) -> Visitor:
    """Return who is logged in; LoginNeeded if nobody is."""
    here = surroundings(request)
    found = accounts.visitor(here.store, token(request), here.clock()) if token(request) else None
    if found is None:
        raise LoginNeeded
    return found


def at_least(role: str) -> Callable[[Visitor], Visitor]:
    """Return the dependency of a page for this role and those above."""

    def allowed(found: Anybody) -> Visitor:
        if not found.may(role):
            raise Problem("forbidden", f"This page is for a {role}, and you are a {found.role}.")
        return found

    return allowed


async def form(request: Request) -> Form:
    """Return the fields of a form that was sent from one of our own pages."""
    if request.headers.get("sec-fetch-site", "") not in HERE:
        raise Problem("forbidden", "The form was sent from another site.")
    body = await bounded_body(request, LARGEST_JSON)
    try:
        text = body.decode("utf-8")
        return dict(parse_qsl(text, keep_blank_values=True, max_num_fields=MOST_FIELDS))
    except ValueError:
        raise Problem("malformed", "The form cannot be read.") from None


def address(request: Request) -> str:
    """Return where a request came from, as far as it is known."""
    return request.client.host if request.client else ""


Anybody = Annotated[Visitor, Depends(visitor)]
Statistician = Annotated[Visitor, Depends(at_least("statistician"))]
Admin = Annotated[Visitor, Depends(at_least("admin"))]
AnyForm = Annotated[Form, Depends(form)]


def own_form(found: Anybody, fields: AnyForm) -> Form:
    """Return the fields of a form that the visitor's own session has shown."""
    if not hmac.compare_digest(fields.get("form_token", "").encode(), found.form_token.encode()):
        raise Problem(
            "forbidden", "The form is of another session. Go back, load the page again, send it."
        )
    return fields


OwnForm = Annotated[Form, Depends(own_form)]
