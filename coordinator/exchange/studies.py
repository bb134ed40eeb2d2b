"""Frozen studies on the shelf, and what their sites say of them."""

from __future__ import annotations

from typing import Any

from coordinator.exchange.auth import Caller
from coordinator.exchange.directory import Approval, Shelved
from coordinator.exchange.store import Store, Transaction
from site_agent.contract.errors import StudyError
from site_agent.contract.party import SITE_NAME, Member
from site_agent.contract.problems import Problem
from site_agent.contract.study.model import Study
from site_agent.contract.study.read import read_study


def read_frozen(body: bytes, study_hash: str, center: Member) -> Study:
    """Return the study in a file that is frozen under this hash for this center.

    Raises Problem("study") with the reason.
    """
    try:
        study = read_study(body.decode("utf-8"), "study")
    except UnicodeDecodeError:
        raise Problem("study", "the file is not text in UTF-8") from None
    except StudyError as error:
        raise Problem("study", str(error)) from None
    reason = _reason_against(study, study_hash, center)
    if reason:
        raise Problem("study", reason)
    return study


def _reason_against(study: Study, study_hash: str, center: Member) -> str:
    if study.roster is None:
        return "the study is not frozen; freeze it with `coordinator study freeze`"
    if study.hash != study_hash:
        return f"the file's study has the hash {study.hash}, the address another one"
    pinned = study.roster.center
    keys = (center.name, center.signing_key, center.encryption_key)
    if (pinned.name, pinned.signing_key, pinned.encryption_key) != keys:
        return "the study pins another center, or other keys of it; freeze it with the keys in use"
    if not study.title.isprintable():
        return "the title holds a character that cannot be printed"
    odd = [name for name in study.roster.sites if not SITE_NAME.match(name) or name == center.name]
    if odd:
        return f"a site is called '{odd[0]}', under which it cannot enrol here"
    return ""


def add(store: Store, study: Study, body: bytes, now: float) -> bool:
    """Put a study on the shelf; return whether it is new."""

    def work(tx: Transaction) -> bool:
        if tx.directory.knows_study(study.hash):
            return False
        tx.directory.add_study(study, body, at=int(now))
        return True

    return store.write("add study", work)


def listed(store: Store, caller: Caller) -> dict[str, Any]:
    """Return the studies that a party may see."""

    def work(tx: Transaction) -> dict[str, Any]:
        shelf = [(study, tx.directory.pinned_keys(study.hash)) for study in tx.directory.studies()]
        return {
            "studies": [
                _study(study, keys, tx.directory.approvals(study.hash), caller)
                for study, keys in shelf
                if visible(keys, caller)
            ]
        }

    return store.read("list studies", work)


def visible(keys: dict[str, str], caller: Caller) -> bool:
    """Return whether a study that pins these keys is there for a party."""
    return bool(keys) and (caller.is_center or keys.get(caller.name) in caller.keys)


def _study(
    study: Shelved, keys: dict[str, str], approvals: list[Approval], caller: Caller
) -> dict[str, Any]:
    return {
        "hash": study.hash,
        "name": study.name,
        "title": study.title,
        "added": study.added,
        "sites": sorted(keys),
        "approvals": {
            one.site: {"state": one.state, "until": one.until, "at": one.at}
            for one in approvals
            if caller.is_center or one.site == caller.name
        },
    }


def file(store: Store, study: str, caller: Caller) -> bytes:
    """Return the file of a study; Problem("unknown_study")."""

    def work(tx: Transaction) -> bytes | None:
        keys = tx.directory.pinned_keys(study)
        return tx.directory.study_file(study) if visible(keys, caller) else None

    found = store.read("read study", work)
    if found is None:
        raise unknown_study()
    return found


def approve(store: Store, approval: Approval, caller: Caller) -> None:
    """Keep what a site says of a study, unless it said something later; Problem as above."""

    def work(tx: Transaction) -> None:
        if not visible(tx.directory.pinned_keys(approval.study), caller):
            raise unknown_study()
        said = {one.site: one.at for one in tx.directory.approvals(approval.study)}
        if approval.at >= said.get(approval.site, 0):
            tx.directory.approve(approval)

    store.write("approve", work)


def unknown_study() -> Problem:
    """Return the problem of a study that is not here, or not for who asks."""
    return Problem(
        "unknown_study",
        "no study with this hash pins your present key here; compare the hash, and the key's "
        "fingerprint with the one in the study's roster",
    )
