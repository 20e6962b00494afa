"""PKCS#12 archives of a roster; each costs as much as forty certificates and is only rebuilt if needed."""

import base64
from typing import Final

from pki.key_material import issuer_chain, load_key
from pki.model import Pkcs12Profile
from pki.pkcs12 import build_archive, generate_passphrase
from pki.roster.records import ArchiveRow, IssuedRow, KeyRow
from pki.verification import load_certificate
from postseal_core.plugin.handler import Context
from postseal_core.values import is_unknown, known

__all__ = ["archive_of"]

_PASSPHRASE_BYTES: Final = 32


def archive_of(
    client: IssuedRow, secret: KeyRow, old: ArchiveRow | None, context: Context, *, is_preview: bool
) -> tuple[ArchiveRow | None, str]:
    """Return a client's archive with its passphrase: the old one while its content stays, else a new one.

    In a preview an archive that must be built is left out. A passphrase, once generated, stays.
    """
    if old and secret.passphrase and _is_made_of(old, client):
        return old, secret.passphrase
    if is_preview:
        return None, secret.passphrase
    passphrase = secret.passphrase or generate_passphrase(context.entropy(_PASSPHRASE_BYTES))
    archive = build_archive(
        name=client.name,
        private_key=load_key(secret.private_key_pem, what=f"key of {client.name}", context=context),
        certificate=load_certificate(known(client.issued.certificate_pem), what=f"certificate of {client.name}"),
        ca_chain=issuer_chain(client.issued.issuer, context),
        passphrase=passphrase,
        profile=Pkcs12Profile(client.pkcs12.value),
    )
    made = ArchiveRow(
        name=client.name,
        pkcs12=client.pkcs12,
        fingerprint_sha256=known(client.issued.identity.fingerprint_sha256),
        issuer=client.issued.issuer,
        archive_p12_base64=base64.b64encode(archive).decode("ascii"),
    )
    return made, passphrase


def _is_made_of(archive: ArchiveRow, client: IssuedRow) -> bool:
    """Return whether an archive was built from this client's profile, certificate and chain."""
    fingerprint = client.issued.identity.fingerprint_sha256
    content = (archive.pkcs12, archive.fingerprint_sha256, archive.issuer)
    return not is_unknown(fingerprint) and content == (client.pkcs12, fingerprint, client.issued.issuer)
