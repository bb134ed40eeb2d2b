"""What a steward is told: complete, true of what the code does, and safe on a terminal."""

from __future__ import annotations

import ast
import json
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from coordinator.freeze import freeze, roster_of
from site_agent.contract.analyses.cox_sums import MOMENTS
from site_agent.contract.catalogue import KINDS, SUMS
from site_agent.contract.errors import Refused
from site_agent.contract.identity import fingerprint
from site_agent.contract.study.model import EarlierRoster, Study
from site_agent.contract.study.read import read_study
from site_agent.review import review, review_document
from site_agent.review.opening import class_sentences
from site_agent.review.page import places
from site_agent.review.sources import analysis_sources, covariate_columns, unused_columns
from tests.protocol import CENTER, frozen, identity
from tests.studytext import STUDY, study, varied

ROOT = Path(__file__).parents[2]
OWN = "alder"
COUNTRIES = {"alder": "US", "beech": "US", "cedar": "Spain", "dogwood": "Spain", "elm": "Spain"}
STUDIES = ("anakinra", "lung", "mgh", "small")
ACCEPTED = """\
  accepted:
    - {analysis: curve, because: it is the primary result}
"""


def with_roster(text: str, countries: Mapping[str, str] | None = None) -> Study:
    """A study frozen over five hospitals with a country each."""
    members = [
        identity(site).member({"country": country} if country else {})
        for site, country in (countries or COUNTRIES).items()
    ]
    return freeze(text, "test", roster_of(identity(CENTER).member(), members))[1]


def small(*replacements: tuple[str, str]) -> Study:
    """The small study after replacing texts, frozen."""
    return with_roster(varied(*replacements))


def analysing(
    *lines: str,
    countries: Mapping[str, str] | None = None,
    classes: str = "[A, B, V, C]",
    accepted: Iterable[str] = (),
) -> Study:
    """The small study with other analyses, `name: {...}` each, other classes and exceptions."""
    head, rest = STUDY.split("analyses:\n")
    tail = rest[rest.index("disclosure:") :].replace(ACCEPTED, "")
    named = "".join(f"    - {{analysis: {name}, because: agreed}}\n" for name in accepted)
    tail = tail.replace(
        "disclosure:\n", f"disclosure:\n  accepted:\n{named}" if named else "disclosure:\n"
    )
    tail = tail.replace("classes: [A, B]", f"classes: {classes}")
    body = "".join(f"  {line}\n" for line in lines)
    return with_roster(f"{head}analyses:\n{body}{tail}", countries)


@cache
def the_study(name: str) -> Study:
    """One of the example studies, or the small one, frozen over five hospitals."""
    if name == "small":
        return small()
    text = (ROOT / "studies" / name / "study.yaml").read_text(encoding="utf-8")
    return with_roster(text, dict.fromkeys(COUNTRIES, "") if name in ("lung", "mgh") else None)


def said(study: Study, site: str = OWN) -> str:
    """The review with its line breaks taken out."""
    return " ".join(review(study, site).split())


