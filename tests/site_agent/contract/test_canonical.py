"""One spelling of a document as bytes."""

from __future__ import annotations

import hashlib
import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from site_agent.contract.canonical import canonical_json, digest, sha256

leaves = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(st.characters(exclude_categories=["Cs"])),
)
documents = st.recursive(
    leaves,
    lambda inner: st.one_of(st.lists(inner), st.dictionaries(st.text("abcé", max_size=3), inner)),
    max_leaves=12,
)


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({"b": 1, "a": [True, None]}, b'{"a":[true,null],"b":1}'),
        ("Añ", '"Añ"'.encode()),
        (0.1, b"0.1"),
        (1.0, b"1.0"),
        (1, b"1"),
        (1e300, b"1e+300"),
        ({}, b"{}"),
    ],
)
def test_documents_by_hand(document: Any, expected: bytes) -> None:
    """Sorted keys, no white space, UTF-8, shortest doubles."""
    assert canonical_json(document) == expected


@given(documents)
def test_a_document_comes_back(document: Any) -> None:
    """What is written reads back as the same document."""
    assert json.loads(canonical_json(document)) == document


@given(st.dictionaries(st.text("abc", max_size=3), st.integers(), max_size=6))
def test_the_order_of_keys_does_not_matter(document: dict[str, int]) -> None:
    """Two dictionaries that are equal have the same bytes."""
    turned = dict(reversed(document.items()))
    assert canonical_json(turned) == canonical_json(document)


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_no_document_holds_what_is_no_number(number: float) -> None:
    """NaN and infinities have no spelling."""
    with pytest.raises(ValueError, match="JSON compliant"):
        canonical_json({"x": [number]})


def test_sha256() -> None:
    """The hash of "abc" as FIPS 180-4 prints it."""
    assert sha256(b"abc").startswith("ba7816bf8f01cfea414140de5dae2223")


def test_digest() -> None:
    """The digest of a document is the hash of its bytes."""
    assert digest({"a": 1}) == hashlib.sha256(b'{"a":1}').hexdigest()
