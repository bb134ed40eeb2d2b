"""What stops attacks, in a few words each, for the tables."""

from __future__ import annotations

from typing import Final

PINNED: Final = "signatures with the keys that the study pins"
OWN_COPY: Final = "a hospital knows what it sent itself"
ALL_READY: Final = "a message of every hospital of the roster, in its order"
HPKE: Final = "sealed to one hospital, bound to release, sender and receiver"
COMMITTED: Final = "each PART states the hash of what it gives to all"
REPLAY: Final = "each hospital works out every question itself"
TRANSCRIPT: Final = "the transcript of everything so far"
AUDIT: Final = "each hospital adds up the signed shares itself"
CHECK: Final = "a check lane that must decode to the number of hospitals"
MAJORITY: Final = "a majority of the pinned hospitals, and the study's minimum"
ONE_ROSTER: Final = "the ledger: one roster a release"
FORM: Final = "one canonical form, bounded, read before anything else"
IDEMPOTENT: Final = "what was answered is answered in the same bytes"
STEPS: Final = "a release's steps are one table"
