"""What is shown of an analysis beside the others of a release, worked by hand."""

from __future__ import annotations

from typing import Any

import pytest

from coordinator.report.families import EVENT, REST
from coordinator.report.folder import Document
from coordinator.report.output_rules import Rules, decide
from coordinator.report.shown_so_far import Totals
from coordinator.report.suppression import END
from tests.coordinator.report.made import (
    NONE_LEFT_OUT,
    OPTIONS,
    cox_fit,
    disclosure,
    incidence,
    logrank,
    term,
)
from tests.coordinator.report.patients import Patient, incidence_document, survival_document

Made = tuple[str, str, dict[str, Any], dict[str, Any]]


def rules(*made: Made, accepted: str = "", patients: int | None = None) -> dict[str, Rules]:
    """Return the rules for (name, kind, result, options) of each analysis."""
    documents = [
        Document(name, kind, {**OPTIONS[kind], **options}, result)
        for name, kind, result, options in made
    ]
    return decide(documents, disclosure(*filter(None, [accepted])), patients)


def model(name: str, rows: int, events: int, left_out: int = 0, **options: Any) -> Made:
    fit = cox_fit(term("age"), rows=rows, events=events).document()
    fit["left_out"] = {**NONE_LEFT_OUT, "a value missing": left_out}
    return (name, "cox", fit, options)


def cohort(low: tuple[int, int], high: tuple[int, int], *, without: int = 0) -> list[Patient]:
    """Return (dead, censored) of two groups, the dead on day 5, and some dead without a group."""
    people = [
        Patient(day, cause, {"arm": arm})
        for arm, (dead, censored) in (("low", low), ("high", high))
        for day, cause in [(5, 1)] * dead + [(20, 0)] * censored
    ]
    return people + [Patient(5, 1, {"arm": ""})] * without


def curve(people: list[Patient], arm: str = "") -> Made:
    name = "by_arm" if arm else "overall"
    return (name, "survival", survival_document(people, arm, [10]), {"by": arm or None})


def test_a_model_that_leaves_out_two_shows_neither_rows_nor_events_too_near() -> None:
    """30 patients less 28 rows are the two, and 15 events less 14 the one among them."""
    found = rules(model("all", 30, 15), model("some", 28, 14, 2), patients=30)
    assert [found[name].total() for name in ("all", "some")] == [
        Totals(rows=True, events=True),
        Totals(rows=False, events=False),
    ]


def test_a_model_that_leaves_out_many_shows_them() -> None:
    """Ten left out, five of them with an event, five without."""
    found = rules(model("all", 50, 20), model("some", 40, 15, 10), patients=50)
    assert found["some"].total() == Totals(rows=True, events=True)


def test_one_without_an_event_among_those_left_out_hides_the_events() -> None:
    """Of six left out five have an event: 30 censored less 29 would be the sixth."""
    found = rules(model("all", 50, 20), model("some", 44, 15, 6), patients=50)
    assert found["some"].total() == Totals(rows=True, events=False)


def test_few_events_are_told_apart_from_hidden_ones() -> None:
    """Of three events no estimate is shown; of those that are too near another's, it is."""
    found = rules(model("all", 30, 3), patients=30)
    assert found["all"].total() == Totals(rows=True, events=False, few=True)


def test_the_order_of_analyses_is_that_of_their_rows() -> None:
    """The larger one is shown, wherever it stands."""
    found = rules(model("some", 28, 14, 2), model("all", 30, 15), patients=None)
    assert (found["all"].total().rows, found["some"].total().rows) == (True, False)


def test_an_accepted_analysis_is_shown_and_others_keep_their_distance() -> None:
    """The accepted model shows 14 events: 15 of all would tell of the one left out."""
    found = rules(model("some", 28, 14, 2), model("all", 30, 15), accepted="some", patients=30)
    assert (found["some"].free, found["all"].total()) == (True, Totals(rows=True, events=False))


def test_what_an_accepted_analysis_shows_is_hidden_by_none() -> None:
    """Curves of all patients are the sums of the accepted curves by arm."""
    people = cohort((3, 17), (8, 12))
    found = rules(curve(people), curve(people, "arm"), accepted="by_arm", patients=40)
    assert (found["overall"].free, found["overall"].shown_by) == (True, ("by_arm",))


