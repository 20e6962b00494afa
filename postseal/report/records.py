"""Find what expires among a stack's resources: certificates, alone or in rosters, imported ones, revocation lists."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pki.roster.client_properties import client_properties
from postseal.report.export import Fields, Resource
from postseal.report.ledger import decode_ledger
from postseal_core.errors import CertificateError, Problem

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

    `policy` sees what was declared for it as well: for a client its own entry, then what the roster sets for all.
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
            # What was merely declared (names, profile, policy) stands among the inputs only.
            fields = policy = Fields({**resource.inputs, **resource.outputs}, resource.name, problems)
            yield Record(resource.type, resource, fields, policy)


def _roster_records(resource: Resource, problems: list[Problem]) -> Iterator[Record]:
    roster = Fields(resource.outputs, resource.name, problems)
    clients = _unpack(roster, "ledger", roster.text("ledger"))
    entries = _unpack(roster, "clients", Fields(resource.inputs, resource.name, problems).text("clients", ""))
    count = roster.integer("count", len(clients))
    if count != len(clients):
        roster.refuse("count", f"says {count} clients, the ledger has {len(clients)}; run `pulumi up` to rewrite both")
    declared = {entry.get("name"): entry for entry in entries}
    for index, client in enumerate(clients):
        path = f"{resource.name}.{client.get('name', index)}"
        properties = {**client_properties(declared.get(client.get("name"), {}), resource.inputs), **client}
        fields, policy = Fields(client, path, problems), Fields(properties, path, problems)
        yield Record(CERTIFICATE, resource, fields, policy, roster.text("name", resource.name))


def _unpack(roster: Fields, name: str, packed: str) -> tuple[Mapping[str, object], ...]:
    try:
        return decode_ledger(packed)
    except CertificateError as error:
        roster.refuse(name, str(error))
        return ()
