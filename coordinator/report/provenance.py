"""Who is in a release, what it opened, its policy in words, and where every number is from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from coordinator.report import numbers
from coordinator.report.folder import ReleaseFolder
from coordinator.report.output_rules import Rules, decide
from coordinator.report.suppression import Cell, Suppressed
from coordinator.report.views import Table

CLASSES: Final = {
    "A": "totals over an analysis's whole cohort",
    "B": "pooled counts by time, without covariates",
    "V": "the pooled distribution of one variable",
    "C": "sums that split covariates by time or patient",
}
ROUNDED: Final = (
    "Numbers are rounded: hazard ratios to two decimals, standard errors to two significant "
    "digits, probabilities to whole per cent in groups of fewer than 100 rows and else to one "
    "decimal, chi-squares and likelihoods to three significant digits, figures to half a pixel."
)


def as_of(manifest: Mapping[str, Any]) -> str:
    """Return the day the release ended, and the instant in UTC."""
    day, _, clock = str(manifest["ended"]).partition("T")
    return f"{day}, {clock.removesuffix('Z')} UTC" if clock else day


def day_of(manifest: Mapping[str, Any]) -> str:
    """Return the day the release ended."""
    return str(manifest["ended"]).partition("T")[0]


def facts(release: ReleaseFolder) -> list[tuple[str, str]]:
    """Return the numbers at the report's head, each with what it counts."""
    manifest = release.manifest
    inside, out = len(manifest["sites_in"]), len(manifest["sites_out"])
    failed = sum(document.result.get("failed") is True for document in release.documents)
    return [
        (numbers.count(manifest["patients"]), "patients"),
        (f"{inside} of {inside + out}", "hospitals"),
        (
            f"{len(release.documents) - failed} of {len(release.documents)}",
            "analyses with a result",
        ),
        (numbers.count(manifest["rounds"]), "rounds of masked sums"),
    ]


def participation(release: ReleaseFolder) -> Table:
    """Return who took part, in rows of name and number."""
    manifest = release.manifest
    received = sum(manifest["bytes_received"])
    rows = (
        ("Patients", numbers.count(manifest["patients"])),
        ("Hospitals in", f"{len(manifest['sites_in'])}: {', '.join(manifest['sites_in'])}"),
        ("Hospitals with patients", numbers.count(manifest["sites_with_patients"])),
        ("Hospitals out", _sites_out(manifest["sites_out"])),
        ("Rounds", numbers.count(manifest["rounds"])),
        ("Received", numbers.bytes_of(received)),
    )
    return Table("This release", ("What", "Number"), rows, prose=True)


def _sites_out(sites: Mapping[str, str]) -> str:
    return ", ".join(f"{name} ({why})" for name, why in sites.items()) or "none"


def exceptions(release: ReleaseFolder) -> Table:
    """Return the exceptions that the stewards signed."""
    labels = release.manifest["labels"]
    pairs = release.manifest["disclosure"]["accepted"]
    rows = tuple((labels.get(name, name), why) for name, why in pairs)
    return Table("Accepted exceptions", ("Analysis", "Because"), rows, prose=True)


def policy(release: ReleaseFolder) -> list[str]:
    """Return the disclosure policy in sentences."""
    rules = release.manifest["disclosure"]
    if rules["development"]:
        return [
            "No disclosure policy applies: every class is open and every count is shown.",
            ROUNDED,
        ]
    compute, between = rules["compute"], rules["between_releases"]
    return [
        *(f"Class {name} may open: {CLASSES[name]}." for name in rules["classes"]),
        f"Nothing is computed with fewer than {compute['sites']} hospitals or "
        f"{compute['patients']} patients, nor when a hospital's own patients are among fewer "
        f"than {compute['others']} others.",
        *_models(compute),
        *_cells(int(rules["show"]["cell"])),
        f"A release is deferred unless it differs from each earlier one by no patient, or by at "
        f"least {between['patients']} of at least {between['sites']} hospitals.",
        ROUNDED,
    ]


def _models(compute: Mapping[str, int]) -> list[str]:
    if "deaths" not in compute:
        return []
    return [
        f"A model needs at least {compute['deaths']} events, and {compute['carriers']} patients "
        f"with and without each level."
    ]


def _cells(least: int) -> list[str]:
    if least <= 1:
        return ["All counts are shown."]
    return [
        f"Counts from 1 to {least - 1} are not shown, nor numbers that would give them back: "
        f"totals and groups, counts of neighbouring times and of other analyses, estimates. "
        f"Analyses among the accepted exceptions are shown in full, and what they give back is "
        f"accepted with them.",
        f"Curves are drawn through points at least {least} events of each group apart, except "
        f"those of accepted exceptions; no censored patient is marked.",
        "Hashes of files that hold a hidden number are in the manifest only: whoever guesses the "
        "number could make the file and compare.",
    ]


def provenance(release: ReleaseFolder) -> Iterator[Table]:
    """Yield the tables of hashes, hospitals, rounds, software and files."""
    manifest = release.manifest
    known = _rules(release)
    result = manifest["result"] if all(rule.free for rule in known.values()) else _hidden(release)
    what: tuple[tuple[Cell, ...], ...] = (
        ("Study", f"{manifest['study']}, {manifest['study_hash']}"),
        ("Release, attempt", f"{manifest['release']}, {manifest['attempt']}"),
        ("Started, ended", f"{manifest['started']}, {manifest['ended']}"),
        ("Result", result),
        ("Software", f"{manifest['software']}, Python {manifest['python']}"),
        ("Libraries", ", ".join(f"{n} {v}" for n, v in manifest["libraries"].items())),
    )
    yield Table("Release", ("What", "Value"), what)
    heads = manifest["ledger_heads"]
    sites = tuple((n, s, heads.get(n, numbers.ABSENT)) for n, s in manifest["snapshots"].items())
    yield Table("Hospitals", ("Hospital", "Data snapshot", "Head of the ledger"), sites)
    rounds = tuple(
        (str(number), numbers.count(size))
        for number, size in enumerate(manifest["bytes_received"], start=1)
    )
    yield Table("Rounds", ("Round", "Bytes received"), rounds)
    files = tuple(
        (
            name,
            digest if _whole(name, known) else _hidden(release),
            "ALTERED since" if name in release.altered else "",
        )
        for name, digest in manifest["files"].items()
    )
    yield Table("Files, SHA-256", ("File", "In the manifest", "Found"), files)


def _rules(release: ReleaseFolder) -> dict[str, Rules]:
    manifest = release.manifest
    return decide(release.documents, manifest["disclosure"], int(manifest["patients"]))


def _hidden(release: ReleaseFolder) -> Suppressed:
    return Suppressed(int(release.manifest["disclosure"]["show"]["cell"]))


def _whole(file: str, rules: Mapping[str, Rules]) -> bool:
    """Return whether a file holds nothing that the report hides; the log holds random shares."""
    analysis = file.split(".", 1)[0]
    return file == "log.jsonl" or analysis not in rules or rules[analysis].free
