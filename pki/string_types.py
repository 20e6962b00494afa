"""Read what the library does not tell of a certificate: how its names are spelt, and what its key is limited to.

X.690 alone: a value is a tag, a length, and content. Nothing here fails on text that is no certificate; it finds less.
"""

from collections.abc import Iterator
from typing import Final

__all__ = [
    "der_values",
    "has_explicit_curve",
    "is_key_for_pss_only",
    "string_types_of_names",
    "unreadable_string_types",
]

_SEQUENCE: Final = 0x30
_OBJECT_IDENTIFIER: Final = 0x06
_VERSION: Final = 0xA0
_TYPES: Final = {
    0x12: "NumericString",
    0x13: "PrintableString",
    0x14: "T61String",
    0x15: "VideotexString",
    0x19: "GraphicString",
    0x1A: "VisibleString",
    0x1B: "GeneralString",
    0x1C: "UniversalString",
    0x1E: "BMPString",
}
_UNREADABLE: Final = frozenset({"T61String", "UniversalString", "BMPString"})
_EC_PUBLIC_KEY: Final = bytes.fromhex("2a8648ce3d0201")
_RSASSA_PSS: Final = bytes.fromhex("2a864886f70d01010a")
_ISSUER, _SUBJECT, _PUBLIC_KEY = 2, 4, 5
"""Members of a TBSCertificate behind its version (RFC 5280 section 4.1)."""
_LONG_LENGTH: Final = 0x80


def unreadable_string_types(certificate_der: bytes) -> list[str]:
    """Return the types of strings in subject and issuer whose characters the library may not know; each once."""
    return [each for each in string_types_of_names(certificate_der) if each in _UNREADABLE]


def string_types_of_names(certificate_der: bytes) -> list[str]:
    """Return the types of strings that stand in subject and issuer, each once; UTF8String and IA5String left out."""
    members = _members_of_certificate(certificate_der)
    names = [members[index] for index in (_ISSUER, _SUBJECT) if index < len(members)]
    tags = [
        tag
        for _, name in names
        for _, rdn in der_values(name)
        for _, pair in der_values(rdn)
        for tag, _ in der_values(pair)
    ]
    return list(dict.fromkeys(_TYPES[tag] for tag in tags if tag in _TYPES))


def is_key_for_pss_only(certificate_der: bytes) -> bool:
    """Whether the public key may make RSASSA-PSS signatures alone (RFC 4055 section 1.2), and no others."""
    return _key_algorithm(certificate_der)[:1] == [(_OBJECT_IDENTIFIER, _RSASSA_PSS)]


def has_explicit_curve(certificate_der: bytes) -> bool:
    """Whether the public key spells its elliptic curve out instead of naming it (RFC 5480 section 2.1.1 forbids it)."""
    (tag, oid), (parameters, _) = (*_key_algorithm(certificate_der), (0, b""), (0, b""))[:2]
    return tag == _OBJECT_IDENTIFIER and oid == _EC_PUBLIC_KEY and parameters == _SEQUENCE


def _key_algorithm(certificate_der: bytes) -> list[tuple[int, bytes]]:
    """Return the identifier of the public key's algorithm and its parameters (RFC 5280 section 4.1.1.2)."""
    members = _members_of_certificate(certificate_der)
    if len(members) <= _PUBLIC_KEY:
        return []
    return [*der_values(next(der_values(members[_PUBLIC_KEY][1]), (0, b""))[1])]


def _members_of_certificate(der: bytes) -> list[tuple[int, bytes]]:
    for _, certificate in der_values(der):
        for _, signed in der_values(certificate):
            return [each for each in der_values(signed) if each[0] != _VERSION]
    return []


def der_values(content: bytes) -> Iterator[tuple[int, bytes]]:
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
