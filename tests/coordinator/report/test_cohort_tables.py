"""The table of the cohort, and proportions."""

from __future__ import annotations

from coordinator.report.cohort_tables import cohort_tables, proportion_tables
from coordinator.report.suppression import Suppressed
from tests.coordinator.report.made import cohort, shares, view

HIDDEN = Suppressed(5)
LARGE = ((8, 7), (9, 6))
SMALL_CELL = ((8, 7), (13, 2))


def test_a_table_of_the_cohort() -> None:
    """Median and quartiles, counts with percentages, p once a variable, a failure in words."""
    (table,) = cohort_tables(view("table_one", cohort(*LARGE)))
    ages = ("40.0 [35.0, 45.5]",) * 3
    assert table.rows == (
        ("age", "–", *ages, "0.032", "Wilcoxon rank sum"),
        ("sex", "male", "8 (53.3)", "9 (60.0)", "17 (56.7)", "–", "no group has rows"),
        ("sex", "female", "7 (46.7)", "6 (40.0)", "13 (43.3)", "–", "–"),
        ("site", "no group has rows"),
    )


def test_the_missing_have_a_row() -> None:
    """Six in each group lack the age: of all rows of the group."""
    (table,) = cohort_tables(view("table_one", cohort(*LARGE, missing=6), least=5))
    assert table.rows[1][:4] == ("age", "missing", "6 (28.6)", "6 (28.6)")


def test_a_small_cell_hides_its_variable() -> None:
    """Two of a level in a group: no count of this variable, and no p-value; age is shown."""
    (table,) = cohort_tables(view("table_one", cohort(*SMALL_CELL), least=5))
    assert table.rows[1][2:] == (HIDDEN,) * 5
    assert table.rows[0][2] == "40.0 [35.0, 45.5]"


def test_a_number_that_nobody_has() -> None:
    """A dash, and all of the group among the missing."""
    found = cohort(*LARGE, missing=6)
    group = found["models"]["age"]["groups"][0]
    nothing = ("mean", "std_dev", "median", "first_quartile", "third_quartile")
    group |= {"rows": 0, "missing_proportion": 1.0} | dict.fromkeys(nothing)
    (table,) = cohort_tables(view("table_one", found))
    assert [row[2] for row in table.rows[:2]] == ["–", "6 (100.0)"]


def test_few_missing_hide_a_number() -> None:
    """Two who lack it are a small count like any other."""
    (table,) = cohort_tables(view("table_one", cohort(*LARGE, missing=2), least=5))
    assert [row[2:5] for row in table.rows[:2]] == [(HIDDEN,) * 3] * 2


def test_standardized_differences() -> None:
    """Once a variable: equal ages are 0 apart, 8 of 15 and 9 of 15 by 1/15 over their deviation."""
    (table,) = cohort_tables(view("table_one", cohort(*LARGE, smd=True), smd=True))
    assert table.columns[-3:] == ("SMD", "p", "Test")
    assert [row[5] for row in table.rows[:3]] == ["0.00", "0.13", "–"]


def test_a_small_cell_hides_the_difference() -> None:
    """It would give the cell back, as the test would."""
    found = cohort(*SMALL_CELL, missing=2, smd=True)
    (table,) = cohort_tables(view("table_one", found, least=5, smd=True))
    assert [row[5:] for row in (table.rows[0], table.rows[2])] == [(HIDDEN,) * 3] * 2


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
