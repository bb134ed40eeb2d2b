"""Where this hospital stands: its studies, its approvals, whether the exchange answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from site_agent.approvals import Approval, approvals
from site_agent.contract.errors import Declined, NotReady, QuorumError, Unreachable
from site_agent.contract.identity import fingerprint
from site_agent.pulse import hindrances
from site_agent.shelf import Shelf
from site_agent.site import Site

KEEPING_BACK: Final = ("rewound", "deferred")


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
    if approval.state == "superseded":
        return f"superseded by {approval.by[:16]}"
    return "revoked" if approval.state == "revoked" else "not approved"


def status(site: Site) -> tuple[dict[str, str], QuorumError | None]:
    """Return each line of the status by its name, and what is amiss with the exchange."""
    ledger = site.ledger()
    trouble = _trouble(site)
    approved = {
        name: in_words(approval, ledger.now())
        for name, approval in approvals(ledger.entries).items()
    }
    found = {
        "site": site.name,
        "fingerprint": fingerprint(site.identity().member()),
        **_new_key(site),
        "url": site.connection().url,
        "exchange": _in_short(trouble),
        "agent": agent_in_words(site),
        "studies": "; ".join(f"{name[:16]} {words}" for name, words in approved.items()) or "none",
        "releases": releases_in_words(ledger.entries),
        **_hindered(site),
        "ledger": f"{len(ledger.entries)} entries, head {ledger.head[:16]}",
    }
    return found, trouble


def exchange_in_words(site: Site) -> str:
    """Return whether the exchange answers this hospital, and why not if it does not."""
    return _in_short(_trouble(site))


def agent_in_words(site: Site) -> str:
    """Return whether the agent runs, without which no question is answered."""
    return "runs" if site.runs() else "does not run; no question is answered (`site-agent run`)"


def releases_in_words(entries: Sequence[Mapping[str, Any]]) -> str:
    """Return what keeps releases back, by the last entries of the ledger; if anything does.

    That is a deferral, or another hospital whose ledger was set back.
    """
    for entry in reversed(entries):
        if entry["event"] == "closed":
            break
        if entry["event"] == "burned" and "until" in entry:
            return f"release {entry['release']} was deferred until {entry['until']}"
        if entry["event"] == "refused" and entry["code"] in KEEPING_BACK:
            return str(entry["reason"])
    return "none is kept back"


def _new_key(site: Site) -> dict[str, str]:
    new = site.keys.next()
    return {} if new is None else {"new_key": fingerprint(new.member())}


def _hindered(site: Site) -> dict[str, str]:
    codes = hindrances(site)
    return {"hindered": f"{', '.join(codes)}: see the agent's log"} if codes else {}


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
