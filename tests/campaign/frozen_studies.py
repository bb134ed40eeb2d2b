"""Frozen studies that were changed, and rosters that were crafted."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from random import Random

from coordinator.freeze import freeze, roster_of
from site_agent.contract.enrolment import succeeding
from tests.protocol import CENTER, SITES, entropy, identity
from tests.revising import ROTATED, new_keys
from tests.studytext import STUDY


def frozen_text(*, roster_text: Callable[[str], str] = lambda text: text) -> str:
    """The study frozen over five hospitals, changed after freezing."""
    cards = [identity(site).member({"country": "US"}) for site in SITES]
    new = succeeding(identity(ROTATED), new_keys(), {"country": "US"})
    members = [new if card.name == ROTATED else card for card in cards]
    file, _ = freeze(STUDY, "study.yaml", roster_of(identity(CENTER).member(), members))
    changed = roster_text(file)
    assert changed != file
    return changed


def altered(rng: Random) -> str:
    """A digit of the frozen study changed."""

    def change(text: str) -> str:
        body = text.partition("presentation:")[0]
        at = rng.choice([m.start() for m in re.finditer(r"(?<=[ \[{:])[1-9](?=[0-9])", body)])
        return text[:at] + str((int(text[at]) % 9) + 1) + text[at + 1 :]

    return frozen_text(roster_text=change)


def other_key(rng: Random) -> str:
    """A hospital's key exchanged for another one after freezing."""
    site = rng.choice(SITES[:4])
    ours = identity(site).member().signing_key
    theirs = type(identity(site)).create(site, entropy(str(rng.random()))).member().signing_key
    return frozen_text(roster_text=lambda text: text.replace(ours, theirs))


def one_key_for_two(rng: Random) -> str:
    """One party under two names: a hospital that counts twice."""
    one, two = rng.sample(SITES[:4], 2)
    ours, theirs = (identity(site).member() for site in (one, two))
    return frozen_text(roster_text=lambda text: text.replace(ours.signing_key, theirs.signing_key))


def strange_site(rng: Random) -> str:
    """A hospital whose name is a path, or looks like another one's."""
    name = rng.choice(["../elm", "еlm", "Elm", "el m", "-elm", "x" * 41, "center/../elm", "é"])
    return frozen_text(
        roster_text=lambda text: text.replace("    beech:", f"    {json.dumps(name)}:")
    )


def forged_rotation(rng: Random) -> str:
    """Keys that nobody has, under the word of another rotation."""
    field = rng.choice(["by_new", "fingerprint"])

    def change(text: str) -> str:
        return re.sub(rf"({field}: )(.)", lambda m: m[1] + ("B" if m[2] == "A" else "A"), text)

    return frozen_text(roster_text=change)


def no_revision(rng: Random) -> str:
    """A revision of what is no study."""
    return STUDY + f"revises: {json.dumps(rng.choice(['x', '0' * 63, '../' * 20, 'F' * 64]))}\n"
