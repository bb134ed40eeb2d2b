"""The addresses below /pages/: each reads what it shows, or does what a form asks for."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Path, Request
from starlette.responses import Response

from coordinator.exchange import accounts, passwords, reports
from coordinator.exchange.accounts import Visitor
from coordinator.exchange.pages import found
from coordinator.exchange.pages.render import page, see_other, sent_file
from coordinator.exchange.pages.visit import (
    COOKIE,
    Admin,
    Anybody,
    AnyForm,
    OwnForm,
    PageRoute,
    Statistician,
    address,
    token,
)
from coordinator.exchange.reports import Report
from coordinator.exchange.roles import ROLES
from coordinator.exchange.surroundings import Here, Surroundings
from site_agent.contract import archive
from site_agent.contract.errors import ConfigurationError
from site_agent.contract.problems import Problem
from site_agent.contract.reports import REPORTS

TYPES: Final = {"report.html": "text/html; charset=utf-8", "report.pdf": "application/pdf"}

router = APIRouter(prefix="/pages", route_class=PageRoute, include_in_schema=False)

Opened = Annotated[str, Path(pattern="^[0-9a-f]{64}$")]


@router.get("/login")
def get_login(request: Request) -> Response:
    """Ask for name and password."""
    return page(request, "login.html", problem="", name="")


@router.post("/login")
def post_login(request: Request, fields: AnyForm, here: Here) -> Response:
    """Begin a session."""
    name = fields.get("name", "").strip()
    try:
        opened = accounts.log_in(
            here.store,
            name,
            fields.get("password", ""),
            address=address(request),
            now=here.clock(),
        )
    except Problem as problem:
        return page(request, "login.html", status=problem.status, problem=problem.detail, name=name)
    answer = see_other(request, "")
    answer.set_cookie(
        COOKIE, opened, max_age=accounts.LASTS_S, secure=True, httponly=True, samesite="strict"
    )
    return answer


@router.post("/logout")
def post_logout(request: Request, visitor: Anybody, fields: OwnForm, here: Here) -> Response:
    """End the session."""
    accounts.log_out(here.store, token(request), address=address(request), now=here.clock())
    answer = see_other(request, "login")
    answer.delete_cookie(COOKIE, secure=True, httponly=True, samesite="strict")
    return answer


@router.get("/")
def get_start(request: Request, visitor: Anybody, here: Here) -> Response:
    """Show all studies."""
    studies = found.study_pages(here.store, visitor, here.clock())
    return page(request, "start.html", visitor=visitor, studies=studies)


@router.get("/studies/{name}")
def get_study(request: Request, name: str, visitor: Anybody, here: Here) -> Response:
    """Show a study: its hospitals, drafts and releases."""
    told = found.study_page(here.store, name, visitor, here.clock())
    if told is None:
        raise Problem("unknown_study", "There is no such study.")
    return page(request, "study.html", visitor=visitor, told=told)


@router.get("/sites")
def get_sites(request: Request, visitor: Statistician, here: Here) -> Response:
    """Show all hospitals."""
    told = found.sites(here.store, here.clock())
    return page(request, "sites.html", visitor=visitor, sites=told)


@router.get("/releases/{opened}")
def get_release(request: Request, opened: Opened, visitor: Anybody, here: Here) -> Response:
    """Show a draft or release: its files, what was decided, and a form for who may decide."""
    return _release(request, _report(here, opened, visitor), visitor, here)


def _release(
    request: Request,
    told: Report,
    visitor: Visitor,
    here: Surroundings,
    *,
    problem: str = "",
    reason: str = "",
    status: int = 200,
) -> Response:
    files = list(told.sizes) if visitor.may("statistician") else []
    return page(
        request,
        "release.html",
        visitor=visitor,
        status=status,
        told=told,
        files=files,
        altered=reports.altered_files(here.store, told.release.open),
        report_files=[name for name in REPORTS if name in told.sizes],
        before=found.before(told, reports.reports(here.store, told.study)),
        longest=reports.LONGEST_REASON,
        problem=problem,
        reason=reason,
    )


def _report(here: Surroundings, opened: str, visitor: Visitor) -> Report:
    told = reports.report(here.store, opened)
    if not found.shown_to(visitor, [told]):
        raise reports.unknown_report()
    return told


@router.post("/releases/{opened}/decision")
def post_decision(
    request: Request, opened: Opened, visitor: Statistician, fields: OwnForm, here: Here
) -> Response:
    """Release or reject a draft."""
    told, reason = _report(here, opened, visitor), fields.get("reason", "")
    try:
        reports.decide(
            here.store,
            opened,
            by=visitor.name,
            role=visitor.role,
            decision=fields.get("decision", ""),
            reason=reason,
            now=here.clock(),
        )
    except Problem as problem:
        return _release(
            request,
            told,
            visitor,
            here,
            problem=problem.detail,
            reason=reason,
            status=problem.status,
        )
    return see_other(request, f"releases/{opened}")


@router.get("/releases/{opened}/archive")
def get_archive(opened: Opened, visitor: Statistician, here: Here) -> Response:
    """Hand out all files of a draft or release in an archive."""
    told = _report(here, opened, visitor)
    folder = f"{told.study}-release-{told.release.number}"
    body = reports.packed(here.store, opened, folder=folder)
    return sent_file(body, archive.MEDIA_TYPE, name=f"{folder}.zip")


@router.get("/releases/{opened}/{name}")
def get_report(opened: Opened, name: str, visitor: Anybody, here: Here) -> Response:
    """Show a report."""
    told = _report(here, opened, visitor)
    if name not in TYPES or name not in told.sizes:
        raise reports.unknown_report()
    return sent_file(reports.file(here.store, opened, name), TYPES[name])


@router.get("/password")
def get_password(request: Request, visitor: Anybody) -> Response:
    """Ask for another password."""
    return page(request, "password.html", visitor=visitor, problem="", shortest=passwords.SHORTEST)


@router.post("/password")
def post_password(request: Request, visitor: Anybody, fields: OwnForm, here: Here) -> Response:
    """Change the visitor's own password; they log in anew."""
    try:
        new = _new_password(fields)
        accounts.change_password(
            here.store,
            visitor.name,
            fields.get("old", ""),
            new,
            address=address(request),
            now=here.clock(),
        )
    except Problem as problem:
        return page(
            request,
            "password.html",
            visitor=visitor,
            status=problem.status,
            problem=problem.detail,
            shortest=passwords.SHORTEST,
        )
    return see_other(request, "login")