def sentences(value: Any) -> Iterator[str]:
    """Every sentence of a review document."""
    if isinstance(value, dict):
        for name, inner in value.items():
            if name in ("sentence", "sentences", "warnings", "leaves", "stays", "approval"):
                yield from [inner] if isinstance(inner, str) else texts(inner)
            else:
                yield from sentences(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from sentences(inner)


def texts(value: Any) -> Iterator[str]:
    """Every text in a review document."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from texts(inner)


def missing(names: set[str], text: str) -> set[str]:
    """The names that do not stand in a text."""
    return {name for name in names if name not in text}


# Complete


@pytest.mark.parametrize("name", STUDIES)
def test_each_analysis_stands_with_its_kind(name: str) -> None:
    """No analysis is left out."""
    analyses = the_study(name).analyses.values()
    heads = {(a["name"], a["kind"]) for a in review_document(the_study(name), OWN)["analyses"]}
    assert heads == {(analysis.name, analysis.kind) for analysis in analyses}


@pytest.mark.parametrize("name", STUDIES)
def test_each_column_and_derived_column_is_named(name: str) -> None:
    """No name of the dictionary is left out of the text."""
    text = said(the_study(name))
    tables = the_study(name).tables.values()
    columns = {column for table in tables for column in table.columns}
    derived = {item.name for table in tables for item in table.derived}
    assert missing({f" {column}" for column in columns | derived}, text) == set()


@pytest.mark.parametrize("name", STUDIES)
def test_each_party_stands_with_its_fingerprint(name: str) -> None:
    """The center and every hospital can be compared over the telephone."""
    roster = the_study(name).roster
    assert roster is not None
    parties = [roster.center, *roster.sites.values()]
    lines = {f"{party.name} {fingerprint(party)}" for party in parties[1:]}
    center = f"{CENTER}, fingerprint {fingerprint(roster.center)}"
    assert missing({center, *lines}, said(the_study(name))) == set()


@pytest.mark.parametrize("name", STUDIES)
def test_each_endpoint_is_named(name: str) -> None:
    """Every endpoint of the study has its sentences."""
    named = {item["name"] for item in review_document(the_study(name), OWN)["endpoints"]}
    assert named == set(the_study(name).endpoints)


@pytest.mark.parametrize("name", STUDIES)
def test_each_exception_stands_with_its_reason(name: str) -> None:
    """What the stewards sign stands word by word."""
    accepted = the_study(name).policy.accepted
    wanted = {f'{item.analysis}: "{item.because}"' for item in accepted}
    assert missing(wanted, said(the_study(name))) == set()


@pytest.mark.parametrize("name", STUDIES)
def test_each_class_that_occurs_is_explained(name: str) -> None:
    """The classes explained are those that the catalogue says the analyses use."""
    found = the_study(name)
    used = {c for a in found.analyses.values() for c, _ in KINDS[a.kind].uses(a.options)}
    gives = review_document(found, OWN)["classes"]["gives"]
    assert {item["class"] for item in gives} == used


@pytest.mark.parametrize("name", STUDIES)
def test_what_opens_covers_the_catalogue(name: str) -> None:
    """Every text of `uses` stands under its analysis, in its class."""
    found = the_study(name)
    document = {item["name"]: item["opens"] for item in review_document(found, OWN)["analyses"]}
    left_out = [
        (analysis.name, disclosure, what)
        for analysis in found.analyses.values()
        for disclosure, what in KINDS[analysis.kind].uses(analysis.options)
        if not any(
            opened["class"] == disclosure and opened["what"].startswith(what)
            for opened in document[analysis.name]
        )
    ]
    assert left_out == []


@pytest.mark.parametrize("name", STUDIES)
def test_what_is_asked_first_is_told(name: str) -> None:
    """The class of each sum that an analysis asks for first is one that the review tells."""
    found = the_study(name)
    document = {item["name"]: item["opens"] for item in review_document(found, OWN)["analyses"]}
    asked = {
        (analysis.name, SUMS[ask.sum].disclosure)
        for analysis in found.analyses.values()
        for ask in next(KINDS[analysis.kind].estimator(found, analysis, {}), ())
    }
    told = {(name, item["class"]) for name, opens in document.items() for item in opens}
    assert asked - told == set()


def test_a_model_by_site_tells_its_moments() -> None:
    """A model by site asks for sums of covariates over events before it is fitted."""
    found = analysing("m: {kind: cox, endpoint: survival, covariates: [age], baseline: by_site}")
    (analysis,) = review_document(found, OWN)["analyses"]
    assert {"class": "A", "what": MOMENTS.gives} in analysis["opens"]


def test_entries_by_time_are_told() -> None:
    """Counts of a left-truncated endpoint also say when patients come under observation."""
    found = analysing("curve: {kind: incidence, endpoint: trm}")
    assert "and how many come under observation at each time" in said(found)


def test_strata_of_a_test_are_told() -> None:
    """Counts by time of a stratified test open in each stratum."""
    found = analysing("test: {kind: logrank, endpoint: survival, by: sex, strata: [dose]}")
    assert "by cause, in each group of sex, in each group of dose" in said(found)


@pytest.mark.parametrize("name", STUDIES)
def test_the_text_says_every_sentence_of_the_document(name: str) -> None:
    """Text and JSON say the same."""
    text = said(the_study(name))
    assert missing(set(sentences(review_document(the_study(name), OWN))), text) == set()


@pytest.mark.parametrize("name", STUDIES)
def test_the_document_is_json(name: str) -> None:
    """The document goes through JSON and comes back as it was."""
    document = review_document(the_study(name), OWN)
    assert json.loads(json.dumps(document)) == document


def test_the_document_has_these_parts() -> None:
    """Parts are only added: programs rely on them."""
    assert list(review_document(the_study("small"), OWN)) == [
        *("study", "revision", "center", "hospitals", "tables", "endpoints", "analyses", "classes"),
        *("limits", "accepted", "leaves", "stays", "approval"),
    ]


def test_the_hash_stands_in_groups_of_four() -> None:
    """The groups together are the hash that the approval is for."""
    text = said(the_study("lung"))
    groups = text.partition("Hash: ")[2].split()[:16]
    assert "".join(groups) == the_study("lung").hash


def test_a_study_read_from_its_frozen_file_is_reviewed_alike() -> None:
    """Freezing and reading again changes nothing of the review."""
    roster = the_study("small").roster
    assert roster is not None
    text, found = freeze(STUDY, "test", roster)
    assert review(read_study(text, "test"), OWN) == review(found, OWN)


def test_a_review_is_the_same_each_time() -> None:
    """The same study and site give the same text."""
    assert review(the_study("anakinra"), OWN) == review(the_study("anakinra"), OWN)


@pytest.mark.parametrize("path", sorted((ROOT / "site_agent/review").glob("*.py")), ids=str)
def test_a_review_reads_no_clock_and_no_file(path: Path) -> None:
    """No module of the review imports what is not pure."""
    imported = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            imported.add(node.module or "")
        elif isinstance(node, ast.Import):
            imported |= {alias.name for alias in node.names}
    assert {name.split(".")[0] for name in imported} <= {
        *("__future__", "collections", "typing", "unicodedata", "site_agent")
    }


# In words


def test_this_hospital_is_marked() -> None:
    """One hospital is this one, and it is the one that is asked for."""
    lines = [line for line in review(the_study("small"), "cedar").splitlines() if "(this" in line]
    assert [line.split()[0] for line in lines] == ["cedar"]


def test_how_many_hospitals_a_release_needs() -> None:
    """Three are enough by the limits and by the majority of five."""
    assert "A release needs at least 3 of these 5 hospitals." in said(the_study("small"))


def test_an_endpoint_in_words() -> None:
    """The endpoint trm of the small study, worked out by hand."""
    endpoints = {
        item["name"]: item for item in review_document(the_study("small"), OWN)["endpoints"]
    }
    assert " ".join(endpoints["trm"]["sentences"]) == (
        "The time to the event death (death_day), unless relapse (relapse_day) comes first. "
        "Followed until last_seen_day at the latest; what happens later does not count. Of "
        "several on one day the first in this order counts: relapse, death. Counted from day 0. "
        "Each patient counts only after start_day."
    )


def test_an_endpoint_of_the_status_form_in_words() -> None:
    """The endpoint of the lung study, worked out by hand."""
    (endpoint,) = review_document(the_study("lung"), OWN)["endpoints"]
    assert " ".join(endpoint["sentences"]) == (
        'The time to the event death. Each patient ends at time, with death if status == "dead", '
        "else without an event. Counted from day 0."
    )


def test_an_endpoint_that_no_analysis_uses() -> None:
    """The small study defines an endpoint for nothing."""
    assert "trm_from_start (no analysis uses it):" in said(the_study("small"))


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        (
            "a: {kind: survival, endpoint: trm, by: sex}",
            "The share of patients still without the event death, at each time (a survival "
            "curve); endpoint trm. One curve for each group of sex (male, female). Follow-up "
            "ends with relapse, if that comes first. All patients of the table patients.",
        ),
        (
            "a: {kind: survival, endpoint: trm, reverse: true}",
            "How long the patients were followed (a survival curve of the end of follow-up); "
            "endpoint trm. All patients of the table patients.",
        ),
        (
            "a: {kind: incidence, endpoint: trm, cohort: adults}",
            "The share of patients with the event death by each time, and the same for relapse "
            "(cumulative incidence); endpoint trm. Only patients of the cohort adults: age >= 18.",
        ),
        (
            "a: {kind: logrank, endpoint: survival, by: smoker, by_site: true}",
            "A test whether the event death comes sooner in some groups of smoker (false, true) "
            "than in others (log-rank test); endpoint survival. Compared within each hospital. "
            "All patients of the table patients.",
        ),
        (
            "a: {kind: cox, endpoint: survival, covariates: [age, sex], strata: [dose]}",
            "How the rate of the event death goes with age and sex (a Cox model); endpoint "
            "survival. Compared over all hospitals together, and only within the same group of "
            "dose (high, low). All patients of the table patients.",
        ),
        (
            "a: {kind: cox, endpoint: survival, covariates: [age], baseline: by_site, "
            "cluster: site, concordance: true}",
            "How the rate of the event death goes with age (a Cox model); endpoint survival. "
            "Compared within each hospital. Errors are robust, with one cluster for each hospital. "
            "How often of two the one with the higher rate has the event first is counted. All "
            "patients of the table patients.",
        ),
        (
            "a: {kind: glm, outcome: smoker, family: binomial, covariates: [age], "
            "intervals: profile}",
            "How the odds of smoker go with age (a regression). Limits of each coefficient are "
            "found by its profile likelihood too. All patients of the table patients.",
        ),
        (
            "a: {kind: cox_screen, endpoint: survival, covariates: [age], complete: common}",
            "How the rate of the event death goes with each of these alone: age (Cox models); "
            "endpoint survival. All models take the rows in which every covariate is known. "
            "Compared over all hospitals together. All patients of the table patients.",
        ),
        (
            "a: {kind: fine_gray, endpoint: trm_from_start, covariates: [age]}",
            "How the share with the event death by each time goes with age (a Fine and Gray model)"
            "; endpoint trm_from_start. Those with relapse stay among those compared. Compared "
            "over all hospitals together. All patients of the table patients.",
        ),
        (
            "a: {kind: incidence, endpoint: trm_from_start, by: sex, by_site: true}",
            "The share of patients with the event death by each time, and the same for relapse "
            "(cumulative incidence); endpoint trm_from_start. One curve for each group of sex "
            "(male, female). A test whether the groups have the same incidence (Gray's test). "
            "Compared within each hospital. All patients of the table patients.",
        ),
        (
            "a: {kind: logrank, endpoint: survival, by: smoker, rho: 1}",
            "A test whether the event death comes sooner in some groups of smoker (false, true) "
            "than in others (log-rank test, early times weighing more, rho = 1); endpoint "
            "survival. Compared over all hospitals together. All patients of the table patients.",
        ),
        (
            "a: {kind: compare, variables: [age, smoker], by: sex, complete: common}",
            "Whether each of these differs between groups of sex: age and smoker. The groups are "
            "sex (male, female); test: auto. All take the rows in which every one is known. All "
            "patients of the table patients.",
        ),
        (
            "a: {kind: paired, before: age, after: kps, tests: [t, signed_rank]}",
            "How much kps differs from age in the same row, and in how many it fell, rose or "
            "stayed; tests: t and signed_rank. All patients of the table patients.",
        ),
        (
            "a: {kind: table_one, variables: [age, smoker], by: sex, tests: true}",
            "A table of age and smoker, by group of sex (male, female): counts, or mean, "
            "deviation, median and quartiles, and how many values are missing. Whether the groups "
            "differ is tested. All patients of the table patients.",
        ),
        (
            "a: {kind: table_one, variables: [age], by: sex, smd: true}",
            "A table of age, by group of sex (male, female): counts, or mean, deviation, median "
            "and quartiles, and how many values are missing. Standardized mean differences of the "
            "groups are given. All patients of the table patients.",
        ),
        (
            "a: {kind: proportion, variables: [smoker], against: 0.2}",
            "Which part of the rows has each level of smoker. Each is tested against a given "
            "probability. All patients of the table patients.",
        ),
        (
            "a: {kind: proportion, variables: [smoker], cohort: adults}",
            "Which part of the rows has each level of smoker. Only patients of the cohort adults: "
            "age >= 18.",
        ),
    ],
)
def test_an_analysis_in_words(line: str, sentence: str) -> None:
    """Kind, endpoint, groups, covariates and cohort of an analysis, worked out by hand."""
    (analysis,) = review_document(analysing(line), OWN)["analyses"]
    assert " ".join(analysis["sentences"]) == sentence


WEIGHTING = "w: {kind: weighting, treatment: smoker, covariates: [age, sex], truncate: [0.1, 10]}"


def test_a_weighting_in_words() -> None:
    """What the score is of, what its weights do, and what opens of each arm."""
    (analysis,) = review_document(analysing(WEIGHTING, accepted=["w"]), OWN)["analyses"]
    assert " ".join(analysis["sentences"]) == (
        "How likely smoker was, given age and sex (a propensity score), and weights made of it, so "
        "that treated and untreated both stand for everybody. Weights are held between 0.1 and 10. "
        "Sums of weights and covariates open for each of the two arms. All patients of the table "
        "patients."
    )


def test_a_weighted_curve_in_words() -> None:
    """What its rows count by, and that weights open by time, made of which columns."""
    curve = "a: {kind: survival, endpoint: survival, weights: w}"
    text = said(analysing(WEIGHTING, curve, accepted=["w", "a"]))
    assert (
        "Each row counts by a weight that its smoker, age and sex decide" in text,
        "For a the weights of those who leave, or have the event, open at each time" in text,
        "made from: patients.age, patients.sex, patients.smoker." in text,
    ) == (True, True, True)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_each_kind_has_words(kind: str) -> None:
    """No kind of the catalogue is left to be named only."""
    fields = {
        "logrank": "endpoint: survival, by: sex",
        "cox": "endpoint: survival, covariates: [age]",
        "cox_screen": "endpoint: survival, covariates: [age]",
        "fine_gray": "endpoint: survival, covariates: [age]",
        "meta_analysis": "endpoint: survival, covariates: [age]",
        "compare": "variables: [age], by: sex",
        "paired": "before: age, after: kps",
        "table_one": "variables: [age]",
        "proportion": "variables: [smoker]",
        "glm": "outcome: smoker, family: binomial, covariates: [age]",
        "gee": "outcome: age, family: gaussian, wave: kps, waves: [0, 9]",
        "loess": "outcome: age, day: start_day, days: [0, 9]",
        "weighting": "treatment: smoker, covariates: [age]",
        "adjustment": "diagram: [age -> dose], exposure: age, outcome: dose",
    }.get(kind, "endpoint: survival")
    accepted = ["a"] if kind == "weighting" else []
    found = analysing(f"a: {{kind: {kind}, {fields}}}", accepted=accepted)
    assert f"An analysis of the kind {kind}" not in said(found)


@pytest.mark.parametrize(
    ("column", "words"),
    [
        ("kps", "kps: whole number; may be missing"),
        ("sex", "sex: one of: male, female; never missing"),
        ("smoker", "smoker: true or false; may be missing"),
        ("age", 'age "Age in years": number in years; never missing'),
        ("start_day", "start_day: time in days; never missing"),
        ("dose", "dose = high if age > 60; low otherwise"),
        ("peak", "peak = max(grades.crs)"),
    ],
)
def test_a_column_in_words(column: str, words: str) -> None:
    """Name, label, type, unit and whether missing is allowed; or how it is worked out."""
    assert words in said(the_study("small"))


# Which columns an analysis rests on


def test_an_analysis_rests_on_columns_of_a_child_table() -> None:
    """A covariate that gathers the rows of another table rests on that table's column."""
    found = the_study("small")
    assert covariate_columns(found, found.analyses["screen"]) == ["patients.age", "grades.crs"]


def test_an_analysis_rests_on_its_endpoint_and_its_derived_columns() -> None:
    """Entry, two causes, last day and both covariates of an analysis, worked out by hand."""
    found = the_study("small")
    assert analysis_sources(found, found.analyses["screen"]) == {
        *(("patients", name) for name in ("age", "peak", "start_day", "death_day")),
        *(("patients", name) for name in ("relapse_day", "last_seen_day")),
        ("grades", "crs"),
    }


def test_columns_that_no_analysis_uses() -> None:
    """Of the anakinra study all but the sex, of which the paper has nothing."""
    assert unused_columns(the_study("anakinra"), "patients") == ["sex"]


def test_unused_columns_are_told() -> None:
    """A steward can ask why they are in the study."""
    text = "Read and checked, but used by no analysis: smoker."
    assert text in said(the_study("small"))


def test_class_c_names_the_columns_it_is_made_from() -> None:
    """A derived covariate is named by the columns of the data behind it."""
    found = analysing(
        "m: {kind: cox, endpoint: survival, covariates: [dose, kps], risk_sets: open}"
    )
    assert "Here these sums are made from: patients.age, patients.kps." in said(found)


@pytest.mark.parametrize(("variance", "told"), [("fine_gray", True), ("model", False)])
def test_risk_sets_that_open_to_hospitals_are_told(variance: str, told: bool) -> None:
    """Fine and Gray's variance opens sums over the risk sets to every hospital."""
    found = analysing(
        "m: {kind: fine_gray, endpoint: survival, covariates: [kps], risk_sets: open, "
        f"variance: {variance}}}"
    )
    assert ("open to every hospital as well" in said(found)) == told


def test_sealed_risk_sets_are_told() -> None:
    """A model over all hospitals says what keeps its risk sets from the center."""
    found = analysing("m: {kind: cox, endpoint: survival, covariates: [dose, kps]}")
    assert "only scrambled with a secret that the hospitals share" in said(found)


# Hospitals that few share an attribute with


def test_the_only_hospital_of_its_kind_is_warned() -> None:
    """Counts by country are this hospital's own where no other is of its country."""
    alone = {**COUNTRIES, "beech": "Spain"}
    found = analysing(
        "curve: {kind: survival, endpoint: survival, by: site.country}", countries=alone
    )
    assert "uses country US, and no other hospital of the study has that" in said(found)


def test_two_hospitals_of_a_kind_are_warned() -> None:
    """The other one can subtract."""
    found = analysing("curve: {kind: survival, endpoint: survival, by: site.country}")
    assert "uses country US, which only this hospital and beech have" in said(found)


def test_three_hospitals_of_a_kind_are_not_warned() -> None:
    """Each is hidden among two others."""
    found = analysing("curve: {kind: survival, endpoint: survival, by: site.country}")
    assert "WARNING: this analysis" not in said(found, "elm")


def test_an_attribute_that_no_analysis_uses_is_no_warning() -> None:
    """That countries are known splits nothing."""
    assert "WARNING: this analysis" not in said(the_study("small"))


def test_one_party_under_two_names_is_told() -> None:
    """A center that pins one key twice counts one hospital as two."""
    found = the_study("small")
    assert found.roster is not None
    double = replace(found.roster.sites["beech"], name="fir")
    roster = replace(found.roster, sites={**found.roster.sites, "fir": double})
    text = said(replace(found, roster=roster))
    assert "WARNING: one party under several names: beech, fir." in text


# Classes


CURVE = "curve: {kind: survival, endpoint: survival}"
BY_SITE = "m: {kind: cox, endpoint: survival, covariates: [age], baseline: by_site}"
POOLED = "m: {kind: cox, endpoint: survival, covariates: [age], baseline: pooled}"


@pytest.mark.parametrize(
    ("line", "absent"),
    [(CURVE, {"A", "V", "C"}), (BY_SITE, {"B", "V", "C"}), (POOLED, {"V"})],
)
def test_nothing_is_said_of_a_class_that_does_not_occur(line: str, absent: set[str]) -> None:
    """Neither explained nor named, if the study declares what it uses."""
    used = sorted({"A", "B", "V", "C"} - absent)
    text = said(analysing(line, classes=f"[{', '.join(used)}]"))
    assert {c for c in absent if f"class {c}" in text.replace("Class", "class")} == set()


def test_a_class_that_is_declared_and_not_used() -> None:
    """The steward is told to ask for a study without it."""
    text = said(analysing(CURVE, classes="[A, B, C]"))
    assert "The study declares more than it uses: classes A and C, which no analysis opens" in text


def test_classes_that_fit_what_is_used() -> None:
    """Nothing is left to ask for."""
    text = said(analysing(CURVE, classes="[B]"))
    assert "The study declares what its analyses open and nothing more: class B." in text


def test_a_study_that_opens_more_than_it_declares() -> None:
    """Reading a file refuses this; if it happens anyway the steward is told."""
    found = analysing(CURVE, classes="[B]")
    bare = replace(found, policy=replace(found.policy, classes=()))
    assert "The analyses open more than the study declares: class B. Do not approve" in said(bare)


def test_class_c_warns_small_studies() -> None:
    """The warning names what the center can work out."""
    found = analysing("m: {kind: cox, endpoint: survival, covariates: [dose], risk_sets: open}")
    warning = "the center can work out the covariates and times of single patients"
    assert warning in said(found)


# Limits


def test_the_limits_of_an_analysis() -> None:
    """What is counted of single analyses, and what is then left out, with the study's numbers."""
    text = said(small(("sites: 3, patients: 5, others: 3", "sites: 3, deaths: 6, carriers: 7")))
    assert (
        "a model or a test with fewer than 6 patients who have the event, in all or in one of its "
        "strata; one with fewer than 7 patients inside or outside of a group;"
    ) in text


def test_a_study_that_accepts_everything() -> None:
    """Nothing is counted of its analyses, and the steward is warned; a diagram asks for nothing."""
    assert "WARNING: the study names every analysis under `accepted`" in said(the_study("anakinra"))


def test_what_an_exception_lifts() -> None:
    """Small counts are shown, and nothing is left out; other limits stand."""
    assert (
        "The report shows their small counts as they are, and nothing of them is left out of a "
        "release for being small."
    ) in said(the_study("small"))


def test_a_grid_is_told() -> None:
    """The steps of time, and what becomes of later times."""
    found = analysing("c: {kind: survival, endpoint: survival, grid: [28, 60]}")
    assert "Times are counted in steps that end at 28 and 60 days; later ones are cut off." in said(
        found
    )


def test_the_limits_of_compute() -> None:
    """The three numbers of the study stand in one sentence."""
    assert (
        "unless at least 3 hospitals have patients, there are at least 5 patients in all, and, "
        "if this hospital has patients, at least 3 of other hospitals."
    ) in said(the_study("small"))


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        (0, "The center's report hides no counts."),
        (1, "The center's report hides no counts."),
        (2, "The center's report hides counts of 1 in its tables"),
        (5, "The center's report hides counts of 1 to 4 in its tables"),
    ],
)
def test_what_the_report_hides(cell: int, words: str) -> None:
    """Counts below the cell, and that the center has them all the same."""
    found = the_study("small")
    assert words in said(replace(found, policy=replace(found.policy, cell=cell)))


