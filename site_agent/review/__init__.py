"""A frozen study in plain words, for the steward who approves it or not.

`review_document` says everything once, as JSON; `review` is the same as text for a terminal.
Both follow from the study and the name of the hospital, and from nothing else.
"""

from site_agent.review.document import review_document
from site_agent.review.page import review

__all__ = ["review", "review_document"]
