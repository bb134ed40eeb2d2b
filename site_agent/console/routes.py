"""Which page answers which path: all that the console has."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Final

from site_agent.console import actions, pages
from site_agent.console.answers import Answer, Problem
from site_agent.console.request import Console, Request

Page = Callable[[Console, Request], Answer]

LINK: Final = re.compile(r"link/[\w-]+", re.ASCII)
STUDY: Final = "studies/[0-9a-f]{64}"
ROUTES: Final[Mapping[re.Pattern[str], Mapping[str, Page]]] = {
    LINK: {"GET": actions.show_link, "POST": actions.use_link},
    re.compile(""): {"GET": pages.start},
    re.compile("fetch"): {"POST": actions.fetch},
    re.compile(STUDY): {"GET": pages.study},
    re.compile(f"{STUDY}/preview"): {"GET": actions.show_preview, "POST": actions.preview},
    re.compile(f"{STUDY}/approve"): {"GET": actions.show_approve, "POST": actions.approve},
    re.compile(f"{STUDY}/revoke"): {"GET": actions.show_revoke, "POST": actions.revoke},
    re.compile("ledger"): {"GET": pages.ledger},
    re.compile("state"): {"GET": pages.state},
    re.compile("end"): {"POST": actions.end},
}


def answer(console: Console, request: Request) -> Answer:
    """Return the answer to a request; Problem if there is no such page."""
    for pattern, methods in ROUTES.items():
        if pattern.fullmatch(request.path):
            page = methods.get(request.method)
            if page is None:
                raise Problem(
                    HTTPStatus.METHOD_NOT_ALLOWED,
                    f"This address takes {' and '.join(methods)} only.",
                    Allow=", ".join(methods),
                )
            return page(console, request)
    raise Problem(HTTPStatus.NOT_FOUND, "There is no such page.")
