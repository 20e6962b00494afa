"""What Create and Update do for a certificate: sign exactly the generation that was decided."""

from typing import Any

from cryptography import x509

from pki.declared import DeclaredCertificate, decode_declared
from pki.fingerprint import certificate_fingerprint_sha256, public_key_fingerprint_sha256
from pki.handlers.key_material import issuer_chain, issuer_of
from pki.issuing import issue, serial_number_from
from pki.keys import generate_private_key, load_private_key, private_key_pem
from pki.model import Validity, parse_instant
from pki.plugin.handler import Context
from pki.plugin.values import Properties, is_unknown
from pki.verification import chain_pem, load_certificate

__all__ = ["chain_of", "identity_outputs", "issue_generation", "issued_outputs", "keep_known_key", "without_root"]

_SERIAL_BYTES = 20


def issue_generation(inputs: Properties, old_outputs: Properties, context: Context) -> dict[str, Any]:
    declared = decode_declared(inputs)
    key_pem = _key_pem(declared, inputs, old_outputs, context)
    key = load_private_key(key_pem, what="private key")
    issuer, chain = issuer_of(inputs, context)
    certificate = issue(
        declared.declaration,
        public_key=key.public_key(),
        validity=Validity(parse_instant(inputs["not_before"]), parse_instant(inputs["not_after"])),
        serial_number=serial_number_from(context.entropy(_SERIAL_BYTES)),
        issuer=issuer,
        signing_key=None if issuer else key,
    )
    outputs = issued_outputs(certificate, chain)
    return outputs if "private_key" in inputs else outputs | {"private_key_pem": key_pem}


def _key_pem(declared: DeclaredCertificate, inputs: Properties, old_outputs: Properties, context: Context) -> str:
    """Return the key that was handed in, the one that the schedule keeps, or a new one."""
    if "private_key" in inputs:
        return context.material.get(inputs["private_key"])
    if old_outputs and inputs["key_generation"] == old_outputs["key_generation"]:
        return str(old_outputs["private_key_pem"])
    return private_key_pem(generate_private_key(declared.key_algorithm))


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
    return chain_pem(
        [load_certificate(certificate_pem, what="certificate"), *without_root(issuer_chain(inputs, context))]
    )


def without_root(chain: list[x509.Certificate]) -> list[x509.Certificate]:
    """Leave out the self-signed end: whoever verifies must have it already (RFC 8446 section 4.4.2)."""
    return [certificate for certificate in chain if certificate.subject != certificate.issuer]
