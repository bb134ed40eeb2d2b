"""The attacks on a release under way, by name: what each tries, and what stops it."""

from __future__ import annotations

from typing import Final

from tests.campaign.table_answers import GATHERED, SPLITS
from tests.campaign.table_handshake import KEYS
from tests.campaign.table_questions import QUESTIONS
from tests.campaign.table_strange import ROSTERS, STRANGE

ATTACKS: Final = {**KEYS, **GATHERED, **QUESTIONS, **ROSTERS, **STRANGE, **SPLITS}
