"""The outputs of a stack: public descriptions of everything, and the passphrases of archives as secrets."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import pulumi

import pki
from pki.certificate.resource import Certificate
from pki.imported_certificate.resource import ImportedCertificate
from pki.requested_authority.resource import RequestedAuthority
from postseal.stack.components import BuiltStack, ServerComponent
from postseal.stack.serving_anew import names_to_serve
from postseal_core.program import RecordResource, with_whole_numbers

__all__ = ["stack_outputs"]

Exported = dict[str, Any]
"""Values and outputs by name, as `pulumi.export` takes them."""

_IDENTITY = (
    "subject",
    "serial_number",
    "fingerprint_sha256",
    "public_key_fingerprint_sha256",
    "not_before",
    "not_after",
    "renew_at",
)
_ROSTER = ("count", "summary", "next_due_at")
_LIST = ("crl_number", "this_update", "next_update", "renew_at")


def stack_outputs(stack: BuiltStack) -> Exported:
    """Return the outputs of a stack by name; `certificates` says of servers and clients how many there are.

    A line for each certificate would bury what a preview has to say; the report has them all. `rosters`: how many
    clients, what the last change was, and when the next is due. `revocation_lists`: by slot. `distrusted`: by slot, who
    must be served anew. These, and `pkcs12_passphrases` (by client, secret), are there only where something is declared
    for them. What waits for its authority has `awaits` in place of everything else. `ledger_HOST`: the digest of who
    may relay there, as `postseal who` says it; by itself, since of a mapping a preview shows what has not changed, too.
    """
    servers = [_certificate(each) for each in stack.servers.values()]
    clients: list[Certificate | ImportedCertificate] = [*stack.clients.values(), *stack.third_party_clients.values()]
    archives = {name: each.passphrase for name, each in stack.archives.items() if not each.awaits}
    passphrases = archives | stack.roster_passphrases
    lists = (each for each in stack.revocation_lists.values() if not each.awaits)
    outputs: Exported = {
        "authorities": {name: _authority(each) for name, each in stack.authorities.items()},
        "certificates": {"servers": _in_brief(servers), "clients": _in_brief(clients)},
        "hosts": {name: _host(name, stack) for name in stack.hosts},
    }
    outputs |= {f"ledger_{name}": each.ledger_digest for name, each in stack.hosts.items() if not each.awaits}
    declared = {
        "rosters": {name: _waiting(each) or _fields(each, _ROSTER) for name, each in stack.rosters.items()},
        "revocation_lists": {slot: _fields(each, _LIST) for one in lists for slot, each in one.by_slot.items()},
        "distrusted": _distrusted(stack),
        "pkcs12_passphrases": pulumi.Output.secret(passphrases) if passphrases else {},
    }
    return outputs | {name: value for name, value in declared.items() if value != {}}


def _host(name: str, stack: BuiltStack) -> Exported:
    host = stack.hosts[name]
    return {**host.summary, **_waiting(host), **({"on_host": host.on_host} if name in stack.served_on_host else {})}


def _certificate(server: ServerComponent) -> Certificate | ImportedCertificate:
    return server.certificate if isinstance(server, pki.ThirdPartyServerCertificate) else server


def _authority(authority: pki.CertificateAuthority) -> Exported:
    """Return an authority; one that a third party signs has its request there, and what is to be done about it."""
    certificate = authority.certificate
    if not isinstance(certificate, RequestedAuthority):
        return _identity("authority", certificate)
    told = {"awaited": certificate.awaited, "cert_request_pem": certificate.cert_request_pem}
    if authority.awaits:
        return {"kind": "authority", "subject": certificate.subject, **told}
    return {"kind": "authority", **_fields(certificate, _IDENTITY), **told}


def _distrusted(stack: BuiltStack) -> dict[str, pulumi.Output[dict[str, list[str]]]]:
    """Return who must be served anew, by distrusted slot; what waits for its authority has never been served."""
    slots = [slot.name for authority in stack.authorities.values() for slot in authority.distrusted]
    servers = {name: each for name, each in stack.servers.items() if isinstance(each, Certificate)}
    issued = {
        "servers": {name: _issued(each) for name, each in servers.items() if not each.awaits},
        "clients": {name: _issued(each) for name, each in stack.clients.items() if not each.awaits},
    }
    rosters = {name: each.issued for name, each in stack.rosters.items() if not each.awaits}
    known = pulumi.Output.all(sections=issued, rosters=rosters).apply(with_whole_numbers) if slots else None
    return {slot: known.apply(partial(_names, slot)) for slot in slots} if known else {}


def _names(slot: str, known: Mapping[str, Any]) -> dict[str, list[str]]:
    return names_to_serve(slot, known["sections"], known["rosters"])


def _issued(certificate: Certificate) -> pulumi.Output[Any]:
    return pulumi.Output.all(certificate.generation, certificate.revoked)


def _in_brief(certificates: Sequence[Certificate | ImportedCertificate]) -> str:
    """Return how many there are, and how many of them wait for their authority."""
    waiting = sum(bool(each.awaits) for each in certificates)
    return f"{len(certificates)}, {waiting} waiting for an authority" if waiting else str(len(certificates))


def _identity(kind: str, certificate: Certificate | ImportedCertificate) -> Exported:
    return {"kind": kind, **(_waiting(certificate) or _fields(certificate, _IDENTITY))}


def _waiting(each: RecordResource) -> Exported:
    return {"awaits": each.awaits} if each.awaits else {}


def _fields(each: object, names: tuple[str, ...]) -> Exported:
    return {name: getattr(each, name) for name in names}
