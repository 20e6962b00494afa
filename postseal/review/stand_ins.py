"""Texts that stand for secrets which nobody opens: a key by the name of its holder, whose public half is known.

The same secret always has the same stand-in, and two secrets have two. So where a text made of stand-ins is the same
before and after a change, so is the text made of the secrets.
"""

import base64
import json
import re
from collections.abc import Callable, Mapping
from functools import cached_property, partial
from typing import Any, Final, cast

from cryptography.hazmat.primitives import serialization

from pki.keys import PrivateKey, PublicKey
from pki.roster.records import ArchiveRow, IssuedRow, KeyRow
from pki.verification import load_certificate
from postseal.review.stored import SEALED, StoredResource
from postseal_core.errors import CertificateError
from postseal_core.packing import pack_lines, record_line, records_of_lines, unpack_lines
from postseal_core.values import is_unknown

__all__ = ["SealedKey", "StandIns"]

_LABEL: Final = "SEALED PRIVATE KEY"
_BLOCK: Final = re.compile(f"-----BEGIN {_LABEL}-----\n([A-Za-z0-9+/=]+)\n-----END {_LABEL}-----")
_CERTIFICATE: Final = "-----BEGIN CERTIFICATE"
_ROSTER: Final = "postseal:index:ClientRoster"

PublicPem = Callable[[], str]
"""Returns a certificate or a public key in PEM; called only where somebody asks for the key's public half."""


class SealedKey:
    """A private key of which only the public half is known; it signs nothing."""

    def __init__(self, public_pem: PublicPem) -> None:
        self._public_pem = public_pem

    def public_key(self) -> PublicKey:
        """Return the public half."""
        return self._public_key

    @cached_property
    def _public_key(self) -> PublicKey:
        pem = self._public_pem()
        if _CERTIFICATE in pem:
            return cast("PublicKey", load_certificate(pem, what="certificate of a sealed key").public_key())
        return cast("PublicKey", serialization.load_pem_public_key(pem.encode()))


class StandIns:
    """The stand-ins of one review, by the holder of each secret."""

    def __init__(self) -> None:
        self._keys: dict[str, SealedKey] = {}
        self._outputs: dict[str, Mapping[str, Any]] = {}

    def key(self, holder: str, public_pem: PublicPem) -> str:
        """Return what stands for the private key of a holder, as a PEM block that no library takes for a key."""
        self._keys.setdefault(holder, SealedKey(public_pem))
        return f"-----BEGIN {_LABEL}-----\n{_base64(holder)}\n-----END {_LABEL}-----\n"

    def load(self, pem: str, *, what: str) -> PrivateKey:
        """Return the key of a stand-in, as handlers load keys.

        Raises:
            CertificateError: it is no stand-in for a key.
        """
        found = _BLOCK.search(pem)
        key = self._keys.get(base64.b64decode(found[1]).decode()) if found else None
        if key is None:
            raise CertificateError(f"{what}: whether it can be used is not known without it; `up` says so")
        return cast("PrivateKey", key)

    def outputs_of(self, stored: StoredResource) -> Mapping[str, Any]:
        """Return the outputs of a stored resource with a stand-in in each secret's place."""
        if stored.urn not in self._outputs:
            self._outputs[stored.urn] = self._made_of(stored)
        return self._outputs[stored.urn]

    def _made_of(self, stored: StoredResource) -> Mapping[str, Any]:
        if stored.type == _ROSTER and "issued" in stored.outputs:
            return {**stored.outputs, **self._of_roster(stored)}
        outputs = {name: self._opened(name, value, stored) for name, value in stored.outputs.items()}
        return {name: value for name, value in outputs.items() if not name.startswith("__")}

    def _opened(self, name: str, value: Any, stored: StoredResource) -> Any:
        if value != SEALED:
            return value
        public_pem = stored.outputs.get("certificate_pem") or stored.outputs.get("publicKeyPem")
        is_elsewhere = bool(stored.inputs.get("private_key")) and name == "private_key_pem"
        if name.lower().startswith("private") and isinstance(public_pem, str):
            return "" if is_elsewhere else self.key(stored.urn, lambda: public_pem)
        text = f"sealed {name} of {stored.urn}"
        return _base64(text) if name.endswith("base64") else text

    def _of_roster(self, stored: StoredResource) -> Mapping[str, str]:
        """Return the packed secrets of a roster, made anew of what is known of each client."""
        keys, archives = [], []
        for line in unpack_lines(str(stored.outputs["issued"])):
            name = str(json.loads(line)["name"])
            holder = f"{stored.urn}#{name}"
            has_archive = '"pkcs12":' in line
            secret = KeyRow(
                name=name,
                private_key_pem=self.key(holder, partial(_certificate_pem, line)),
                passphrase=f"sealed passphrase of {holder}" if has_archive else "",
            )
            keys.append(record_line(secret))
            if has_archive and (archive := _archive(line, holder)):
                archives.append(record_line(archive))
        return {"private_keys": pack_lines(keys), "archives": pack_lines(archives)}


def _certificate_pem(line: str) -> str:
    return str(_issued_row(line).issued.certificate_pem)


def _issued_row(line: str) -> IssuedRow:
    return next(records_of_lines(IssuedRow, [line]))


def _archive(line: str, holder: str) -> ArchiveRow | None:
    """Return the archive of a client as it is after each `up`: made of the certificate that the client has."""
    row = _issued_row(line)
    fingerprint = row.issued.identity.fingerprint_sha256
    if not row.pkcs12 or is_unknown(fingerprint):
        return None
    return ArchiveRow(
        name=row.name,
        pkcs12=row.pkcs12,
        fingerprint_sha256=fingerprint,
        issuer=row.issued.issuer,
        archive_p12_base64=_base64(f"sealed archive of {holder}"),
    )


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
