"""A PEM file of a host as far as others may know it: with the public half in place of each private key."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from cryptography.exceptions import InternalError, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization

from postseal_core.bounds import LARGEST_CHAIN_BYTES

__all__ = ["FAULTS", "PUBLIC_KEY", "PublicFile", "pem_blocks", "public_file"]

PUBLIC_KEY: Final = "PUBLIC KEY"
"""The label of what stands in place of a private key."""
_PRIVATE_KEY: Final = "PRIVATE KEY"
_CERTIFICATES: Final = frozenset({"CERTIFICATE", "X509 CERTIFICATE"})
_BEGIN, _END, _DASHES = "-----BEGIN ", "-----END ", "-----"

FAULTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "absent": "is not there",
        "irregular": "is no regular file",
        "large": f"has more than {LARGEST_CHAIN_BYTES // 2**20} MiB",
        "endless": "holds a block of PEM without its end: copy it again",
        "locked": "holds a key with a passphrase, and Postfix must start unattended: store it without one",
        "unreadable": "holds a private key that cannot be read; write it anew",
        "empty": "holds neither a key nor a certificate in PEM",
    }
)
"""Why a file of certificates and keys cannot be used, by the words that the host program says."""


@dataclass(frozen=True, slots=True)
class PublicFile:
    """A file of a host in PEM, with the public half in place of each private key.

    `fault`: why it cannot be used. `is_hidden`: whoever looks may not read it, which says nothing about Postfix.
    `is_open`: it has a private key that every user of the host may read.
    """

    path: str
    pem: str = field(default="", repr=False)
    fault: str = ""
    is_hidden: bool = False
    is_open: bool = False


def pem_blocks(pem: str) -> Iterator[tuple[str, str]]:
    """Yield label and text of each PEM block.

    One without an end before the next begins has an empty text, and is the last: what follows may be a key.
    """
    position = pem.find(_BEGIN)
    while position >= 0:
        label, dashes, _ = pem[position + len(_BEGIN) : position + 80].partition(_DASHES)
        end = f"{_END}{label}{_DASHES}"
        found = pem.find(end, position) if dashes else -1
        if found < 0 or pem.find(_BEGIN, position + len(_BEGIN), found) >= 0:
            yield label, ""
            return
        yield label, pem[position : found + len(end)]
        position = pem.find(_BEGIN, found)


def public_file(path: str, pem: str, *, is_open: bool = False, has_halves: bool = False) -> PublicFile:
    """Return a file without its private keys; blocks that Postfix ignores are left out.

    Args:
        path: Where it lies.
        pem: Its content.
        is_open: Whether every user of the host may read it.
        has_halves: Whether public halves stand in it already; otherwise such a block is one that Postfix ignores.
    """
    kept: list[str] = []
    for label, block in pem_blocks(pem):
        if not block:
            return PublicFile(path, fault=FAULTS["endless"])
        if label in _CERTIFICATES or (has_halves and label == PUBLIC_KEY):
            kept.append(block)
        elif label.endswith(_PRIVATE_KEY):
            public_pem, fault = _public_half(block)
            if fault:
                return PublicFile(path, fault=fault)
            kept.append(public_pem)
    if not kept:
        return PublicFile(path, fault=FAULTS["empty"])
    return PublicFile(path, "\n".join(kept), is_open=is_open and any(PUBLIC_KEY in block for block in kept))


def _public_half(pem: str) -> tuple[str, str]:
    try:
        key = serialization.load_pem_private_key(pem.encode(), password=None)
    except TypeError:
        return "", FAULTS["locked"]
    except (ValueError, UnsupportedAlgorithm, InternalError):
        return "", FAULTS["unreadable"]
    encoded = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return encoded.decode("ascii").strip(), ""
