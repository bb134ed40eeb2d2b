"""The signed addresses under /v1: each reads its request, does one thing, and answers."""

from __future__ import annotations

from typing import Annotated, Any, Final

from anyio import to_thread
from fastapi import APIRouter, Depends, Path, Query, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from coordinator.exchange import accounts, mail, parties, progress, releases, reports, studies
from coordinator.exchange.bodies import (
    LARGEST_COUNT,
    LARGEST_STUDY,
    ApprovalBody,
    DecisionBody,
    EnrolmentBody,
    InvitationBody,
    PersonBody,
    StandingBody,
    read_body,
)
from coordinator.exchange.directory import Approval, Invitation, Standing
from coordinator.exchange.log import Letter
from coordinator.exchange.mail import LONGEST_WAIT_S
from coordinator.exchange.openapi import json_body, other_body
from coordinator.exchange.roles import NAME
from coordinator.exchange.signed import Enrolling, Signed, enrolling, signed
from coordinator.exchange.surroundings import Here
from site_agent.contract import archive

BINARY: Final = "application/octet-stream"
ZIP: Final = archive.MEDIA_TYPE
CREATED: Final = 201
DONE: Final = 200
DIGEST: Final = "^[0-9a-f]{64}$"

router = APIRouter(prefix="/v1")

Digest = Annotated[str, Path(pattern=DIGEST)]

PersonName = Annotated[str, Path(pattern=f"^{NAME.pattern}$")]

OfCenter = Annotated[Signed, Depends(signed("center"))]
OfSite = Annotated[Signed, Depends(signed("site"))]
OfParty = Annotated[Signed, Depends(signed("party"))]
StudyFile = Annotated[Signed, Depends(signed("center", LARGEST_STUDY))]
FilesOfRelease = Annotated[Signed, Depends(signed("center", None))]
WireMessage = Annotated[Signed, Depends(signed("party", None))]
Card = Annotated[Enrolling, Depends(enrolling)]


@router.put("/invitations/{site}", status_code=204, openapi_extra=json_body(InvitationBody))
def put_invitation(site: str, asked: OfCenter, here: Here) -> None:
    """Invite a site to enrol with a token."""
    parties.check_site_name(site, here.center)
    body = read_body(asked.body, InvitationBody)
    parties.invite(here.store, Invitation(site, body.token_sha256, body.expires, at=asked.at))


@router.post("/enrolments", status_code=CREATED, openapi_extra=json_body(EnrolmentBody))
def post_enrolment(asked: Card, here: Here) -> Response:
    """Enrol a site, or a new card of it, under its invitation."""
    new = parties.enrol(here.store, asked.member, asked.token, here.clock())
    return JSONResponse({"name": asked.member.name}, CREATED if new else DONE)


@router.get("/parties")
def get_parties(asked: OfCenter, here: Here) -> dict[str, Any]:
    """List enrolled sites and invitations."""
    return parties.listed(here.store)


@router.put("/studies/{hash}", status_code=CREATED, openapi_extra=other_body("text/plain"))
def put_study(hash: Digest, asked: StudyFile, here: Here) -> Response:
    """Put a frozen study on the shelf."""
    study = studies.read_frozen(asked.body, hash, here.center)
    new = studies.add(here.store, study, asked.body, here.clock())
    return JSONResponse({"hash": study.hash}, CREATED if new else DONE)


@router.get("/studies")
def get_studies(asked: OfParty, here: Here) -> dict[str, Any]:
    """List the studies of the party."""
    return studies.listed(here.store, asked.caller)


@router.get("/studies/{hash}", response_class=PlainTextResponse)
def get_study(hash: Digest, asked: OfParty, here: Here) -> Response:
    """Return the file of a study as it was put there."""
    return PlainTextResponse(studies.file(here.store, hash, asked.caller))


@router.put("/studies/{hash}/approval", status_code=204, openapi_extra=json_body(ApprovalBody))
def put_approval(hash: Digest, asked: OfSite, here: Here) -> None:
    """Keep what a site says of a study."""
    said = read_body(asked.body, ApprovalBody)
    approval = Approval(hash, asked.caller.name, said.state, said.until, said.at)
    studies.approve(here.store, approval, asked.caller)


@router.post("/messages", status_code=CREATED, openapi_extra=other_body(BINARY))
async def post_message(asked: WireMessage, here: Here) -> Response:
    """Put a message into the log of its release."""
    wire, caller = asked.body, asked.caller
    taken = await to_thread.run_sync(
        releases.take, here.store, here.center, wire, caller, here.clock()
    )
    if taken.new:
        here.metrics.message(taken.kind, len(wire))
        here.bells.ring(to_sites=caller.is_center)
    return JSONResponse({"id": taken.id}, CREATED if taken.new else DONE)


