"""What all tests share: the examples of property tests, one browser, and cheap passwords.

Property tests draw the same examples in every run of the default suite; `make campaign` draws
others each time (--hypothesis-profile=random).
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import settings

from coordinator.exchange import passwords
from tests.browser import chromium

settings.register_profile("fixed", derandomize=True)
settings.register_profile("random", derandomize=False)
settings.load_profile("fixed")
passwords.COST -= 10  # of what a password costs to look at, a thousandth


def pytest_collection_finish() -> None:
    """Have each collection of garbage pass over thousands of tests, which stay to the end."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Headless chromium; `tests.browser` opens windows of it and looks at pages.

    While it is there an event loop runs in this thread, so that no test of another module may find
    it: asyncio.run() would refuse.
    """
    with chromium() as started:
        yield started
