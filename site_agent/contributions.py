"""What each patient contributes to a study, as digests that tell nothing and can be compared.

Notation: patient i has in frame f the rows r (entry, time, cause, group, stratum, design, weight;
offset and cluster, and what a propensity score is made from, where f has them).
K is a secret of this hospital.

    patient  p_i  = HMAC-SHA256(K, "patient" | identifier), the first 64 bits
    row      m(r) = AES-CBC-MAC(K', SHA-256(f)[:16] | words of r), the first 64 bits
    part     c_if = sum of m(r) over the rows of i in f, modulo 2^64
    whole    c_i  = sum of c_if over all frames of the analyses, modulo 2^64
    events   e_if = c_if with the time of every censored row set to 0

K' = HMAC-SHA256(K, "rows")[:16]. All messages of one frame have one length, which the first block
fixes, so CBC-MAC is a pseudorandom function on them (Bellare, Kilian, Rogaway, JCSS 2000), and
AES, unlike HMAC, takes the rows of a million patients in one call. A sum of pseudorandom words
is the same in every order of the rows (Clarke et al., ASIACRYPT 2003): what a total opens has no
order either. Two contributions that differ have one digest with probability 2^-64.

An end of follow-up that moves changes c but not e: e tells who came, had an event, or has another
covariate or group. The two are counted apart (contract/earlier.py).

A patient without a row in any frame contributes nothing and has no digest. Absent and empty are
the same, so a patient in no analysis counts neither as new nor as gone.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from numpy.typing import NDArray

from site_agent.components import components
from site_agent.contract.analyses.guard_selections import selection
from site_agent.contract.canonical import canonical_json
from site_agent.contract.earlier import EVENTS, analysed, selected
from site_agent.contract.frames import Frame, Rows
from site_agent.contract.study.model import Study

Words = NDArray[np.uint64]
BLOCK: Final = 16
SECRET_BYTES: Final = 32
ROWS: Final = 4096  # digested side by side: their blocks stay in a processor's cache
LOW: Final = np.uint64(0xFFFFFFFF)


@dataclass(frozen=True, slots=True)
class Contributions:
    """What the n patients of a study's analyses contribute at one hospital, at one moment.

    patients: (n,) digests of identifiers, ascending. whole: (n,) over all rows of all analyses.
    events: (n,) by analysis, over its rows without ends of follow-up, 0 for a patient who has
    none. parts: (n,) by component, 0 where a patient has no value. columns: by component that
    analyses name the columns of the data behind it, each a component too. identified: by table the
    column that names the patients. selected: by the first analysis of each
    distinct selection the hashes of all frames that have it.
    """

    patients: Words
    whole: Words
    events: Mapping[str, Words]
    parts: Mapping[str, Words]
    columns: Mapping[str, frozenset[str]]
    identified: Mapping[str, str] = field(default_factory=dict)
    selected: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def contributions(
    study: Study, rows: Callable[[Frame], Rows], identifiers: Sequence[str], secret: bytes
) -> Contributions:
    """Return what each patient contributes.

    `rows` gives the rows of a frame; their `patient` counts into `identifiers`.
    """
    digests = _Digests(len(identifiers), hmac.digest(secret, b"rows", "sha256")[:BLOCK])
    frames, used = analysed(study), components(study)
    present = np.zeros(len(identifiers), dtype=bool)
    whole = np.zeros(len(identifiers), dtype=np.uint64)
    events, parts = {}, {}
    for label, frame in frames.items():
        found, defined = rows(frame), canonical_json(frame.document())
        present[found.patient] = True
        whole += digests.by_patient(found, defined)
        events[label] = digests.by_patient(_without_ends(found), defined)
    for name, item in used.items():
        found = _as_it_stands(rows(item.frame), item.words)
        parts[name] = digests.by_patient(found, name.encode())
        if item.frame.endpoint is not None:
            ended = digests.by_patient(_without_ends(found), name.encode())
            parts[without_ends(name)] = ended
    named = [name for name, there in zip(identifiers, present, strict=True) if there]
    patients = patient_digests(named, secret)
    order = np.flatnonzero(present)[np.argsort(patients)]
    return Contributions(
        np.sort(patients),
        whole[order],
        {name: part[order] for name, part in events.items()},
        {name: part[order] for name, part in parts.items()},
        {name: item.columns for name, item in used.items() if item.used},
        {name: table.key[0] for name, table in study.tables.items()},
        _frames_by_selection(study),
    )


def _frames_by_selection(study: Study) -> dict[str, tuple[str, ...]]:
    found: dict[Frame, list[str]] = {}
    for frame in analysed(study).values():
        found.setdefault(selection(study, frame), []).append(frame.digest())
    return {label: tuple(found[chosen]) for label, chosen in selected(study).items()}


def _as_it_stands(rows: Rows, words: Sequence[str]) -> Rows:
    """Return rows whose groups, the levels of a column, are the last number that stands for each.

    So a column is the same whether a study reads its 0 and 1 as levels or as numbers.
    """
    if not words:
        return rows
    numbers = np.array([_number(word) for word in words])
    design = np.column_stack([rows.design, numbers[rows.group]])
    return replace(rows, design=design, group=np.zeros_like(rows.group))


def _number(word: str) -> float:
    """Return the number that a word of the data is, or else one that stands for the word."""
    try:
        return float({"false": "0", "true": "1"}.get(word, word))
    except ValueError:
        return float(int.from_bytes(hashlib.sha256(word.encode()).digest()[:6], "big")) + 0.5


def without_ends(component: str) -> str:
    """Return the name of an endpoint without ends of follow-up."""
    return f"{component}/{EVENTS}"


def _without_ends(rows: Rows) -> Rows:
    """Return rows in which it does not show when follow-up without an event ended."""
    return replace(rows, time=np.where(rows.cause == 0, 0, rows.time))


def patient_digests(identifiers: Iterable[str], secret: bytes) -> Words:
    """Return the first 64 bits of HMAC-SHA256 over each identifier; (n,).

    What is the same for all, the key and the word before the identifier, is hashed once: for a
    million patients it is most of the work.
    """
    keyed = hmac.new(secret, b"patient\x00", "sha256")
    found = []
    for name in identifiers:
        own = keyed.copy()
        own.update(name.encode("utf-8", "surrogatepass"))
        found.append(own.digest()[:8])
    return np.frombuffer(b"".join(found), dtype="<u8").astype(np.uint64)


def secret_mark(secret: bytes) -> str:
    """Return what shows that two records were made with one secret, and nothing of it."""
    return hmac.digest(secret, b"mark", "sha256").hex()[:32]


@dataclass(frozen=True, slots=True)
class _Digests:
    """Digests of rows with one key, added up for each of `count` patients."""

    count: int
    key: bytes

    def by_patient(self, rows: Rows, frame: bytes) -> Words:
        """Return the sum of the digests of each patient's rows; (count,)."""
        parts = [slice(start, start + ROWS) for start in range(0, max(len(rows), 1), ROWS)]
        words = np.concatenate([row_digests(_words(rows, p), self.key, frame) for p in parts])
        if len(words) == self.count and np.array_equal(rows.patient, np.arange(self.count)):
            return words  # one row of each patient
        halves = (words & LOW, words >> np.uint64(32))  # which doubles add up exactly
        low, high = (
            np.bincount(rows.patient, half, minlength=self.count).astype(np.uint64)
            for half in halves
        )
        return low + (high << np.uint64(32))