@router.get("/mail", response_class=Response, responses={204: {"description": "nothing yet"}})
async def get_mail(
    request: Request,
    asked: OfParty,
    here: Here,
    after: Annotated[int, Query(ge=0, le=LARGEST_COUNT)] = 0,
    wait: Annotated[float, Query(ge=0, le=LONGEST_WAIT_S)] = 0,
    open: Annotated[str | None, Query(pattern=DIGEST)] = None,
) -> Response:
    """Hand out the next message, after waiting for it if there is none yet."""
    look = mail.looking(here.store, here.center, asked.caller, open, after)
    bell = here.bells.of(center=asked.caller.is_center)
    with here.metrics.polls.track_inprogress():
        poll = mail.Poll(look, bell, here.watch, request.is_disconnected)
        letter = await poll.letter(wait)
    return Response(status_code=204) if letter is None else _wire(letter)


def _wire(letter: Letter) -> Response:
    return Response(
        letter.wire,
        media_type=BINARY,
        headers={
            "Quorum-Message": str(letter.id),
            "Quorum-Study": letter.study,
            "Quorum-Release": str(letter.number),
            "Quorum-Open": letter.open,
            "Quorum-Sender": letter.sender,
        },
    )


@router.put("/releases/{open}/standing", status_code=204, openapi_extra=json_body(StandingBody))
def put_standing(open: Digest, asked: OfSite, here: Here) -> None:
    """Keep what hinders a site of a release."""
    said = read_body(asked.body, StandingBody)
    standing = Standing(open, asked.caller.name, said.code, int(here.clock()))
    releases.stand(here.store, standing, asked.caller)


@router.get("/releases")
def get_releases(
    asked: OfCenter, here: Here, study: Annotated[str, Query(pattern=DIGEST)]
) -> dict[str, Any]:
    """List the releases of a study and how far they have come."""
    return progress.listed(here.store, study)


@router.put("/reports/{open}", status_code=CREATED, openapi_extra=other_body(BINARY))
def put_report(open: Digest, asked: FilesOfRelease, here: Here) -> Response:
    """Keep the files of a closed release as a draft."""
    new = reports.put_draft(here.store, here.center, open, asked.body, here.clock())
    return JSONResponse({"open": open}, CREATED if new else DONE)


@router.get("/reports")
def get_reports(
    asked: OfParty, here: Here, name: Annotated[str, Query(max_length=200)] = ""
) -> dict[str, Any]:
    """List drafts and reports: all for the center, for a site what was released to it."""
    return reports.listed(here.store, asked.caller, name)


@router.get("/reports/{open}", response_class=Response)
def get_report(open: Digest, asked: OfParty, here: Here) -> Response:
    """Hand out the files of a release: all to the center, to a site the released report."""
    return Response(reports.fetched(here.store, open, asked.caller), media_type=ZIP)


@router.post("/reports/{open}/decision", openapi_extra=json_body(DecisionBody))
def post_decision(open: Digest, asked: OfCenter, here: Here) -> dict[str, Any]:
    """Release or reject a draft in the name of a person, who gives their password."""
    said, now = read_body(asked.body, DecisionBody), here.clock()
    person = accounts.check(
        here.store, said.person, said.password, address=accounts.AT_CENTER, now=now
    )
    decided = reports.decide(
        here.store,
        open,
        by=person.name,
        role=person.role,
        decision=said.decision,
        reason=said.reason,
        now=now,
    )
    return decided.document()


@router.get("/persons")
def get_persons(asked: OfCenter, here: Here) -> dict[str, Any]:
    """List the persons who may log in."""
    return {"persons": accounts.listed(here.store)}


@router.put("/persons/{name}", status_code=CREATED, openapi_extra=json_body(PersonBody))
def put_person(name: PersonName, asked: OfCenter, here: Here) -> Response:
    """Add a person, or change their role or password."""
    said = read_body(asked.body, PersonBody)
    new = accounts.put(
        here.store,
        name,
        role=said.role,
        password=said.password,
        by=accounts.AT_CENTER,
        now=here.clock(),
    )
    return JSONResponse({"name": name}, CREATED if new else DONE)


@router.delete("/persons/{name}", status_code=204)
def delete_person(name: PersonName, asked: OfCenter, here: Here) -> None:
    """Remove a person."""
    accounts.remove(here.store, name, by=accounts.AT_CENTER, now=here.clock())
