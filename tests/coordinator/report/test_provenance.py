"""Who is in, what was opened, and the policy in words."""

from __future__ import annotations

from typing import Any

from coordinator.report import provenance
from coordinator.report.folder import Document, ReleaseFolder
from coordinator.report.parties import opened
from coordinator.report.suppression import Suppressed
from tests.coordinator.report.made import disclosure, manifest


def folder(*altered: str, **changes: Any) -> ReleaseFolder:
    whole = {**manifest(["model"]), "files": {"model.json": "a" * 64}, **changes}
    return ReleaseFolder(whole, (), altered)


def test_the_release_is_as_of_the_instant_it_ended() -> None:
    """The day comes first, then the clock in UTC."""
    assert provenance.as_of(manifest([])) == "2026-01-02, 03:05:06 UTC"


def test_who_is_in_and_who_is_not() -> None:
    """Patients, hospitals by name, those out with the reason, rounds and bytes."""
    assert [row[1] for row in provenance.participation(folder()).rows] == [
        "30", "2: east, west", "2", "north (no folder)", "2", "2.5 MB",
    ]  # fmt: skip


def test_what_was_opened_is_listed_by_class() -> None:
    """Each analysis has its class and words, under its label."""
    assert opened(folder()).rows == (("B", "how many leave", "The model of survival"),)


def test_a_class_that_is_not_accepted_is_pointed_out() -> None:
    """What a policy does not accept cannot pass unseen."""
    found = folder(opened={"model": [{"class": "C", "what": "sums by death"}]})
    assert opened(found).rows[0][1] == ("sums by death (the policy does not accept this class)")


def test_exceptions_have_the_sentence_that_was_signed() -> None:
    """The stewards' words are given as they are."""
    found = folder(disclosure=disclosure("model"))
    assert provenance.exceptions(found).rows == (
        ("The model of survival", "model is the primary result"),
    )


def test_the_policy_is_told_in_sentences() -> None:
    """Classes, limits of computing, small counts, changes between releases, rounding."""
    assert provenance.policy(folder()) == [
        "Class A may open: totals over an analysis's whole cohort.",
        "Class B may open: pooled counts by time, without covariates.",
        "Nothing is computed with fewer than 3 hospitals or 10 patients, nor when a hospital's own "
        "patients are among fewer than 10 others.",
        "Counts from 1 to 4 are not shown, nor numbers that would give them back: totals and "
        "groups, counts of neighbouring times and of other analyses, estimates. Analyses among the "
        "accepted exceptions are shown in full, and what they give back is accepted with them.",
        "Curves are drawn through points at least 5 events of each group apart, except those of "
        "accepted exceptions; no censored patient is marked.",
        "Hashes of files that hold a hidden number are in the manifest only: whoever guesses the "
        "number could make the file and compare.",
        "A release is deferred unless it differs from each earlier one by no patient, or by at "
        "least 5 of at least 3 hospitals.",
        provenance.ROUNDED,
    ]


def test_the_limits_of_models_are_told() -> None:
    """Events, and patients with and without a level."""
    rules = disclosure()
    rules["compute"] |= {"deaths": 6, "carriers": 7}
    told = "A model needs at least 6 events, and 7 patients with and without each level."
    assert told in provenance.policy(folder(disclosure=rules))


def test_without_a_policy_that_is_said() -> None:
    """The development policy protects nothing."""
    assert provenance.policy(folder(disclosure=disclosure(development=True))) == [
        "No disclosure policy applies: every class is open and every count is shown.",
        provenance.ROUNDED,
    ]


def test_altered_files_are_marked_among_the_hashes() -> None:
    """A file that is not what the manifest hashed is named where its hash stands."""
    *_, files = provenance.provenance(folder("model.json"))
    assert files.rows == (("model.json", "a" * 64, "ALTERED since"),)


def test_hashes_confirm_no_guess() -> None:
    """Of a file with hidden numbers, and of all results, the hash is not on the page."""
    documents = (Document("model", "cox", {}, {}), Document("open", "cox", {}, {}))
    names = ("model.json", "model.terms.csv", "open.json", "log.jsonl")
    whole = {**manifest(["model", "open"]), "files": dict.fromkeys(names, "a" * 64)}
    whole["disclosure"] = disclosure("open")
    release, *_, files = provenance.provenance(ReleaseFolder(whole, documents, ()))
    hidden = [row[0] for row in (*release.rows, *files.rows) if row[1] == Suppressed(5)]
    assert hidden == ["Result", "model.json", "model.terms.csv"]
