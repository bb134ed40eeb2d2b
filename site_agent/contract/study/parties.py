"""Reading `roster`: the parties of a frozen study, their keys, and which keys these replace."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from site_agent.contract.enrolment import signed_by_itself
from site_agent.contract.party import (
    SITE_NAME,
    SITE_NAME_IN_WORDS,
    Member,
    Replaced,
    Roster,
)
from site_agent.contract.study.fields import Fields

LONGEST_QUOTED: Final = 60


def read_roster(root: Fields, attributes: Mapping[str, tuple[str, ...]]) -> Roster | None:
    """Read `roster: {center, sites}`, which freezing put into the file; None without one."""
    fields = root.inner("roster")
    if fields is None:
        return None
    center = fields.inner("center", required=True)
    sites = {
        name: _read_member(name, Fields(node, root.issues).open(), attributes)
        for name, node in fields.each("sites", required=True)
    }
    fields.close()
    if center is None:
        return None
    roster = Roster(_read_member(center.text("name", required=True), center, {}), sites)
    _check_names_and_keys(fields, roster)
    for member in roster.sites.values():
        if member.replaces is not None and not signed_by_itself(member):
            fields.issue(f"what '{member.name}' says of its keys before is not signed with its key")
    return roster


def _check_names_and_keys(fields: Fields, roster: Roster) -> None:
    """Note names that are none, and a key that two parties of the roster share."""
    owners: dict[str, str] = {}
    for member in (roster.center, *roster.sites.values()):
        if not SITE_NAME.match(member.name):
            name = ascii(member.name)[:LONGEST_QUOTED]
            fields.issue(f"the name {name} of a party is not of {SITE_NAME_IN_WORDS}")
        for key in {member.signing_key, member.encryption_key} & set(owners):
            fields.issue(f"'{owners[key]}' and '{member.name}' have the same key; each has its own")
        owners |= dict.fromkeys((member.signing_key, member.encryption_key), member.name)


def _read_member(name: str, fields: Fields, attributes: Mapping[str, tuple[str, ...]]) -> Member:
    fields.node_of("name")
    keys = [fields.text(key, required=True) for key in ("signing_key", "encryption_key")]
    values: dict[str, str] = {}
    inner = fields.inner("attributes", required=bool(attributes))
    if inner is not None:
        for attribute, levels in attributes.items():
            values[attribute] = inner.choice(attribute, levels)
        inner.close()
    is_site = fields.node.path.startswith("roster.sites.")
    replaced = _read_replaced(fields) if is_site and "replaces" in fields.named else None
    fields.close()
    return Member(name, keys[0], keys[1], values, replaced)


def _read_replaced(fields: Fields) -> Replaced | None:
    inner = fields.inner("replaces")
    if inner is None:
        return None
    said = [inner.text(name, required=True) for name in ("fingerprint", "by_old", "by_new")]
    inner.close()
    return Replaced(*said)
