"""Curves of one endpoint share the times at which they are shown."""

from __future__ import annotations

from typing import Any

from coordinator.report.families import (
    ENTERED,
    EVENT,
    REST,
    Curves,
    curves_of,
    family_points,
    outcomes,
    ticks_of,
)
from coordinator.report.folder import Document
from coordinator.report.suppression import END
from tests.coordinator.report.made import OPTIONS
from tests.coordinator.report.patients import Patient, incidence_document, survival_document

DAYS = {3: 4, 8: 6, 12: 5, 15: 5}  # how many die on which day, of 50


def people() -> list[Patient]:
    dead = [day for day, count in DAYS.items() for _ in range(count)]
    arms = ["a" if n % 2 else "b" for n in range(50)]
    days = [(day, 1) for day in dead] + [(20, 0)] * 30
    return [Patient(day, cause, {"arm": arm}) for (day, cause), arm in zip(days, arms, strict=True)]


def document(kind: str, by: str = "", **options: Any) -> Document:
    make = survival_document if kind == "survival" else incidence_document
    chosen = {**OPTIONS[kind], "by": by or None, **options}
    return Document(f"{kind} {by}", kind, chosen, make(people(), by, [10]))


def shown(*documents: Document, shut: bool = False) -> dict[str, Any]:
    found = [curves_of(one) for one in documents]
    hidden = {curves.name: (shut, shut) for curves in found}
    return family_points(found, least=5, hidden=hidden)


def test_days_between_which_few_die_are_not_shown() -> None:
    """Four by day 3 are few; ten by day 8, five more by 12 and by 15 are shown."""
    found = shown(document("survival"))["survival "][EVENT]
    assert ({5.0, 10.0, 12.0, 15.0, END} & found) == {10.0, 12.0, 15.0, END}


def test_groups_are_shown_where_both_have_enough() -> None:
    """By day 10 five die in each arm, and five in each after it."""
    found = shown(document("survival"), document("survival", "arm"))["survival arm"][EVENT]
    assert ({12.0, 10.0, END} & found) == {10.0, END}


def test_points_of_groups_are_among_those_of_the_total() -> None:
    """Whoever adds up the groups learns nothing of other days."""
    found = shown(document("survival"), document("survival", "arm"))
    assert found["survival arm"][EVENT] <= found["survival "][EVENT]


def test_causes_are_apart_where_every_curve_tells_them_apart() -> None:
    """An incidence alone has the censored and each competing cause for itself."""
    assert set(shown(document("incidence"))["incidence "]) == {REST, "rest 2", EVENT}


def test_causes_are_joined_beside_a_survival_curve() -> None:
    """There the competing causes count as censored."""
    found = shown(document("incidence"), document("survival", "arm"))
    assert set(found["incidence "]) == {REST, EVENT}


def test_a_total_that_must_not_be_shown_is_not() -> None:
    """Nor is the other series at the end, that would give it back."""
    found = shown(document("survival"), shut=True)["survival "]
    assert (END in found[EVENT], END in found[REST]) == (False, False)


def test_no_day_of_an_event_is_chosen() -> None:
    """Times are those of tables and axes, and even steps."""
    found = shown(document("survival"))["survival "][EVENT] - {END}
    assert {time * 2 % 1 for time in found} == {0}


def test_a_reverse_curve_counts_the_censored_as_events() -> None:
    """Of (events of interest, censored) none have died and none left by day 2."""
    curves = curves_of(document("survival", reverse=True))
    assert curves.leaving(curves.groups[0], 10.0) == (0, 10)


def test_a_reverse_curve_with_causes_that_nobody_tells_apart_shows_no_counts() -> None:
    """Its other side counts competing events too: the difference would be theirs."""
    reverse = document("survival", reverse=True)
    found = shown(document("survival"), Document("reverse", "survival", reverse.options, {
        **reverse.result, "curves": [{**reverse.result["curves"][0], "n_event": [0] * 5,
                                      "n_censor": [4, 6, 5, 5, 30]}]}))  # fmt: skip
    assert found["reverse"] == {}


def test_late_entry_is_a_series_of_its_own() -> None:
    """Rows that come under observation late are told by the numbers at risk."""
    late = document("survival")
    late.result["curves"][0]["n_risk"] = [40, 36, 40, 35, 30]
    assert ENTERED in shown(late)["survival "]


def test_a_figure_has_the_ticks_of_its_axis() -> None:
    """Followed for 20 days: a tick each five days."""
    one = document("survival")
    assert ticks_of(one, outcomes(one)[0]) == (0.0, 5.0, 10.0, 15.0, 20.0)


def test_curves_know_their_rows() -> None:
    """Fifty over both arms."""
    curves: Curves = curves_of(document("survival", "arm"))
    assert curves.rows == 50