def test_hiding_is_no_protection_from_the_center() -> None:
    """The steward is not to take the report's limit for one of the files."""
    assert "It hides nothing from the center, whose files hold every count" in said(
        the_study("small")
    )


def test_what_lies_between_releases_is_enforced() -> None:
    """The document says so, for programs."""
    told = review_document(the_study("small"), OWN)["limits"]["between_releases"]
    assert (told["patients"], told["sites"], told["enforced"]) == (5, 3, True)


def test_between_releases_in_words() -> None:
    """What is compared with what, the limits, and what is open if they are not met."""
    text = said(the_study("small"))
    assert (
        "no patient differs, or at least 5 patients, from at least 3 hospitals. Otherwise" in text
    )


def test_between_releases_says_what_the_limits_do_not_do() -> None:
    """A steward is not to think that changes are counted in each covariate."""
    text = said(the_study("small"))
    assert "one patient whose value was corrected passes among others who came" in text


def test_without_earlier_rosters() -> None:
    """Then the hospitals must be those of before."""
    text = said(the_study("small"))
    assert "Earlier releases over the same tables must have had the same hospitals" in text


def test_earlier_rosters_in_words() -> None:
    """Who joined and who left, what can be had by subtraction, and the center's reason."""
    study = the_study("small")
    assert study.roster is not None
    first, *others = study.roster.sites
    named = EarlierRoster((*others, "zurich"), "zurich left, the first one joined")
    changed = replace(study, policy=replace(study.policy, earlier_rosters=(named,)))
    expected = (
        f"since then {first} joined and since then zurich left. The totals of those that joined "
        f"or left can be had by subtracting one release from the other. The center's reason: "
        f'"zurich left, the first one joined".'
    )
    assert expected in said(changed)


