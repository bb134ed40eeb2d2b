"""What approving means: the limits, what leaves the hospital and what stays, how it ends."""

from __future__ import annotations

from typing import Final

from site_agent.contract.roster import smallest_roster
from site_agent.contract.study.model import Study
from site_agent.review.opening import used_classes
from site_agent.review.wording import counted

# between_releases is read into the policy, and nothing compares releases with it.
BETWEEN_RELEASES_ENFORCED: Final = False


def compute_sentences(study: Study) -> list[str]:
    """Return what is checked before anything is computed."""
    policy, first = study.policy, next(iter(study.tables))
    return [
        f"Each release first asks only how many patients of the table {first} take part, in how "
        f"many hospitals. These two totals open in any case.",
        f"This hospital's agent answers nothing further unless at least "
        f"{counted(policy.sites, 'hospital')} have patients, there are at least "
        f"{counted(policy.patients, 'patient')} in all, and, if this hospital has patients, at "
        f"least {policy.others} of other hospitals.",
        "These limits count the whole study. They do not look into an analysis: a group, a "
        "cohort or a set of events can be as small as one patient.",
    ]


def show_sentences(study: Study) -> list[str]:
    """Return what the report hides, and that this protects nothing from the center."""
    cell = study.policy.cell
    hidden = "The center's report hides no counts"
    if cell > 1:
        small = "1" if cell == 2 else f"1 to {cell - 1}"
        hidden = (
            f"The center's report hides counts of {small} in its tables, though not in its curves, "
            f"and but for the accepted exceptions below"
        )
    return [
        f"{hidden}. This protects readers of the report. It hides nothing from the center, whose "
        f"files hold every count, nor from the hospitals, which see the totals that open to all."
    ]


def release_sentences(study: Study) -> list[str]:
    """Return what holds between releases, and what does not."""
    policy = study.policy
    return [
        "The center may run releases as often as it wants while the approval stands, each on the "
        "data as they are then, new patients included.",
        f"The study says that two releases shall differ by at least "
        f"{counted(policy.changed_patients, 'patient')}, from at least "
        f"{counted(policy.changed_sites, 'hospital')}. NOT ENFORCED: this version does not check "
        f"it. If one patient joins between two releases, their difference is that patient.",
        "Nor does it check the analyses of one release against each other: where one takes all "
        "patients and another leaves one out, their difference is that patient.",
    ]


def accepted_sentence(study: Study) -> str:
    """Return what an accepted exception lifts."""
    if not study.policy.accepted:
        return "None."
    if study.policy.cell < 2:
        return "The study names these analyses, each with its reason; nothing is hidden anyway."
    return (
        "The report shows the small counts of these analyses as they are, for the reason that "
        "the center gives. Approving accepts each of them. No other limit is lifted."
    )


def leaves_sentences(study: Study) -> list[str]:
    """Return what is sent from this hospital."""
    alone = " Only sums of class C open to the center alone." if "C" in used_classes(study) else ""
    return [
        "Sums over this hospital's patients, for the analyses above, with random numbers added "
        "that cancel only when the sums of all hospitals of the release are added up. One "
        "hospital's sums alone are noise to everybody else.",
        "With every analysis also, as totals: how many patients or rows it has, in all or in each "
        "group, and how many rows were left out, for which reason.",
        f"The totals can be read by the center, by every hospital of the release, and by whoever "
        f"sees all their messages.{alone}",
        "Readable as it is: that this hospital takes part and when its agent calls, whether it "
        "has approved and until when, in one word why it does not answer, a fresh public key, the "
        "version of its software, the length and last hash of its ledger, and a salted hash of "
        "its data files, from which nothing can be read.",
    ]


def stays_sentences(study: Study) -> list[str]:
    """Return what never leaves this hospital, and under which conditions that holds."""
    though = " What class C gives away of them is said above." if "C" in used_classes(study) else ""
    return [
        f"Rows of the data and identifiers of patients never leave as such.{though} Times are "
        f"read as numbers of {study.time.unit}s, not as calendar dates.",
        "This hospital's own numbers leave only hidden in totals. Three things can still show "
        "them:",
        "- If all other hospitals of a release put their numbers together, they can take them off "
        "a total. Hospitals that do not exist would be such: make sure that you know those above.",
        "- If all patients of a group are of this hospital, the total of the group is this "
        "hospital's number. If they are of this one and one other, the other can work it out. "
        "Look for groups and covariates that only your patients have.",
        "- If somebody records all messages today, and a computer of the future breaks today's "
        "key agreement, the random numbers can be taken off.",
    ]


def approval_sentences(study: Study) -> list[str]:
    """Return what follows from an approval, and how it ends."""
    return [
        "Approving writes it into this hospital's ledger, for the study with the hash above and "
        "no other. From then on the agent answers the releases of this study without asking.",
        "Every change of the study gives another hash and needs another approval, but for "
        "comments, labels and the schedule: these are not part of what is approved.",
        "It stands until you revoke it, or to the end that you give with it, if you give one. You "
        "can revoke it at any time: from then on the agent answers nothing more of this study, "
        "also in a release under way.",
        "What cannot be taken back: totals that have opened. The center and the other hospitals "
        "have them. Numbers that this hospital has sent can still be added up.",
    ]


def roster_sentences(study: Study) -> list[str]:
    """Return how many hospitals a release needs, and what to compare before approving."""
    assert study.roster is not None
    pinned = len(study.roster.sites)
    return [
        f"A release needs at least {smallest_roster(study)} of these {pinned} hospitals. All "
        f"releases of this study that this hospital answers have the same hospitals.",
        "Before you approve: compare this hospital's fingerprint with the one that your agent "
        "shows. Make sure that you know the center and the other hospitals, and that these "
        "fingerprints are theirs.",
    ]
