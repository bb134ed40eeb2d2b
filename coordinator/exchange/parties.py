"""Invitations and enrolments: how a site becomes known here, and how it changes its key."""

from __future__ import annotations

import hmac
from dataclasses import replace
from typing import Any, Final

from coordinator.exchange.auth import instant
from coordinator.exchange.directory import Invitation, Party
from coordinator.exchange.store import Store, Transaction
from site_agent.contract.canonical import canonical_json, sha256
from site_agent.contract.enrolment import card, read_card, succeeds
from site_agent.contract.errors import ConfigurationError, Refused
from site_agent.contract.identity import fingerprint, seal
from site_agent.contract.party import SITE_NAME, SITE_NAME_IN_WORDS, Member
from site_agent.contract.problems import Problem

RESERVED: Final = "center"


def check_site_name(site: str, center: Member) -> None:
    """Raise Problem("malformed") for a name that no site can have."""
    if not SITE_NAME.match(site) or site in (RESERVED, center.name):
        raise Problem(
            "malformed",
            f"expected the name of a site: {SITE_NAME_IN_WORDS}, and not that of the center",
        )


def invite(store: Store, invitation: Invitation) -> None:
    """Invite a site, in place of an earlier invitation; the same one again stays used.

    Raises Problem("conflict") if a later one is there: this one is a repeat of an old request.
    """

    def work(tx: Transaction) -> None:
        found, used = tx.directory.invitation(invitation.site), None
        if found is not None and found.token_sha256 == invitation.token_sha256:
            used = found.used
        elif found is not None and found.at > invitation.at:
            raise Problem("conflict", f"a later invitation of '{found.site}' is there; invite anew")
        tx.directory.invite(replace(invitation, used=used))

    store.write("invite", work)


def read_enrolled(document: Any, name: str) -> Member:
    """Return the party on an enrolment card of this name; Problem("malformed" or "signature")."""
    try:
        member = read_card(document, "the card")
        whole = canonical_json(card(member)) == canonical_json(document)
        seal(member, b"", b"")  # only to see whether it can be written to
    except (ConfigurationError, Refused, ValueError, RecursionError):
        raise _no_card() from None
    if not whole:
        raise _no_card()
    if member.name != name:
        raise Problem("signature", "the card has another name than the request is signed with")
    return member


def _no_card() -> Problem:
    return Problem(
        "malformed",
        "the card is no enrolment card, or its keys are none; expected the one that the site's "
        "agent wrote, unchanged",
    )


def enrol(store: Store, member: Member, token: str, now: float) -> bool:
    """Enrol a site under its invitation; return whether it is new, or its card is.

    Raises Problem("invitation"). Whether a site is expected here is not told to who has no
    token for it. The key before, if there is one, is of no use any more.
    """
    if not token:
        return _replace_key(store, member, now)
    text, token_sha256 = canonical_json(card(member)).decode(), sha256(token.encode())

    def work(tx: Transaction) -> bool:
        found = tx.directory.invitation(member.name)
        if found is None or not hmac.compare_digest(found.token_sha256, token_sha256):
            raise Problem(
                "invitation",
                f"there is no invitation of '{member.name}' with this token; compare the token "
                f"with the one that the center sent, or ask for a new invitation",
            )
        if found.used is not None:
            _check_same(tx.directory.party(member.name), member)
            return False
        if found.expires < now:
            raise Problem(
                "invitation",
                f"the invitation expired at {instant(found.expires)}; ask for a new one",
            )
        tx.directory.enrol(member, text, at=int(now))
        tx.directory.drop_former_key(member.name)
        tx.directory.use_invitation(member.name, at=int(now))
        return True

    return store.write("enrol", work)


def _replace_key(store: Store, member: Member, now: float) -> bool:
    """Take a card with new keys that the old ones have signed; return whether it is new.

    The old key is accepted beside the new one until the new one is used: studies that are
    frozen already pin the old one.
    """

    def work(tx: Transaction) -> bool:
        party = tx.directory.party(member.name)
        if party is not None and party.card == card(member):
            return False
        before = None if party is None else read_card(party.card, "the card")
        if before is None or not succeeds(member, before):
            raise Problem(
                "invitation",
                "a card without an invitation must be signed by the key that is enrolled now; if "
                "that key is lost or was stolen, ask the center for a new invitation",
            )
        tx.directory.enrol(member, canonical_json(card(member)).decode(), at=int(now))
        tx.directory.keep_former_key(member.name, before.signing_key)
        return True

    return store.write("replace key", work)


def _check_same(party: Party | None, member: Member) -> None:
    if party is None or party.card != card(member):
        raise Problem(
            "invitation",
            "the invitation was used already, with another card; if that was not you, tell the "
            "center at once, else ask for a new invitation",
        )


def listed(store: Store) -> dict[str, Any]:
    """Return the enrolled sites and the invitations, as the center sees them."""

    def work(tx: Transaction) -> dict[str, Any]:
        return {
            "sites": [_site(party) for party in tx.directory.parties()],
            "invitations": [
                {"site": one.site, "expires": one.expires, "used": one.used}
                for one in tx.directory.invitations()
            ],
        }

    return store.read("list parties", work)


def _site(party: Party) -> dict[str, Any]:
    return {
        "name": party.name,
        "card": party.card,
        "fingerprint": fingerprint(read_card(party.card, "the card")),
        "enrolled": party.enrolled,
        "seen": party.seen,
        "software": party.software,
    }
