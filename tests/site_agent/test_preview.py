"""What a preview shows is what leaves, bit for bit, where it follows from the study alone."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from site_agent.contract import messages
from site_agent.contract.conductor import sections
from site_agent.contract.errors import ConfigurationError, DataError
from site_agent.contract.messages import Share
from site_agent.contract.securesum import masks, transcript, vector
from site_agent.contract.securesum.fixedpoint import ENCODINGS, negate
from site_agent.contract.study.model import DEVELOPMENT, Study
from site_agent.preview import Preview, Round, Walk, preview, previewed
from site_agent.preview_document import preview_document
from site_agent.site import Site
from tests.coordinator.exchange.office import STUDY_HASH
from tests.protocol import (
    CENTER,
    PATIENTS,
    SITES,
    STUDY,
    Play,
    World,
    frozen,
    identity,
    patients,
    site_data,
    the_data,
    the_study,
)
from tests.site_agent.hospital import furnished

KNOWN = 3  # rounds of the study of five hospitals that follow from the study: guard, guard, counts
NONE = "no event among the rows that have all covariates; the model has no estimate"
OPEN_FORM = STUDY.replace("baseline: pooled}", "baseline: pooled, risk_sets: open}")


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Play:
    """A release of five hospitals, gone through to the end."""
    play = Play(World(tmp_path_factory.mktemp("world")))
    while play.release.outcome is None:
        play.go()
    return play


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """A hospital with data and study, which its steward has not approved."""
    return furnished(tmp_path / "hospital", "elm")


def walked(site: str) -> Walk:
    """The preview of one of the five hospitals."""
    return Walk(the_study(), site, the_data(site).rows).to_the_end()


def encoded(each: Round, section: str, parties: int) -> bytes:
    """The numbers that a preview shows of a round, as a hospital encodes them."""
    chosen = [each.sums[i] for i in sections([one.ask for one in each.sums])[section]]
    layout = vector.Layout(tuple(one.entry.lanes(one.ask) for one in chosen))
    arrays = [one.arrays for one in chosen]
    return vector.to_bytes(vector.encode(layout, arrays, parties)) if chosen else b""


def shares(play: Play, site: str) -> Iterator[messages.Message]:
    """The shares that a hospital sent, in order."""
    found = [
        messages.read(wire) for (name, _), wire in play.replies.items() if name == site and wire
    ]
    return (message for message in found if message.kind == Share.TYPE)


def unmasked(play: Play, site: str, share: messages.Message, each: Round) -> bytes:
    """The open vector of a share with this hospital's masks taken off."""
    release = play.cores[site]._release
    assert release is not None and release.answering is not None
    chosen = [each.sums[i] for i in sections([one.ask for one in each.sums])["open"]]
    layout = vector.Layout(tuple(one.entry.lanes(one.ask) for one in chosen))
    bound = bytes.fromhex(share.content["transcript"])
    mask = masks.mask(layout, site, release.answering.secrets, transcript=bound, section="open")
    taken_off = {name: negate(mask[name]) for name in ENCODINGS}
    return vector.to_bytes(vector.plus(vector.from_bytes(layout, share.part(0)), taken_off))


# What leaves


def test_the_first_rounds_follow_from_the_study() -> None:
    """The guard's two rounds and the counts are known; a point of the likelihood is not."""
    assert [each.known for each in walked("elm").rounds][: KNOWN + 1] == [True, True, True, False]


@pytest.mark.parametrize("name", SITES)
@pytest.mark.parametrize("number", range(KNOWN))
def test_a_known_round_is_what_left_bit_for_bit(played: Play, name: str, number: int) -> None:
    """With its masks taken off, a share holds the numbers that the preview showed, every bit."""
    each, share = walked(name).rounds[number], list(shares(played, name))[number]
    assert unmasked(played, name, share, each) == encoded(each, "open", len(SITES))


@pytest.mark.parametrize("name", SITES)
def test_a_known_round_is_as_long_as_what_left(played: Play, name: str) -> None:
    """The size that is told is that of the ledger."""
    entries = played.world.ledger(name).find("share")
    told = [each.bytes for each in walked(name).rounds[:KNOWN]]
    assert told == [entry["bytes"] for entry in entries[:KNOWN]]


def test_the_same_is_asked_in_known_rounds(played: Play) -> None:
    """Sums and rows of the first rounds are those of the release."""
    asked = [
        [(ask["sum"], ask["frame"]) for ask in logged.asks] for logged in played.release.log[:KNOWN]
    ]
    shown = [
        [(one.ask.sum, one.ask.frame.document()) for one in each.sums]
        for each in walked("elm").rounds[:KNOWN]
    ]
    assert shown == asked


