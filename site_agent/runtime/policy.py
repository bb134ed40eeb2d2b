"""What the pages of both sides may do, as a Content-Security-Policy (W3C, level 3) says it.

No page loads anything. It may use the style sheet that stands in it, named by its hash.
"""

from __future__ import annotations

import base64
import hashlib


def style_source(style: str) -> str:
    """Return the source expression of a style sheet in the page."""
    digest = base64.b64encode(hashlib.sha256(style.encode("utf-8")).digest()).decode()
    return f"'sha256-{digest}'"


def closed_policy(style: str) -> str:
    """Return the policy of a page that only shows: no script, no image, no form."""
    return (
        f"default-src 'none'; style-src {style_source(style)}; base-uri 'none'; form-action 'none'"
    )
