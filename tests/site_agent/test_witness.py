"""Ledgers that the hospitals witness for one another, and one that was set back."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from site_agent.contract.errors import Refused
from site_agent.contract.messages import Burn, Readies, Ready
from site_agent.ledger import Ledger
from site_agent.standing import releases_in_words
from site_agent.witness import EACH, mark, new_marks, own_marks, seen
from tests.protocol import SITES, Play, World, clock, content_of, identity, refusal, signed
from tests.site_agent.differing import Course

VICTIM, REWOUND = "alder", "elm"
KEY = identity(REWOUND).member().signing_key
HEADS = {number: f"{number:064x}" for number in range(50)}


def ready(length: int, *before: int, head: str = "") -> Ready:
    """A READY of a ledger of this length that shows the marks of before."""
    marks = tuple(mark(number, HEADS[number]) for number in before)
    return Ready("o", "e", "s", head or HEADS[length], length, "q", (), marks)


def witnessed(*marks: tuple[int, ...]) -> list[dict[str, object]]:
    """Entries of a ledger that has witnessed these marks of one site."""
    return [
        {
            "event": "witnessed",
            "ledgers": {REWOUND: {"key": KEY, "marks": [mark(n, HEADS[n]) for n in each]}},
        }
        for each in marks
    ]


def judged(said: Ready, *known: tuple[int, ...]) -> list[int] | str:
    """The lengths of the marks that a site would witness, or the code of its refusal."""
    members = {REWOUND: identity(REWOUND).member()}
    try:
        found = new_marks(members, {REWOUND: said}, witnessed(*known))
    except Refused as refused:
        return refused.code
    return [int(item.partition(":")[0]) for item in found.get(REWOUND, {"marks": []})["marks"]]


@pytest.mark.parametrize(
    ("said", "known", "expected"),
    [
        (ready(10), (), [10]),
        (ready(10, 3, 7), (), [3, 7, 10]),
        (ready(10, 3, 7), ((7,),), [10]),
        (ready(10, 7, 8), ((7,),), [8, 10]),
        (ready(10, 3, 7), ((3, 7, 10),), []),
        (ready(8, 3, 7), ((3, 7, 8, 10),), []),
        (ready(6, 3), ((7,),), "rewound"),
        (ready(9, 3), ((7,),), "rewound"),
        (ready(7, 3, head="f" * 64), ((7,),), "rewound"),
        (ready(30, *range(20, 29)), ((7,),), "rewound"),
    ],
    ids=[
        "seen for the first time",
        "for the first time, with those before",
        "one more",
        "one in between that never came",
        "the same again",
        "late, but known",
        "shorter",
        "longer, and another",
        "as long, and another",
        "longer, and forgetful",
    ],
)
def test_a_ledger_as_it_is_shown(
    said: Ready, known: tuple[tuple[int, ...], ...], expected: list[int] | str
) -> None:
    """What was shown once must be among what is shown later."""
    assert judged(said, *known) == expected


@pytest.mark.parametrize("shown", ["10", "x:" + HEADS[1], "01:" + HEADS[1], "1:abc"])
def test_a_mark_of_no_proper_form(shown: str) -> None:
    """A witness that is no mark is refused."""
    said = Ready("o", "e", "s", HEADS[10], 10, "q", (), (shown,))
    assert judged(said) == "malformed"


def test_another_key_is_another_ledger() -> None:
    """A hospital with a new key begins anew: by name alone nothing is remembered."""
    members = {REWOUND: identity("beech").member()}
    assert list(new_marks(members, {REWOUND: ready(2)}, witnessed((7,)))) == [REWOUND]


def test_marks_are_kept_by_key() -> None:
    """All marks that were ever witnessed of a key count."""
    assert seen(witnessed((3,), (7, 9))) == {KEY: {mark(n, HEADS[n]) for n in (3, 7, 9)}}


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    """An empty ledger."""
    return Ledger(tmp_path / "ledger.jsonl", clock)


def test_own_marks_are_the_ledger_behind_each_ready(ledger: Ledger) -> None:
    """The entry of the READY itself is included: no two have one mark."""
    ledger.append("approved")
    ledger.append("ready", roster=["alder", "beech"])
    head = ledger.head
    ledger.append("share")
    assert own_marks(ledger, ["beech"]) == (mark(2, head),)


def test_own_marks_are_of_those_who_saw_them(ledger: Ledger) -> None:
    """A READY to others is of no use to these."""
    ledger.append("ready", roster=["alder", "cedar"])
    assert own_marks(ledger, ["beech"]) == ()


def test_own_marks_are_the_last_ones(ledger: Ledger) -> None:
    """So many for each other site, the newest last."""
    for _ in range(EACH + 3):
        ledger.append("ready", roster=["alder", "beech"])
    marks = own_marks(ledger, ["beech"])
    assert (len(marks), marks[-1]) == (EACH, mark(EACH + 3, ledger.head))


def test_own_marks_do_not_crowd_out_a_site_that_was_away(ledger: Ledger) -> None:
    """A site that took part long ago still finds the mark that it remembers."""
    ledger.append("ready", roster=["alder", "cedar"])
    old = mark(1, ledger.head)
    for _ in range(2 * EACH):
        ledger.append("ready", roster=["alder", "beech"])
    assert own_marks(ledger, ["beech", "cedar"])[0] == old


# In a release


@pytest.fixture
def course(tmp_path: Path) -> Course:
    """Releases over folders that can be set back."""
    return Course(tmp_path)


def images(course: Course) -> Path:
    """A place for copies of hospitals' disks, beside them."""
    return course.folder.with_name(course.folder.name + "-images")


