"""Turn a host's declaration and its certificates into the arguments of its resource."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import pulumi

from pki.acceptance import Admitted
from pki.components.authority import CertificateAuthority
from pki.components.distrusted_slots import distrusted_slots
from pki.components.roster import ClientRoster
from pki.components.signing import withdrawal
from pki.components.third_party_client import ThirdPartyClientCertificate
from pki.model import Validity
from pki.records import Identity
from postfix.components.admission import Admission
from postfix.components.certificates import (
    HostCertificate,
    RelayingClient,
    TrustedRoot,
    problems_of_names,
    problems_of_shared_identities,
    trusted_pem,
)
from postfix.host import ClientSide, HostDeclaration
from postfix.host_resource.records import AccessArgs, ChainArgs, ForeignClient, HostArgs, RosterAccess
from postfix.preflight import CheckedHost
from postfix.rendering import client_tables
from postfix.settings import ClientSettings, SubmissionName
from postfix.tables import ClientRow
from postfix.target import HostTarget
from postseal_core.errors import Problem
from postseal_core.program import later

__all__ = ["DeclaredHost", "host_args", "problems_of_admissions", "sending_side", "summary_of", "without_waiting"]

_SMTP = "smtp"


@dataclass(frozen=True, slots=True)
class DeclaredHost:
    """One host; `certificates`: by the names in its declaration. `trust`: authorities, ours or others'.

    `submission_clients`: who is let in by certificate through the services for mail programs, by service.
    """

    checked: CheckedHost
    target: HostTarget
    certificates: Mapping[str, HostCertificate]
    relay_clients: Sequence[RelayingClient] = ()
    relay_rosters: Sequence[ClientRoster] = ()
    extra_relay_clients: Sequence[ClientRow] = ()
    trust: Sequence[CertificateAuthority | TrustedRoot] = ()
    submission_clients: Mapping[SubmissionName, Admission] = field(default_factory=dict)

    @property
    def admissions(self) -> Mapping[str, Admission]:
        """Who is let in by certificate, by service of master.cf."""
        relaying = Admission(self.relay_clients, self.relay_rosters, self.extra_relay_clients)
        return {_SMTP: relaying, **{str(name): each for name, each in self.submission_clients.items()}}

    @property
    def declaration(self) -> HostDeclaration:
        """The host's declaration without its certificates."""
        return self.checked.declaration


def host_args(host: DeclaredHost) -> HostArgs:
    """Return the arguments of a host's resource."""
    admitted = list(dict.fromkeys(each for admission in host.admissions.values() for each in admission.clients))
    return HostArgs(
        declaration=host.declaration,
        target=replace(host.target.record, ownership=host.declaration.ownership),
        chains={name: _chain(each) for name, each in host.certificates.items()},
        roots={name: later(pem) for each in host.trust for name, pem in trusted_pem(each).items()},
        distrusted={slot.name: later(pem) for slot, pem in distrusted_slots().items()},
        access={service: _access(admission) for service, admission in host.admissions.items() if admission},
        withdrawal=withdrawal((each.authority for each in admitted if each.authority), admitted),
    )


def without_waiting(host: DeclaredHost) -> DeclaredHost:
    """Leave out clients and rosters whose authority has no certificate yet: there is nothing to let in."""
    return replace(
        host,
        relay_clients=[each for each in host.relay_clients if not each.awaits],
        relay_rosters=[each for each in host.relay_rosters if not each.awaits],
        submission_clients={name: each.without_waiting for name, each in host.submission_clients.items()},
    )


def summary_of(host: DeclaredHost) -> Mapping[str, str | list[str]]:
    """Return the description of a host for the stack's outputs."""
    rosters = [each.name for each in host.relay_rosters]
    return {
        "myhostname": host.declaration.myhostname,
        "target": f"{host.target.record.kind} {host.target.record.place}",
        "certificates": list(host.certificates),
        "relay_clients": [each.name for each in (*host.relay_clients, *host.extra_relay_clients)],
        **({"relay_rosters": rosters} if rosters else {}),
        **{name: _names(admission) for name, admission in host.submission_clients.items()},
    }


def _names(admission: Admission) -> list[str]:
    rosters = (f"roster {each.name}" for each in admission.rosters)
    return [*(each.name for each in (*admission.clients, *admission.extra)), *rosters]


def sending_side(settings: ClientSettings, certificate: HostCertificate | None, *, has_roots: bool) -> ClientSide:
    """Return how a host sends, with its own client certificate if it has one."""
    names = (certificate.name,) if certificate else ()
    return ClientSide(replace(settings, ca_file=settings.ca_file and has_roots), names)


def problems_of_admissions(host: DeclaredHost) -> Iterator[Problem]:
    """Report clients and rosters that a table cannot hold side by side, by service, and services that there are not."""
    tables = client_tables(host.declaration)
    for service, admission in host.admissions.items():
        if admission and service != _SMTP and service not in tables:
            fault = "no such service lets clients in by certificate here; declare the service, or leave its clients out"
            yield Problem(f"submission_clients.{service}", fault)
        # Those of port 25 are arguments of the host.
        is_relaying = service == _SMTP
        problems = [
            *problems_of_names("relay_clients" if is_relaying else "clients", admission.clients),
            *problems_of_names("relay_rosters" if is_relaying else "rosters", admission.rosters),
            *problems_of_shared_identities(admission.clients, admission.rosters),
            *problems_of_names("extra_relay_clients" if is_relaying else "extra", admission.extra),
        ]
        yield from problems if is_relaying else (each.below(f"submission_clients.{service}") for each in problems)


def _access(admission: Admission) -> AccessArgs:
    return AccessArgs(
        clients={each.name: _admitted(each) for each in admission.clients},
        rosters={each.name: _roster(each) for each in admission.rosters},
        extra={
            each.name: ForeignClient(
                fingerprint_sha256=each.fingerprint_sha256,
                not_after=each.not_after,
                certificate_pem=each.certificate_pem,
            )
            for each in admission.extra
        },
    )


def _admitted(client: RelayingClient) -> Admitted:
    return Admitted(
        match=client.match,
        generation=later(client.generation),
        validity=Validity(later(client.not_before), later(client.not_after)),
        issuer=later(client.issuer_slot),
        identity=Identity(
            fingerprint_sha256=later(client.fingerprint_sha256),
            public_key_fingerprint_sha256=later(client.public_key_fingerprint_sha256),
            serial_number=later(client.serial_number),
        ),
        previous=later(client.previous),
        revoked=later(client.revoked),
        revoked_at=later(client.revoked_at),
    )


def _roster(roster: ClientRoster) -> RosterAccess:
    return RosterAccess(description=later(roster.summary), accepted_rows=later(roster.accepted_rows))


def _chain(each: HostCertificate) -> ChainArgs:
    until = pulumi.Output.concat("until ", each.not_after)
    of_ours = None if isinstance(each, ThirdPartyClientCertificate) else each.generation
    generation = of_ours.apply(_whole) if of_ours else None
    description = pulumi.Output.concat("generation ", generation, " ", until) if generation else until
    return ChainArgs(
        description=later(description),
        private_key_pem=later(each.private_key_pem),
        chain_pem=later(each.chain_pem),
    )


def _whole(number: float) -> str:
    return str(int(number))
