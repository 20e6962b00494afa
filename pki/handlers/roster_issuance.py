"""What Create and Update do for a roster: issue what was decided, keep everything else byte for byte."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pki.declared import decode_declared
from pki.handlers.certificate_issuance import identity_outputs, sign_generation, without_root
from pki.handlers.handover import outputs_of_takeover, takeover_of
from pki.handlers.key_material import known_issuer_chain
from pki.handlers.roster_archives import archive_of
from pki.issuing import subject_name
from pki.roster.decisions import Declaration, Record, next_due_at
from pki.roster.ledger import accepted_rows, describe_client, is_same_certificate
from pki.verification import chain_pem
from postseal_core.packing import lines_of, pack_records, unpack, unpack_records
from postseal_core.plugin.handler import Context
from postseal_core.values import UNKNOWN, Properties

__all__ = ["COMPRESSED", "declaration_of", "records_of", "roster_outputs"]

COMPRESSED = ("clients", "schedules")
"""Inputs that hold many records in one text."""

_NOT_SHARED = ("name", "summary", "changes", *COMPRESSED)
_ISSUED = ("subject", "certificate_pem", "serial_number", "fingerprint_sha256", "public_key_fingerprint_sha256")


@dataclass(frozen=True, slots=True)
class _Known:
    """What the outputs of last time hold of each client, by name."""

    ledger: Mapping[str, dict[str, Any]]
    private_keys: Mapping[str, dict[str, str]] = field(repr=False)
    archives: Mapping[str, dict[str, str]] = field(repr=False)


@dataclass(slots=True)
class _Outputs:
    """What is put together client by client; `is_pending`: a preview cannot know all of it."""

    ledger: list[dict[str, Any]] = field(default_factory=list)
    private_keys: list[dict[str, str]] = field(default_factory=list, repr=False)
    archives: list[dict[str, str]] = field(default_factory=list, repr=False)
    is_pending: bool = False


def declaration_of(inputs: Properties) -> Declaration:
    """Return what the inputs of a roster declare."""
    lines = lines_of(unpack(inputs["clients"]))
    shared = {name: value for name, value in inputs.items() if name not in _NOT_SHARED}
    return Declaration({json.loads(line)["name"]: line for line in lines}, shared)


def records_of(inputs: Properties) -> dict[str, Record]:
    """Return the schedules in the inputs of a roster, by client."""
    return {record["name"]: record for record in unpack_records(inputs["schedules"])}


def roster_outputs(
    inputs: Properties, old_outputs: Properties, context: Context, *, is_preview: bool
) -> dict[str, Any]:
    """Return the outputs of a roster; in a preview, what is to be issued is missing from the packed ones."""
    made, records = _Outputs(), records_of(inputs)
    _Work(declaration_of(inputs), records, _known(old_outputs), context).fill(made, is_preview=is_preview)
    chain = known_issuer_chain(inputs, context)
    return {
        "name": inputs["name"],
        "count": len(records),
        "summary": inputs["summary"],
        "next_due_at": next_due_at(records),
        "ledger": pack_records(made.ledger),
        "accepted_rows": UNKNOWN if made.is_pending else accepted_rows(made.ledger),
        "intermediates_pem": chain_pem(without_root(chain)) if chain else UNKNOWN,
        "private_keys": pack_records(made.private_keys),
        "archives": pack_records(made.archives),
    }


@dataclass(frozen=True, slots=True)
class _Work:
    """Everything that a client's outputs are made from."""

    declaration: Declaration
    records: Mapping[str, Record]
    known: _Known
    context: Context

    def fill(self, made: _Outputs, *, is_preview: bool) -> None:
        """Add the outputs of all clients, in the order of their names."""
        for name, line in self.declaration.lines.items():
            entry, record = json.loads(line), self.records[name]
            old, secret = self._before(name, record)
            client = describe_client(entry, record, self.declaration, old)
            is_same = is_same_certificate(record, old)
            if is_same:
                client |= {issued: old[issued] for issued in _ISSUED}
            elif is_preview:
                made.is_pending = True
                client["subject"] = _subject(self.declaration.properties(entry))
                secret = secret if record["key_generation"] == old.get("key_generation") else _without_key(secret)
            else:
                client, secret = self._issue(client, entry, secret, old)
            made.ledger.append(client)
            self._add_secrets(made, client, {"name": name, **secret}, is_preview=is_preview)

    def _before(self, name: str, record: Record) -> tuple[Mapping[str, Any], Mapping[str, str]]:
        """Return what there is of a client already, here or where it is taken over from."""
        if name not in self.known.ledger and "taken_over" in record:
            old = outputs_of_takeover(takeover_of(record["taken_over"], self.context))
            return old, {"private_key_pem": str(old.pop("private_key_pem"))}
        return self.known.ledger.get(name, {}), self.known.private_keys.get(name, {})

    def _issue(
        self, client: dict[str, Any], entry: Mapping[str, Any], secret: Mapping[str, str], old: Mapping[str, Any]
    ) -> tuple[dict[str, Any], dict[str, str]]:
        properties = {**self.declaration.properties(entry), **self.records[client["name"]]}
        certificate, key_pem = sign_generation(properties, {**old, **secret}, self.context)
        subject = certificate.subject.rfc4514_string()
        return client | identity_outputs(certificate) | {"subject": subject}, {**secret, "private_key_pem": key_pem}

    def _add_secrets(
        self, made: _Outputs, client: Mapping[str, Any], secret: dict[str, str], *, is_preview: bool
    ) -> None:
        if "pkcs12" in client:
            old = self.known.archives.get(client["name"], {})
            archive, passphrase = archive_of(client, secret, old, self.context, is_preview=is_preview)
            made.archives += [archive] if archive else []
            secret |= {"passphrase": passphrase} if passphrase else {}
        made.private_keys.append(secret)


def _known(outputs: Properties) -> _Known:
    return _Known(*(_by_name(outputs.get(name, "")) for name in ("ledger", "private_keys", "archives")))


def _by_name(packed: str) -> dict[str, Any]:
    return {record["name"]: record for record in unpack_records(packed)}


def _without_key(secret: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in secret.items() if name != "private_key_pem"}


def _subject(properties: Mapping[str, Any]) -> str:
    return subject_name(decode_declared(properties).declaration.subject).rfc4514_string()
