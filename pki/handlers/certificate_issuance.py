"""What Create and Update do for a certificate: sign exactly the generation that was decided."""

from typing import Any

from cryptography import x509

from pki.declared import DeclaredCertificate, decode_declared
from pki.fingerprint import certificate_fingerprint_sha256, public_key_fingerprint_sha256
from pki.handlers.key_material import issuer_chain, issuer_of
from pki.issuing import issue, serial_number_from
from pki.keys import PrivateKey, generate_private_key, load_private_key, private_key_pem
from pki.model import Validity
from pki.verification import chain_pem, load_certificate
from postseal_core.instants import parse_instant
from postseal_core.plugin.handler import Context
from postseal_core.values import Properties, is_unknown

__all__ = [
    "chain_of",
    "identity_outputs",
    "issue_generation",
    "issued_outputs",
    "keep_known_key",
    "sign_generation",
    "without_root",
]

_SERIAL_BYTES = 20


def issue_generation(inputs: Properties, old_outputs: Properties, context: Context) -> dict[str, Any]:
    """Return the outputs of a certificate signed as decided; a key that was handed in is not among them."""
    certificate, key_pem = sign_generation(inputs, old_outputs, context)
    outputs = issued_outputs(certificate, issuer_of(inputs, context)[1])
    return outputs if "private_key" in inputs else outputs | {"private_key_pem": key_pem}


def sign_generation(inputs: Properties, old_outputs: Properties, context: Context) -> tuple[x509.Certificate, str]:
    """Return the certificate that was decided, and its key in PEM: handed in, kept, or new."""
    declared = decode_declared(inputs)
    key, key_pem = _key(declared, inputs, old_outputs, context)
    issuer, _ = issuer_of(inputs, context)
    certificate = issue(
        declared.declaration,
        public_key=key.public_key(),
        validity=Validity(parse_instant(inputs["not_before"]), parse_instant(inputs["not_after"])),
        serial_number=serial_number_from(context.entropy(_SERIAL_BYTES)),
        issuer=issuer,
        signing_key=None if issuer else key,
    )
    return certificate, key_pem


def _key(
    declared: DeclaredCertificate, inputs: Properties, old_outputs: Properties, context: Context
) -> tuple[PrivateKey, str]:
    """Return the key that was handed in, the one that the schedule keeps, or a new one; and its PEM."""
    if "private_key" in inputs:
        pem = context.material.get(inputs["private_key"])
    elif old_outputs and inputs["key_generation"] == old_outputs["key_generation"]:
        pem = str(old_outputs["private_key_pem"])
    else:
        key = generate_private_key(declared.key_algorithm)
        return key, private_key_pem(key)
    return load_private_key(pem, what="private key"), pem


def keep_known_key(outputs: dict[str, Any], inputs: Properties, old_outputs: Properties) -> None:
    """In a preview, a renewal that keeps the key keeps its fingerprint known."""
    if inputs["key_generation"] == old_outputs["key_generation"] and not is_unknown(inputs.get("private_key", "")):
        outputs |= {n: old_outputs[n] for n in ("private_key_pem", "public_key_fingerprint_sha256") if n in old_outputs}


def issued_outputs(certificate: x509.Certificate, chain: list[x509.Certificate]) -> dict[str, Any]:
    """Return the outputs that issuing makes known, the key left out."""
    return identity_outputs(certificate) | {"chain_pem": chain_pem([certificate, *without_root(chain)])}


def identity_outputs(certificate: x509.Certificate) -> dict[str, Any]:
    """Return a certificate and what identifies it."""
    return {
        "certificate_pem": chain_pem([certificate]),
        "serial_number": f"{certificate.serial_number:x}",
        "fingerprint_sha256": certificate_fingerprint_sha256(certificate),
        "public_key_fingerprint_sha256": public_key_fingerprint_sha256(certificate),
    }


def chain_of(certificate_pem: str, inputs: Properties, context: Context) -> str:
    """Return a certificate in PEM with the chain of its issuer as that is now."""
    return chain_pem(
        [load_certificate(certificate_pem, what="certificate"), *without_root(issuer_chain(inputs, context))]
    )


def without_root(chain: list[x509.Certificate]) -> list[x509.Certificate]:
    """Leave out the self-signed end: whoever verifies must have it already (RFC 8446 section 4.4.2)."""
    return [certificate for certificate in chain if certificate.subject != certificate.issuer]
