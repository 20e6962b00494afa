"""Find clients from elsewhere that a distrusted slot has signed; what it signed is let in no more, whoever lists it."""

from collections.abc import Iterator, Mapping

from cryptography import x509

from pki.verification import is_issued_by, load_certificate, load_chain
from postfix.host_resource.records import AccessArgs, ForeignClient
from postseal_core.errors import Problem
from postseal_core.values import Maybe, is_unknown

__all__ = ["notes_on_fingerprints", "problems_of_foreign_clients"]


def problems_of_foreign_clients(
    access: Mapping[str, AccessArgs], distrusted: Mapping[str, Maybe[str]]
) -> Iterator[Problem]:
    """Report each certificate among the clients from elsewhere that was signed with the key of a distrusted slot.

    `distrusted`: certificates of the slots by name, in PEM; unknown ones are passed over. Those of which only the
    fingerprint is listed: `notes_on_fingerprints`.
    """
    stolen = {name: load_chain(pem, what=name) for name, pem in distrusted.items() if not is_unknown(pem)}
    for name, client in _foreign(access):
        if not client.certificate_pem:
            continue
        certificate = load_certificate(client.certificate_pem, what=name)
        for slot in (slot for slot, certificates in stolen.items() if _is_signed_by_any(certificate, certificates)):
            yield Problem(
                f"extra_relay_clients.{name}",
                f"was signed by {slot}, which is distrusted: take it out, and give its owner a certificate of another "
                "authority, as a client that is declared",
            )


def notes_on_fingerprints(access: Mapping[str, AccessArgs], distrusted: Mapping[str, Maybe[str]]) -> dict[str, str]:
    """Return a note for each client that goes on being let in by a fingerprint of which nobody knows who signed it."""
    if not distrusted:
        return {}
    slots = ", ".join(sorted(distrusted))
    note = (
        f"is let in by its fingerprint alone: if {slots}, which is distrusted, has signed its certificate, take it "
        "out; with certificate_pem in its place that is compared"
    )
    return {f"extra_relay_clients.{name}": note for name, each in _foreign(access) if not each.certificate_pem}


def _foreign(access: Mapping[str, AccessArgs]) -> Iterator[tuple[str, ForeignClient]]:
    for service in access.values():
        yield from service.extra.items()


def _is_signed_by_any(certificate: x509.Certificate, issuers: list[x509.Certificate]) -> bool:
    return any(is_issued_by(certificate, issuer) for issuer in issuers)
