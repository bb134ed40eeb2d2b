"""Where this hospital stands: its studies, its approvals, whether the exchange answers."""

from __future__ import annotations

from typing import Any

from site_agent.approvals import Approval, approvals
from site_agent.contract.errors import Declined, Unreachable
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


def status(site: Site) -> dict[str, str]:
    """Return name, fingerprint, exchange, studies and ledger in a line each."""
    ledger = site.ledger()
    approved = {
        name: in_words(approval, ledger.now())
        for name, approval in approvals(ledger.entries).items()
    }
    return {
        "site": site.name,
        "fingerprint": fingerprint(site.identity().member()),
        "url": site.connection().url,
        "exchange": _exchange(site),
        "studies": "; ".join(f"{name[:16]} {words}" for name, words in approved.items()) or "none",
        "ledger": f"{len(ledger.entries)} entries, head {ledger.head[:16]}",
    }


def _exchange(site: Site) -> str:
    """Return whether the exchange answers this hospital, or why it does not."""
    try:
        with site.exchange() as exchange:
            exchange.hello()
            exchange.read("/v1/studies")
    except Unreachable as error:
        return f"unreachable: {error}"
    except Declined as declined:
        return f"answers, but: {declined}"
    return "answers"
