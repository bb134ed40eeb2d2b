from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from site_agent.contract.expressions import (
    Boolean,
    Category,
    Columns,
    ExpressionError,
    Number,
    Scope,
    Type,
    infer,
    parse,
)

KINDS: list[tuple[str, Type]] = [
    ("1", Number()),
    ("true", Boolean()),
    ("age", Number()),
    ("route", Category(("IV", "SC", "both"), "IV")),
    ("site.country", Category(("US", "Spain"), "US")),
    ("-age ** 2 + 1 / kps", Number()),
    ("not treated or age > 60 and true", Boolean()),
    ('route == "IV"', Boolean()),
    ('"SC" != route', Boolean()),
    ("treated == (age > 50)", Boolean()),
    ("age <= kps", Boolean()),
    ("age in [1, -2]", Boolean()),
    ('route not in ["SC", "both"]', Boolean()),
    ("log10(age)", Number()),
    ("is_missing(route)", Boolean()),
    ("coalesce(treated, true)", Boolean()),
    ("coalesce(route, route)", Category(("IV", "SC", "both"), "IV")),
    ("if(treated, age, -1)", Number()),
    ("number(treated)", Number()),
    ("cut(age, [50])", Category(("<50", ">=50"), "<50")),
    ("spline(age, knots = [1, 2, 3, 4])", Columns(("age", "age'", "age''"))),
    ("interaction(route, age)", Columns(("route=SC:age", "route=both:age"))),
    ("max(grades.icans - grades.crs)", Number()),
    ("count(grades, where = severe and patient.age > 60)", Number()),
    ('count(grades, where = site.country == "US")', Number()),
    ("first_run(grades, crs == 0, length = 3, from = anakinra_day)", Number()),
    ("last(grades, severe)", Number()),
]


@pytest.mark.parametrize(("text", "expected"), KINDS)
def test_type(kind_of: Callable[[str], Type], text: str, expected: Type) -> None:
    """Every expression over the study's columns has its type."""
    assert kind_of(text) == expected


