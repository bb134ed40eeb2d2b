"""The JSON bodies of requests, read strictly: no other fields, no other types."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Final, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from site_agent.contract.problems import Problem

LARGEST_JSON: Final = 64 * 1024
LARGEST_STUDY: Final = 1024 * 1024
LARGEST_MESSAGE: Final = 256 * 1024 * 1024
LARGEST_COUNT: Final = 2**53 - 1  # every JSON reader has whole numbers up to here
LONGEST_DETAIL: Final = 500

Instant = Annotated[int, Field(ge=0, le=LARGEST_COUNT)]


class Body(BaseModel):
    """Base of the bodies."""

    model_config = ConfigDict(
        strict=True, extra="forbid", frozen=True, hide_input_in_errors=True, allow_inf_nan=False
    )


class InvitationBody(Body):
    """PUT /v1/invitations/{site}: the hash of the token, and until when it may be used."""

    token_sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    expires: Instant


class EnrolmentBody(Body):
    """POST /v1/enrolments: the site's enrolment card and the token of its invitation.

    Without a token ("") the card must be signed by the key that the site had before.
    """

    card: dict[str, Any]
    token: Annotated[str, Field(max_length=256)]


class ApprovalBody(Body):
    """PUT /v1/studies/{hash}/approval: what the site's steward decided, until when, and when."""

    state: Literal["approved", "revoked"]
    until: Instant | None
    at: Instant


class StandingBody(Body):
    """PUT /v1/releases/{open}/standing: what hinders the site; empty for nothing."""

    code: Annotated[str, Field(pattern=r"^[a-z_]{0,40}$")]


class DecisionBody(Body):
    """POST /v1/reports/{open}/decision: who decides what of a draft, and why."""

    person: Annotated[str, Field(max_length=64)]
    password: Annotated[str, Field(max_length=1000)]
    decision: Literal["released", "rejected"]
    reason: Annotated[str, Field(max_length=2000)]


class PersonBody(Body):
    """PUT /v1/persons/{name}: role and the hash of a password; empty for what is not changed."""

    role: Literal["viewer", "statistician", "admin", ""]
    password: Annotated[str, Field(max_length=200)]


Known = TypeVar("Known", bound=Body)


def read_body(body: bytes, expected: type[Known]) -> Known:
    """Return a JSON body; Problem("malformed") says which fields do not fit."""
    try:
        return expected.model_validate_json(body)
    except ValidationError as error:
        raise Problem("malformed", misfits(error.errors(include_input=False))) from None


def misfits(errors: Sequence[Any]) -> str:
    """Return in words what a validation found, without the values that it found."""
    said = [f"{'.'.join(str(part) for part in one['loc'])}: {one['msg']}" for one in errors]
    return "; ".join(said)[:LONGEST_DETAIL]
