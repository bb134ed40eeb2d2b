"""The summary for a terminal of 100 columns."""

from __future__ import annotations

from pathlib import Path

import pytest

from coordinator.report import summary
from tests.coordinator.report.made import HOSTILE, SYNTHETIC, disclosure, write_release

PUBLISHED = """\
published: 1
entries:
  - analysis: model
    what: log-likelihood
    numbers: loglik
    text: "-38.5"
    source: by hand
"""


@pytest.mark.parametrize(
    "line",
    [
        "A made-up study",
        "The model of survival [model]",
        "Time (days)  At risk after  Events so far  Survival, % (95 % CI)",
        "2                   hidden         hidden                 hidden",
        "Log-rank        2.16   1  0.14",
        "Age, per year        2.00 (0.75 to 5.33)  0.17         0.69            0.50",
        "No result: separated by dose: none of the <5 events happens in the group dose=high",
    ],
)
def test_the_summary_has_the_line(release: Path, line: str) -> None:
    """Medians, estimates, tests, ratios and failures are aligned as they should be."""
    assert line in summary(release).splitlines()


def test_no_line_is_wider_than_the_terminal(release: Path) -> None:
    """100 columns are enough."""
    assert max(len(line) for line in summary(release).splitlines()) <= 100


def test_the_watermark_is_first_and_last(release: Path) -> None:
    """Whoever sees the top or the bottom sees what it is."""
    lines = summary(release).splitlines()
    assert [lines[0], lines[-1]] == [f"*** {SYNTHETIC} ***"] * 2


def test_a_real_study_has_no_watermark(tmp_path: Path) -> None:
    """Without a mark the title is first."""
    folder = write_release(tmp_path / "r", {"watermark": ""})
    assert summary(folder).splitlines()[0] == "A made-up study"


def test_published_numbers_come_last(tmp_path: Path, release: Path) -> None:
    """Ours, theirs, whether they are equal, and the source."""
    path = tmp_path / "published.yaml"
    path.write_text(PUBLISHED, encoding="utf-8")
    assert summary(release, path).splitlines()[-5:-2] == [
        "Beside published numbers: 1 of 1 equal as rounded there",
        "Number                 Quorum  Published  Verdict  Source",
        "model: log-likelihood  -38.5   -38.5      equal    by hand",
    ]


def test_an_accepted_analysis_shows_its_counts(tmp_path: Path) -> None:
    """The terminal hides what the report hides, and shows what it shows."""
    folder = write_release(tmp_path / "r", {"disclosure": disclosure("overall")})
    row = "2                        4              1         83 (60 to 100)"
    assert row in summary(folder).splitlines()


def test_an_altered_file_is_told(release: Path) -> None:
    """A number changed after the release is not printed without a word."""
    path = release / "model.json"
    path.write_text(path.read_text() + " ")
    assert "NOT AS RELEASED, by the manifest's hashes: model.json" in summary(release)


def test_escape_sequences_in_names_are_harmless(tmp_path: Path) -> None:
    """No control character but the line feed is printed."""
    changes = {"title": "\x1b[2J" + HOSTILE, "labels": {"age": "a\x07\x9b1m"}}
    text = summary(write_release(tmp_path / "r", changes))
    assert [c for c in text if (ord(c) < 32 and c != "\n") or 127 <= ord(c) < 160] == []


def test_the_summary_is_the_same_each_time(release: Path) -> None:
    """Nothing of the moment is in it."""
    assert summary(release) == summary(release)
