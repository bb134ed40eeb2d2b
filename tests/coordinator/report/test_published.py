"""Our numbers beside published ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from coordinator.report.paths import steps
from coordinator.report.published import (
    Entry,
    Ground,
    as_published,
    compare,
    comparison_table,
    read_published,
)
from site_agent.contract.errors import ConfigurationError
from tests.coordinator.report.made import SEPARATED, cox_fit, survival, view

LUNG = Path(__file__).parents[3] / "studies" / "lung" / "published.yaml"
FILE = """\
published: 1
entries:
  - analysis: curve
    what: Median
    numbers: ["curves[].median.estimate", "curves[].median.conf_low"]
    text: "4 (3 to ...)"
    source: by hand
"""


def entry(text: str, *paths: str, analysis: str = "curve", times: float = 1) -> Entry:
    return Entry(analysis, "what", paths, text, (times,) * len(paths), "by hand")


def verdict(published: Entry, *, least: int = 0) -> tuple[str, str]:
    views = {
        "curve": view("survival", survival(), least=least),
        "model": view("cox", cox_fit().document()),
        "broken": view("cox", {"failed": True, "because": SEPARATED}),
    }
    (found,) = compare([published], views)
    return found.ours, found.verdict


@pytest.mark.parametrize(
    ("text", "values", "expected"),
    [
        ("310 (285-363)", (310.0, 285.4, 362.6), "310 (285-363)"),
        ("-0.553", (-0.5526,), "-0.553"),
        ("−0.553", (-0.5526,), "-0.553"),
        ("4.45e-05", (4.447e-5,), "4.45e-05"),
        ("p < 0.001", (0.2,), "p < 0.200"),
        ("<0.001", (0.0004,), "<0.001"),
        ("<0.001", (0.04,), "<0.040"),
        (">0.9", (0.9086,), ">0.9"),
        (">0.9", (0.75,), ">0.8"),
        ("47 % (20-70)", (46.7, 20.1, 69.6), "47 % (20-70)"),
        ("0.00", (-0.001,), "0.00"),
        ("12 to 30", (12.0, None), "12 to not reached"),
    ],
)
def test_ours_is_printed_as_theirs(
    text: str, values: tuple[float | None, ...], expected: str
) -> None:
    """Each numeral gives way to ours with as many decimals."""
    assert as_published(text, values) == expected


def test_equal_as_rounded() -> None:
    """5/12 is 42 %, in the publication's decimals."""
    assert verdict(entry("42 %", "curves[].at[5].estimate", times=100)) == ("42 %", "equal")


def test_a_difference_is_told() -> None:
    """A number that rounds otherwise differs."""
    assert verdict(entry("43 %", "curves[].at[5].estimate", times=100)) == ("42 %", "differs")


def test_a_failed_analysis_differs() -> None:
    """Without a result there is nothing to be equal."""
    assert verdict(entry("1.2", "terms[age].estimate", analysis="broken")) == (
        "no result", "differs",
    )  # fmt: skip


def test_counts_under_a_policy_are_not_shown() -> None:
    """A path cannot lead around the suppression of small counts."""
    assert verdict(entry("2", "curves[].at[5].n_event"), least=5) == ("hidden", "not shown")


def test_a_path_that_leads_nowhere_names_the_entry() -> None:
    """The message says which entry to correct."""
    with pytest.raises(ConfigurationError, match="published 'what' of curve: no 'medians'"):
        verdict(entry("2", "curves[].medians"))


def test_an_unknown_analysis_names_those_there_are() -> None:
    """A typo in the analysis is answered with its names."""
    with pytest.raises(ConfigurationError, match="no analysis 'curves' .* curve, model, broken"):
        verdict(entry("2", "statistic", analysis="curves"))


def test_the_caption_counts_the_equal_ones() -> None:
    """How many are equal is said before the lines."""
    views = {"curve": view("survival", survival())}
    entries = [entry("4", "curves[].median.estimate"), entry("5", "curves[].median.estimate")]
    table = comparison_table(list(compare(entries, views)))
    assert table.caption == "Beside published numbers: 1 of 2 equal as rounded there"


def read(tmp_path: Path, text: str) -> tuple[Entry, ...]:
    path = tmp_path / "published.yaml"
    path.write_text(text, encoding="utf-8")
    return read_published(path).entries


def test_a_file_is_read(tmp_path: Path) -> None:
    """Every field of an entry is read, `times` is 1 unless it is given."""
    paths = ("curves[].median.estimate", "curves[].median.conf_low")
    expected = Entry("curve", "Median", paths, "4 (3 to ...)", (1, 1), "by hand")
    assert read(tmp_path, FILE) == (expected,)


def test_each_number_has_its_own_factor(tmp_path: Path) -> None:
    """A count with its percentage takes two."""
    (found,) = read(tmp_path, FILE + "    times: [1, 100]\n")
    assert found.times == (1, 100)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("published: 1", "published: 2", "expected `published: 1` and `entries`"),
        ("entries:", "entry:", "found published, entry, expected"),
        ("source:", "sauce:", "found sauce that is unknown, and source missing"),
        ('text: "4 (3 to ...)"', "text: 43", "put them in quotes"),
        ('text: "4 (3 to ...)"', 'text: "4"', "found 1 numerals in `text` and 2 paths"),
        ("source: by hand", "source: by hand\n    times: often", "`times` is no number"),
        (
            "source: by hand",
            "source: by hand\n    times: [1]",
            "2 numerals .* 1 numbers in `times`",
        ),
        ("published: 1", "published: [", "is not YAML"),
        ("source: by hand", "source: by hand\n    ground: n", "the ground 'n'.*none are there"),
        ("entries:", "grounds: [a]\nentries:", "grounds: found no names"),
        ("entries:", "grounds: {a: {due: equal, because: b}}\nentries:", "expected `due`, one of"),
        ("entries:", "grounds: {a: {due: size}}\nentries:", "a text `because`"),
        ("entries:", "grounds: {a: {due: direction, because: b}}\nentries:", "found `from` None"),
        (
            "entries:",
            "grounds: {a: {due: size, because: b, from: 1}}\nentries:",
            "found `from` 1 with size",
        ),
    ],
)
def test_a_wrong_file_says_what_to_correct(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    """Found, expected, and what to do."""
    with pytest.raises(ConfigurationError, match=message):
        read(tmp_path, FILE.replace(old, new))


def test_the_lung_study_s_file_is_readable() -> None:
    """Medians, tests and both models of R stand in the file, with paths that are written well."""
    entries = read_published(LUNG).entries
    written = [steps(path) for entry in entries for path in entry.paths]
    analyses = {"overall", "by_sex", "follow_up", "sex_test", "sex_test_sites", "cox", "cox_sites"}
    assert ({item.analysis for item in entries}, all(written)) == (analyses, True)


def test_a_note_is_read(tmp_path: Path) -> None:
    """What is to be said of all entries stands in the file once."""
    path = tmp_path / "published.yaml"
    path.write_text(FILE.replace("entries:", "note: of other patients\nentries:"), encoding="utf-8")
    assert read_published(path).note == "of other patients"


def test_a_ground_is_read(tmp_path: Path) -> None:
    """An entry names it; without one equality is due."""
    path, grounds = (
        tmp_path / "published.yaml",
        "grounds: {h: {due: direction, from: 1, because: b}}",
    )
    path.write_text(FILE.replace("entries:", f"{grounds}\nentries:") + "    ground: h\n")
    (found,) = read_published(path).entries
    assert found.ground == Ground("h", "direction", "b", 1.0)
