"""Damage: bytes turned over, cut out, doubled and put in, numbers without end, brackets without end."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence

_TOKENS = [
    *(b"1e999", b"-1e999", b"NaN", b"Infinity", b"-1", b"0", b"true", b"null", b"[]", b"{}", b"2001-99-99"),
    *(b'"\\ud800"', b'"\\u0000"', b"\x1b[2J", b"\xff\xfe", b"\xed\xa0\x80", b"\0", b"\n", b"'''", b'"""'),
    *(b"9" * 400, b"9" * 5000, b"[" * 3000, b"{" * 3000, b'{"a":' * 2000, b"a." * 2000, b"<a>" * 500),
    *(b"&a [*a]", b"*a", b"<<: *a", b"!!python/object:os.system x", b"&lt;", b"&b;"),
]
_EXTREMES = [0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0x10000000, 40000, 30000]
_NUMBER = re.compile(rb"-?\d+(?:\.\d+)?")
_WORD = re.compile(rb'"[^"]*"|\[[^\[\]]*\]|\w+')

Damage = Callable[[bytearray, random.Random], bytearray]


def damaged(seeds: Sequence[bytes], chance: random.Random) -> bytes:
    """One input: a seed with one to eight kinds of damage, rarely mere noise."""
    if chance.random() < 0.02:
        return chance.randbytes(chance.randrange(200))
    content = bytearray(chance.choice(seeds))
    if chance.random() < 0.1:
        other = chance.choice(seeds)
        content = content[: chance.randrange(len(content) + 1)] + other[chance.randrange(len(other) + 1) :]
    for _ in range(chance.choice((1, 1, 1, 2, 3, 8))):
        content = chance.choice(_DAMAGES)(content, chance)
    return bytes(content)


def _turn_bits(content: bytearray, chance: random.Random) -> bytearray:
    for _ in range(chance.randrange(1, 4)):
        if content:
            content[_place(content, chance)] ^= 1 << chance.randrange(8)
    return content


def _set_number(content: bytearray, chance: random.Random) -> bytearray:
    width, order = chance.choice((1, 2, 4, 8)), chance.choice(("little", "big"))
    value = (chance.choice(_EXTREMES) % (1 << 8 * width)).to_bytes(width, order)
    at = _place(content, chance)
    content[at : at + width] = value
    return content


def _cut(content: bytearray, chance: random.Random) -> bytearray:
    at = _place(content, chance)
    del content[at : at + chance.choice((1, 4, 30, len(content)))]
    return content


def _double(content: bytearray, chance: random.Random) -> bytearray:
    at, length = _place(content, chance), chance.choice((1, 4, 60, 500))
    return content[:at] + content[at : at + length] * chance.choice((2, 2, 100)) + content[at:]


def _put_token(content: bytearray, chance: random.Random) -> bytearray:
    at = _place(content, chance)
    return content[:at] + chance.choice(_TOKENS) + content[at:]


def _change_figure(content: bytearray, chance: random.Random) -> bytearray:
    """Another token in the place of a number or a word of a text."""
    found = list((_NUMBER if chance.random() < 0.5 else _WORD).finditer(bytes(content[:5000])))
    if not found:
        return content
    match = chance.choice(found)
    return content[: match.start()] + chance.choice(_TOKENS) + content[match.end() :]


def _place(content: bytearray, chance: random.Random) -> int:
    """Mostly near the beginning, where headers are."""
    end = min(len(content), 200) if chance.random() < 0.6 else len(content)
    return chance.randrange(end + 1) if end < len(content) else chance.randrange(max(1, end))


_DAMAGES: tuple[Damage, ...] = (_turn_bits, _set_number, _set_number, _cut, _double, _put_token, _change_figure)
