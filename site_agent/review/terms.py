"""What approving means: the limits, what leaves the hospital and what stays, how it ends."""

from __future__ import annotations

from typing import Final

from site_agent.contract.catalogue import KINDS
from site_agent.contract.roster import smallest_roster
from site_agent.contract.study.at_center import at_center_sentences
from site_agent.contract.study.model import Study
from site_agent.review.opening import used_classes
from site_agent.review.wording import counted, listed, quoted

BETWEEN_RELEASES_ENFORCED: Final = True  # by every hospital, in the guard's first round


def compute_sentences(study: Study) -> list[str]:
    """Return what is checked before anything is computed."""
    policy, first = study.policy, next(iter(study.tables))
    return [
        f"Each release first asks only how many patients of the table {first} take part, in how "
        f"many hospitals, and how many of them differ from each earlier release, in how many. "
        f"These totals open in any case.",
        f"This hospital's agent answers nothing further unless at least "
        f"{counted(policy.sites, 'hospital')} have patients, there are at least "
        f"{counted(policy.patients, 'patient')} in all, and, if this hospital has patients, at "
        f"least {policy.others} of other hospitals.",
        "These limits count the whole study.",
        *_analysis_limits(study),
    ]


def _analysis_limits(study: Study) -> list[str]:
    """Return what is counted of single analyses, in a round of its own, and what is left out."""
    accepted = {item.analysis for item in study.policy.accepted}
    asking = {n for n, one in study.analyses.items() if KINDS[one.kind].uses(one.options)}
    if asking and asking <= accepted:
        return [
            "WARNING: the study names every analysis under `accepted`, so nothing is counted of "
            "single analyses: a group, a cohort or a set of events can be as small as one patient."
        ]
    policy = study.policy
    return [
        f"Then, for each analysis that is not accepted below, it asks how small its parts are, and "
        f"leaves it out of the release if they are too small: one with fewer than "
        f"{counted(policy.patients, 'patient')} in all; one that fewer than "
        f"{counted(policy.changed_sites, 'hospital')} have patients for, or for a group of it; a "
        f"model or a test with fewer than "
        f"{counted(policy.deaths, 'patient')} who have the event, in all or in one of its strata; "
        f"one with fewer than {counted(policy.carriers, 'patient')} inside or outside of a group; "
        f"a model that would tell more numbers, with those before it, than its patients have "
        f"values; a course over coarse times in which fewer than "
        f"{counted(policy.changed_patients, 'patient')} leave in a step; and the later of two "
        f"analyses whose patients differ by fewer than "
        f"{counted(policy.changed_patients, 'patient')}, or in fewer than "
        f"{counted(policy.changed_sites, 'hospital')}. These counts open as totals.",
        "A group of a curve has no smallest number of patients, and the events of a curve have "
        "none: if enough hospitals have patients in the group, they can be as few as one patient.",
    ]


def show_sentences(study: Study) -> list[str]:
    """Return what the report hides, and that this protects nothing from the center."""
    cell = study.policy.cell
    hidden = "The center's report hides no counts"
    if cell > 1:
        small = "1" if cell == 2 else f"1 to {cell - 1}"
        hidden = (
            f"The center's report hides counts of {small} in its tables and coarsens its curves, "
            f"but for the accepted exceptions below"
        )
    return [
        f"{hidden}. This protects readers of the report. It hides nothing from the center, whose "
        f"files hold every count, nor from the hospitals, which see the totals that open to all."
    ]


def release_sentences(study: Study) -> list[str]:
    """Return what holds between releases, and what does not."""
    policy = study.policy
    return [
        "The center may open releases as often as it wants while the approval stands, each on the "
        "data as they are then, new patients included.",
        f"Each release is compared with every earlier one over the same tables, also of other "
        f"studies and revisions, that opened more than counts of patients. Between any two, no "
        f"patient differs, or at least {counted(policy.changed_patients, 'patient')}, from at "
        f"least {counted(policy.changed_sites, 'hospital')}. Otherwise the new one is deferred: "
        f"how many patients of how many hospitals differ has opened, and nothing else.",
        "A patient differs who came, who left, or whose time, event, group or covariate in an "
        "analysis is another one than then. This is counted over everything, and in each analysis "
        "without the ends of follow-up, which move for many patients at once. Within an analysis, "
        "one patient whose value was corrected passes among others who came.",
        *_earlier_rosters(study),
    ]


def _earlier_rosters(study: Study) -> list[str]:
    """Return what can be had by subtracting releases that had other hospitals."""
    assert study.roster is not None
    pinned, named = set(study.roster.sites), study.policy.earlier_rosters
    if not named:
        return [
            "Earlier releases over the same tables must have had the same hospitals: the "
            "difference of two releases would show one that joined or left."
        ]
    sentences = []
    for item in named:
        joined, left = sorted(pinned - {*item.sites}), sorted({*item.sites} - pinned)
        changes = [f"since then {listed(joined)} joined"] * bool(joined)
        changes += [f"since then {listed(left)} left"] * bool(left)
        sentences.append(
            f"WARNING: this study accepts earlier releases over the same tables that had "
            f"{counted(len(item.sites), 'hospital')} ({', '.join(item.sites)}); "
            f"{' and '.join(changes) or 'they are the same as now'}. The totals of those that "
            f"joined or left can be had by subtracting one release from the other. The center's "
            f"reason: {quoted(item.because)}."
        )
    return sentences


def accepted_sentence(study: Study) -> str:
    """Return what an accepted exception lifts."""
    if not study.policy.accepted:
        return "None."
    shown = (
        "The report shows their small counts as they are, and nothing"
        if study.policy.cell > 1
        else "Nothing"
    )
    return (
        f"The study names these analyses, each with the center's reason. {shown} of them is left "
        f"out of a release for being small. Approving accepts each of them. The limits of the "
        f"whole study, the classes, and what lies between releases are not lifted."
    )


def leaves_sentences(study: Study) -> list[str]:
    """Return what is sent from this hospital."""
    alone = " Only sums of class C open to the center alone." if "C" in used_classes(study) else ""
    return [
        "Sums over this hospital's patients, for the analyses above, with random numbers added "
        "that cancel only when the sums of all hospitals of the release are added up. One "
        "hospital's sums alone are noise to everybody else. `site-agent preview` shows them, on "
        "this machine, as they are before that.",
        "With every analysis also, as totals: how many patients or rows it has, in all or in each "
        "group, and how many rows were left out, for which reason.",
        f"The totals can be read by the center, by every hospital of the release, and by whoever "
        f"sees all their messages.{alone}",
        "Readable as it is: that this hospital takes part and when its agent calls, whether it "
        "has approved and until when, in one word why it does not answer, a fresh public key, the "
        "version of its software, lengths and last hashes of its ledger, the hashes of studies "
        "over the same tables with the numbers of their releases, and a salted hash of its data "
        "files, from which nothing can be read.",
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
        "- If somebody records all messages today, and computers of the future break both kinds of "
        "key agreement in use (X25519 and ML-KEM-768), the random numbers can be taken off.",
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
        *at_center_sentences(study.at_center),
    ]
