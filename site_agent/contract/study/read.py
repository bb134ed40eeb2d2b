"""Reading a whole study file: strictly, and telling everything that is wrong at once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Final, get_args

from site_agent.contract.analyses.guard_distributions import distribution_issues
from site_agent.contract.analyses.guard_grids import grouping_issues
from site_agent.contract.analyses.guard_openings import openings
from site_agent.contract.analyses.guard_selections import extremes_issues, weight_issues
from site_agent.contract.analyses.kind import Context
from site_agent.contract.analyses.weights import WEIGHTING, weighting_issues
from site_agent.contract.catalogue import KINDS
from site_agent.contract.errors import Issue, StudyError
from site_agent.contract.study.at_center import at_center_issues
from site_agent.contract.study.document import Node, read_document
from site_agent.contract.study.earlier_rosters import earlier_roster_issues, read_earlier_rosters
from site_agent.contract.study.endpoints import read_cohorts, read_endpoints
from site_agent.contract.study.fields import Fields, nearest
from site_agent.contract.study.model import DEVELOPMENT, FORMAT, Accepted, Analysis, Policy, Study
from site_agent.contract.study.parties import read_roster
from site_agent.contract.study.schedule import read_schedule
from site_agent.contract.study.tables import (
    check_name,
    read_derived,
    read_scopes,
    read_sites,
    read_tables,
    read_time,
)
from site_agent.contract.sums import Disclosure

CLASSES: Final[tuple[Disclosure, ...]] = get_args(Disclosure)
FEWEST_SITES: Final = 3
FEWEST_CHANGED: Final = 3  # patients: the difference of two releases is these
FEWEST_DEATHS: Final = 5  # below these a model's totals were seen to fix its binary covariates
FEWEST_CARRIERS: Final = 5
DIGEST: Final = re.compile(r"[0-9a-f]{64}\Z")


def read_study(text: str, source: str, *, development: bool = False) -> Study:
    """Return the study that `text` describes.

    With `development` the file's disclosure policy is set aside (`--policy none`): one or two
    sites will do, every class may open, and all that is written is watermarked. Raises
    StudyError with every issue; a frozen study whose content no longer has the hash it
    was frozen under is one.
    """
    issues: list[Issue] = []
    root = Fields(read_document(text, source), issues).open()
    version = root.node_of("quorum", required=True)
    if version is not None and version.value != FORMAT:
        root.issue(
            f"found {version.kind()}, expected {FORMAT}, the format this version reads", version
        )
    study = _read_parts(root, development=development)
    frozen = root.text("frozen")
    if study.roster is not None and not frozen:
        root.issue(
            "'frozen' is missing: a roster is put in by freezing, together with the hash; take "
            "'roster' out and freeze the study",
            root.named["roster"],
        )
    root.close()
    if issues:
        raise StudyError(sorted(issues, key=lambda issue: issue.line or 0), source)
    if frozen and not development:
        _check_frozen(study, frozen, root.named["frozen"], source)
    return study


def _read_parts(root: Fields, *, development: bool) -> Study:
    name = root.text("study", required=True)
    if name:
        check_name(root, name, root.named["study"])
    revises = root.text("revises")
    if revises and not DIGEST.match(revises):
        root.issue(
            "expected the hash of a frozen study, 64 characters of 0-9 and a-f, as freezing puts "
            "it in",
            root.named["revises"],
        )
    scale = read_time(root)
    attributes, at_center = read_sites(root)
    tables = read_tables(root, scale)
    typed = read_scopes(tables, attributes)
    derived = read_derived(root, tables, typed)
    scopes = {table: item.scope for table, item in typed.items()}
    endpoints = read_endpoints(root, scopes)
    cohorts = read_cohorts(root, scopes)
    context = Context(scale, endpoints, cohorts, scopes, _weightings(root), tables)
    analyses = _read_analyses(root, context) if tables else {}
    policy = _read_policy(root, analyses)
    policy = DEVELOPMENT if development else policy
    roster = read_roster(root, attributes)
    labels, schedule = _read_presentation(root)
    study = Study(
        name=name,
        title=root.text("title", required=True),
        synthetic=root.flag("synthetic"),
        time=scale,
        site_attributes=attributes,
        tables={key: replace(table, derived=derived[key]) for key, table in tables.items()},
        endpoints=endpoints,
        cohorts=cohorts,
        analyses=analyses,
        policy=policy,
        scopes=scopes,
        roster=None if development else roster,
        at_center="" if development else at_center,
        revises="" if development else revises,
        labels=labels,
        schedule=schedule,
    )
    _check_classes(root, study)
    _check_groupings(root, study)
    _check_names(root, study)
    _check_weightings(root, study)
    for message in _earlier_roster_issues(study):
        root.issue(f"disclosure.earlier_rosters: {message}", root.named["disclosure"])
    for message in at_center_issues(study.at_center, [*roster.sites] if roster else []):
        if roster is not None:
            root.issue(message, root.named["sites"])
    return study


def _read_analyses(root: Fields, context: Context) -> dict[str, Analysis]:
    analyses: dict[str, Analysis] = {}
    for name, node in root.each("analyses", required=True):
        check_name(root, name, node)
        fields = Fields(node, root.issues).open()
        kind = KINDS.get(fields.choice("kind", tuple(KINDS)))
        known = fields.named.get("kind")
        if kind is None or known is None or known.value not in KINDS:
            continue
        before = len(root.issues)
        options = kind.read(fields, context)
        fields.close()
        if len(root.issues) == before:
            analyses[name] = Analysis(name, kind.name, options)
    return analyses


def _read_policy(root: Fields, analyses: Mapping[str, Analysis]) -> Policy:
    fields = root.inner("disclosure", required=True)
    if fields is None:
        return DEVELOPMENT
    classes = _read_classes(fields)
    compute, show = fields.inner("compute", required=True), fields.inner("show")
    between = fields.inner("between_releases")
    missing = Fields(Node("disclosure", fields.node.line, {}), [])
    compute, show, between = compute or missing, show or missing, between or missing
    policy = Policy(
        classes=classes,
        sites=compute.whole("sites", default=5, least=FEWEST_SITES),
        patients=compute.whole("patients", default=10, least=1),
        others=compute.whole("others", default=10, least=1),
        deaths=compute.whole("deaths", default=FEWEST_DEATHS, least=FEWEST_DEATHS),
        carriers=compute.whole("carriers", default=FEWEST_CARRIERS, least=FEWEST_CARRIERS),
        cell=show.whole("cell", default=5),
        changed_patients=between.whole("patients", default=5, least=FEWEST_CHANGED),
        changed_sites=between.whole("sites", default=3, least=2),
        accepted=_read_accepted(fields, root, analyses),
        earlier_rosters=read_earlier_rosters(fields),
    )
    for inner in (compute, show, between):
        inner.close()
    fields.close()
    return policy


def _read_classes(fields: Fields) -> tuple[Disclosure, ...]:
    found: list[Disclosure] = []
    for node in fields.items("classes", required=True):
        chosen = [name for name in CLASSES if name == node.value]
        if chosen:
            found += chosen
        else:
            fields.issue(f"found {node.kind()}, expected classes among {', '.join(CLASSES)}", node)
    return tuple(name for name in CLASSES if name in found)


def _read_accepted(
    fields: Fields, root: Fields, analyses: Mapping[str, Analysis]
) -> tuple[Accepted, ...]:
    """Read the named exceptions: each names an analysis and gives a sentence to sign."""
    named = root.named.get("analyses")
    known = list(named.value) if named is not None and isinstance(named.value, Mapping) else []
    accepted = []
    for node in fields.items("accepted"):
        item = Fields(node, root.issues).open()
        analysis = item.text("analysis", required=True)
        because = item.text("because", required=True)
        item.close()
        if analysis and analysis not in known:
            item.issue(f"'{analysis}' is not an analysis{nearest(analysis, known)}")
        accepted.append(Accepted(analysis, because))
    return tuple(accepted)


def _check_classes(root: Fields, study: Study) -> None:
    """Note every analysis that opens more than the classes that the stewards accept."""
    named = root.named.get("analyses")
    for name, analysis in study.analyses.items():
        for disclosure, what in KINDS[analysis.kind].uses(analysis.options):
            if disclosure in study.policy.classes or not study.policy.classes:
                continue  # no class at all is an issue of its own
            hint = ""
            if analysis.options.get("baseline") == "pooled":
                sealed = disclosure == "C" and analysis.options["risk_sets"] == "open"
                instead = "risk_sets: sealed" if sealed else "baseline: by_site"
                hint = f"; or take {instead}, which is class A"
            assert named is not None and isinstance(named.value, Mapping)
            root.issue(
                f"opens {what}: class {disclosure}, which disclosure.classes "
                f"({', '.join(study.policy.classes)}) does not accept. Add {disclosure} to the "
                f"classes if the stewards accept it{hint}",
                named.value[name],
            )


def _earlier_roster_issues(study: Study) -> list[str]:
    if study.roster is None:
        return []
    return earlier_roster_issues(study.policy.earlier_rosters, study.roster.sites)


def _check_groupings(root: Fields, study: Study) -> None:
    """Note every analysis whose groups, weights or extremes need an exception by name."""
    named = root.named.get("analyses")
    if study.policy.development or named is None or not isinstance(named.value, Mapping):
        return
    opened = openings(study)
    issues = [
        *grouping_issues(study),
        *distribution_issues(study),
        *weight_issues(opened),
        *extremes_issues(opened),
    ]
    for name, sentence in issues:
        root.issue(sentence, named.value[name])


def _check_names(root: Fields, study: Study) -> None:
    """Note every analysis that names another one which the study does not have."""
    named, known = root.named.get("analyses"), list(study.analyses)
    for name, analysis in study.analyses.items():
        for other in KINDS[analysis.kind].names(analysis.options):
            if other not in known and named is not None and isinstance(named.value, Mapping):
                root.issue(
                    f"'{other}' is not an analysis{nearest(other, known)}", named.value[name]
                )


def _weightings(root: Fields) -> tuple[str, ...]:
    """Return the names of the analyses of the kind weighting, which others may name."""
    named = root.named.get("analyses")
    found = named.value if named is not None and isinstance(named.value, Mapping) else {}
    return tuple(
        name
        for name, node in found.items()
        if isinstance(node.value, Mapping)
        and "kind" in node.value
        and node.value["kind"].value == WEIGHTING
    )


def _check_weightings(root: Fields, study: Study) -> None:
    """Note every analysis whose rows are not among those of the weighting that it names."""
    named = root.named.get("analyses")
    for name, sentence in weighting_issues(study):
        assert named is not None and isinstance(named.value, Mapping)
        root.issue(sentence, named.value[name])


def _read_presentation(root: Fields) -> tuple[dict[str, str], str]:
    fields = root.inner("presentation")
    labels: dict[str, str] = {}
    if fields is not None:
        inner = fields.inner("labels")
        if inner is not None:
            labels = {name: inner.text(name) for name in inner.named}
        fields.close()
    schedule = root.text("schedule")
    try:
        read_schedule(schedule)
    except ValueError as error:
        root.issue(str(error), root.named["schedule"])
    return labels, schedule


def _check_frozen(study: Study, frozen: str, node: Node, source: str) -> None:
    if study.roster is None:
        issue = Issue("frozen", node.line, "a frozen study has a roster, this one has none")
        raise StudyError([issue], source)
    if study.hash != frozen:
        raise StudyError(
            [
                Issue(
                    "frozen",
                    node.line,
                    f"the study was changed after freezing: its content has the hash "
                    f"{study.hash[:16]}, the file says {frozen[:16]}. Undo the change, or remove "
                    f"'roster' and 'frozen', freeze it again and have it approved again",
                )
            ],
            source,
        )
