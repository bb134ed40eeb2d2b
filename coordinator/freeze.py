"""Freezing a study: the roster of public keys goes into the file, and into its hash.

The file stays as the biostatistician wrote it, comments and all; roster and hash are put
behind it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import yaml

from site_agent.contract.enrolment import no_card, read_card, succeeds
from site_agent.contract.errors import ConfigurationError, Issue, StudyError
from site_agent.contract.identity import fingerprint
from site_agent.contract.party import Member, Roster
from site_agent.contract.study.at_center import at_center_issues
from site_agent.contract.study.earlier_rosters import earlier_roster_issues
from site_agent.contract.study.fields import nearest
from site_agent.contract.study.model import Study
from site_agent.contract.study.read import read_study

MARK: Final = "# Added by `coordinator study freeze`: who takes part, with which keys, and the"
MARK_MORE: Final = "# hash of all of the above. Any change needs a new approval."


def freeze(
    text: str, source: str, roster: Roster, *, revises: str = "", development: bool = False
) -> tuple[str, Study]:
    """Return the frozen file and the frozen study.

    revises: hash of the frozen study whose place it takes, unless the file names one itself.
    StudyError if the study is frozen already, or a site's attributes are not the study's.
    """
    study = read_study(text, source, development=development)
    if study.roster is not None:
        message = (
            "the study is frozen already; take both 'roster' and 'frozen' out of the file to "
            "freeze it anew, as a revision"
        )
        raise StudyError([Issue("roster", None, message)], source)
    members = {name: member.attributes for name, member in roster.sites.items()}
    check_attributes(study, members, source)
    check_at_center(study, list(members), source)
    check_earlier_rosters(study, list(members), source)
    frozen = replace(study, roster=roster, revises=study.revises or revises)
    block = yaml.safe_dump({"roster": roster.document()}, sort_keys=False, width=10_000)
    # Quoted: some hashes would read as numbers.
    if frozen.revises != study.revises:
        block = f'revises: "{frozen.revises}"\n{block}'
    tail = [MARK, MARK_MORE, f'{block}frozen: "{frozen.hash}"', ""]
    return "\n".join([text.rstrip(), "", *tail]), frozen


def freeze_again(text: str, source: str, roster: Roster, before: Study | None) -> tuple[str, Study]:
    """Return the frozen file and study, as a revision of the one frozen `before`, if there is one.

    A study that is what it was is no revision of itself: it stays the one before.
    """
    if before is not None:
        same = freeze(text, source, roster, revises=before.revises)
        if same[1].hash == before.hash:
            return same
    return freeze(text, source, roster, revises=before.hash if before else "")


def changed_keys(before: Study, after: Study) -> list[str]:
    """Return a line for each hospital that has other keys than before: what is to be compared."""
    assert before.roster is not None and after.roster is not None
    lines = []
    for name, member in after.roster.sites.items():
        old = before.roster.sites.get(name)
        if old is not None and old.keys != member.keys:
            signed = (
                "signed by the key before; compare by telephone all the same"
                if succeeds(member, old)
                else "NOT signed by the key before: compare by telephone before anybody approves"
            )
            lines.append(f"{name}: {fingerprint(old)} -> {fingerprint(member)}, {signed}")
    return lines


def without_roster(text: str) -> str:
    """Return a study's text up to the roster that freezing put behind it."""
    return text.partition(f"\n{MARK}")[0]


def check_attributes(study: Study, sites: Mapping[str, Mapping[str, str]], source: str) -> None:
    """Raise StudyError unless each site has a declared level of each attribute, and no other."""
    issues = [
        Issue(f"site {site}", None, message)
        for site, values in sorted(sites.items())
        for message in _attribute_issues(study, values)
    ]
    if issues:
        raise StudyError(issues, source)


def check_at_center(study: Study, sites: Sequence[str], source: str) -> None:
    """Raise StudyError unless the center's own hospital, if any, can do without the secret."""
    issues = [
        Issue("sites.at_center", None, message)
        for message in at_center_issues(study.at_center, sites)
    ]
    if issues:
        raise StudyError(issues, source)


def check_earlier_rosters(study: Study, sites: Sequence[str], source: str) -> None:
    """Raise StudyError unless each sentence on an earlier roster names who joined or left."""
    messages = earlier_roster_issues(study.policy.earlier_rosters, sites)
    if messages:
        place = "disclosure.earlier_rosters"
        raise StudyError([Issue(place, None, message) for message in messages], source)


def _attribute_issues(study: Study, values: Mapping[str, str]) -> list[str]:
    declared = study.site_attributes
    messages = [
        f"attribute '{name}' is not one of the study's{nearest(name, list(declared))}"
        for name in values
        if name not in declared
    ]
    for name, levels in declared.items():
        if values.get(name) not in levels:
            found = f"'{values[name]}'" if name in values else "nothing"
            messages.append(
                f"attribute '{name}' is {found}, expected one of {', '.join(levels)}; write it "
                f"into the site's site.toml and enrol again"
            )
    return messages


def read_enrolment(path: Path) -> Member:
    """Return the party whose card is at `path`; ConfigurationError if it is no card."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise no_card(path.name) from None
    return read_card(document, path.name)


def roster_of(center: Member, sites: Sequence[Member]) -> Roster:
    """Return the roster of a center and its sites; ConfigurationError for a name given twice."""
    named: Mapping[str, Member] = {member.name: member for member in sites}
    if len(named) != len(sites):
        raise ConfigurationError("two enrolment cards have the same site name; keep one of each")
    return Roster(center, dict(sorted(named.items())))
