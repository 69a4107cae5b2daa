"""Damage of many kinds, the same for the same seed: to any bytes, and to text by its words and numbers."""

from __future__ import annotations

import random
import re
from collections.abc import Callable

ODD_NUMBERS = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 1 << 63)
ODD_WORDS = (
    "0", "-1", "1e999", "-0.0", "NaN", "Infinity", "true", "null", "[]", "{}", '""', '"\\ud800"', "9" * 400,
    '"' + "a" * 5000 + '"', "[" * 2000, "0x10", "1_0", "'", "\\", "\0", "\ufeff", "../../etc/passwd", "=",
    "\n",
)  # fmt: skip
_WORD = re.compile(r'"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*|\w+|[\[\]{}:,=]')


def mutate(data: bytes, seed: int, *, text: bool = False) -> bytes:
    """A damaged copy of some bytes.

    Args:
        data: Not empty.
        seed: Of the damage.
        text: Whether words and numbers are to be changed, too.
    """
    rng = random.Random(seed)
    changes = _ON_BYTES + (_ON_TEXT * 3 if text else ())
    for _ in range(rng.choice((1, 1, 1, 2, 3, 8))):
        data = rng.choice(changes)(rng, data) or b"\0"
    return data


def _place(rng: random.Random, data: bytes) -> tuple[int, int]:
    """A stretch; half of them near the beginning, where headers are."""
    start = rng.randrange(len(data)) if rng.random() < 0.5 else rng.randrange(min(len(data), 1024))
    return start, min(len(data), start + 2 ** rng.randrange(12))


def _flip(rng: random.Random, data: bytes) -> bytes:
    changed = bytearray(data)
    for _ in range(rng.choice((1, 1, 4, 40))):
        changed[_place(rng, data)[0]] ^= 1 << rng.randrange(8)
    return bytes(changed)


def _number(rng: random.Random, data: bytes) -> bytes:
    at, _ = _place(rng, data)
    size = rng.choice((1, 2, 3, 4, 8))
    odd = rng.choice(ODD_NUMBERS) & ((1 << (8 * size)) - 1)
    return data[:at] + odd.to_bytes(size, rng.choice(("big", "little"))) + data[at + size :]


def _cut(rng: random.Random, data: bytes) -> bytes:
    return data[: rng.randrange(len(data))]


def _remove(rng: random.Random, data: bytes) -> bytes:
    start, end = _place(rng, data)
    return data[:start] + data[end:]


def _repeat(rng: random.Random, data: bytes) -> bytes:
    start, end = _place(rng, data)
    return data[:end] + data[start:end] * rng.choice((1, 2, 50)) + data[end:]


def _blank(rng: random.Random, data: bytes) -> bytes:
    start, end = _place(rng, data)
    return data[:start] + bytes([rng.choice((0, 0xFF))]) * (end - start) + data[end:]


def _noise(rng: random.Random, data: bytes) -> bytes:
    start, end = _place(rng, data)
    return data[:start] + rng.randbytes(end - start) + data[end:]


def _move(rng: random.Random, data: bytes) -> bytes:
    start, end = _place(rng, data)
    rest = data[:start] + data[end:]
    at = rng.randrange(len(rest) + 1)
    return rest[:at] + data[start:end] + rest[at:]


def _insert(rng: random.Random, data: bytes) -> bytes:
    at, _ = _place(rng, data)
    return data[:at] + rng.randbytes(rng.choice((1, 3, 200))) + data[at:]


def _word(rng: random.Random, data: bytes) -> bytes:
    told = data.decode(errors="replace")
    words = list(_WORD.finditer(told))
    if not words:
        return _flip(rng, data)
    one = rng.choice(words)
    other = rng.choice((*ODD_WORDS, rng.choice(words)[0]))
    return (told[: one.start()] + other + told[one.end() :]).encode(errors="replace")


def _line(rng: random.Random, data: bytes) -> bytes:
    lines = data.split(b"\n")
    at = rng.randrange(len(lines))
    return b"\n".join(lines[:at] + lines[at : at + 1] * rng.choice((0, 2)) + lines[at + 1 :])


Change = Callable[[random.Random, bytes], bytes]
_ON_BYTES: tuple[Change, ...] = (
    _flip,
    _number,
    _cut,
    _remove,
    _repeat,
    _blank,
    _noise,
    _move,
    _insert,
)
_ON_TEXT: tuple[Change, ...] = (_word, _line)
