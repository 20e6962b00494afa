"""Rosters: many clients of one authority as one resource."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final, Unpack

import pulumi

from pki.arguments import RosterFields
from pki.components.authority import CertificateAuthority
from pki.components.client import A_MOVING_CLIENT, ClientCertificate
from pki.components.reading import AN_AUTHORITY, read_fields
from pki.components.roster_client import PackedOutputs, RosterClient, roster_client
from pki.components.signing import issuer_args, withdrawal
from pki.fields import SaidBy
from pki.lifetime import LifetimePolicy
from pki.roster.reading import rows_of_mapping, rows_of_sequence
from pki.roster.records import RosterArgs, RosterState
from pki.roster.rows import RosterRow, declared_of, rows_text
from postseal_core.arguments import Arguments
from postseal_core.errors import Problem
from postseal_core.program import RecordResource, later, refuse
from postseal_core.reading import Raw

__all__ = ["ClientRoster", "RosterClient"]

_Sources = Mapping[str, ClientCertificate | RosterClient]

_CLIENTS: Final = "the clients: fields by client name, or what pki.parse_csv and pki.parse_yaml return"
_SOURCES: Final = 'clients by name, as {"alice": pki.ClientCertificate(...)}'


class ClientRoster(RecordResource):
    """Certificates of many clients, each renewed, confirmed and revoked on its own, in one resource.

        staff = pki.ClientRoster("staff", authority=ca, clients=pki.parse_csv(Path("staff.csv").read_text()))

    `authority`: who signs all of them.
    `clients`: fields by client name as in a stack file, or what `parse_csv` and `parse_yaml` return. Fields are those
    of a `ClientCertificate`, those of a lifetime (`validity_hours`, ...) and `pkcs12` (`modern`, `legacy`, `none`).
    Fields given here (`pki.arguments.RosterFields`), and `lifetime`, hold for clients that do not say otherwise.
    `take_over`: clients whose certificate is kept elsewhere until now, by a `ClientCertificate` or another roster, and
    is not issued anew; ignored once they are here, remove it then.

    Outputs: `count`, `summary` (what the last change was), `next_due_at`; packed are `issued`, `accepted_rows` and,
    secret, `private_keys` and `archives`, see `client` for one of them. Further attributes: `name`, `authority`,
    `names` of its clients.

    Raises:
        ConfigError: everything that is wrong with the arguments, before anything is registered.
    """

    resource_type = "ClientRoster"
    state = RosterState

    count: pulumi.Output[int]
    summary: pulumi.Output[str]
    next_due_at: pulumi.Output[str]
    issued: pulumi.Output[str]
    accepted_rows: pulumi.Output[str]
    intermediates_pem: pulumi.Output[str]
    private_keys: pulumi.Output[str]
    archives: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        *,
        authority: CertificateAuthority,
        clients: Mapping[str, Raw | None] | Sequence[RosterRow | Raw],
        lifetime: LifetimePolicy | None = None,
        take_over: _Sources | None = None,
        opts: pulumi.ResourceOptions | None = None,
        **fields: Unpack[RosterFields],
    ) -> None:
        arguments = Arguments("rosters", name, opts)
        arguments.expect("authority", authority, CertificateAuthority, AN_AUTHORITY)
        shared = read_fields(arguments, SaidBy.ROSTER, fields, lifetime)
        rows = _read_rows(arguments, clients)
        sources = _read_sources(arguments, take_over)
        arguments.refuse()
        declared = {row.name: declared_of(row, shared) for row in rows}
        arguments.add(_unlisted(sources, declared))
        arguments.refuse()
        args = RosterArgs(
            name=name,
            shared=shared,
            clients=rows_text(rows),
            issuer=issuer_args(authority),
            handovers={client: later(source.handover) for client, source in sources.items()},
            withdrawal=withdrawal([authority]),
        )
        super().__init__(name, args, opts)
        self.name, self.authority, self.names = name, authority, tuple(declared)
        self._declared = declared

    def client(self, name: str) -> RosterClient:
        """Return what was issued for one client of this roster.

        Raises:
            ConfigError: no client of this name is declared.
        """
        refuse(problem.below(f"rosters.{self.name}") for problem in _unlisted([name], self.names))
        packed = PackedOutputs(self.issued, self.intermediates_pem, self.private_keys, self.archives)
        return roster_client(name, self._declared[name], self.authority, packed)


def _read_rows(arguments: Arguments, clients: object) -> tuple[RosterRow, ...]:
    path = f"{arguments.path}.clients"
    if isinstance(clients, Mapping):
        return arguments.read(lambda: rows_of_mapping(clients, path), ())
    if isinstance(clients, Sequence) and not isinstance(clients, str):
        return arguments.read(lambda: rows_of_sequence(clients, path), ())
    arguments.expect("clients", clients, Mapping, _CLIENTS)
    return ()


def _read_sources(arguments: Arguments, take_over: _Sources | None) -> _Sources:
    if take_over is None or not arguments.expect("take_over", take_over, Mapping, _SOURCES):
        return {}
    for client, source in take_over.items():
        arguments.expect(f"take_over.{client}", source, (ClientCertificate, RosterClient), A_MOVING_CLIENT)
    return take_over


def _unlisted(names: Iterable[str], listed: Collection[str]) -> Iterable[Problem]:
    for name in names:
        if name not in listed:
            yield Problem(f"clients.{name}", "is not in the roster; declare it there")
