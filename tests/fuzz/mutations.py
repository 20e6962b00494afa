"""Change inputs at random, as a fuzzer does without coverage: bytes, pieces, words that readers stumble over."""

import base64
import random
import re
from collections.abc import Sequence
from typing import Final

__all__ = ["mutated"]

_WORDS: Final = (
    b"1e999999999", b"9" * 5000,
    b"-1", b"0", b"1/0", b"9007199254740992", b"NaN", b"Infinity", b".inf", b"1e3", b"010",
    b"&a ",
    b"*a", b"!!python/object:os.system ", b"<<: ", b"[" * 300, b"{a: " * 300, b"- " * 300, b"'", b'"', b"\\",
    b"---\n",
    b"%TAG ! x\n", b"\x00", b"\xff\xfe", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"\r", b"\n", b"\r\n", b"\t", b" ",
    b",", b";", b":", b"=", b"#", b"${x}", b"$$", b"a" * 2000, b"\xc3\xa4" * 200,
    b"2026-13-45", b"9999-12-31T23:59:59Z",
    b"0001-01-01T00:00:00+23:59", b"null", b"true", b"{}", b"[]", b"-----BEGIN CERTIFICATE-----\n",
    b"-----END CERTIFICATE-----\n", b"-----BEGIN PRIVATE KEY-----\n", b"name,", b"\x1b[2J", b"\xe2\x80\xae", b"\x85",
)  # fmt: skip
_PEM: Final = re.compile(rb"-----BEGIN [A-Z ]+-----\n(?P<content>[A-Za-z0-9+/=\s]+)-----END")
_TYPES: Final = b"\x00\x01\x02\x03\x04\x05\x06\x0c\x13\x14\x16\x17\x18\x1c\x1e\x30\x31\x80\x84\xa0\xa3\xff"
"""Tags of ASN.1 types, and lengths."""

_MOST_CHANGES: Final = 6
_LONGEST: Final = 64 * 1024


def mutated(corpus: Sequence[bytes], chance: random.Random) -> bytes:
    """Return one of the inputs with a few changes."""
    data = bytearray(chance.choice(corpus))
    for _ in range(chance.randint(1, _MOST_CHANGES)):
        chance.choice(_CHANGES)(data, corpus, chance)
    return bytes(data[:_LONGEST])


def _place(data: bytearray, chance: random.Random) -> int:
    return chance.randint(0, len(data))


def _flip(data: bytearray, corpus: Sequence[bytes], chance: random.Random) -> None:
    if data:
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)


def _replace(data: bytearray, corpus: Sequence[bytes], chance: random.Random) -> None:
    if data:
        data[chance.randrange(len(data))] = chance.randrange(256)


def _insert_word(data: bytearray, corpus: Sequence[bytes], chance: random.Random) -> None:
    place = _place(data, chance)
    data[place:place] = chance.choice(_WORDS)


def _overwrite_with_word(data: bytearray, corpus: Sequence[bytes], chance: random.Random) -> None:
    place = _place(data, chance)
    word = chance.choice(_WORDS)
    data[place : place + chance.randint(0, len(word))] = word


def _cut(data: bytearray, corpus: Sequence[bytes], chance: random.Random) -> None:
    place = _place(data, chance)
    del data[place : place + chance.randint(1, 200)]


def _truncate(data: bytearray, corpus: Sequence[bytes], chance: random.Random) -> None:
    del data[_place(data, chance) :]


def _repeat(data: bytearray, corpus: Sequence[bytes], chance: random.Random) -> None:
    place = _place(data, chance)
    data[place:place] = data[place : place + chance.randint(1, 100)] * chance.randint(1, 20)


def _splice(data: bytearray, corpus: Sequence[bytes], chance: random.Random) -> None:
    other = chance.choice(corpus)
    start = chance.randint(0, len(other))
    place = _place(data, chance)
    data[place : place + chance.randint(0, 100)] = other[start : start + chance.randint(1, 500)]


def _change_der(data: bytearray, corpus: Sequence[bytes], chance: random.Random) -> None:
    """Change one byte of what a PEM block encodes, often into another type: in the text most changes break it all."""
    blocks = list(_PEM.finditer(data))
    if not blocks:
        return
    block = chance.choice(blocks)
    try:
        der = bytearray(base64.b64decode(block["content"]))
    except ValueError:
        return
    if der:
        der[chance.randrange(len(der))] = chance.choice((*_TYPES, chance.randrange(256)))
    data[block.start("content") : block.end("content")] = base64.encodebytes(der)


_CHANGES: Final = (
    _change_der, _change_der,
    _flip, _replace, _insert_word, _overwrite_with_word, _overwrite_with_word, _cut, _truncate, _repeat, _splice,
)  # fmt: skip
