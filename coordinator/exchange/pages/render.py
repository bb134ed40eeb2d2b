"""Pages as they are sent: HTML made here, one style sheet, no script, nothing from anywhere else.

Links and forms lead to addresses relative to the page, so that a proxy may serve the exchange under
a prefix.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Final

from fastapi import Request
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from starlette.responses import HTMLResponse, RedirectResponse, Response

from coordinator.exchange.accounts import Visitor
from coordinator.exchange.auth import instant
from site_agent.runtime.policy import style_source

PREFIX: Final = "/pages/"
PACKAGE: Final = "coordinator.exchange.pages"
# A report brings its own policy, which names its style sheet; this one lets it do no more.
OF_REPORTS: Final = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
SEE_OTHER: Final = 303
KIB: Final = 1024


def page(
    request: Request,
    template: str,
    *,
    visitor: Visitor | None = None,
    status: int = 200,
    **told: Any,
) -> Response:
    """Return a page of a template, for who is logged in."""
    text = (
        _environment()
        .get_template(template)
        .render(root=root(request), visitor=visitor, style=Markup(_style()), **told)
    )
    return HTMLResponse(text, status, headers=_headers())


def root(request: Request) -> str:
    """Return the way from the page that is asked for to the first one."""
    below = request.url.path.partition(PREFIX)[2]
    return "../" * below.count("/") or "./"


def see_other(request: Request, where: str) -> Response:
    """Send on to another page, by its address below the first one."""
    return RedirectResponse(root(request) + where, SEE_OTHER)


def sent_file(body: bytes, media_type: str, *, name: str = "") -> Response:
    """Return a file; with a name it is one to be kept."""
    headers: Mapping[str, str] = {"content-security-policy": OF_REPORTS}
    if name:
        headers = {**headers, "content-disposition": f'attachment; filename="{name}"'}
    return Response(body, headers=headers, media_type=media_type)


def when(seconds: int | None) -> Markup:
    """Return an instant for people, to the minute in UTC; "never" for none."""
    if seconds is None:
        return Markup("never")
    exact = instant(seconds)
    return Markup('<time datetime="{}">{} {} UTC</time>').format(exact, exact[:10], exact[11:16])


def size(count: int) -> str:
    """Return a number of bytes for people."""
    if count < KIB:
        return f"{count} bytes"
    return f"{count / KIB:.0f} KiB" if count < KIB * KIB else f"{count / KIB / KIB:.1f} MiB"


def _headers() -> dict[str, str]:
    policy = (
        f"default-src 'none'; style-src {style_source(_style())}; img-src data:; "
        f"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
    return {"content-security-policy": policy, "referrer-policy": "same-origin"}


@cache
def _style() -> str:
    return files(PACKAGE).joinpath("pages.css").read_text(encoding="utf-8")


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader(PACKAGE, ""),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(when=when, size=size)
    return environment
