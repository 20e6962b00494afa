"""Find what expires among a stack's resources: certificates, alone or in rosters, imported ones, revocation lists."""

from collections import ChainMap
from collections.abc import Iterator
from dataclasses import dataclass

from pki.errors import CertificateError, Problem
from postseal.report.export import Fields, Resource
from postseal.report.ledger import decode_ledger

__all__ = [
    "CERTIFICATE",
    "CLIENT_ROSTER",
    "IMPORTED_CERTIFICATE",
    "REVOCATION_LIST",
    "Record",
    "find_records",
]

CERTIFICATE = "postseal:index:Certificate"
CLIENT_ROSTER = "postseal:index:ClientRoster"
IMPORTED_CERTIFICATE = "postseal:index:ImportedCertificate"
REVOCATION_LIST = "postseal:index:RevocationList"


@dataclass(frozen=True, slots=True)
class Record:
    """One thing that expires: its type token (a roster's client counts as a certificate), resource and fields.

    `policy` sees what was declared for it: its own fields first, then the roster's outputs and inputs.
    """

    type: str
    resource: Resource
    fields: Fields
    policy: Fields
    roster: str = ""


def find_records(resources: tuple[Resource, ...], problems: list[Problem]) -> Iterator[Record]:
    """Yield a record for everything that expires; what cannot be read is added to `problems`."""
    for resource in resources:
        if resource.type == CLIENT_ROSTER:
            yield from _roster_records(resource, problems)
        elif resource.type in (CERTIFICATE, IMPORTED_CERTIFICATE, REVOCATION_LIST):
            fields = Fields(resource.outputs, resource.name, problems)
            declared = ChainMap(dict(resource.outputs), dict(resource.inputs))
            yield Record(resource.type, resource, fields, Fields(declared, resource.name, problems))


def _roster_records(resource: Resource, problems: list[Problem]) -> Iterator[Record]:
    roster = Fields(resource.outputs, resource.name, problems)
    name, ledger_base64 = roster.text("name", resource.name), roster.text("ledger")
    try:
        clients = decode_ledger(ledger_base64)
    except CertificateError as error:
        roster.refuse("ledger", str(error))
        return
    if roster.integer("count", len(clients)) != len(clients):
        roster.refuse(
            "count", f"says {roster.integer('count')} clients, the ledger has {len(clients)}; run `pulumi up`"
        )
    declared = (dict(resource.outputs), dict(resource.inputs))
    for index, client in enumerate(clients):
        path = f"{resource.name}.{client.get('name', index)}"
        policy = Fields(ChainMap(dict(client), *declared), path, problems)
        yield Record(CERTIFICATE, resource, Fields(client, path, problems), policy, name)