def copy_disk(course: Course) -> None:
    """Make an image of a hospital's disk."""
    shutil.copytree(course.folder / REWOUND, images(course) / REWOUND)


def restore_disk(course: Course) -> None:
    """Put the image back in place of the disk."""
    shutil.rmtree(course.folder / REWOUND)
    shutil.copytree(images(course) / REWOUND, course.folder / REWOUND)


def to_readies(course: Course) -> Play:
    """The next release, up to READIES."""
    return course.play().until(Readies)


def test_an_old_image_restored(course: Course) -> None:
    """A hospital forgets a release; all others refuse to go on with it."""
    course.release()
    copy_disk(course)
    course.release()
    restore_disk(course)
    play = to_readies(course)
    codes = {site: refusal(play.cores[site], play.next) for site in SITES}
    assert codes == {**dict.fromkeys(SITES, "rewound"), REWOUND: "answered"}


def test_an_image_of_before_its_first_release(course: Course) -> None:
    """The disk of before everything is an old image too."""
    play = course.play()
    copy_disk(course)
    play.finish()
    restore_disk(course)
    play = to_readies(course)
    assert refusal(play.cores[VICTIM], play.next) == "rewound"


def test_an_image_that_has_gone_on(course: Course) -> None:
    """A ledger that was set back and has grown past what it was is found all the same."""
    course.release()
    copy_disk(course)
    course.release()
    restore_disk(course)
    ledger = course.world().ledger(REWOUND)
    for _ in range(40):
        ledger.append("refused", code="expired", reason="made up")
    play = to_readies(course)
    assert refusal(play.cores[VICTIM], play.next) == "rewound"


def test_nothing_is_answered_over_a_ledger_that_was_set_back(course: Course) -> None:
    """No hospital that remembers gives a share."""
    course.release()
    copy_disk(course)
    course.release()
    restore_disk(course)
    play = to_readies(course)
    refusal(play.cores[VICTIM], play.next)
    assert course.world().events(VICTIM)[-2:] == ["ready", "refused"]


def test_the_others_say_whose_ledger_it_is(course: Course) -> None:
    """Their status names the hospital and what to do."""
    course.release()
    copy_disk(course)
    course.release()
    restore_disk(course)
    play = to_readies(course)
    refusal(play.cores[VICTIM], play.next)
    said = releases_in_words(course.world().ledger(VICTIM).entries)
    assert (
        said.startswith(f"the ledger of '{REWOUND}' was set back") and "restores the newest" in said
    )


def test_the_newest_ledger_restored(course: Course) -> None:
    """Nothing is lost by a refusal: with the right disk back the next release goes."""
    course.release()
    copy_disk(course)
    course.release()
    newest = course.folder.with_name("newest")
    shutil.copytree(course.folder / REWOUND, newest)
    restore_disk(course)
    play = to_readies(course)
    refusal(play.cores[VICTIM], play.next)
    course.burn(play)
    shutil.rmtree(course.folder / REWOUND)
    shutil.copytree(newest, course.folder / REWOUND)
    assert course.release() == "finished"


def test_readies_again_are_witnessed_once(course: Course) -> None:
    """A restart that reads READIES again writes nothing more."""
    play = to_readies(course)
    play.go()
    play.restart(VICTIM)
    assert course.world().events(VICTIM).count("witnessed") == 1


def test_a_release_that_comes_late(course: Course) -> None:
    """Two releases at once: READIES of the first come behind those of the second, and are taken."""
    first = to_readies(course)
    second = Course(course.folder, course.study, number=1)
    later = to_readies(second)
    later.go()
    first.cores[VICTIM] = course.world().core(VICTIM)
    first.cores[VICTIM].receive(first.script.messages[0])
    assert refusal(first.cores[VICTIM], first.next) == "answered"


def test_what_is_witnessed(course: Course) -> None:
    """Of each other hospital its key, and the mark that its READY shows."""
    play = to_readies(course)
    play.go()
    (entry,) = course.world().ledger(VICTIM).find("witnessed")
    said = content_of(play.replies[REWOUND, 0] or b"")
    assert entry["ledgers"][REWOUND] == {
        "key": KEY,
        "marks": [mark(said["ledger_length"], said["ledger_head"])],
    }


def test_a_release_given_up_keeps_what_was_witnessed(course: Course) -> None:
    """What was seen once is remembered, whatever became of the release."""
    play = to_readies(course)
    play.go()
    opened = content_of(play.next)["open"]
    play.cores[VICTIM].receive(signed(Burn(opened)))
    assert len(seen(World(course.folder).ledger(VICTIM).entries)) == len(SITES) - 1
