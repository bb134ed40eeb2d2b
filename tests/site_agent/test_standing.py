"""What keeps releases back at a hospital, by the last entries of its ledger."""

from __future__ import annotations

from typing import Any

import pytest

from site_agent.standing import releases_in_words

CLOSED = {"event": "closed", "release": 1}
DEFERRED = {"event": "burned", "release": 2, "code": "deferred", "until": "enough differ"}
REWOUND = {"event": "refused", "code": "rewound", "reason": "the ledger of 'elm' was set back"}
NONE = "none is kept back"


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        ([], NONE),
        ([CLOSED], NONE),
        ([CLOSED, DEFERRED], "release 2 was deferred until enough differ"),
        ([CLOSED, REWOUND], "the ledger of 'elm' was set back"),
        ([DEFERRED, REWOUND, CLOSED], NONE),
        ([{"event": "burned", "release": 2}], NONE),
        ([{"event": "refused", "code": "expired", "reason": "ended"}], NONE),
    ],
    ids=["new", "closed", "deferred", "rewound", "over", "given up", "another refusal"],
)
def test_what_keeps_releases_back(entries: list[dict[str, Any]], expected: str) -> None:
    """A deferral or a ledger that was set back, until a release is closed again."""
    assert releases_in_words(entries) == expected
