"""The secure sum once more, slowly: whole numbers of Python, HKDF from RFC 5869, CTR by hand.

Nothing is taken from the package. AES, GCM and X25519 themselves come from `cryptography`. The
arithmetic of sealed sums has its own slow form in tests/privacy/slow.py.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from fractions import Fraction

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

# Width of a word, bits after the point; a vector has them in this order. Tallies share words.
BITS = {"sealed": (1280, 0), "real": (256, 128), "count": (64, 0), "tally": (64, 0)}


def encode(number: float, encoding: str) -> int:
    """rint(x 2^E) mod 2^W, ties to even, by exact fractions."""
    width, fraction = BITS[encoding]
    return int(round(Fraction(number) * 2**fraction) % 2**width)


def words(numbers: Sequence[float], encoding: str) -> list[int]:
    """The words of a lane: one for each number, or for two tallies the second times 2^32."""
    single = [encode(number, encoding) for number in numbers]
    if encoding != "tally":
        return single
    return [low + high * 2**32 for low, high in zip(single[::2], [*single[1::2], 0], strict=False)]


def signed(word: int, encoding: str) -> int:
    """A word of a lane as a whole number with its sign."""
    width, _ = BITS[encoding]
    return word - 2**width if word >= 2 ** (width - 1) else word


def decode(word: int, encoding: str) -> float:
    """The double nearest to a word; Python divides whole numbers with one rounding."""
    _, fraction = BITS[encoding]
    return float(signed(word, encoding) / 2**fraction)


def to_bytes(words: Sequence[int], encoding: str) -> bytes:
    """Words on the wire, little-endian."""
    width, _ = BITS[encoding]
    return b"".join(word.to_bytes(width // 8, "little") for word in words)


def from_bytes(data: bytes, encoding: str) -> list[int]:
    """The words that stand on the wire."""
    size = BITS[encoding][0] // 8
    return [
        int.from_bytes(data[start : start + size], "little") for start in range(0, len(data), size)
    ]


def hkdf_extract(salt: bytes, secret: bytes) -> bytes:
    """RFC 5869, section 2.2, with SHA-256."""
    return hmac.new(salt, secret, hashlib.sha256).digest()


def hkdf_expand(key: bytes, info: bytes, length: int) -> bytes:
    """RFC 5869, section 2.3, with SHA-256."""
    done, block, number = b"", b"", 0
    while len(done) < length:
        number += 1
        block = hmac.new(key, block + info + bytes([number]), hashlib.sha256).digest()
        done += block
    return done[:length]


def aes_block(key: bytes, block: bytes) -> bytes:
    """One block of AES-256."""
    return Cipher(algorithms.AES256(key), modes.ECB()).encryptor().update(block)


def aes_ctr(key: bytes, length: int) -> bytes:
    """AES-256 over a counter from 0, block by block: SP 800-38A, section 6.5."""
    blocks = (aes_block(key, n.to_bytes(16, "big")) for n in range(-(-length // 16)))
    return b"".join(blocks)[:length]


def public_key(private: bytes) -> bytes:
    """The X25519 public key of a private one."""
    return X25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()


def half(seed: bytes, receiver: str) -> bytes:
    """What a site puts into the key that it shares with another one before any X25519."""
    return hkdf_expand(seed, b"quorum/1/half\x00" + receiver.encode(), 32)


def preshared(seeds: Mapping[str, bytes], one: str, other: str) -> bytes:
    """The halves of two sites, that of the first name first."""
    first, second = sorted((one, other))
    return half(seeds[first], second) + half(seeds[second], first)


def pair_secret(private: bytes, other: bytes, start: bytes, halves: bytes) -> bytes:
    """What two sites share: HKDF over X25519 and their halves, salted with T0."""
    own = X25519PrivateKey.from_private_bytes(private)
    shared = own.exchange(X25519PublicKey.from_public_bytes(other))
    return hkdf_expand(hkdf_extract(start, shared + halves), b"quorum/1/pair", 32)


def part(seed: bytes, start: bytes) -> bytes:
    """A site's part of the sites' secret."""
    return hkdf_expand(seed, b"quorum/1/part\x00" + start, 32)


def commitment(own: bytes) -> str:
    """The hash by which all know which part a site gives."""
    return hashlib.sha256(b"quorum/1/commitment\x00" + own).hexdigest()


def encrypted(pair: bytes, purpose: bytes, sender: str, receiver: str, data: bytes) -> bytes:
    """Data under a key of one pair, purpose and direction; the key is used once."""
    info = purpose + b"\x00" + sender.encode() + b"\x00" + receiver.encode()
    return AESGCM(hkdf_expand(pair, info, 32)).encrypt(bytes(12), data, None)


def common_secret(parts: Mapping[str, bytes], start: bytes) -> bytes:
    """The sites' secret: the hash of T0 and of all parts by name."""
    joined = b"".join(parts[name] for name in sorted(parts))
    return hashlib.sha256(b"quorum/1/secret\x00" + start + joined).digest()


def stream(secret: bytes, names: tuple[str, str], asked: bytes, section: str, size: int) -> bytes:
    """The key stream of two sites for one vector of one round."""
    first, second = sorted(names)
    info = b"quorum/1/mask\x00" + section.encode() + b"\x00" + asked
    info += b"\x00" + first.encode() + b"\x00" + second.encode()
    return aes_ctr(hkdf_expand(secret, info, 32), size)


def share(
    numbers: Mapping[str, Sequence[float]],
    name: str,
    secrets: Mapping[str, bytes],
    asked: bytes,
    section: str,
) -> bytes:
    """What a site sends: sealed numbers, the check lane and doubles, counts, tallies; masked."""
    given = {**numbers, "real": [1.0, *numbers["real"]]}
    lanes = {encoding: words(given[encoding], encoding) for encoding in BITS}
    size = sum(len(lane) * BITS[encoding][0] // 8 for encoding, lane in lanes.items())
    streams = {
        other: stream(secret, (name, other), asked, section, size)
        for other, secret in secrets.items()
    }
    out, offset = b"", 0
    for encoding, lane in lanes.items():
        width = BITS[encoding][0]
        length = len(lane) * width // 8
        for other, key_stream in streams.items():
            sign = 1 if name < other else -1
            for at, mask in enumerate(from_bytes(key_stream[offset : offset + length], encoding)):
                lane[at] = (lane[at] + sign * mask) % 2**width
        out += to_bytes(lane, encoding)
        offset += length
    return out


def transcript(parts: Sequence[bytes]) -> bytes:
    """SHA-256 over parts, each behind its length in eight bytes."""
    return hashlib.sha256(b"".join(len(part).to_bytes(8, "big") + part for part in parts)).digest()