GOLDEN = {
    '"IV"': (
        "A text alone is no column; compare a category with it.",
        0,
    ),
    "1 + age / 0": (
        "A division by 0 has no value; divide by another number.",
        10,
    ),
    "age / -0.0": (
        "A division by 0 has no value; divide by another number.",
        6,
    ),
    "[1]": (
        "A list stands only after 'in', or as an argument that is one.",
        0,
    ),
    "agee": (
        "Unknown name 'agee'. Did you mean 'age'?",
        0,
    ),
    "True": (
        "Unknown name 'True'. Did you mean 'true'?",
        0,
    ),
    "AGE": (
        "Unknown name 'AGE'. Did you mean 'age'?",
        0,
    ),
    "grades.icans": (
        "'grades' is a child table with many rows for one row here; use a function of a "
        "table, such as max(grades.icans).",
        0,
    ),
    "grades": (
        "'grades' is a child table with many rows for one row here; use a function of a "
        "table, such as count(grades).",
        0,
    ),
    "max": (
        "'max' is a function; write max(table.x, where = condition).",
        0,
    ),
    "patient.age": (
        "Unknown name 'patient.age'. Did you mean 'age'?",
        0,
    ),
    "patient.agge": (
        "Unknown name 'patient.agge'. Known here: age, anakinra_day, death_day,"
        " dose_group, dose_mg, ferritin, kps, last_seen_day, onset_day, product, relapse_day,"
        " response and 3 more.",
        0,
    ),
    "site.contry": (
        "Unknown name 'site.contry'. Did you mean 'site.country'?",
        0,
    ),
    "-route": (
        "'-' takes numbers, and 'route' is a category.",
        1,
    ),
    "not age": (
        "'not' takes true or false, and 'age' is a number; write a comparison.",
        4,
    ),
    "age + treated": (
        "'+' takes numbers, and 'treated' is true or false. Write number(treated) to count "
        "true as 1 and false as 0.",
        6,
    ),
    "age - route": (
        "'-' takes numbers, and 'route' is a category.",
        6,
    ),
    "route or treated": (
        "'or' takes true or false, and 'route' is a category; write a comparison.",
        0,
    ),
    "treated and age": (
        "'and' takes true or false, and 'age' is a number; write a comparison.",
        12,
    ),
    '"a" ** 2': (
        "'**' takes numbers, and \"a\" is a text.",
        0,
    ),
    "2 ** treated": (
        "'**' takes numbers, and 'treated' is true or false. Write number(treated) to count "
        "true as 1 and false as 0.",
        5,
    ),
    'route == "iv"': (
        "\"iv\" is no level of 'route'. Did you mean 'IV'?",
        9,
    ),
    '"iv" == route': (
        "\"iv\" is no level of 'route'. Did you mean 'IV'?",
        0,
    ),
    'route < "IV"': (
        "The levels of a category have no order, so '<' says nothing of them; use == or !=, "
        "or 'in' with a list.",
        6,
    ),
    'route == "IX"': (
        "\"IX\" is no level of 'route'. Known here: IV, SC, both.",
        9,
    ),
    "route == IV": (
        "'IV' is a level and no column; write \"IV\".",
        9,
    ),
    "route == XI": (
        "Unknown name 'XI'. Known here: age, anakinra_day, death_day, "
        "dose_group, dose_mg, false, ferritin, kps, last_seen_day, onset_day, product, "
        "relapse_day and 5 more.",
        9,
    ),
    "route == dose_group": (
        "'==' cannot compare 'route', a category, with 'dose_group', a category. Compare with"
        ' a level in quotes, such as "IV".',
        6,
    ),
    "route == age": (
        "'==' cannot compare 'route', a category, with 'age', a number. Compare with a level "
        'in quotes, such as "IV".',
        6,
    ),
    'age == "IV"': (
        "'==' cannot compare 'age', a number, with \"IV\", a text.",
        4,
    ),
    "treated < true": (
        "'<' cannot compare 'treated', true or false, with 'true', true or false.",
        8,
    ),
    "treated == 1": (
        "'==' cannot compare 'treated', true or false, with '1', a number.",
        8,
    ),
    "spline(age, knots = [1, 2, 3]) + 1": (
        "'+' takes numbers, and 'spline(age, knots = [1, 2, 3])' is a block of design columns.",
        0,
    ),
    "age in []": (
        "The list after 'in' is empty; nothing is in it.",
        7,
    ),
    'age in ["IV"]': (
        "'age' is a number, so the list after 'in' holds numbers, written out.",
        8,
    ),
    "age in [age]": (
        "'age' is a number, so the list after 'in' holds numbers, written out.",
        8,
    ),
    "route in [1]": (
        "'route' is a category, so the list after 'in' holds its levels in quotes.",
        10,
    ),
    'route in ["SX"]': (
        "\"SX\" is no level of 'route'. Known here: IV, SC, both.",
        10,
    ),
    "treated in [true]": (
        "'in' takes a number or a category, and 'treated' is true or false.",
        0,
    ),
    "logg(age)": (
        "Unknown function 'logg'. Did you mean 'log'?",
        0,
    ),
    "age(1)": (
        "Unknown function 'age'. Known here: abs, coalesce, count, cut, earliest, exp, first,"
        " first_run, if, interaction, is_missing, last and 13 more.",
        0,
    ),
    "log10()": (
        "log10() takes 1 argument without a name, and 0 are given; write log10(x).",
        0,
    ),
    "log10(age, kps)": (
        "log10() takes 1 argument without a name, and 2 are given; write log10(x).",
        0,
    ),
    "max(age, kps)": (
        "max() takes 1 argument without a name, and 2 are given; write max(table.x, where = "
        "condition), or maximum(a, b) for values of one row.",
        0,
    ),
    "max(age)": (
        "max() takes columns of one child table, each written with its name as in "
        "max(grades.icans); for values of one row write maximum(a, b).",
        4,
    ),
    "max(1)": (
        "max() takes columns of one child table, each written with its name as in "
        "max(grades.icans); for values of one row write maximum(a, b).",
        4,
    ),
    "min(site.country)": (
        "min() takes columns of one child table, each written with its name as in "
        "min(grades.icans); for values of one row write minimum(a, b).",
        4,
    ),
    "sum(grades.icans, kps)": (
        "sum() takes 1 argument without a name, and 2 are given; write sum(table.x, where = "
        "condition).",
        0,
    ),
    "log10(age, base = 2)": (
        "log10() has no argument 'base'. It takes none by name.",
        18,
    ),
    'cut(age, [50], lables = ["a", "b"])': (
        "cut() has no argument 'lables'. Did you mean 'labels'?",
        24,
    ),
    "if(age, 1, 2)": (
        "The condition of if() takes true or false, and 'age' is a number; write a comparison.",
        3,
    ),
    "if(age > 1, 1, treated)": (
        "if() takes numbers, and 'treated' is true or false. Write number(treated) to count "
        "true as 1 and false as 0.",
        15,
    ),
    "number(age)": (
        "number() takes true or false, and 'age' is a number; write a comparison.",
        7,
    ),
    "minimum(age)": (
        "minimum() takes at least 2 arguments without a name, and 1 is given; write "
        "minimum(a, b, ...).",
        0,
    ),
    'is_missing("a")': (
        "is_missing() takes a number, true or false, or a category, and not a text.",
        11,
    ),
    "is_missing(spline(age, knots = [1, 2, 3]))": (
        "is_missing() takes a number, true or false, or a category, and not a block of design"
        " columns.",
        11,
    ),
    "coalesce(age, treated)": (
        "coalesce() takes arguments of one type; the first is a number, and this one is true "
        "or false.",
        14,
    ),
    "coalesce(route, dose_group)": (
        "coalesce() takes arguments of one type; the first is a category, and this one is of "
        "other levels.",
        16,
    ),
    'coalesce("a", age)': (
        "coalesce() takes a number, true or false, or a category, and not a text.",
        9,
    ),
    'coalesce(age, "a")': (
        "coalesce() takes a number, true or false, or a category, and not a text.",
        14,
    ),
    "cut(age, 50)": (
        "cut() takes a list of at least 1 number, written out and ascending, such as [50, 60, 70].",
        9,
    ),
    "cut(age, [])": (
        "cut() takes a list of at least 1 number, written out and ascending, such as [50, 60, 70].",
        9,
    ),
    "cut(age, [65, 50])": (
        "cut() takes a list of at least 1 number, written out and ascending, such as [50, 60, 70].",
        9,
    ),
    "cut(age, [kps])": (
        "cut() takes a list of at least 1 number, written out and ascending, such as [50, 60, 70].",
        9,
    ),
    "cut(route, [50])": (
        "cut() takes numbers, and 'route' is a category.",
        4,
    ),
    "cut(age, [50], right = 1)": (
        "'right' is true or false, written out.",
        23,
    ),
    'cut(age, [50], labels = ["a"])': (
        "'labels' of cut() at 1 point is a list of 2 different texts in quotes.",
        24,
    ),
    'cut(age, [50, 60], labels = ["a", "b", "b"])': (
        "'labels' of cut() at 2 points is a list of 3 different texts in quotes.",
        28,
    ),
    'cut(age, [50], labels = "a")': (
        "'labels' of cut() at 1 point is a list of 2 different texts in quotes.",
        24,
    ),
    'cut(age, [50], labels = ["a", ""])': (
        "'labels' of cut() at 1 point is a list of 2 different texts in quotes.",
        24,
    ),
    "spline(age)": (
        "spline() needs 'knots'; write spline(x, knots = [numbers]).",
        0,
    ),
    "spline(age, knots = [1, 2])": (
        "spline() takes a list of at least 3 numbers, written out and ascending, such as [50,"
        " 60, 70].",
        20,
    ),
    "spline(treated, knots = [1, 2, 3])": (
        "spline() takes numbers, and 'treated' is true or false. Write number(treated) to "
        "count true as 1 and false as 0.",
        7,
    ),
    'interaction(age, "IV")': (
        "interaction() takes covariates, and this is a text.",
        17,
    ),
    "max(grades.icns)": (
        "Unknown name 'grades.icns' in the argument of max(). Did you mean 'grades.icans'?",
        4,
    ),
    "max(grades.icans + age)": (
        "max() takes columns of one child table, each written with its name as in "
        "max(grades.icans); for values of one row write maximum(a, b).",
        17,
    ),
    "max(grades.icans + patient.age)": (
        "max() takes columns of one child table, each written with its name as in "
        "max(grades.icans); for values of one row write maximum(a, b).",
        17,
    ),
    "max(grade.icans)": (
        "max() takes a child table of the table at hand, and 'grade' is none. Did you mean "
        "'grades'?",
        4,
    ),
    "max(grades.severe)": (
        "max() takes numbers, and 'grades.severe' is true or false. Write "
        "number(grades.severe) to count true as 1 and false as 0.",
        4,
    ),
    "max(grades.icans, where = icans)": (
        "'where' takes true or false, and 'icans' is a number; write a comparison.",
        26,
    ),
    "max(grades.icans, where = icns > 2)": (
        "Unknown name 'icns'. Did you mean 'icans'?",
        26,
    ),
    "max(grades.icans, where = count(visits) > 2)": (
        "count() stands inside max(); derive it as a column of its own first.",
        26,
    ),
    "max(max(grades.icans))": (
        "max() stands inside max(); derive it as a column of its own first.",
        4,
    ),
    "count(grades, where = max(grades.icans) > 1)": (
        "max() stands inside count(); derive it as a column of its own first.",
        22,
    ),
    "count(4)": (
        "count() takes the name of a child table first, and '4' is none.",
        6,
    ),
    "count(grade)": (
        "count() takes a child table of the table at hand, and 'grade' is none. Did you mean "
        "'grades'?",
        6,
    ),
    "count(patient)": (
        "count() takes a child table of the table at hand, and 'patient' is none. Known here:"
        " grades, visits.",
        6,
    ),
    "first_run(grades, crs == 0)": (
        "first_run() needs 'length'; write first_run(table, condition, length = days, from = day).",
        0,
    ),
    "first_run(grades, crs, length = 3)": (
        "The condition of first_run() takes true or false, and 'crs' is a number; write a "
        "comparison.",
        18,
    ),
    "first_run(grades, crs == 0, length = 0)": (
        "'length' is a whole number of at least 1, written out.",
        37,
    ),
    "first_run(grades, crs == 0, length = 1.5)": (
        "'length' is a whole number of at least 1, written out.",
        37,
    ),
    "first_run(grades, crs == 0, length = age)": (
        "'length' is a whole number of at least 1, written out.",
        37,
    ),
    "first_run(grades, crs == 0, length = 3, from = route)": (
        "'from' takes numbers, and 'route' is a category.",
        47,
    ),
    "first_run(visits, weight > 0, length = 3)": (
        "first_run() needs a table whose key ends in a day, and 'visits' has none.",
        10,
    ),
    "first(grades, patient.agge > 2)": (
        "Unknown name 'patient.agge'. Did you mean 'patient.age'?",
        14,
    ),
    "last(grades, crs == 0, from = 3)": (
        "last() has no argument 'from'. It takes none by name.",
        30,
    ),
    (
        "interaction(spline(age, knots = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, "
        "16]), spline(kps, knots = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]))"
    ): (
        "interaction() makes 210 columns, and at most 200 are allowed.",
        0,
    ),
    (
        "1 + (age > 1 and age > 2 and age > 3 and age > 4 and age > 5 and age > 6 and age > 7"
        " and age > 8 and age > 9 and age > 10 and age > 11)"
    ): (
        "'+' takes numbers, and 'age > 1 and age > 2 and age > 3 and age > 4 and age > 5 "
        "a...' is true or false.",
        13,
    ),
}


