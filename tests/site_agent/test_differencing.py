"""Releases that would subtract into patients: each chain of them is cut where it would.

Five hospitals; two releases must differ by no patient, or by at least 5 of at least 3 hospitals.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from site_agent.contract.analyses.results import Failure
from site_agent.contract.errors import Refused
from site_agent.contract.messages import Round
from site_agent.contract.study.model import EarlierRoster, Study
from site_agent.earlier import names_to_compare
from tests.protocol import SITES, STUDY, frozen
from tests.site_agent.differing import Change, Course, corrected, joined, totals

LESS_ONE = SITES[:4]
SENTENCE = "elm joined, and what it adds to each total can be had by subtraction"


@pytest.fixture
def course(tmp_path: Path) -> Course:
    """Releases over data that change."""
    return Course(tmp_path)


def test_the_same_data_again(course: Course) -> None:
    """Two releases of the same data differ by nobody."""
    assert [course.release(), course.release()] == ["finished", "finished"]


def test_one_new_patient(course: Course) -> None:
    """The difference of two releases would be the patient: the second is deferred."""
    course.release()
    course.changes.append(joined(of=("elm",)))
    assert course.release() == "deferred"


def test_one_new_patient_and_then_another(course: Course) -> None:
    """Deferred releases add up to nothing: each is compared with what was opened."""
    course.release()
    course.changes.append(joined(of=("elm",)))
    first = course.release()
    course.changes.append(joined(of=("cedar",)))
    assert (first, course.release()) == ("deferred", "deferred")


def test_enough_new_patients(course: Course) -> None:
    """Five new patients of five hospitals may be told apart from those of before."""
    course.release()
    course.changes.append(joined(of=SITES))
    assert course.release() == "finished"


def test_new_patients_of_two_hospitals(course: Course) -> None:
    """Five of two hospitals are too few hospitals: one would know the other's."""
    course.release()
    course.changes.append(joined(of=SITES[:2], each=3))
    assert course.release() == "deferred"


def test_what_is_counted(course: Course) -> None:
    """New patients are 2, 2 and 2: six in anything and in each analysis, of three hospitals."""
    course.release()
    course.changes.append(joined(of=SITES[:3], each=2))
    release = course.play().finish()
    assert (totals(release, "patients"), totals(release, "sites")) == ([[6] * 3], [[3] * 3])


def test_what_differs_is_said(course: Course) -> None:
    """How many patients of how many hospitals, since which release, in which analysis."""
    course.release()
    course.changes.append(corrected("dose", 0.5, of=("elm",)))
    with pytest.raises(
        Refused, match=r"1 patient of 1 hospital differs from release 1 .* in pooled"
    ):
        course.play().finish()


def test_a_correction_outside_of_an_analysis(course: Course) -> None:
    """A dose is in no curve: nobody differs there, one in the models."""
    course.release()
    course.changes.append(corrected("dose", 0.5, of=("elm",)))
    play = course.play()
    with pytest.raises(Refused):
        play.finish()
    changed = play.cores["elm"]._release.present.changed()  # type: ignore[union-attr]
    assert [changed[name] for name in sorted(changed)] == [1, 0, 1]


def test_a_correction_and_its_reversal(course: Course) -> None:
    """A correction of one is deferred, and so is the way back after enough others came."""
    course.release()
    wrong = corrected("dose", 0.5, of=("elm",))
    course.changes.append(wrong)
    first = course.release()
    course.changes.append(joined(of=SITES))
    second = course.release()  # six differ: five came and one was corrected
    course.changes.remove(wrong)
    assert (first, second, course.release()) == ("deferred", "finished", "deferred")


def test_back_to_an_older_release(course: Course) -> None:
    """Enough differ from the last release, but one alone from the one before: deferred."""
    course.release()
    came = joined(of=SITES)
    course.changes.append(came)
    course.release()
    course.changes = [corrected("dose", 0.5, of=("elm",))]
    assert course.release() == "deferred"


