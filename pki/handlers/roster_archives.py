"""PKCS#12 archives of a roster: an archive costs as much as forty certificates, so it is built only when it must be."""

import base64
from collections.abc import Mapping
from typing import Any

from pki.handlers.key_material import issuer_chain
from pki.keys import load_private_key
from pki.pkcs12 import Pkcs12Profile, build_archive, generate_passphrase
from pki.verification import load_certificate
from postseal_core.plugin.handler import Context

__all__ = ["archive_of"]

_PASSPHRASE_BYTES = 32
_CONTENT = ("pkcs12", "fingerprint_sha256", "issuer")


def archive_of(
    client: Mapping[str, Any], secret: Mapping[str, str], old: Mapping[str, str], context: Context, *, is_preview: bool
) -> tuple[dict[str, str], str]:
    """Return a client's archive with its passphrase: the old one while its content stays, else a new one.

    `client`: its record in the ledger. In a preview an archive that must be built is left out. A passphrase, once
    generated, stays.
    """
    passphrase = secret.get("passphrase", "")
    content = {name: str(client.get(name, "")) for name in _CONTENT}
    if old and passphrase and all(old[name] == value for name, value in content.items()):
        return dict(old), passphrase
    if is_preview:
        return {}, passphrase
    passphrase = passphrase or generate_passphrase(context.entropy(_PASSPHRASE_BYTES))
    archive = build_archive(
        name=client["name"],
        private_key=load_private_key(secret["private_key_pem"], what=f"key of {client['name']}"),
        certificate=load_certificate(client["certificate_pem"], what=f"certificate of {client['name']}"),
        ca_chain=issuer_chain({"issuer": client["issuer"]}, context),
        passphrase=passphrase,
        profile=Pkcs12Profile(client["pkcs12"]),
    )
    encoded = base64.b64encode(archive).decode("ascii")
    return {"name": client["name"], **content, "archive_p12_base64": encoded}, passphrase
