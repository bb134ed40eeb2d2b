"""What patients contribute, as digests: hand-made rows, each change seen and nothing else."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import fields, replace

import numpy as np
import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from site_agent.contract.frames import Frame, Rows, Scored
from site_agent.contributions import (
    Contributions,
    contributions,
    patient_digests,
    row_digests,
    secret_mark,
)
from tests.studytext import study

SECRET = bytes(range(32))
NAMES = ("ann", "bob", "cyd")
BLANK = np.zeros(3, dtype=np.int64)
ROWS = Rows(
    entry=BLANK - 1,
    time=np.array([3, 5, 7]),
    cause=np.array([1, 0, 2]),
    group=np.array([0, 0, 1]),
    stratum=BLANK,
    design=np.array([[1.5], [0.0], [-2.0]]),
    patient=np.array([0, 1, 2]),
    patients=3,
    weight=np.array([1.0, 2.0, 0.5]),
    offset=np.array([0.0, 0.5, -0.5]),
    cluster=np.array([1.0, 1.0, 2.0]),
    numbers=np.array([[4.0], [5.0], [6.0]]),
    scored=Scored(np.array([1.0, 0.0, 1.0]), np.array([[0.5], [1.5], [2.5]])),
)
COUNTED = ("entry", "time", "cause", "group", "stratum", "design", "weight", "offset", "cluster")
COUNTED += ("numbers",)


def found(
    rows: Rows = ROWS, names: tuple[str, ...] = NAMES, secret: bytes = SECRET
) -> Contributions:
    """What patients contribute if every frame has these rows."""
    return contributions(study(), lambda _: rows, names, secret)


def by_name(name: str, item: Contributions) -> int:
    """The digest over everything of one patient."""
    return int(item.whole[list(item.patients).index(patient_digests([name], SECRET)[0])])


def differing(rows: Rows) -> list[str]:
    """The patients whose digest over everything is another one with these rows."""
    now, then = found(rows), found()
    return [name for name in NAMES if by_name(name, now) != by_name(name, then)]


def test_patients_are_named_by_hmac() -> None:
    """The first 64 bits of HMAC-SHA256 over the identifier."""
    expected = hmac.new(SECRET, b"patient\x00ann", "sha256").digest()[:8]
    assert int(patient_digests(["ann"], SECRET)[0]) == int.from_bytes(expected, "little")


def test_patients_are_in_order() -> None:
    """Ascending, so that two releases are compared by one merge."""
    assert list(found().patients) == sorted(patient_digests(NAMES, SECRET))


def test_a_row_is_the_cbc_mac_of_its_words() -> None:
    """As AES-CBC with a zero vector gives it, one block for the frame and one for two words."""
    key, words = bytes(range(16)), np.array([[1, 2], [3, 4]], dtype=np.uint64)
    first = hashlib.sha256((2).to_bytes(8, "big") + b"frame").digest()[:16]
    expected = []
    for row in words:
        cipher = Cipher(algorithms.AES(key), modes.CBC(bytes(16))).encryptor()
        last = cipher.update(first + row.astype("<u8").tobytes())[-16:]
        expected.append(int.from_bytes(last[:8], "little"))
    assert row_digests(words, key, b"frame").tolist() == expected


def test_rows_of_another_frame_have_other_digests() -> None:
    """The same numbers in another frame are something else."""
    words = np.array([[1, 2]], dtype=np.uint64)
    one, other = (row_digests(words, bytes(16), name)[0] for name in (b"a", b"b"))
    assert one != other


@pytest.mark.parametrize("part", COUNTED)
def test_a_change_of_one_patient(part: str) -> None:
    """Whatever changes in a row shows, for its patient alone."""
    values = getattr(ROWS, part).copy()
    values[1] += 1
    assert differing(replace(ROWS, **{part: values})) == ["bob"]


@pytest.mark.parametrize("part", ["treated", "design"])
def test_a_change_of_what_a_score_is_made_from(part: str) -> None:
    """Treatment and covariates of a propensity score decide on a patient's weight."""
    values = getattr(ROWS.scored, part).copy()
    values[1] += 1
    assert differing(replace(ROWS, scored=replace(ROWS.scored, **{part: values}))) == ["bob"]


def test_rows_hold_nothing_else_of_a_patient() -> None:
    """Whatever is added to rows must be counted, or it could change unseen."""
    about = {"patient", "patients", "left_out", "member", "changed", "derived", "scored"}
    assert {field.name for field in fields(Rows)} == {*COUNTED} | about


def test_a_row_without_a_weight_counts_as_one() -> None:
    """Ann's weight is 1, so she contributes as before."""
    assert differing(replace(ROWS, weight=None)) == ["bob", "cyd"]


def test_the_order_of_rows_makes_no_difference() -> None:
    """What a total opens has no order."""
    assert differing(ROWS.subset(np.array([2, 0, 1]))) == []


def test_minus_zero_is_zero() -> None:
    """What is computed from them is the same."""
    assert differing(replace(ROWS, design=np.array([[1.5], [-0.0], [-2.0]]))) == []


def test_a_row_twice_is_another_contribution() -> None:
    """Two equal rows do not cancel, and are not one."""
    assert differing(ROWS.subset(np.array([0, 1, 2, 2]))) == ["cyd"]


def test_a_patient_without_rows_contributes_nothing() -> None:
    """Who is in no analysis has no digest at all."""
    assert len(found(ROWS.subset(np.array([0, 2]))).patients) == 2


def test_an_end_of_follow_up_is_no_event() -> None:
    """Bob is censored; being seen longer changes his rows but nothing in `events`."""
    now, then = found(replace(ROWS, time=np.array([3, 6, 7]))), found()
    changed = [(now.events[name] != then.events[name]).any() for name in then.events]
    assert (differing(replace(ROWS, time=np.array([3, 6, 7]))), any(changed)) == (["bob"], False)


def test_an_event_is_one() -> None:
    """The event of Ann a day later shows in every analysis."""
    now, then = found(replace(ROWS, time=np.array([4, 5, 7]))), found()
    assert all((now.events[name] != then.events[name]).sum() == 1 for name in then.events)


def test_another_secret_gives_other_digests() -> None:
    """Without the secret nobody can try what a digest stands for."""
    one, other = found(), found(secret=bytes(32))
    assert not set(one.patients) & set(other.patients) and not set(one.whole) & set(other.whole)


def test_the_mark_of_a_secret() -> None:
    """Two secrets have two marks, and a mark is not the secret."""
    marks = [secret_mark(SECRET), secret_mark(bytes(32))]
    assert (len(set(marks)), SECRET.hex()[:32] in marks) == (2, False)


def test_nobody() -> None:
    """A hospital without patients yet contributes nothing."""
    empty = replace(ROWS.subset(np.zeros(3, dtype=bool)), design=np.zeros((0, 1)))
    assert len(found(empty, ()).patients) == 0


def test_every_frame_is_asked_for_with_its_patients() -> None:
    """Analyses and components name frames over both tables."""
    asked: list[Frame] = []

    def rows(frame: Frame) -> Rows:
        asked.append(frame)
        return ROWS

    contributions(study(), rows, NAMES, SECRET)
    assert {frame.table for frame in asked} == {"patients", "grades"}
