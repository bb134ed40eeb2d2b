"""Property tests draw the same examples in every run of the default suite.

`make campaign` draws others each time (--hypothesis-profile=random).
"""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("fixed", derandomize=True)
settings.register_profile("random", derandomize=False)
settings.load_profile("fixed")
