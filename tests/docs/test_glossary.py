from __future__ import annotations

import re

import pytest

from tests.docs.pages import page

PAGE = page("glossary.md")
WORDS = re.findall(r"^- \*\*([^*]+)\*\*: ", PAGE, re.MULTILINE)
NEEDED = (
    *("study", "site", "center", "roster", "release", "attempt", "round", "ask", "sum", "share"),
    *("total", "reduction", "frame", "rows", "disclosure class", "ledger", "vault", "snapshot"),
    *("endpoint", "entry", "cause", "tick", "horizon", "cohort", "guard", "mask", "watermark"),
)


def test_each_word_stands_once() -> None:
    """No word is explained twice."""
    assert [word for word in WORDS if WORDS.count(word) > 1] == []


def test_words_stand_in_the_order_of_the_alphabet() -> None:
    """A word is found where the alphabet has it."""
    assert sorted(WORDS) == WORDS


@pytest.mark.parametrize("word", NEEDED)
def test_the_word_is_explained(word: str) -> None:
    """The words that the other pages rest on are in the glossary."""
    assert word in WORDS


def test_every_entry_is_read_as_one() -> None:
    """Each entry of the list has a word and an explanation."""
    assert len(re.findall(r"^- ", PAGE, re.MULTILINE)) == len(WORDS)
