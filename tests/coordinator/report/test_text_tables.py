"""Plain aligned tables."""

from __future__ import annotations

from coordinator.report.text_tables import paragraph, plain, text_table
from coordinator.report.views import Table


def test_numbers_are_set_right_and_names_left() -> None:
    """Columns are two spaces apart, the caption above."""
    table = Table("Caption", ("Group", "Rows"), (("low", "6"), ("high", "128")))
    assert text_table(table, 40) == ["Caption", "Group  Rows", "low       6", "high    128"]


def test_a_row_with_fewer_cells_spans_the_rest() -> None:
    """A sentence in place of numbers is wrapped beside its name."""
    table = Table("", ("Covariate", "HR", "p"), (("dose", "no estimate as none happens at all"),))
    assert text_table(table, 32)[2:] == [
        "dose       no estimate as none",
        "           happens at all",
    ]


def test_headings_break_before_cells_do() -> None:
    """With too little room the heading takes two lines."""
    table = Table("", ("Group", "Degrees of freedom"), (("low", "1"),))
    assert text_table(table, 15)[1:] == ["Group   Degrees", "             of", "        freedom",
                                         "low           1"]  # fmt: skip


def test_no_line_is_wider_than_the_terminal() -> None:
    """Wide cells are wrapped."""
    table = Table("c", ("A", "B"), (("name " * 20, "value " * 20),), prose=True)
    assert max(len(line) for line in text_table(table, 60)) <= 60


def test_signs_are_ascii() -> None:
    """Minus, dashes and quotes are those of every terminal."""
    assert plain("−0.5 – “hidden” …") == '-0.5 - "hidden" ...'


def test_control_characters_do_not_reach_the_terminal() -> None:
    """A label cannot move the cursor or change colours."""
    assert plain("a\x1b[31mb\nc\u202ed") == "a?[31mb?c?d"


def test_a_paragraph_is_wrapped() -> None:
    """Words are kept whole."""
    assert paragraph("one two three", 8) == ["one two", "three"]


def test_broad_letters_take_two_places() -> None:
    """East Asian names keep the columns aligned."""
    table = Table("", ("G", "N"), (("東", "1"), ("ab", "2")))
    assert text_table(table, 20)[2:] == ["東  1", "ab  2"]