def _new_password(fields: dict[str, str]) -> str:
    """Return the password that was typed twice; Problem("malformed") if it is none."""
    new = fields.get("new", "")
    if new != fields.get("again", new):
        raise Problem("malformed", "The new password was typed in two ways.")
    try:
        passwords.check_password(new)
    except ConfigurationError as error:
        raise Problem("malformed", f"{str(error)[:1].upper()}{str(error)[1:]}.") from None
    return new


@router.get("/persons")
def get_persons(request: Request, visitor: Admin, here: Here) -> Response:
    """Show the accounts."""
    return _persons(request, visitor, here)


def _persons(
    request: Request, visitor: Visitor, here: Surroundings, problem: Problem | None = None
) -> Response:
    return page(
        request,
        "persons.html",
        visitor=visitor,
        status=problem.status if problem else 200,
        persons=accounts.listed(here.store),
        roles=ROLES,
        problem=problem.detail if problem else "",
        shortest=passwords.SHORTEST,
    )


@router.post("/persons")
def post_persons(request: Request, visitor: Admin, fields: OwnForm, here: Here) -> Response:
    """Add, change or remove an account, not one's own."""
    try:
        _change(here, visitor, fields)
    except Problem as problem:
        return _persons(request, visitor, here, problem)
    return see_other(request, "persons")


def _change(here: Surroundings, visitor: Visitor, fields: dict[str, str]) -> None:
    name, now = fields.get("name", "").strip(), here.clock()
    if name == visitor.name:
        raise Problem("person", "Nobody changes their own role, or removes themselves.")
    if fields.get("do") == "remove":
        accounts.remove(here.store, name, by=visitor.name, now=now)
        return
    known = name in {str(one["name"]) for one in accounts.listed(here.store)}
    if known != (fields.get("do") == "change"):
        raise Problem("person", f"'{name}' is {'here already' if known else 'not here'}.")
    password = passwords.keep(_new_password(fields)) if fields.get("new") else ""
    accounts.put(
        here.store, name, role=fields.get("role", ""), password=password, by=visitor.name, now=now
    )


@router.get("/access")
def get_access(request: Request, visitor: Admin, here: Here) -> Response:
    """Show who came, who tried to, and whose account was changed."""
    events = here.store.read("access", lambda tx: tx.persons.events())
    return page(request, "access.html", visitor=visitor, events=events)


@router.get("/{anything:path}")
def get_nothing(request: Request, anything: str) -> Response:
    """Say that there is no such page."""
    return page(request, "message.html", status=404, text="There is no such page.")