def test_patients_who_are_gone(course: Course) -> None:
    """A patient taken out of the data shows as one who came."""
    course.release()
    course.changes.append(lambda site, rows: rows.iloc[1:] if site == "elm" else rows)
    assert course.release() == "deferred"


def test_follow_up_of_many_hides_no_new_patient(course: Course) -> None:
    """Ends of follow-up that move change no covariates: one new patient is deferred all the same.

    Everybody who is censored is followed longer, in all five hospitals.
    """
    course.changes.append(_followed(9))
    course.release()
    course.changes += [_followed(10), joined(of=("elm",))]
    assert course.release() == "deferred"


def test_follow_up_of_many(course: Course) -> None:
    """Nobody came, and everybody who is censored was seen later: enough differ."""
    course.changes.append(_followed(9))
    course.release()
    course.changes.append(_followed(10))
    assert course.release() == "finished"


def test_follow_up_of_one(course: Course) -> None:
    """A single end of follow-up that moves is one patient's."""
    course.changes.append(_followed(9))
    course.release()
    course.changes.append(lambda site, rows: _followed(10)(site, rows) if site == "elm" else rows)
    assert course.release() == "deferred"


def _followed(day: int) -> Change:
    """The first patient of every site, who is censored, and who was seen on this day last."""

    def change(_: str, rows: pd.DataFrame) -> pd.DataFrame:
        rows = rows.copy()
        rows.loc[rows.index[0], ["days", "status"]] = (day, 0)
        return rows

    return change


def test_a_burned_release_counts(course: Course) -> None:
    """A release burned after a question on patients has opened it, and is compared with."""
    play = course.play()
    play.until(Round, 2)
    course.burn(play)
    course.changes.append(joined(of=("elm",)))
    assert course.release() == "deferred"


def test_a_release_burned_at_the_first_question_does_not_count(course: Course) -> None:
    """It opened how many patients there are, and nothing else."""
    play = course.play()
    play.until(Round, 1)
    course.burn(play)
    course.changes.append(joined(of=("elm",)))
    release = course.play().finish()
    assert release.earlier == ()


def test_a_deferred_release_does_not_count(course: Course) -> None:
    """It is burned at the first question, so it does not defer the next one."""
    course.release()
    course.changes.append(joined(of=("elm",)))
    course.release()
    course.changes.append(joined(of=SITES[:4]))
    assert course.release() == "finished"


def test_one_site_that_remembers_is_enough(course: Course) -> None:
    """A share after the guard at one site makes all compare with the release."""
    play = course.play()
    play.until(Round, 1).give("alder")
    course.burn(play)
    release = course.play().finish()
    assert release.earlier == (f"{course.study.hash}/1",)


def other(old: str, new: str) -> Study:
    """A revision of the study, over the same tables and hospitals."""
    assert old in STUDY
    return frozen(STUDY.replace(old, new))


RETITLED = ("title: Five", "title: The same five")


def test_a_revision_over_the_same_data(course: Course) -> None:
    """A study with another hash opens the same totals again."""
    course.release()
    assert course.other_study(other(*RETITLED)).release() == "finished"


def test_a_revision_with_one_patient_more(course: Course) -> None:
    """A new hash is no new beginning: one patient more is deferred."""
    course.release()
    revised = course.other_study(other(*RETITLED))
    revised.changes.append(joined(of=("elm",)))
    assert revised.release() == "deferred"


def test_a_revision_that_leaves_one_patient_out(course: Course) -> None:
    """A cohort that is all patients but one shows the one."""
    dose = float(course.rows("cedar")["dose"].iloc[0])
    text = STUDY.replace("analyses:", f"cohorts: {{most: dose != {dose!r}}}\nanalyses:")
    for name in ("survival,", "survival}"):
        text = text.replace(
            f"endpoint: {name}", f"endpoint: survival, cohort: most{name.removeprefix('survival')}"
        )
    course.release()
    assert course.other_study(frozen(text)).release() == "deferred"