def _words(rows: Rows, part: slice) -> Words:
    """Return the numbers of some rows as 64-bit words, an even number of them; (rows, words).

    -0 is 0, and all that is no number is one: what is computed from them is the same.
    """
    whole = [c[part] for c in (rows.entry, rows.time, rows.cause, rows.group, rows.stratum)]
    weight = np.ones(len(whole[0])) if rows.weight is None else rows.weight[part]
    further = [own[part] for own in (rows.offset, rows.cluster) if own is not None]
    further += [*rows.numbers[part].T] if rows.numbers.size else []
    if rows.scored is not None:
        further += [rows.scored.treated[part], *rows.scored.design[part].T]
    real = [*rows.design[part].T, weight, *further]
    count = len(whole) + len(real)
    columns = np.zeros((count + count % 2, len(whole[0])), dtype=np.uint64)
    for column, own in zip(columns, whole, strict=False):
        column[:] = np.asarray(own, dtype=np.int64).view(np.uint64)
    numbers = columns[len(whole) : count].view(np.float64)
    for line, number in zip(numbers, real, strict=True):
        line[:] = number
    numbers[np.isnan(numbers)] = np.nan
    numbers += 0.0
    return columns.T


def row_digests(words: Words, key: bytes, frame: bytes) -> Words:
    """Return the first 64 bits of the CBC-MAC of each row of `words`; (rows,).

    words: (rows, w), w even. frame: what the rows are of; it and w make the first block.
    """
    count, width = words.shape
    first = hashlib.sha256(width.to_bytes(8, "big") + frame).digest()[:BLOCK]
    # The mode is ECB because each block is one step of another row's chain.
    cipher = Cipher(algorithms.AES(key), modes.ECB()).encryptor()
    state = np.tile(np.frombuffer(first, dtype="<u8"), (count, 1))
    for start in range(0, width + 2, 2):
        state = np.frombuffer(cipher.update(state.tobytes()), dtype="<u8").reshape(count, 2)
        if start < width:
            state = np.bitwise_xor(state, words[:, start : start + 2], order="C")
    return state[:, 0].astype(np.uint64)
