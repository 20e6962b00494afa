"""Properties of our resources as a program declares them; tests deviate from these."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from pki.model import KeyAlgorithm
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
    address = f"{name}@example.org"
    declared = {"name": name, "profile": "client", "common_name": address, "email_addresses": [address]}
    return declared | dict(issuer) | changes


def server(issuer: Mapping[str, Any], name: str = "mx1", **changes: Any) -> dict[str, Any]:
    """Return a host's server certificate with a key of its own."""
    host = f"{name}.example.org"
    return {"name": name, "profile": "server", "common_name": host, "dns_names": [host]} | dict(issuer) | changes


def issued_by(outputs: Mapping[str, Any], name: str = "mail-ca", *, above: str = "", **changes: Any) -> dict[str, Any]:
    """Return what a certificate is told of its issuer; `above`: the certificates over the issuer, in PEM."""
    return {
        "issuer_name": name,
        "issuer_id": name,
        "issuer_generation": outputs["generation"],
        "issuer_not_before": outputs["not_before"],
        "issuer_not_after": outputs["not_after"],
        "issuer_chain_pem": outputs["certificate_pem"] + above,
        "issuer_private_key_pem": Secret(key_pem(name)),
    } | changes


def instant(text: str) -> datetime:
    """Return the instant of an output."""
    return datetime.fromisoformat(text).astimezone(UTC)


def certificate_of(outputs: Mapping[str, Any]) -> x509.Certificate:
    """Return the certificate of a resource's outputs."""
    return x509.load_pem_x509_certificate(outputs["certificate_pem"].encode())