def divided(course: Course, *, accepted: str = "") -> Study:
    """A study with a curve of some, one patient among them, and a model of all but that one."""
    dose = float(course.rows("elm")["dose"].iloc[0])
    cohorts = f"cohorts:\n  most: dose != {dose!r}\n  some: dose < 6 or dose == {dose!r}\n"
    head, _, rest = STUDY.partition("analyses:\n")
    analyses = (
        "  some: {kind: survival, endpoint: survival, cohort: some}\n"
        "  most: {kind: cox, endpoint: survival, cohort: most, covariates: [dose], "
        "baseline: by_site}\n"
    )
    policy = rest[rest.index("disclosure:") :].partition("  accepted:")[0]
    return frozen(f"{head}{cohorts}analyses:\n{analyses}{policy}{accepted}")


def withheld(course: Course) -> dict[str, str]:
    """What is withheld in the next release, with the beginning of the reason."""
    outcome = course.play().finish().outcome
    assert outcome is not None
    failed = {name: r for name, r in outcome.results.items() if isinstance(r, Failure)}
    return {name: result.because[:49] for name, result in failed.items()}


def test_an_analysis_of_all_but_one_that_has_the_one_elsewhere(course: Course) -> None:
    """Everybody is in the other study, but the model of all but one shows the one: withheld."""
    course.release()
    found = withheld(course.other_study(divided(course)))
    assert found == {"most": "withheld: its patients differ from those of an ana"[:49]}


def test_what_was_opened_already_is_opened_again(course: Course) -> None:
    """A revision of a study with an accepted nested analysis withholds no more than the study."""
    dose = float(course.rows("elm")["dose"].iloc[0])
    accepted = "  accepted:\n    - {analysis: most, because: one is left out}\n"
    head, _, rest = STUDY.partition("analyses:\n")
    cohorts, nested = (
        f"cohorts:\n  most: dose != {dose!r}\n",
        "  most: {kind: survival, endpoint: survival, cohort: most}\n",
    )
    text = f"{head}{cohorts}analyses:\n{rest}".replace("disclosure:\n", f"{nested}disclosure:\n")
    text = text.replace("  accepted:\n", accepted)
    course = course.other_study(frozen(text))
    before = withheld(course)
    revised = course.other_study(frozen(text.replace(*RETITLED)))
    assert (before, withheld(revised)) == ({}, {})


def test_without_an_earlier_release_it_is_opened(course: Course) -> None:
    """Nothing of this study can be subtracted to the one."""
    assert withheld(course.other_study(divided(course))) == {}


def test_what_is_accepted_by_name_is_opened(course: Course) -> None:
    """The stewards have signed it."""
    course.release()
    accepted = "  accepted:\n    - {analysis: most, because: one is left out}\n"
    assert withheld(course.other_study(divided(course, accepted=accepted))) == {}


def test_a_covariate_by_another_expression(course: Course) -> None:
    """A correction shows in a study that has the column behind another expression."""
    course.release()
    revised = course.other_study(other("[dose]", "[dose * 2]"))
    revised.changes.append(corrected("dose", 0.5, of=("elm",)))
    assert revised.release() == "deferred"


READINGS = pytest.mark.parametrize(
    "new",
    [
        "status: {type: category, codes: {0: alive, 1: dead}}",
        "status: {type: category, codes: {1: dead, 0: censored}}",
        "status: {type: category, codes: {0: censored, 1: dead}, reference: dead}",
        "status: {type: number}",
    ],
    ids=["other labels", "another order", "another reference", "a number"],
)


def read_otherwise(new: str) -> Study:
    """The study with another declaration of the status."""
    old = "status: {type: category, codes: {0: censored, 1: dead}}"
    text = STUDY.replace(old, new)
    if "number" in new:
        text = text.replace('status == "dead"', "status == 1")
    return frozen(text)


@READINGS
def test_a_correction_in_a_column_that_is_read_otherwise(course: Course, new: str) -> None:
    """One patient who died after all is one, whatever a study calls the levels of its column."""
    course.release()
    revised = course.other_study(read_otherwise(new))
    revised.changes.append(_died)
    assert revised.release() == "deferred"


