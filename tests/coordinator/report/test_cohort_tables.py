"""The table of the cohort, and proportions."""

from __future__ import annotations

from coordinator.report.cohort_tables import cohort_tables, proportion_tables
from coordinator.report.suppression import Suppressed
from tests.coordinator.report.made import cohort, shares, view

HIDDEN = Suppressed(5)
LARGE = ((8, 7), (9, 6))
SMALL_CELL = ((8, 7), (13, 2))


def test_a_table_of_the_cohort() -> None:
    """All first; median and quartiles, levels under a category, p once, a failure in words."""
    (table,) = cohort_tables(view("table_one", cohort(*LARGE)))
    assert table.rows == (
        ("age", *("40 (35, 45.5)",) * 3, "0.032²"),
        ("sex", "", "", "", "–³"),
        ("male", "17 (57%)", "8 (53%)", "9 (60%)", ""),
        ("female", "13 (43%)", "7 (47%)", "6 (40%)", ""),
        ("site", "no group has rows"),
    )


def test_the_head_and_the_foot_of_the_table() -> None:
    """Sizes are in the head; the foot says what numbers and tests are."""
    (table,) = cohort_tables(view("table_one", cohort(*LARGE)))
    sizes = ("Overall N\u00a0=\u00a030¹", "low N\u00a0=\u00a015¹", "high N\u00a0=\u00a015¹")
    assert (table.columns, sorted(table.under)) == (("Characteristic", *sizes, "p"), [2, 3])
    assert table.notes == (
        "¹ Median (first, third quartile); n (%)",
        "² Wilcoxon rank sum test",
        "³ no group has rows",
    )


def test_sizes_are_not_told_where_all_cells_are_hidden() -> None:
    """Without any counts that are shown a size would be one more."""
    found = cohort((8, 7), (13, 2), missing=2)
    (table,) = cohort_tables(view("table_one", found, least=5))
    assert table.columns[1:4] == ("Overall¹", "low¹", "high¹")


def test_yes_and_no_have_one_row() -> None:
    """Those with yes are counted."""
    found = cohort(*LARGE)
    for group in found["models"]["sex"]["groups"]:
        for level, name in zip(group["levels"], ("no", "yes"), strict=True):
            level["name"] = name
    (table,) = cohort_tables(view("table_one", found))
    assert table.rows[1] == ("sex", "13 (43%)", "7 (47%)", "6 (40%)", "–³")


def test_the_missing_have_a_row() -> None:
    """Six in each group lack the age."""
    (table,) = cohort_tables(view("table_one", cohort(*LARGE, missing=6), least=5))
    assert table.rows[1] == ("Unknown", "6", "6", "6", "")


def test_a_small_cell_hides_its_variable() -> None:
    """Two of a level in a group: no count of this variable, and no p-value; age is shown."""
    (table,) = cohort_tables(view("table_one", cohort(*SMALL_CELL), least=5))
    assert [row[1:4] for row in table.rows[2:4]] == [(HIDDEN,) * 3] * 2
    assert (table.rows[0][1], table.rows[1][4]) == ("40 (35, 45.5)", HIDDEN)


def test_a_number_that_nobody_has() -> None:
    """A dash, and all of the group among the missing."""
    found = cohort(*LARGE, missing=6)
    group = found["models"]["age"]["groups"][2]
    nothing = ("mean", "std_dev", "median", "first_quartile", "third_quartile")
    group |= {"rows": 0, "missing_proportion": 1.0} | dict.fromkeys(nothing)
    (table,) = cohort_tables(view("table_one", found))
    assert [row[1] for row in table.rows[:2]] == ["–", "6"]


def test_few_missing_hide_a_number() -> None:
    """Two who lack it are a small count like any other."""
    (table,) = cohort_tables(view("table_one", cohort(*LARGE, missing=2), least=5))
    assert [row[1:4] for row in table.rows[:2]] == [(HIDDEN,) * 3] * 2


def test_standardized_differences() -> None:
    """Once a variable: equal ages are 0 apart, 8 of 15 and 9 of 15 by 1/15 over their deviation."""
    (table,) = cohort_tables(view("table_one", cohort(*LARGE, smd=True), smd=True))
    assert table.columns[-2:] == ("SMD", "p")
    assert [row[4] for row in table.rows[:3]] == ["0.00", "0.13", ""]


def test_a_small_cell_hides_the_difference() -> None:
    """It would give the cell back, as the test would."""
    found = cohort(*SMALL_CELL, missing=2, smd=True)
    (table,) = cohort_tables(view("table_one", found, least=5, smd=True))
    assert [row[4:] for row in (table.rows[0], table.rows[2])] == [(HIDDEN,) * 2] * 2


def test_a_condition_has_one_row() -> None:
    """Where it holds, of how many, with limits."""
    (table,) = proportion_tables(view("proportion", shares(12, 30), least=5))
    assert table.rows == (("well", "All", "yes", "12", "30", "40.0 (20.0 to 60.0)"),)


def test_a_tested_condition() -> None:
    """The probability stands in the head, the p-value in the row."""
    found = shares(12, 30, against=0.25)
    (table,) = proportion_tables(view("proportion", found, least=5, against=0.25))
    assert (table.columns[-1], table.rows[0][-1]) == ("p against 25 %", "0.032")


def test_a_small_part_hides_its_test() -> None:
    """With the probability and p a reader has the count."""
    found = shares(3, 30, against=0.25)
    (table,) = proportion_tables(view("proportion", found, least=5, against=0.25))
    assert table.rows[0][-1] == HIDDEN


def test_a_small_part_is_hidden() -> None:
    """Three of 30, or all but three, are a small count."""
    for count in (3, 27):
        (table,) = proportion_tables(view("proportion", shares(count, 30), least=5))
        assert table.rows[0][3:] == (HIDDEN,) * 3
