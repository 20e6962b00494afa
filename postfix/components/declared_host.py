"""Turn a host's declaration and its certificates into the arguments of its resource."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import pulumi

from pki.acceptance import Admitted
from pki.components.authority import CertificateAuthority
from pki.components.distrusted_slots import distrusted_slots
from pki.components.roster import ClientRoster
from pki.components.signing import withdrawal
from pki.components.third_party_client import ThirdPartyClientCertificate
from pki.model import Validity
from pki.records import Identity
from postfix.components.certificates import HostCertificate, RelayingClient, TrustedRoot, trusted_pem
from postfix.host import ClientSide, HostDeclaration
from postfix.host_resource.records import AccessArgs, ChainArgs, ForeignClient, HostArgs, RosterAccess
from postfix.preflight import CheckedHost
from postfix.settings import ClientSettings
from postfix.tables import ClientRow
from postfix.target import HostTarget
from postseal_core.program import later

__all__ = ["DeclaredHost", "host_args", "sending_side", "summary_of", "without_waiting"]

_SMTP = "smtp"


@dataclass(frozen=True, slots=True)
class DeclaredHost:
    """One host; `certificates`: by the names in its declaration. `trust`: authorities, ours or others'."""

    checked: CheckedHost
    target: HostTarget
    certificates: Mapping[str, HostCertificate]
    relay_clients: Sequence[RelayingClient] = ()
    relay_rosters: Sequence[ClientRoster] = ()
    extra_relay_clients: Sequence[ClientRow] = ()
    trust: Sequence[CertificateAuthority | TrustedRoot] = ()

    @property
    def declaration(self) -> HostDeclaration:
        """The host's declaration without its certificates."""
        return self.checked.declaration


def host_args(host: DeclaredHost) -> HostArgs:
    """Return the arguments of a host's resource."""
    return HostArgs(
        declaration=host.declaration,
        target=replace(host.target.record, ownership=host.declaration.ownership),
        chains={name: _chain(each) for name, each in host.certificates.items()},
        roots={name: later(pem) for each in host.trust for name, pem in trusted_pem(each).items()},
        distrusted={slot.name: later(pem) for slot, pem in distrusted_slots().items()},
        access=_access(host),
        withdrawal=withdrawal((each.authority for each in host.relay_clients if each.authority), host.relay_clients),
    )


def without_waiting(host: DeclaredHost) -> DeclaredHost:
    """Leave out clients and rosters whose authority has no certificate yet: there is nothing to let in."""
    return replace(
        host,
        relay_clients=[each for each in host.relay_clients if not each.awaits],
        relay_rosters=[each for each in host.relay_rosters if not each.awaits],
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
    }


def sending_side(settings: ClientSettings, certificate: HostCertificate | None, *, has_roots: bool) -> ClientSide:
    """Return how a host sends, with its own client certificate if it has one."""
    names = (certificate.name,) if certificate else ()
    return ClientSide(replace(settings, ca_file=settings.ca_file and has_roots), names)


def _access(host: DeclaredHost) -> Mapping[str, AccessArgs]:
    access = AccessArgs(
        clients={each.name: _admitted(each) for each in host.relay_clients},
        rosters={each.name: _roster(each) for each in host.relay_rosters},
        extra={
            each.name: ForeignClient(
                fingerprint_sha256=each.fingerprint_sha256,
                not_after=each.not_after,
                certificate_pem=each.certificate_pem,
            )
            for each in host.extra_relay_clients
        },
    )
    return {_SMTP: access} if access.clients or access.rosters or access.extra else {}


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
