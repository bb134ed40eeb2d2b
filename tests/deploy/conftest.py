from __future__ import annotations

from typing import Any

import pytest

from tests.deploy.files import compose


@pytest.fixture(scope="session")
def hospital() -> dict[str, Any]:
    """The compose file of a hospital."""
    return compose("hospital")


@pytest.fixture(scope="session")
def center() -> dict[str, Any]:
    """The compose file of the center."""
    return compose("center")
