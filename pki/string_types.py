"""Read what the library does not tell of a certificate: how its names are spelt, and how its curve is given.

X.690 alone: a value is a tag, a length, and content. Nothing here fails on text that is no certificate; it finds less.
"""

from collections.abc import Iterator
from typing import Final

__all__ = ["has_explicit_curve", "unreadable_string_types"]

_SEQUENCE: Final = 0x30
_OBJECT_IDENTIFIER: Final = 0x06
_VERSION: Final = 0xA0
_UNREADABLE: Final = {0x14: "T61String", 0x1C: "UniversalString", 0x1E: "BMPString"}
_EC_PUBLIC_KEY: Final = bytes.fromhex("2a8648ce3d0201")
_ISSUER, _SUBJECT, _PUBLIC_KEY = 2, 4, 5
"""Members of a TBSCertificate behind its version (RFC 5280 section 4.1)."""
_LONG_LENGTH: Final = 0x80


def unreadable_string_types(certificate_der: bytes) -> list[str]:
    """Return the types of strings, other than the common ones, that stand in subject and issuer; each once."""
    members = _members_of_certificate(certificate_der)
    names = [members[index] for index in (_ISSUER, _SUBJECT) if index < len(members)]
    tags = [
        tag for _, name in names for _, rdn in _values(name) for _, pair in _values(rdn) for tag, _ in _values(pair)
    ]
    return list(dict.fromkeys(_UNREADABLE[tag] for tag in tags if tag in _UNREADABLE))


def has_explicit_curve(certificate_der: bytes) -> bool:
    """Whether the public key spells its elliptic curve out instead of naming it (RFC 5480 section 2.1.1 forbids it)."""
    members = _members_of_certificate(certificate_der)
    if len(members) <= _PUBLIC_KEY:
        return False
    algorithm = next(_values(members[_PUBLIC_KEY][1]), (0, b""))[1]
    (tag, oid), (parameters, _) = (*_values(algorithm), (0, b""), (0, b""))[:2]
    return tag == _OBJECT_IDENTIFIER and oid == _EC_PUBLIC_KEY and parameters == _SEQUENCE


def _members_of_certificate(der: bytes) -> list[tuple[int, bytes]]:
    for _, certificate in _values(der):
        for _, signed in _values(certificate):
            return [each for each in _values(signed) if each[0] != _VERSION]
    return []


def _values(content: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield tag and content of each value that stands there one after the other, as far as they are whole."""
    position = 0
    while position + 2 <= len(content):
        tag, length, position = content[position], content[position + 1], position + 2
        if length >= _LONG_LENGTH:
            size = length - _LONG_LENGTH
            length, position = int.from_bytes(content[position : position + size]), position + size
        if position + length > len(content):
            return
        yield tag, content[position : position + length]
        position += length