@pytest.mark.parametrize("text", GOLDEN)
def test_message(fault_of: Callable[[str], tuple[str, int]], text: str) -> None:
    """What does not fit the columns is answered with what was found and the nearest name."""
    assert fault_of(text) == GOLDEN[text]


def test_a_child_sees_its_parent_and_the_site(scope: Scope) -> None:
    """In a child table plain names are its columns, others go through the parent or site."""
    text = 'day - patient.anakinra_day > 2 and site.country == "US" and patient.treated'
    assert infer(parse(text), scope.children["grades"]) == Boolean()


def test_a_child_does_not_see_plain_columns_of_its_parent(scope: Scope) -> None:
    """A column of the parent without its address is unknown in a child table."""
    with pytest.raises(ExpressionError, match=r"Unknown name 'age'\. Did you mean 'patient"):
        infer(parse("age > 60"), scope.children["grades"])


def test_a_child_without_a_day_column_of_numbers_has_no_runs() -> None:
    """The order of a child table must be among its columns, as a number."""
    scope = Scope({}, children={"grades": Scope({"bad": Boolean()}, order="day")})
    with pytest.raises(ExpressionError, match="needs a table whose key ends in a day"):
        infer(parse("last(grades, bad)"), scope)


def test_a_bare_level_that_is_also_a_column_is_the_column() -> None:
    """A word that names both a level and a column is the column."""
    scope = Scope({"route": Category(("IV", "SC"), "IV"), "IV": Number()})
    with pytest.raises(ExpressionError, match="with 'IV', a number"):
        infer(parse("route == IV"), scope)


_VOCABULARY = (
    'age kps route treated grades grades.icans site.country patient.age day 1 -2 true "IV" '
    "max( count( first_run( cut( spline( interaction( if( is_missing( coalesce( ) ) ) [ ] "
    ", , where= length= knots= labels= from= == < in not and + - / **"
)
_WORDS = st.sampled_from(_VOCABULARY.split())


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300)
@given(words=st.lists(_WORDS, min_size=1, max_size=14))
def test_any_expression_has_a_type_or_is_an_expression_error(
    scope: Scope, words: list[str]
) -> None:
    """No text raises anything but an expression error when it is checked."""
    text = " ".join(words)
    try:
        infer(parse(text), scope)
    except ExpressionError as error:
        assert error.text == text
