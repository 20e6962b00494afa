"""Many clients of one authority as one component and one resource."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeVar, cast

import pulumi

from pki.components.authority import CertificateAuthority
from pki.components.handover import MovingClient
from pki.components.wiring import (
    child_options,
    issuer_properties,
    lifetime_properties,
    present,
    withdrawal_properties,
)
from pki.lifetime import LifetimePolicy
from pki.model import KeyAlgorithm
from pki.resources import ClientRosterArgs, ClientRosterResource
from pki.roster.entries import Entry, clients_text, entries_of_mapping, entries_of_rows
from pki.roster.takeover import takeover_text
from postseal_core.errors import ConfigError, Problem
from postseal_core.packing import unpack_records

__all__ = ["ClientRoster", "RosterClient"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class RosterClient:
    """What a roster issued for one client; in a preview only what is issued anew is unknown.

    `archive_p12_base64` and `passphrase` are empty for a client without an archive. `handover`: what another roster or
    a `ClientCertificate` needs to take this certificate over; a secret.
    """

    name: str
    certificate_pem: pulumi.Output[str]
    chain_pem: pulumi.Output[str]
    private_key_pem: pulumi.Output[str]
    fingerprint_sha256: pulumi.Output[str]
    generation: pulumi.Output[int]
    not_after: pulumi.Output[str]
    archive_p12_base64: pulumi.Output[str]
    passphrase: pulumi.Output[str]
    handover: pulumi.Output[str]


class ClientRoster(pulumi.ComponentResource):
    """Certificates of many clients, each renewed, confirmed and revoked on its own, in one resource.

    `clients`: fields by client name as in a stack file, or entries of `parse_csv` and `parse_yaml`. Fields are those
    of `ClientCertificate` (`email`, `dns_names`, `revoke`, ...), those of a lifetime (`validity_hours`, ...) and
    `pkcs12` (`modern`, `legacy`, `none`); what is given here for the roster holds for every client that does not say
    otherwise. `take_over`: clients whose certificate is kept elsewhere until now, by a `ClientCertificate` or another
    roster, and is not issued anew; it says nothing more once they are here.

    Outputs: `accepted_rows` has a line `AA:BB:... alice generation=2 not_after=2027-02-01` for each accepted
    fingerprint; `ledger` (public), `private_keys` and `archives` (secret) are packed, see `client` for one of them.

    Raises:
        ConfigError: everything that is wrong with `clients`, before any resource is registered.
    """

    count: pulumi.Output[int]
    summary: pulumi.Output[str]
    next_due_at: pulumi.Output[str]
    ledger: pulumi.Output[str]
    accepted_rows: pulumi.Output[str]
    private_keys: pulumi.Output[str]
    archives: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        *,
        authority: CertificateAuthority,
        clients: Mapping[str, Mapping[str, Any] | None] | Sequence[Entry],
        organization: str = "",
        organizational_unit: str = "",
        locality: str = "",
        state_or_province: str = "",
        country: str = "",
        crl_urls: Sequence[str] = (),
        key_algorithm: KeyAlgorithm | str = KeyAlgorithm.ECDSA_P256,
        lifetime: LifetimePolicy | None = None,
        match: str = "certificate",
        confirm: bool = False,
        fail_beyond_issuer: bool = False,
        pkcs12: str = "",
        take_over: Mapping[str, MovingClient] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        entries = _entries(clients)
        self.name = name
        self.authority = authority
        self.names = tuple(str(entry["name"]) for entry in entries)
        _refuse_unlisted(take_over or {}, self.names)
        super().__init__("postseal:index:Roster", name, {}, opts)
        shared = present(
            organization=organization,
            organizational_unit=organizational_unit,
            locality=locality,
            state_or_province=state_or_province,
            country=country,
            crl_urls=crl_urls,
            key_algorithm=KeyAlgorithm(key_algorithm).value,
            match=match if match != "certificate" else "",
            confirm=confirm,
            fail_beyond_issuer=fail_beyond_issuer,
            pkcs12=pkcs12,
            handovers={client: source.handover for client, source in (take_over or {}).items()},
        )
        properties = {"name": name, "clients": clients_text(entries), **shared}
        properties |= lifetime_properties(lifetime) | issuer_properties(authority)
        properties |= {"withdrawal": withdrawal_properties([authority], {})}
        self.resource = ClientRosterResource(name, cast("ClientRosterArgs", properties), child_options(self))
        self.count = self.resource.count
        self.summary = self.resource.summary
        self.next_due_at = self.resource.next_due_at
        self.ledger = self.resource.ledger
        self.accepted_rows = self.resource.accepted_rows
        self.private_keys = self.resource.private_keys
        self.archives = self.resource.archives
        self.register_outputs({"summary": self.summary})

    def client(self, name: str) -> RosterClient:
        """Return what was issued for one client of this roster.

        Raises:
            ConfigError: no client of this name is declared.
        """
        _refuse_unlisted([name], self.names)
        certificate_pem = _field(self.ledger, name, "certificate_pem")
        private_key_pem = _field(self.private_keys, name, "private_key_pem")
        record = pulumi.Output.all(self.ledger, private_key_pem, certificate_pem)
        return RosterClient(
            name=name,
            certificate_pem=certificate_pem,
            chain_pem=pulumi.Output.concat(certificate_pem, self.resource.intermediates_pem),
            private_key_pem=private_key_pem,
            fingerprint_sha256=_field(self.ledger, name, "fingerprint_sha256"),
            generation=_field(self.ledger, name, "generation"),
            not_after=_field(self.ledger, name, "not_after"),
            archive_p12_base64=self._of_archive(name, self.archives, "archive_p12_base64"),
            passphrase=self._of_archive(name, self.private_keys, "passphrase"),
            handover=pulumi.Output.secret(record.apply(lambda parts: _takeover(name, parts[0], parts[1]))),
        )

    def _of_archive(self, name: str, packed: pulumi.Output[str], field: str) -> pulumi.Output[str]:
        def found(texts: list[str]) -> pulumi.Input[str]:
            has_archive = "pkcs12" in _by_name(texts[0]).get(name, {})
            return _known(_by_name(texts[1]).get(name, {}).get(field)) if has_archive else ""

        return pulumi.Output.all(self.ledger, packed).apply(found)


def _entries(clients: Mapping[str, Mapping[str, Any] | None] | Sequence[Entry]) -> tuple[Entry, ...]:
    if isinstance(clients, Mapping):
        return entries_of_mapping(clients)
    return entries_of_rows((f"clients[{index}]", entry) for index, entry in enumerate(clients))


def _refuse_unlisted(names: Mapping[str, object] | Sequence[str], listed: Sequence[str]) -> None:
    problems = [
        Problem(f"clients.{name}", "is not in the roster; declare it there") for name in names if name not in listed
    ]
    if problems:
        raise ConfigError(problems)


def _takeover(name: str, ledger: str, private_key_pem: str) -> str:
    return takeover_text({**_by_name(ledger).get(name, {}), "private_key_pem": private_key_pem})


@lru_cache(maxsize=8)
def _by_name(packed: str) -> dict[str, dict[str, Any]]:
    return {record["name"]: record for record in unpack_records(packed)}


def _field(packed: pulumi.Output[str], name: str, field: str) -> pulumi.Output[Any]:
    return packed.apply(lambda text: _known(_by_name(text).get(name, {}).get(field)))


def _known(value: T | None) -> pulumi.Input[T]:
    """Return a value, or an unknown output for what a preview leaves out because it is to be issued."""
    if value is not None:
        return value
    unknown: pulumi.Output[T] = pulumi.Output(set(), _future(None), _future(False))  # noqa: FBT003
    return unknown


def _future(value: Any) -> "asyncio.Future[Any]":
    future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
    future.set_result(value)
    return future