def test_a_study_without_exceptions() -> None:
    """The section stands, and says that there is none."""
    assert "ACCEPTED EXCEPTIONS None." in said(analysing(CURVE))


def test_a_synthetic_study_is_told() -> None:
    """The study says that its patients are made up."""
    assert "Synthetic: the study says that its patients are made up." in said(the_study("anakinra"))


def test_a_study_of_real_patients_is_told() -> None:
    """What is not marked is taken for real."""
    assert "Not marked as synthetic: its patients are taken for real ones." in said(
        the_study("lung")
    )


# Safe on a terminal

ESCAPES = (
    ("title: A small study", 'title: "A \\e[2Jsmall\\u202E\\u009B31m study\\nAPPROVED"'),
    ("because: it is the primary result", 'because: "so\\e]0;x\\a\\r\\n  Class B: harmless"'),
    ("age: Age in years", 'age: "Age\\e[8m"'),
    ("unit: years", 'unit: "years\\e[1A"'),
    ("1: male, 2: female", '1: male, 2: "fe\\e[31mmale"'),
)


def test_no_escape_sequence_gets_out() -> None:
    """No control character of title, reason, label, unit or level reaches the terminal."""
    text = review(small(*ESCAPES), OWN)
    assert {c for c in text if unicodedata.category(c)[0] == "C"} == {"\n"}