def test_an_accepted_total_does_not_free_its_groups() -> None:
    """Three dead in one arm are not shown by a curve of all patients."""
    people = cohort((3, 17), (8, 12))
    found = rules(curve(people), curve(people, "arm"), accepted="overall", patients=40)
    assert (found["by_arm"].free, found["by_arm"].counts(EVENT, END)) == (False, False)


def test_a_survival_curve_does_not_show_competing_causes() -> None:
    """An accepted curve of deaths leaves an incidence with relapses as it is."""
    people = cohort((8, 12), (8, 12))
    causes = ("causes", "incidence", incidence_document(people, "", [10]), {"by": None})
    found = rules(curve(people), causes, accepted="overall", patients=40)
    assert found["causes"].free is False


def test_large_counts_of_a_curve_are_shown() -> None:
    """Sixteen dead by day 10, and 24 censored at the end."""
    found = rules(curve(cohort((8, 12), (8, 12))), patients=40)["overall"]
    shown = [found.counts(EVENT, 10.0), found.counts(REST, END), found.at_risk(10.0)]
    assert (shown, found.estimate(EVENT, 10.0), found.summary(EVENT)) == ([True] * 3, True, True)


def test_few_events_of_a_group_hide_its_curve() -> None:
    """Three dead in one arm: no point after the first, no median, and no test."""
    found = rules(curve(cohort((3, 17), (8, 12)), "arm"), patients=40)["by_arm"]
    assert (found.estimate(EVENT, 10.0), found.summary(EVENT), found.groups) == (False, False, True)


def test_a_group_of_few_rows_hides_everything() -> None:
    """An arm of four: nothing is drawn, and nothing estimated."""
    found = rules(curve(cohort((0, 4), (18, 18)), "arm"), patients=40)["by_arm"]
    assert (found.groups, found.estimates, found.drawn(EVENT)) == (False, False, frozenset())


def test_few_without_a_group_hide_the_sizes_of_the_groups() -> None:
    """40 patients less the 38 of both arms are the two whose arm is not known."""
    people = cohort((8, 11), (8, 11), without=2)
    found = rules(curve(people), curve(people, "arm"), patients=40)["by_arm"]
    assert (found.full, found.counts(EVENT, 10.0)) == (False, False)


def test_a_log_rank_test_shows_events_if_all_groups_have_enough() -> None:
    """Nine and six of twelve and eighteen."""
    found = rules(("test", "logrank", logrank(rows=(20, 18)), {}), patients=30)["test"]
    assert (found.counts(EVENT, END), found.summary(EVENT)) == (True, True)


def test_few_censored_in_a_group_hide_the_events_of_a_test() -> None:
    """Nine of twelve: the three that live are told by subtraction; the test itself stays."""
    found = rules(("test", "logrank", logrank(), {}), patients=30)["test"]
    assert (found.counts(EVENT, END), found.summary(EVENT)) == (False, True)


def test_groups_keep_their_distance_from_namesakes() -> None:
    """Twenty rows in one analysis and 18 in another, of the same group: two are left out."""
    first = ("first", "logrank", {**logrank(rows=(20, 20)), "patients": 40}, {})
    other = ("other", "logrank", {**logrank(rows=(18, 12)), "patients": 30}, {})
    found = rules(first, other, patients=40)
    assert (found["first"].full, found["other"].full) == (True, False)


def test_a_policy_without_a_limit_shows_everything() -> None:
    """Nought, and the development policy."""
    document = Document("one", "incidence", OPTIONS["incidence"], incidence())
    found = [decide([document], disclosure(cell=0), 12),
             decide([document], disclosure(development=True), 12)]  # fmt: skip
    assert [rule["one"].free for rule in found] == [True, True]


def test_failures_have_no_rules_to_break() -> None:
    """An analysis without a result is decided on, and hides nothing of others."""
    failed = ("broken", "cox", {"failed": True, "because": "no rows"}, {})
    found = rules(failed, model("all", 30, 15), patients=30)
    assert found["all"].total() == Totals(rows=True, events=True)


@pytest.mark.parametrize(("series", "expected"), [("rest 2", True), ("event", False)])
def test_a_cause_in_a_family_that_joins_causes_is_shown_with_the_rest(
    series: str, expected: bool
) -> None:
    """Beside a survival curve the competing causes of an incidence go together."""
    found = Rules(free=False, points={REST: frozenset([5.0]), EVENT: frozenset()})
    assert found.counts(series, 5.0) == expected
