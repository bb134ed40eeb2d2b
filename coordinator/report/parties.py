"""What each party learned of a release: hospitals, exchange, coordinating center, readers.

What the center learned is listed by class, each sum once with the analyses that asked for it
(docs/disclosure.md has the whole of it, sum by sum).
"""

from __future__ import annotations

from typing import Final

from coordinator.report import numbers
from coordinator.report.folder import ReleaseFolder
from coordinator.report.views import Table

BEYOND: Final = " (the policy does not accept this class)"
BLINDED: Final = "risk sets only blinded"


def parties(release: ReleaseFolder) -> Table:
    """Return a row for each party."""
    manifest = release.manifest
    received = numbers.bytes_of(sum(manifest["bytes_received"]))
    uses = [use for uses in manifest["opened"].values() for use in uses]
    open_sets = any(use["class"] == "C" for use in uses)
    blinded = any(BLINDED in use["what"] for use in uses)
    beyond = [
        *(["sums that split covariates by time or patient"] if open_sets else []),
        *(["blinded numbers of each death, from which only totals can be read"] if blinded else []),
    ]
    most = "" if manifest["disclosure"].get("development") else ", small counts hidden"
    rows = (
        ("Each hospital", "its own patients; the totals below over all hospitals; these results"),
        (
            "The exchange",
            f"who sent how much and when, {received} in all; the numbers in it are masked",
        ),
        (
            "The coordinating center",
            "; ".join(["the totals below over all hospitals, and these results", *beyond])
            + "; no number of one hospital",
        ),
        ("A reader of this report", f"what stands in it: rounded numbers{most}"),
    )
    return Table("What each party learned", ("Party", "Learned"), rows, prose=True)


def opened(release: ReleaseFolder) -> Table:
    """Return what was opened by class, each sum once, with the analyses that asked for it."""
    accepted = release.manifest["disclosure"]["classes"]
    labels = release.manifest["labels"]
    found: dict[tuple[str, str], dict[str, None]] = {}
    for name, uses in release.manifest["opened"].items():
        for use in uses:
            beyond = "" if use["class"] in accepted else BEYOND
            names = found.setdefault((use["class"], use["what"] + beyond), {})
            names[labels.get(name, name)] = None
    rows = tuple((group, what, "; ".join(names)) for (group, what), names in sorted(found.items()))
    return Table("Opened to the coordinator", ("Class", "What", "For"), rows, prose=True)
