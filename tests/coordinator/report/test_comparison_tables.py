"""The tables of tests between groups, and of pairs."""

from __future__ import annotations

from coordinator.report.comparison_tables import compare_tables, paired_tables
from coordinator.report.suppression import Suppressed
from tests.coordinator.report.made import comparison, pairs, view

HIDDEN = Suppressed(5)
LARGE = ((8.0, 7.0), (9.0, 6.0))
SMALL_CELL = ((8.0, 7.0), (13.0, 2.0))
SMALL_GROUP = ((3.0, 0.0), (20.0, 7.0))


def test_tests_of_variables() -> None:
    """Statistic with three digits, p as gtsummary, an odds ratio without upper limit, a failure."""
    table = compare_tables(view("compare", comparison(*LARGE)))[0]
    assert table.rows == (
        ("age", "Wilcoxon rank sum", "30", "120", "–", "0.032"),
        ("sex", "Fisher's exact", "30", "–", "odds ratio 1.80 (0.50 to no bound)", "0.41"),
        ("site", "no group has rows"),
    )


def test_groups_and_levels() -> None:
    """A number has a row for each group, a category one for each level of each group."""
    table = compare_tables(view("compare", comparison(*LARGE), least=5))[1]
    assert [row[:4] for row in table.rows] == [
        ("age", "low", "–", "15"),
        ("age", "high", "–", "15"),
        ("sex", "low", "male", "8"),
        ("sex", "low", "female", "7"),
        ("sex", "high", "male", "9"),
        ("sex", "high", "female", "6"),
    ]


def test_a_small_cell_hides_all_of_its_category() -> None:
    """Two of a level in a group: no count, no p-value, no odds ratio of this variable."""
    tests, groups = compare_tables(view("compare", comparison(*SMALL_CELL), least=5))
    assert tests.rows[1][3:] == (HIDDEN, HIDDEN, HIDDEN)
    assert [row[3] for row in groups.rows if row[0] == "sex"] == [HIDDEN] * 4


def test_a_small_cell_hides_no_other_variable() -> None:
    """The groups of a number beside it are shown, and its test."""
    tests, groups = compare_tables(view("compare", comparison(*SMALL_CELL), least=5))
    shown = [tests.rows[0][3:], *(row[3] for row in groups.rows if row[0] == "age")]
    assert shown == [("120", "–", "0.032"), "15", "15"]


def test_a_small_group_hides_the_test_of_a_number() -> None:
    """Three patients in a group: neither its size, nor statistic and p."""
    tests, groups = compare_tables(view("compare", comparison(*SMALL_GROUP), least=5))
    assert tests.rows[0][3:] == (HIDDEN, HIDDEN, HIDDEN)
    assert [row[3:] for row in groups.rows[:2]] == [(HIDDEN, HIDDEN)] * 2


def test_pairs() -> None:
    """How many fell, rose and stayed, means with spread, fold change."""
    table = paired_tables(view("paired", pairs(), least=5))[0]
    assert table.rows == (
        ("30", "12", "10", "8", "20.0 ± 8.0", "15.0 ± 7.0", "−5.00 ± 4.0", "0.75"),
    )


def test_tests_of_pairs() -> None:
    """The paired t with the mean change, the signed ranks."""
    table = paired_tables(view("paired", pairs(), least=5))[1]
    assert table.rows == (
        ("paired t", "−2.50", "mean change −5.00 (−9.00 to −1.00)", "0.012"),
        ("Wilcoxon signed rank", "31.0", "–", "0.040"),
    )


def test_few_that_rose_hide_the_signed_ranks() -> None:
    """Two rose: how many fell and stayed is hidden too, and what ranks would tell of it."""
    change, tests = paired_tables(view("paired", pairs(rose=2), least=5))
    assert change.rows[0][1:4] == (HIDDEN, HIDDEN, HIDDEN)
    assert tests.rows[1][1:] == (HIDDEN, HIDDEN, HIDDEN)


def test_few_pairs_hide_everything() -> None:
    """Of four pairs nothing is shown."""
    change, tests = paired_tables(view("paired", pairs(4, 2, 1), least=5))
    assert {*change.rows[0], *tests.rows[0][1:], *tests.rows[1][1:]} == {HIDDEN}
