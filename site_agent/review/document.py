"""All that a steward is told about a study, as one JSON document.

Texts of the study are the center's, names and attributes the sites': they reach a terminal, so
they are made plain here.
"""

from __future__ import annotations

import unicodedata
from typing import Any

from site_agent.contract.errors import Refused
from site_agent.contract.identity import fingerprint
from site_agent.contract.party import Member, Roster
from site_agent.contract.roster import smallest_roster
from site_agent.contract.study.model import Analysis, Column, Study, Table
from site_agent.review import opening, terms
from site_agent.review.analyses import analysis_sentences
from site_agent.review.revision import revision_document
from site_agent.review.sources import unused_columns
from site_agent.review.wording import (
    column_type,
    derived_definition,
    endpoint_sentences,
    label,
)


def plain(text: str) -> str:
    """Return text on one line and safe on a terminal: each control character becomes "?"."""
    return "".join(
        "?" if unicodedata.category(character)[0] == "C" else character
        for character in " ".join(text.split())
    )


def review_document(study: Study, site: str, before: Study | None = None) -> dict[str, Any]:
    """Return what a frozen study means for `site`, as JSON; Refused if it does not pin the site.

    before: the study that it revises, if that is here.
    """
    roster = _pinned(study, site)
    document = {
        "study": _study(study),
        "revision": revision_document(study, before),
        "center": _party(roster.center),
        "hospitals": _hospitals(study, roster, site),
        "tables": [_table(study, table) for table in study.tables.values()],
        "endpoints": _endpoints(study),
        "analyses": [_analysis(study, roster, site, item) for item in study.analyses.values()],
        "classes": _classes(study),
        "limits": _limits(study),
        "accepted": _accepted(study),
        "leaves": terms.leaves_sentences(study),
        "stays": terms.stays_sentences(study),
        "approval": terms.approval_sentences(study),
    }
    return {name: plain_document(part) for name, part in document.items()}


def plain_document(value: Any) -> Any:
    """Return a JSON document whose texts and names are plain."""
    if isinstance(value, str):
        return plain(value)
    if isinstance(value, dict):
        return {plain(name): plain_document(inner) for name, inner in value.items()}
    return [plain_document(inner) for inner in value] if isinstance(value, list) else value


def _pinned(study: Study, site: str) -> Roster:
    if study.roster is None:
        raise Refused("not_frozen", "the study has no roster; freeze it before it is reviewed")
    if site not in study.roster.sites:
        raise Refused(
            "not_in_roster",
            f"'{plain(site)}' is not one of the {len(study.roster.sites)} sites that the study "
            f"pins; review it under the name that this hospital enrolled with",
        )
    return study.roster


def _study(study: Study) -> dict[str, Any]:
    return {
        "name": study.name,
        "title": study.title,
        "hash": study.hash,
        "synthetic": study.synthetic,
        "watermark": study.watermark,
        "time": study.time.document(),
    }


def _party(member: Member) -> dict[str, Any]:
    return {"name": member.name, "fingerprint": fingerprint(member)}


def _hospitals(study: Study, roster: Roster, site: str) -> dict[str, Any]:
    parties = [roster.center, *roster.sites.values()]
    return {
        "own": site,
        "needed": smallest_roster(study),
        "sentences": terms.roster_sentences(study),
        "shared_keys": [member.name for member in parties if _shares_a_key(member, parties)],
        "sites": [
            {**_party(member), "attributes": dict(member.attributes), "own": name == site}
            for name, member in roster.sites.items()
        ],
    }


def _shares_a_key(member: Member, parties: list[Member]) -> bool:
    """Return whether another party has one of its keys: one party under two names."""
    return any(
        other is not member
        and (
            other.signing_key == member.signing_key or other.encryption_key == member.encryption_key
        )
        for other in parties
    )


def _table(study: Study, table: Table) -> dict[str, Any]:
    unused = unused_columns(study, table.name)
    return {
        "name": table.name,
        "identifier": table.key[0],
        "one_row_a_patient": len(table.key) == 1,
        "columns": [
            {**_column(study, column), "used": column.name not in unused}
            for column in table.columns.values()
        ],
        "unused": unused,
        "derived": [
            {
                "name": derived.name,
                "label": label(study, derived.name),
                "definition": derived_definition(derived),
            }
            for derived in table.derived
        ],
    }


def _column(study: Study, column: Column) -> dict[str, Any]:
    return {
        "name": column.name,
        "label": label(study, column.name),
        "type": column.type,
        "description": column_type(column, study.time.unit),
        "unit": column.unit,
        "range": [column.low, column.high],
        "levels": list(column.levels),
        "codes": dict(column.codes),
        "missing_allowed": column.missing,
    }


def _endpoints(study: Study) -> list[dict[str, Any]]:
    named = {item.options.get("endpoint") for item in study.analyses.values()}
    return [
        {
            "name": name,
            "label": label(study, name),
            "table": endpoint.table,
            "sentences": endpoint_sentences(study, endpoint),
            "used": name in named,
        }
        for name, endpoint in study.endpoints.items()
    ]


def _analysis(study: Study, roster: Roster, site: str, analysis: Analysis) -> dict[str, Any]:
    options = analysis.options
    return {
        "name": analysis.name,
        "label": label(study, analysis.name),
        "kind": analysis.kind,
        "endpoint": options.get("endpoint", ""),
        "cohort": options.get("cohort"),
        "by": options.get("by"),
        "strata": list(options.get("strata", ())),
        "covariates": list(options.get("covariates", ())),
        "sentences": analysis_sentences(study, analysis),
        "opens": [{"class": name, "what": what} for name, what in opening.opens(study, analysis)],
        "warnings": opening.warnings(study, roster, site, analysis),
    }


def _classes(study: Study) -> dict[str, Any]:
    used = opening.used_classes(study)
    return {
        "declared": list(study.policy.classes),
        "used": list(used),
        "sentence": opening.declared_sentence(study),
        "gives": [
            {
                "class": disclosure,
                "analyses": names,
                "sentences": opening.class_sentences(study, disclosure, names),
            }
            for disclosure, names in used.items()
        ],
    }


def _limits(study: Study) -> dict[str, Any]:
    document = study.policy.document()
    enforced = terms.BETWEEN_RELEASES_ENFORCED
    return {
        "compute": {**document["compute"], "sentences": terms.compute_sentences(study)},
        "show": {**document["show"], "sentences": terms.show_sentences(study)},
        "between_releases": {
            **document["between_releases"],
            "enforced": enforced,
            "sentences": terms.release_sentences(study),
        },
    }


def _accepted(study: Study) -> dict[str, Any]:
    return {
        "sentence": terms.accepted_sentence(study),
        "exceptions": [
            {"analysis": item.analysis, "because": item.because} for item in study.policy.accepted
        ],
    }
