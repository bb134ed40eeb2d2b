"""A preview in plain words, for a terminal."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pytest

from coordinator.simulate import read_attributes
from site_agent.contract.securesum.fixedpoint import ENCODINGS
from site_agent.contract.study.read import read_study
from site_agent.data.source import read_data
from site_agent.preview import previewed
from site_agent.preview_words import NOUNS, _flat, _numbers, in_words
from site_agent.review.page import places
from studies.anakinra import generate as anakinra
from studies.lung import export as lung
from studies.mgh import generate as mgh
from tests.docs.pages import ROOT
from tests.protocol import STUDY, frozen, patients, site_data, the_data, the_study

STUDIES = ROOT / "studies"


@cache
def words(site: str = "elm", *, full: bool = False, width: int = 88) -> str:
    """The preview of a hospital."""
    found = previewed(the_study(), site, the_data(site), folder="/srv/data")
    return in_words(found, full=full, width=width)


def said(site: str = "elm", *, full: bool = False) -> str:
    """The same on one line."""
    return " ".join(words(site, full=full).split())


@pytest.mark.parametrize(
    "sentence",
    [
        "WHAT WOULD LEAVE ELM FOR PROTOCOL",
        "Nothing was sent, and nothing was written down.",
        "This hospital's own numbers are taken for them",
        "Here it asks its questions and forbids nothing",
        "keep them as you keep the data",
        "What is asked follows from the study alone.",
        "What is asked depends on totals.",
        "for: the guard, to see whether anything may be computed",
        "for: pooled and by_site",
        "over: table patients; endpoint survival; covariates dose (16 rows here)",
        "opens: the total, to the center and to every hospital of the release",
        "opens: the center sees the total only blinded, with a secret that the hospitals share",
        "patients: 16",
    ],
)
def test_what_is_said(sentence: str) -> None:
    """What a steward is to know, in a sentence each."""
    assert sentence in said()


@pytest.mark.parametrize(("name", "maker"), [("anakinra", anakinra), ("lung", lung), ("mgh", mgh)])
def test_the_example_studies_can_be_said(name: str, maker: Any, tmp_path: Path) -> None:
    """To the last round, whatever its analyses are."""
    maker.write_sites(tmp_path)
    text = (STUDIES / name / "study.yaml").read_text("utf-8")
    site = sorted(path.name for path in tmp_path.iterdir() if path.is_dir())[0]
    study = read_study(text, "study.yaml")
    fixed = read_attributes(tmp_path / site)
    found = previewed(study, site, read_data(study, tmp_path / site, site, fixed), folder="data")
    assert f"ROUND {len(found.rounds) - 1}" in in_words(found)


def test_every_encoding_has_a_noun() -> None:
    """A number of any lane can be told."""
    assert set(NOUNS) == set(ENCODINGS)


def test_every_round_has_its_size() -> None:
    """The length of each message is told."""
    found = previewed(the_study(), "elm", the_data("elm"), folder="data")
    told = [f"One message of {each.bytes} bytes leaves" in said() for each in found.rounds]
    assert all(told)


def test_numbers_are_told_exactly() -> None:
    """The sum of all doses, with every digit of the double."""
    assert f"sum: {float(patients('elm')['dose'].sum())!r}" in said()


def test_in_short_a_long_array_says_how_much_is_left_out() -> None:
    """Only the first few numbers, and how many more there are."""
    assert "more (--full shows all)" in said()


def test_in_full_nothing_is_left_out() -> None:
    """Every number that is not zero stands there."""
    assert "--full" not in said(full=True)


def test_what_ends_alone() -> None:
    """The reason why a model ends with one patient who lives, and what may be asked of it."""
    told = said("alder")
    assert (
        "pooled ends here with this hospital's numbers alone, and may go on with those of all: "
        "no event" in told,
        "cox_sealed, class A, for pooled: score, information" in told,
    ) == (True, True)


def test_open_risk_sets_are_told() -> None:
    """Their totals open to the center alone, and only what it makes of them goes on."""
    study = frozen(STUDY.replace("baseline: pooled}", "baseline: pooled, risk_sets: open}"))
    found = previewed(study, "elm", the_data("elm"), folder="data")
    assert (
        "opens: the total, to the center alone; of it go on to the hospitals only loglik (1), "
        "score (1), information (1) and overflow (1)"
    ) in " ".join(in_words(found).split())


def test_what_would_be_refused_is_told() -> None:
    """Numbers too large to be summed: where the hospital stops, and why."""
    data = site_data(the_study(), "elm", patients("elm").assign(dose=1e30))
    found = previewed(the_study(), "elm", data, folder="data")
    assert "Here this hospital would send nothing further: a sum holds a number" in " ".join(
        in_words(found).split()
    )


@pytest.mark.parametrize("width", [40, 88, 140])
def test_the_width_is_kept(width: int) -> None:
    """No line takes more places than it may."""
    lines = words(width=width).splitlines()
    assert max(places(line) for line in lines) <= width


def array(shape: list[int], numbers: list[Any], encoding: str = "count") -> dict[str, Any]:
    """An array of a document, as far as its numbers are told."""
    places_of = [[at] for at, number in enumerate(numbers) if number]
    return {
        "shape": shape,
        "encoding": encoding,
        "count": len(numbers),
        "not_zero": len(places_of),
        "first": [{"at": at, "number": numbers[at[0]]} for at in places_of],
        "numbers": numbers,
    }


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (array([1], [7]), "7"),
        (array([1], [0.25], "real"), "0.25"),
        (array([3], [1, 2, 3]), "3 counts: 1, 2, 3"),
        (array([2], [0.5, -1.0], "real"), "2 numbers: 0.5, -1.0"),
        (array([3], [0, 0, 4]), "3 counts, 1 not zero: [2] 4"),
        (array([3], [0, 0, 0]), "3 counts, all zero"),
        (array([0], []), "0 counts, none here"),
        (array([2], [0.5, 1.5], "sealed"), "2 numbers before blinding: 0.5, 1.5"),
    ],
)
def test_numbers_in_words(found: dict[str, Any], expected: str) -> None:
    """All of a few numbers, else those that are not zero with their place from 0."""
    assert _numbers(found) == expected


def test_a_long_argument_is_cut() -> None:
    """Releases of another study are compared in many respects; the document has them all."""
    assert _flat(list(range(40))) == f"[{', '.join(map(str, range(32)))}, and 8 more]"