# One hospital alone: there the totals are its own numbers, and every round is known


def alone(text: str) -> Study:
    """A study without a policy, over one hospital."""
    policy = replace(DEVELOPMENT, development=True)
    found = frozen(text, ("elm",))
    return replace(found, policy=policy)


@pytest.fixture(scope="module")
def by_itself(tmp_path_factory: pytest.TempPathFactory) -> Play:
    """A release of one hospital; its risk sets are open, so that nothing is blinded."""
    play = Play(World(tmp_path_factory.mktemp("alone"), study=alone(OPEN_FORM)))
    while play.release.outcome is None:
        play.go()
    return play


def test_every_round_of_one_hospital_is_what_left(by_itself: Play) -> None:
    """Round after round of Newton's method, open and sealed to the center: every bit."""
    walk = Walk(by_itself.world.study, "elm", the_data("elm").rows).to_the_end()
    left = []
    for share in shares(by_itself, "elm"):
        bound = bytes.fromhex(share.content["transcript"])
        closed = share.part(1)
        context = transcript.sealing(bound, "elm")
        left.append((share.part(0), identity(CENTER).unseal(closed, context) if closed else b""))
    shown = [(encoded(each, "open", 1), encoded(each, "closed", 1)) for each in walk.rounds]
    assert (shown == left, len(left) > KNOWN) == (True, True)


def test_every_round_of_one_hospital_is_as_long(by_itself: Play) -> None:
    """The sizes of all rounds, with what is sealed to the center, are those of the ledger."""
    walk = Walk(by_itself.world.study, "elm", the_data("elm").rows).to_the_end()
    left = [entry["bytes"] for entry in by_itself.world.ledger("elm").find("share")]
    assert [each.bytes for each in walk.rounds] == left


# On this machine, from its own data


@pytest.mark.parametrize("wanted", ["protocol", STUDY_HASH, STUDY_HASH[:8]])
def test_a_study_on_the_shelf(site: Site, wanted: str) -> None:
    """A study that was fetched is previewed before it is approved, with no exchange."""
    found = preview(site, wanted)
    assert (found.study.hash, found.site, len(found.rounds) > KNOWN) == (STUDY_HASH, "elm", True)


def test_a_draft(site: Site, tmp_path: Path) -> None:
    """A file that is not frozen asks the same questions of the same rows."""
    path = tmp_path / "study.yaml"
    path.write_text(STUDY, encoding="utf-8")
    asked = [
        [
            (one.ask.identity(), one.serves)
            for each in preview(site, wanted).rounds
            for one in each.sums
        ]
        for wanted in (str(path), "protocol")
    ]
    assert asked[0] == asked[1]


def test_nothing_is_written(site: Site) -> None:
    """No ledger, no vault, no other file: what was there is there, and nothing else."""
    folder = site.settings.file.parent
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    preview(site, "protocol")
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before


def test_no_key_is_needed(site: Site, tmp_path: Path) -> None:
    """A draft is previewed where no key has been made yet."""
    path = tmp_path / "study.yaml"
    path.write_text(STUDY, encoding="utf-8")
    site.key.unlink()
    assert preview(site, str(path)).rounds


def test_data_that_do_not_fit(site: Site) -> None:
    """Nothing could leave: the findings are told instead, without a value."""
    path = site.data("protocol") / "patients.parquet"
    patients("elm").assign(days=99).to_parquet(path, index=False)
    with pytest.raises(DataError) as found:
        preview(site, "protocol")
    assert "99" not in str(found.value)


def test_a_study_that_is_not_here(site: Site) -> None:
    """A name that is not here is answered with the nearest."""
    with pytest.raises(ConfigurationError, match="did you mean 'protocol'"):
        preview(site, "protocl")


# What it cannot show


def shown(site: str, text: str = STUDY, rows: pd.DataFrame | None = None) -> Preview:
    """The preview of one of the five hospitals, or of other rows."""
    study = frozen(text)
    data = site_data(study, site, patients(site) if rows is None else rows)
    return previewed(study, site, data, folder="data")


def test_a_hospital_without_the_event() -> None:
    """One patient, alive: both models end behind the counts, each with the reason."""
    found = shown("alder")
    assert (len(found.rounds), found.ended) == (KNOWN, dict.fromkeys(("pooled", "by_site"), NONE))