def test_no_escape_sequence_gets_into_the_document() -> None:
    """The texts of the JSON are as plain."""
    found = "".join(texts(review_document(small(*ESCAPES), OWN)))
    assert {c for c in found if unicodedata.category(c)[0] == "C"} == set()


def test_a_text_of_the_study_stays_on_its_line() -> None:
    """What a title says on a second line does not begin a line of the review."""
    lines = [line.strip() for line in review(small(*ESCAPES), OWN).splitlines()]
    assert [line for line in lines if line.startswith(("APPROVED", "Class B: harmless"))] == []


def test_a_text_of_the_study_does_not_close_its_quotation_marks() -> None:
    """What the center writes stays within the marks that say so."""
    found = small(("title: A small study", "title: 'Fine\". Nothing opens. \"'"))
    assert "small: \"Fine'. Nothing opens. '\"" in said(found)


def test_a_site_with_an_escape_sequence_in_its_name() -> None:
    """Names of sites are not checked when a roster is read; they are made plain here."""
    found = the_study("small")
    assert found.roster is not None
    evil = replace(identity("fir").member({"country": "US"}), name="fir\x1b[2J")
    roster = replace(found.roster, sites={**found.roster.sites, evil.name: evil})
    assert "\x1b" not in review(replace(found, roster=roster), OWN)


