"""What a stack exports: authorities, certificates, hosts; and, secret, the passphrases of archives."""

from typing import Any

import pulumi

from pki.resources import Certificate, ImportedCertificate
from postseal.stack.build import BuiltStack

__all__ = ["stack_outputs"]

_IDENTITY = (
    "subject",
    "serial_number",
    "fingerprint_sha256",
    "public_key_fingerprint_sha256",
    "not_before",
    "not_after",
    "renew_at",
)


def stack_outputs(stack: BuiltStack) -> dict[str, Any]:
    """Return the outputs of a stack by name; `certificates` has servers and clients under their names."""
    servers = {name: _identity("server", each.certificate) for name, each in stack.servers.items()}
    clients = {name: _identity("client", each.certificate) for name, each in stack.clients.items()}
    outputs: dict[str, Any] = {
        "authorities": {name: _identity("authority", each.certificate) for name, each in stack.authorities.items()},
        "certificates": {"servers": servers, "clients": clients},
        "hosts": {name: each.summary for name, each in stack.hosts.items()},
    }
    if stack.archives:
        passphrases = {name: each.passphrase for name, each in stack.archives.items()}
        outputs["pkcs12_passphrases"] = pulumi.Output.secret(passphrases)
    return outputs


def _identity(kind: str, certificate: Certificate | ImportedCertificate) -> dict[str, Any]:
    return {"kind": kind, **{name: getattr(certificate, name) for name in _IDENTITY}}
