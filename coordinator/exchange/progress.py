"""How far the releases of a study have come: phase, last round, and who is waited for."""

from __future__ import annotations

from typing import Any

from coordinator.exchange.log import UNDER_WAY, LoggedRelease
from coordinator.exchange.store import Store, Transaction
from coordinator.exchange.studies import unknown_study
from site_agent.contract.messages import Close, Part, Ready, Receipt, Share


def listed(store: Store, study: str) -> dict[str, Any]:
    """Return the releases of a study, the newest first; Problem("unknown_study")."""

    def work(tx: Transaction) -> dict[str, Any]:
        if not tx.directory.knows_study(study):
            raise unknown_study()
        return {"releases": [_progress(tx, release) for release in tx.log.releases(study)]}

    return store.read("list releases", work)


def _progress(tx: Transaction, release: LoggedRelease) -> dict[str, Any]:
    last_round = tx.log.last_round(release.open)
    roster = tx.log.roster(release.open)
    phase = _phase(tx, release, last_round)
    came = _came(tx, release, phase, last_round or 0)
    return {
        "open": release.open,
        "number": release.number,
        "attempt": release.attempt,
        "state": release.state,
        "phase": phase,
        "round": last_round,
        "roster": roster,
        "waiting": [] if phase == "over" else [site for site in roster if site not in came],
        "parts": sorted(tx.log.senders(release.open, Part.TYPE)),
        "standing": {
            one.site: {"code": one.code, "at": one.at}
            for one in tx.directory.standings(release.open)
        },
        "opened": release.opened,
        "ended": release.ended,
    }


def _phase(tx: Transaction, release: LoggedRelease, last_round: int | None) -> str:
    if release.state != UNDER_WAY:
        return "over"
    if tx.log.has(release.open, Close.TYPE):
        return "closing"
    return "opening" if last_round is None else "asking"


def _came(tx: Transaction, release: LoggedRelease, phase: str, last_round: int) -> set[str]:
    """Return the sites whose message of the present phase is here."""
    if phase == "over":
        return set()
    if phase == "asking":
        return tx.log.senders(release.open, Share.TYPE, last_round)
    return tx.log.senders(release.open, Ready.TYPE if phase == "opening" else Receipt.TYPE)
