"""Read EC private keys whose number has another length than RFC 5915 section 3 wants; half of those by GnuTLS have.

It puts an octet of zero in front where the number begins with a one bit; OpenSSL reads that, and the library does not.
"""

import base64
import binascii
import re
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec

from pki.string_types import der_values

__all__ = ["IS_OTHERWISE_LONG", "ec_private_key_of_other_length"]

IS_OTHERWISE_LONG: Final = "private key value is too short"
"""What the library says of such a key, also of one that is too long."""

_BLOCK: Final = re.compile(r"-----BEGIN (EC )?PRIVATE KEY-----([^-]*)-----END \1?PRIVATE KEY-----")
_INTEGER, _OCTETS, _IDENTIFIER, _SEQUENCE, _PARAMETERS = 0x02, 0x04, 0x06, 0x30, 0xA0
_CURVES: Final[dict[bytes, ec.EllipticCurve]] = {
    bytes.fromhex("2a8648ce3d030107"): ec.SECP256R1(),
    bytes.fromhex("2b81040022"): ec.SECP384R1(),
    bytes.fromhex("2b81040023"): ec.SECP521R1(),
}


def ec_private_key_of_other_length(pem: str) -> ec.EllipticCurvePrivateKey | None:
    """Return the first private key of a text in clear, if it is one on an accepted curve; else None."""
    block = _BLOCK.search(pem)
    if block is None:
        return None
    try:
        der = base64.b64decode("".join(block[2].split()), validate=True)
        return _key_of_rfc_5915(der, None) if block[1] else _key_of_pkcs8(der)
    except (ValueError, binascii.Error):
        return None


def _key_of_pkcs8(der: bytes) -> ec.EllipticCurvePrivateKey | None:
    """Return the key in a PrivateKeyInfo (RFC 5958 section 2): version, algorithm with its curve, key."""
    members = _members(der)
    if [tag for tag, _ in members[:3]] != [_INTEGER, _SEQUENCE, _OCTETS]:
        return None
    identifiers = [value for tag, value in der_values(members[1][1]) if tag == _IDENTIFIER]
    return _key_of_rfc_5915(members[2][1], identifiers[-1] if identifiers else None)


def _key_of_rfc_5915(der: bytes, curve: bytes | None) -> ec.EllipticCurvePrivateKey | None:
    """Return the key in an ECPrivateKey: version, number, curve unless that is said outside of it."""
    members = _members(der)
    if [tag for tag, _ in members[:2]] != [_INTEGER, _OCTETS]:
        return None
    named = [value for tag, value in members[2:] if tag == _PARAMETERS]
    own = [value for tag, value in der_values(named[0]) if tag == _IDENTIFIER] if named else []
    known = _CURVES.get(own[0] if own else curve or b"")
    return ec.derive_private_key(int.from_bytes(members[1][1]), known) if known else None


def _members(der: bytes) -> list[tuple[int, bytes]]:
    tag, content = next(der_values(der), (0, b""))
    return [*der_values(content)] if tag == _SEQUENCE else []