@READINGS
def test_a_column_that_is_read_otherwise(course: Course, new: str) -> None:
    """The same data differ in nobody, whatever a study calls the levels."""
    course.release()
    play = course.other_study(read_otherwise(new)).play()
    release = play.finish()
    (counts,) = totals(release, "patients")
    assert (counts[:3], set(counts[3:])) == ([0, 0, 0], {31})


def _died(site: str, rows: pd.DataFrame) -> pd.DataFrame:
    """The first patient of one hospital has the other status."""
    rows = rows.copy()
    if site == "elm":
        rows.loc[rows.index[0], "status"] = 1 - rows["status"].iloc[0]
    return rows


def test_patients_by_another_column(course: Course) -> None:
    """A study that names patients otherwise would find everybody changed: refused."""

    def numbered(site: str, rows: pd.DataFrame) -> pd.DataFrame:
        return rows.assign(record=[f"record-{site}-{number}" for number in range(len(rows))])

    course.changes.append(numbered)
    course.release()
    revised = course.other_study(other("key: patient", "key: record"))
    assert revised.release() == "other_identifiers"


def test_a_study_over_another_table(course: Course) -> None:
    """A study that shares no table is not compared with."""
    course.release()
    text = STUDY.replace("  patients:\n", "  others:\n")
    study = frozen(text)
    ledger = course.world().ledger("elm")
    assert names_to_compare(study, 1, ledger.entries, lambda _: "") == ()


def test_a_study_over_data_in_another_folder(course: Course) -> None:
    """A table of the same name in another folder is another table."""
    course.release()
    study = replace(other(*RETITLED), name="elsewhere")
    ledger = course.world().ledger("elm")
    assert names_to_compare(study, 1, ledger.entries, lambda name: name) == ()


def test_the_record_of_a_release_is_gone(course: Course) -> None:
    """Nobody can tell who has changed, and nothing is answered."""
    course.release()
    (record,) = (course.folder / "elm" / "contributions").glob("*-1.parquet")
    record.unlink()
    assert course.release() == "lost"


def test_the_secret_of_the_records_is_another(course: Course) -> None:
    """With another secret everybody would seem changed: refused."""
    course.release()
    (course.folder / "elm" / "contributions" / "key").write_bytes(bytes(32))
    assert course.release() == "lost"


# Rosters


def revision(pinned: tuple[str, ...], *named: EarlierRoster) -> Study:
    """A revision over these hospitals, which names earlier rosters."""
    return frozen(STUDY.replace(*RETITLED), pinned, earlier_rosters=named)


def test_a_revision_without_a_hospital(course: Course) -> None:
    """Who is left out would be the difference: refused."""
    course.release()
    assert course.other_study(revision(LESS_ONE)).release() == "other_roster"


def test_a_revision_that_names_the_earlier_roster(course: Course) -> None:
    """The stewards signed what subtraction shows: it may go."""
    course.release()
    named = EarlierRoster(SITES, "alder left, and what it added can be had by subtraction")
    assert course.other_study(revision(SITES[1:], named)).release() == "finished"


def test_a_roster_that_nobody_named(course: Course) -> None:
    """A sentence on one earlier roster lifts nothing for another."""
    course.release()
    named = EarlierRoster(LESS_ONE, SENTENCE)
    assert course.other_study(revision(SITES[1:], named)).release() == "other_roster"


def test_a_hospital_that_joined(tmp_path: Path) -> None:
    """All its patients are new: elm has 16, the other four hospitals nobody who changed."""
    before = Course(tmp_path, frozen(STUDY, LESS_ONE))
    before.release()
    after = before.other_study(revision(SITES, EarlierRoster(LESS_ONE, SENTENCE)))
    play = after.play()
    with pytest.raises(Refused, match="16 patients of 1 hospital differ"):
        play.finish()


def test_the_same_study_never_changes_its_roster(tmp_path: Path) -> None:
    """Within one hash no sentence helps."""
    study = frozen(STUDY, SITES, earlier_rosters=(EarlierRoster(SITES, "the same"),))
    course = Course(tmp_path, study)
    course.release()
    assert course.release(LESS_ONE) == "other_roster"
