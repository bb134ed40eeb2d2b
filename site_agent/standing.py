"""Where this hospital stands: its studies, its approvals, whether the exchange answers."""

from __future__ import annotations

from typing import Any

from site_agent.approvals import Approval, approvals
from site_agent.contract.errors import Declined, NotReady, QuorumError, Unreachable
from site_agent.contract.identity import fingerprint
from site_agent.shelf import Shelf
from site_agent.site import Site


def standing(site: Site) -> list[dict[str, Any]]:
    """Return the studies of the exchange for this hospital, fetched, with where each stands."""
    with site.exchange() as exchange:
        listed = Shelf(site).fetch(exchange)
    ledger = site.ledger()
    known = approvals(ledger.entries)
    for entry in listed:
        approval = known.get(entry["hash"], Approval())
        entry["standing"] = in_words(approval, ledger.now())
    return listed


def in_words(approval: Approval, now: str) -> str:
    """Return where a study stands, in words."""
    if approval.expired(now):
        return f"approval ended at {approval.until}"
    if approval.stands(now):
        return f"approved until {approval.until}" if approval.until else "approved"
    return "revoked" if approval.state == "revoked" else "not approved"


def status(site: Site) -> tuple[dict[str, str], QuorumError | None]:
    """Return name, fingerprint, exchange, studies and ledger in a line each; and what is amiss."""
    ledger = site.ledger()
    trouble = _trouble(site)
    approved = {
        name: in_words(approval, ledger.now())
        for name, approval in approvals(ledger.entries).items()
    }
    found = {
        "site": site.name,
        "fingerprint": fingerprint(site.identity().member()),
        "url": site.connection().url,
        "exchange": _in_short(trouble),
        "studies": "; ".join(f"{name[:16]} {words}" for name, words in approved.items()) or "none",
        "ledger": f"{len(ledger.entries)} entries, head {ledger.head[:16]}",
    }
    return found, trouble


def _trouble(site: Site) -> QuorumError | None:
    """Return why the exchange does not answer this hospital, or None if it does."""
    try:
        with site.exchange() as exchange:
            exchange.hello()
            exchange.read("/v1/studies")
    except Declined as declined:
        return NotReady(str(declined)) if declined.code == "unknown_party" else declined
    except Unreachable as error:
        return error
    return None


def _in_short(trouble: QuorumError | None) -> str:
    if trouble is None:
        return "answers"
    return f"{'unreachable' if isinstance(trouble, Unreachable) else 'answers, but'}: {trouble}"
