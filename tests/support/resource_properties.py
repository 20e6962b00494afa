"""Properties of our resources as a program declares them; tests deviate from these."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from pki.model import KeyAlgorithm, SlotId
from tests.support.provider import Secret
from tests.support.specimens import key_of

__all__ = ["certificate_of", "client", "instant", "intermediate", "issued_by", "key_pem", "root", "server"]


def key_pem(*owner: str) -> str:
    """Return the P-256 key of an owner, or of the specimens' leaf, always the same during a run; PKCS#8 in PEM."""
    key = key_of(KeyAlgorithm.ECDSA_P256, *owner)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def root(name: str = "mail-ca", **changes: Any) -> dict[str, Any]:
    """Return a root with a key that was made elsewhere, as the engine keeps authorities' keys."""
    declared = {"name": name, "profile": "root", "common_name": f"Example {name}", "key_algorithm": "ECDSA-P256"}
    return declared | {"private_key_pem": Secret(key_pem(name))} | changes


def intermediate(name: str, issuer: Mapping[str, Any], **changes: Any) -> dict[str, Any]:
    """Return an authority below another one."""
    return root(name, profile="intermediate", path_length=0) | dict(issuer) | changes


def client(issuer: Mapping[str, Any], name: str = "alice", **changes: Any) -> dict[str, Any]:
    """Return a person's client certificate with a key of its own."""
    return {"name": name, "profile": "client", "email": f"{name}@example.org"} | dict(issuer) | changes


def server(issuer: Mapping[str, Any], name: str = "mx1", **changes: Any) -> dict[str, Any]:
    """Return a host's server certificate with a key of its own."""
    return {"name": name, "profile": "server", "dns_names": [f"{name}.example.org"]} | dict(issuer) | changes


def issued_by(
    outputs: Mapping[str, Any], slot: SlotId | str = "mail-ca", *, chain_above: str = "", **changes: Any
) -> dict[str, Any]:
    """Return what a certificate is told of its issuer, as `pki.records.IssuerArgs`; `changes` are members of it.

    `slot`: a text is the first slot of that authority. `chain_above`: the certificates over the issuer, in PEM.
    """
    signer = slot if isinstance(slot, SlotId) else SlotId(slot)
    issuer = {
        "slot": str(signer),
        "generation": outputs["generation"],
        "not_before": outputs["not_before"],
        "not_after": outputs["not_after"],
        "chain_pem": outputs["certificate_pem"] + chain_above,
        "private_key_pem": Secret(key_pem(signer.name)),
    }
    return {"issuer": issuer | changes}


def instant(text: str) -> datetime:
    """Return the instant of an output."""
    return datetime.fromisoformat(text).astimezone(UTC)


def certificate_of(outputs: Mapping[str, Any]) -> x509.Certificate:
    """Return the certificate of a resource's outputs."""
    return x509.load_pem_x509_certificate(outputs["certificate_pem"].encode())
