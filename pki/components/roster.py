"""Rosters: many clients of one authority as one resource."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Final, Unpack

import pulumi

from pki.arguments import RosterFields
from pki.components.authority import CertificateAuthority
from pki.components.client import A_MOVING_CLIENT, ClientCertificate, problems_of_moving_key
from pki.components.field_texts import describes_fields
from pki.components.reading import AN_AUTHORITY, read_fields
from pki.components.roster_client import PackedOutputs, RosterClient, roster_client
from pki.components.signing import issuer_args, withdrawal
from pki.components.waiting import problems_of_waiting_move, unless_waiting
from pki.declared import named
from pki.declared_issuer import DeclaredIssuer, problems_below_issuer
from pki.fields import DeclaredCertificate, SaidBy
from pki.identities import Identity, identities_of
from pki.lifetime import LifetimePolicy
from pki.model import Profile
from pki.roster.reading import rows_of_mapping, rows_of_sequence
from pki.roster.records import RosterArgs, RosterState
from pki.roster.rows import RosterRow, archive_word, declared_of, rows_text
from postseal_core.arguments import Arguments
from postseal_core.errors import Problem
from postseal_core.program import RecordResource, later
from postseal_core.reading import Raw

__all__ = ["ClientRoster", "RosterClient"]

_Sources = Mapping[str, ClientCertificate | RosterClient]

_CLIENTS: Final = "the clients: fields by client name, or what pki.parse_csv and pki.parse_yaml return"
_SOURCES: Final = 'clients by name, as {"alice": pki.ClientCertificate(...)}'


@describes_fields(RosterFields)
class ClientRoster(RecordResource):
    """Certificates of many clients, each renewed, confirmed and revoked on its own, in one resource.

        staff = pki.ClientRoster("staff", authority=ca, clients=pki.parse_csv(Path("staff.csv").read_text()))

    What is said here holds for clients that do not say it themselves. Packed outputs are base64 of zlib of JSON lines;
    `client` takes one client out of them.

    Args:
        name: Name of the resource.
        authority: Who signs all of them.
        clients: Fields by client name as in a stack file, or what `parse_csv` and `parse_yaml` return. A client may say
            the fields of a `ClientCertificate`, those of a `LifetimePolicy` (`validity_hours` and so on), and `pkcs12`.
        lifetime: How long certificates are valid and when they are renewed. Default: 365 days, renewed after two thirds
            of it with a new key; the one before stays accepted for 14 days.
        take_over: Clients whose certificate is kept elsewhere until now, by a `ClientCertificate` or another roster, by
            name; it is not issued anew. Ignored once they are here; remove it then. Default: none.
        opts: Options of Pulumi. Default: none.
        **fields: The fields of certificates whose row does not say it; `RosterFields` says what each means.

    Attributes:
        name: Name of the roster.
        authority: Who signs all of them.
        names: The clients' names, sorted.
        names_with_archive: Names of those that have a PKCS#12 archive, sorted.
        count: How many clients there are.
        identities: Mailbox, hosts and addresses of each client, as a host compares them with those of others.
        summary: What the last change was, in a sentence.
        next_due_at: When the next certificate renews or retires, as `2027-11-26T02:00:00Z` (RFC 3339).
        issued: What is public about each client, packed.
        accepted_rows: The rows by which hosts let them in, packed.
        intermediates_pem: What stands between a client's certificate and the root, in PEM.
        private_keys: The key of each client, and the passphrase of its archive, packed; a secret.
        archives: The PKCS#12 archives, packed; a secret.

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
        arguments.add(problems_of_waiting_move("take_over", authority, sources))
        by_name = {row.name: row for row in rows}
        arguments.add(_unlisted(sources, by_name))
        arguments.add(_below_issuer(rows, shared, authority.declared_issuer))
        arguments.refuse()
        args = RosterArgs(
            name=name,
            shared=shared,
            clients=rows_text(rows),
            issuer=issuer_args(authority),
            handovers={client: later(source.handover) for client, source in sources.items()},
            withdrawal=withdrawal([authority]),
        )
        super().__init__(name, unless_waiting(authority, args), opts)
        self.name, self.authority, self.names = name, authority, tuple(by_name)
        self._rows, self._shared = by_name, shared

    @property
    def names_with_archive(self) -> tuple[str, ...]:
        """Names of the clients that have a PKCS#12 archive, sorted."""
        return tuple(name for name in self.names if archive_word(self._declared(name)))

    @property
    def identities(self) -> Mapping[str, tuple[Identity, ...]]:
        """Mailbox, hosts and addresses of each client, as a host compares them with those of others."""
        return {name: tuple(identities_of(row.said.values)) for name, row in self._rows.items()}

    def client(self, name: str) -> RosterClient:
        """Return what was issued for one client of this roster.

        Args:
            name: The client's name.

        Raises:
            ConfigError: no client of this name is declared.
        """
        arguments = Arguments("rosters", self.name)
        if arguments.expect("clients", name, str, "the name of a client"):
            arguments.add(_unlisted([name], self.names))
        arguments.refuse()
        packed = PackedOutputs(self.issued, self.intermediates_pem, self.private_keys, self.archives)
        return roster_client(name, self._declared(name), self.authority, packed)

    def _declared(self, name: str) -> DeclaredCertificate:
        """Return the declaration of one client; built on demand, since most programs ask for few or none."""
        return declared_of(self._rows[name], self._shared)


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
        if arguments.expect(f"take_over.{client}", source, (ClientCertificate, RosterClient), A_MOVING_CLIENT):
            arguments.add(problems_of_moving_key(f"take_over.{client}", source))
    return take_over


def _below_issuer(rows: Iterable[RosterRow], shared: DeclaredCertificate, issuer: DeclaredIssuer) -> Iterator[Problem]:
    """Report what the authority cannot sign: for all clients, and for those whose row says more of it."""
    shared_problems = list(problems_below_issuer(shared, Profile.CLIENT, issuer))
    yield from shared_problems
    names = {subject.common_name.casefold() for subject in issuer.subjects}
    for row in rows:
        said = row.said
        if "validity_hours" in said.names or named(said.values).common_name.casefold() in names:
            for problem in problems_below_issuer(declared_of(row, shared), Profile.CLIENT, issuer):
                if problem not in shared_problems:
                    yield problem.below(f"clients.{row.name}")


def _unlisted(names: Iterable[str], listed: Collection[str]) -> Iterable[Problem]:
    for name in names:
        if name not in listed:
            yield Problem(f"clients.{name}", "is not in the roster; declare it there")
