"""A preview as JSON: each array with its shape, its encoding and the numbers themselves."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from site_agent.preview import Preview, previewed
from site_agent.preview_document import FEW, preview_document
from tests.protocol import patients, the_data, the_study

COUNTS = 2  # the round of counts and moments


@cache
def found() -> Preview:
    """The preview of the hospital with sixteen patients."""
    return previewed(the_study(), "elm", the_data("elm"), folder="/srv/data")


def document(*, full: bool = False) -> dict[str, Any]:
    """The same as JSON."""
    return preview_document(found(), full=full)


def of(name: str, number: int = COUNTS, *, full: bool = False) -> dict[str, Any]:
    """One sum of a round."""
    sums = document(full=full)["rounds"][number]["sums"]
    return next(each for each in sums if each["sum"] == name)


def array(of_sum: dict[str, Any], name: str) -> dict[str, Any]:
    """One array of a sum."""
    return next(each for each in of_sum["arrays"] if each["name"] == name)


def test_what_it_is_a_preview_of() -> None:
    """Study, hospital and data stand at the top."""
    head = {name: document()[name] for name in ("study", "site", "frozen", "folder", "full")}
    assert head == {
        "study": "protocol",
        "site": "elm",
        "frozen": True,
        "folder": "/srv/data",
        "full": False,
    }


def test_a_sum_and_its_purpose() -> None:
    """Class, for which analyses, who sees the total, and over which rows."""
    asked = of("counts_by_time")
    assert (asked["class"], asked["serves"], asked["opens_to"], asked["rows"]["count"]) == (
        *("B", ["curve"]),
        *("all", 16),
    )


def test_an_array_by_name_shape_and_encoding() -> None:
    """Two causes, one group, thirteen days: counts of 64 bits."""
    left = array(of("counts_by_time"), "left")
    assert {name: left[name] for name in ("shape", "encoding", "bits", "count")} == {
        "shape": [2, 1, 13],
        "encoding": "count",
        "bits": 64,
        "count": 26,
    }


def test_the_first_numbers_are_those_of_the_data() -> None:
    """Who left on which day, counted here from the rows themselves."""
    rows = patients("elm")
    counted = rows.groupby(["status", "days"]).size()
    first = array(of("counts_by_time"), "left")["first"]
    told = [((one["at"][0], one["at"][2]), one["number"]) for one in first]
    assert told == list(counted.items())[:FEW]


def test_how_many_numbers_are_not_zero() -> None:
    """As many as there are distinct pairs of status and day."""
    left = array(of("counts_by_time"), "left")
    assert left["not_zero"] == len(patients("elm").groupby(["status", "days"]).size())


def test_in_short_the_numbers_of_a_long_array_are_left_out() -> None:
    """Without `full` only the first few of 26 numbers stand there."""
    left = array(of("counts_by_time"), "left")
    assert ("numbers" in left, len(left["first"])) == (False, FEW)


def test_in_full_every_number_stands_there() -> None:
    """With `full` all numbers, zeros too, in the order of the array."""
    left = array(of("counts_by_time", full=True), "left")
    shown = next(one for one in found().rounds[COUNTS].sums if one.ask.sum == "counts_by_time")
    assert left["numbers"] == shown.arrays["left"].ravel().tolist()


def test_a_number_can_be_read_back_exactly() -> None:
    """The JSON text of a double is that double."""
    text = json.dumps(document(full=True))
    sums = json.loads(text)["rounds"][COUNTS]["sums"]
    moments = next(each for each in sums if each["sum"] == "cox_moments")
    assert array(moments, "sum")["numbers"] == [float(patients("elm")["dose"].sum())]


def test_in_full_nothing_is_shortened() -> None:
    """Long arguments are lists, and not their length in words."""
    short, full = (of("cox_sealed", COUNTS + 1, full=each)["asked_with"] for each in (False, True))
    assert (short["ties"], isinstance(full["ties"], list)) == (f"{len(full['ties'])} numbers", True)


def test_sealed_sums_say_as_what_they_leave() -> None:
    """Numbers before blinding, the lanes in which they leave, and what is made of the totals."""
    asked = of("cox_sealed", COUNTS + 1)
    names = [[each["name"] for each in asked[part]] for part in ("arrays", "sent_as", "reduced_to")]
    assert (asked["sealed"], asked["opens_to"], "S0" in names[0], "c" in names[1], names[2][0]) == (
        *(True, "center"),
        *(True, True, "loglik"),
    )


def test_the_bytes_of_all_rounds_are_added_up() -> None:
    """The sum over rounds stands beside them."""
    assert document()["bytes"] == sum(each["bytes"] for each in document()["rounds"])


@pytest.mark.parametrize("full", [False, True])
def test_it_is_json(full: bool) -> None:
    """Nothing in it is of numpy, and no number is not finite."""
    assert json.loads(json.dumps(document(full=full), allow_nan=False)) == document(full=full)


def test_what_ended_and_what_is_not_shown() -> None:
    """A hospital with one patient who lives: reasons, and what may be asked with other totals."""
    alone = previewed(the_study(), "alder", the_data("alder"), folder="data")
    told = preview_document(alone, full=False)
    assert (
        [each["analysis"] for each in told["ended"]],
        [(each["analysis"], each["sum"], each["class"]) for each in told["not_shown"]],
    ) == (
        ["pooled", "by_site"],
        [("pooled", "cox_sealed", "A"), ("by_site", "cox_within_site", "A")],
    )


def test_a_study_that_is_not_frozen_is_told() -> None:
    """A draft has no hospitals, and nobody can ask for it."""
    draft = previewed(replace(the_study(), roster=None), "elm", the_data("elm"), folder="data")
    told = preview_document(draft, full=False)
    assert (told["frozen"], "not frozen" in told["sentences"][-1]) == (False, True)


def test_the_center_s_own_hospital_is_told_so() -> None:
    """It has no secret, and its part of sealed sums goes by two others."""
    central = replace(the_study(), at_center="elm")
    told = preview_document(previewed(central, "elm", the_data("elm"), folder="d"), full=False)
    assert "in two parts, each encrypted to one other hospital" in str(told["sentences"])


def test_texts_are_plain() -> None:
    """What would move a cursor does not reach the terminal, wherever it comes from."""
    told = preview_document(replace(found(), folder="of \x1b[2Jelm"), full=False)
    assert told["folder"] == "of ?[2Jelm"