@pytest.mark.parametrize("width", [40, 60, 88, 140])
@pytest.mark.parametrize("name", STUDIES)
def test_the_width_is_kept(name: str, width: int) -> None:
    """No line takes more places than it may."""
    lines = review(the_study(name), OWN, width=width).splitlines()
    assert max(places(line) for line in lines) <= width


def test_the_width_is_kept_with_long_and_wide_words() -> None:
    """Words longer than a line break, and wide characters count twice."""
    title = "界" * 90 + " " + "x" * 200
    lines = review(small(("A small study", title)), OWN, width=60).splitlines()
    assert max(places(line) for line in lines) <= 60


def test_no_line_ends_in_a_space() -> None:
    """Lines are clean."""
    lines = review(the_study("anakinra"), OWN).splitlines()
    assert [line for line in lines if line != line.rstrip()] == []


# Refused


def test_a_study_that_is_not_frozen_is_not_reviewed() -> None:
    """Without a roster nobody knows who asks."""
    with pytest.raises(Refused) as refused:
        review(study(), OWN)
    assert refused.value.code == "not_frozen"


def test_a_study_without_this_site_is_not_reviewed() -> None:
    """A hospital that the study does not pin has nothing to approve."""
    with pytest.raises(Refused) as refused:
        review(frozen(), "north")
    assert refused.value.code == "not_in_roster"


def test_clusters_are_a_column_that_is_read() -> None:
    """What makes clusters counts among the columns on which an analysis rests."""
    found = analysing(
        "m: {kind: cox, endpoint: survival, covariates: [age], baseline: by_site, cluster: kps}"
    )
    assert ("patients", "kps") in analysis_sources(found, found.analyses["m"])


def test_a_steward_learns_what_hospitals_see_of_risk_sets() -> None:
    """Robust errors over all hospitals show open risk sets to the hospitals too."""
    found = analysing(
        "m: {kind: cox, endpoint: survival, covariates: [kps], risk_sets: open, robust: true}"
    )
    said = " ".join(class_sentences(found, "C", ["m"]))
    assert "For m sums over the patients at risk" in said