def test_what_may_follow_is_named() -> None:
    """What the models of such a hospital would be asked next, with the totals of all."""
    unseen = [(analysis, asked) for analysis, asked, _ in shown("alder").unseen]
    assert unseen == [("pooled", "cox_sealed"), ("by_site", "cox_within_site")]


def test_a_hospital_whose_models_end_well_has_shown_all() -> None:
    """Sixteen patients: every sum of every analysis has come up."""
    found = shown("elm")
    assert (found.ended, found.unseen, found.refused) == ({}, (), "")


def test_a_model_of_a_screen_that_ends_is_named() -> None:
    """Of a screen, each model ends by itself."""
    text = STUDY.replace("kind: cox,", "kind: cox_screen,")
    assert set(shown("alder", text).ended) == {"pooled, dose", "by_site, dose"}


def test_a_hospital_without_patients() -> None:
    """Zeros would leave, and all of them are shown."""
    found = shown("elm", rows=patients("elm")[:0])
    numbers = [v for each in found.rounds for one in each.sums for v in one.arrays.values()]
    assert (len(found.rounds), any(np.any(values) for values in numbers)) == (KNOWN, False)


def test_numbers_that_the_hospital_would_refuse_to_send() -> None:
    """Squares beyond a lane: the preview ends before that round, and says why."""
    found = shown("elm", rows=patients("elm").assign(dose=1e30))
    assert (len(found.rounds), "not finite" in found.refused) == (KNOWN - 1, True)


def test_the_guard_forbids_nothing() -> None:
    """One patient is below every limit of the study, and what comes behind is shown."""
    assert shown("alder").rounds[KNOWN - 1].sums[0].serves == ("curve",)


def test_sealed_sums_are_shown_before_blinding() -> None:
    """At the first point S0 counts those at risk: all sixteen at the first death."""
    found = shown("elm")
    sealed = next(one for one in found.rounds[KNOWN].sums if one.entry.sealed)
    assert sealed.arrays["S0"][0, 0] == PATIENTS["elm"]


def test_sealed_and_open_go_the_same_way() -> None:
    """The points of Newton's method are the same whether risk sets are sealed or not."""
    points = [
        [
            one.ask.floats["beta"][0]
            for each in shown("elm", text).rounds
            for one in each.sums
            if one.serves == ("pooled",) and "beta" in one.ask.floats
        ]
        for text in (STUDY, OPEN_FORM)
    ]
    np.testing.assert_allclose(points[0], points[1], rtol=1e-12)


def test_the_center_s_own_hospital_sends_more() -> None:
    """It holds no secret: what others would blind goes in two parts, as many numbers each."""
    study = frozen()
    rows = the_data("elm").rows
    plain, central = (
        Walk(each, "elm", rows).to_the_end().rounds[KNOWN]
        for each in (study, replace(study, at_center="elm"))
    )
    times = len(next(one for one in plain.sums if one.entry.sealed).arrays["S0"])
    assert 0 <= central.bytes - plain.bytes - 2 * 160 * 3 * times < 400


# Compared with earlier releases


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A hospital's folder behind a release."""
    world = World(tmp_path_factory.mktemp("released"))
    Play(world).finish()
    return world.folder / "elm"


@pytest.mark.parametrize("corrected", [0, 1, 3])
def test_patients_who_have_changed_are_counted(site: Site, released: Path, corrected: int) -> None:
    """As many patients differ from the release before as were corrected since."""
    shutil.copytree(released, site.state, dirs_exist_ok=True)
    rows = patients("elm")
    rows.loc[: corrected - 1, "dose"] += 0.5
    rows.to_parquet(site.data("protocol") / "patients.parquet", index=False)
    first = preview(site, "protocol").rounds[0].sums
    assert {one.ask.sum: one.arrays["patients"].tolist() for one in first} == {
        "enrolled": [16.0],
        "changed": [float(corrected)],
    }


def test_what_is_compared_is_told(site: Site, released: Path) -> None:
    """The releases that this hospital knows of stand in the document and in a sentence."""
    shutil.copytree(released, site.state, dirs_exist_ok=True)
    told = preview_document(preview(site, "protocol"), full=False)
    assert (told["earlier"], "1 earlier release" in str(told["sentences"])) == (
        [f"{STUDY_HASH}/1"],
        True,
    )


def test_without_its_records_nobody_can_compare(site: Site, released: Path) -> None:
    """A hospital that lost its secret would refuse; the preview makes no other one."""
    shutil.copytree(released, site.state, dirs_exist_ok=True)
    (site.state / "contributions" / "key").unlink()
    found = preview(site, "protocol")
    assert ("Restore the folder" in found.refused, len(found.rounds)) == (True, 0)
