"""The version of this software, as it stands in messages and manifests."""

from __future__ import annotations

from typing import Final

VERSION: Final = "0.1.0"
SOFTWARE: Final = f"quorum {VERSION}"
