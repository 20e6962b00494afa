"""A host that receives mail and admits clients by certificate."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pulumi

from pki.components.authority import CertificateAuthority
from pki.components.roster import ClientRoster
from postfix.components.admission import Admission
from postfix.components.certificates import (
    HostCertificate,
    RelayingClient,
    TrustedRoot,
    by_name,
    problems_of_one_name,
    roots_behind,
)
from postfix.components.declared_host import DeclaredHost, sending_side
from postfix.components.host import PostfixHost
from postfix.components.reading import HostArguments
from postfix.host import HostDeclaration, OnHost, ServerSide
from postfix.receiving import Domains, Maps, Restrictions
from postfix.settings import ClientSettings, ServerSettings, Submission, SubmissionName
from postfix.tables import TableType
from postfix.target import HostTarget

__all__ = ["MailServer"]


class MailServer(PostfixHost):
    """A host that receives mail and lets the listed clients relay, and nobody else by certificate.

        postfix.MailServer("mx1", myhostname="mx1.example.org", certificate=mx1, relay_clients=[alice],
                           target=postfix.Directory("out/mx1/postfix"))

    Its attributes are those of a `PostfixHost`.

    Args:
        name: Name of the resource.
        myhostname: The full host name (postconf(5)); the certificate must hold it, or `public_names`.
        certificate: What it serves; of several one for each kind of key, as RSA beside ECDSA. `OnHost` leaves a
            certificate alone that is on the host already and renewed there.
        target: Where to: `Directory` or `Local`.
        public_names: The host names that clients connect to, where they are others than `myhostname`, as of several
            nodes behind one name; each certificate must hold all of them. Default: `myhostname`.
        relay_clients: Single clients that may relay; a server only if it is `also_client`. Default: none.
        relay_rosters: Rosters all of whose clients may relay. Default: none.
        extra_relay_clients: Certificates from elsewhere that may relay, by name: each in PEM, or its SHA-256
            fingerprint, 32 hex pairs with or without colons. Default: none.
        submission: Services for mail programs, as `{"submission": Submission(sasl=True)}`: `submission` listens on port
            587, `submissions` on 465. Default: none.
        submission_clients: Who may submit there by certificate, by service, as
            `{"submission": Admission(clients=[alice])}`; those who may relay at port 25 may not submit by that.
            Default: nobody.
        settings: TLS of the receiving side. Default: `ServerSettings()`, safe to leave alone.
        relay_through: How it sends. Default: none, the sending side is not rendered.
        relay_certificate: The client certificate that it presents when it sends; needs `relay_through`. Default: none.
        trust: Authorities that are trusted, ours or others'. Default: the roots behind clients and rosters.
        domains: For which domains it receives mail. Default: as the host has them.
        maps: What it looks up about addresses, aliases for one. Default: as the host has them.
        restrictions: Restriction lists beside who may relay, which `settings` say. Default: as the host has them.
        parameters: Further parameters of main.cf by name, as text (postconf(5)). One that is unknown or obsolete, or
            that another argument says, is refused, and so is one that decides who relays, what is run or whose files
            are used. Tables that they name are listed in previews under `unknown_tables`. Default: none.
        unchecked: Names in `parameters` that are taken all the same, with any value; previews list them. Default: none.
        accept: What a change may do to a running Postfix beside what is declared, and is refused otherwise: by
            `strangers_gain`, `listed_refused`, `tls_weaker`, `service_lost`, `value_follows` or `taken_away`, the
            services of master.cf or parameters where it may happen. Default: nothing.
        table_type: Type of the lookup tables: `texthash` works everywhere and needs a reload after a change; `hash`,
            `lmdb`, `cdb` and `btree` are compiled with postmap(1). Default: `texthash`.
        opts: Options of Pulumi. Default: none.

    Raises:
        ConfigError: everything that is wrong with the host, before anything is registered.
    """

    resource_type = "MailServer"

    def __init__(
        self,
        name: str,
        *,
        myhostname: str,
        certificate: HostCertificate | Sequence[HostCertificate] | OnHost,
        target: HostTarget,
        public_names: list[str] | tuple[str, ...] = (),
        relay_clients: Sequence[RelayingClient] = (),
        relay_rosters: Sequence[ClientRoster] = (),
        extra_relay_clients: Mapping[str, str] | None = None,
        submission: Mapping[SubmissionName, Submission] | None = None,
        submission_clients: Mapping[SubmissionName, Admission] | None = None,
        settings: ServerSettings | None = None,
        relay_through: ClientSettings | None = None,
        relay_certificate: HostCertificate | None = None,
        trust: Sequence[CertificateAuthority | TrustedRoot] | None = None,
        domains: Domains | None = None,
        maps: Maps | None = None,
        restrictions: Restrictions | None = None,
        parameters: Mapping[str, str] | None = None,
        unchecked: Sequence[str] = (),
        accept: Mapping[str, Sequence[str]] | None = None,
        table_type: TableType = "texthash",
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        arguments = HostArguments("hosts", name, opts)
        served = arguments.served(certificate)
        arguments.expect_each("public_names", public_names, str, "a host name, as mx.example.org")
        arguments.expect_certificate("relay_certificate", relay_certificate, is_needed=False)
        arguments.expect_target(target)
        arguments.expect_admitted(relay_clients, relay_rosters)
        arguments.expect_trust(() if trust is None else trust)
        arguments.expect_submission(submission)
        arguments.expect_admissions(submission_clients)
        extra = arguments.foreign_clients(extra_relay_clients)
        own = arguments.record("settings", settings, ServerSettings, "postfix.ServerSettings(...)") or ServerSettings()
        sending = arguments.record("relay_through", relay_through, ClientSettings, "postfix.ClientSettings(...)")
        arguments.expect_receiving(domains, maps, restrictions)
        arguments.expect_each("unchecked", unchecked, str, "the name of a parameter")
        accepted = arguments.accepted(accept)
        arguments.refuse()
        arguments.add(problems_of_one_name([*served, relay_certificate]))
        submitting = submission_clients or {}
        admitted = [who for each in submitting.values() for who in (*each.clients, *each.rosters)]
        trusted = roots_behind([*relay_clients, *relay_rosters, *admitted]) if trust is None else list(trust)
        admits = own.relay.client_certificates and bool(relay_clients or relay_rosters or extra)
        receiving = replace(
            own, relay=replace(own.relay, client_certificates=admits), ca_file=own.ca_file and bool(trusted)
        )
        declaration = HostDeclaration(
            name=name,
            myhostname=myhostname,
            server=ServerSide(
                receiving,
                tuple(each.name for each in served),
                on_host=certificate if isinstance(certificate, OnHost) else None,
                public_names=tuple(public_names),
                submission={
                    name: replace(each, client_certificates=each.client_certificates and bool(submitting.get(name)))
                    for name, each in (submission or {}).items()
                },
            ),
            client=sending_side(sending, relay_certificate, has_roots=bool(trusted)) if sending else None,
            domains=domains or Domains(),
            maps=maps or Maps(),
            restrictions=restrictions or Restrictions(),
            parameters={} if parameters is None else parameters,
            unchecked=tuple(unchecked),
            ownership=target.ownership,
            table_type=table_type,
            accept=accepted,
        )
        host = DeclaredHost(
            checked=arguments.checked(declaration),
            target=target,
            certificates=by_name([*served, relay_certificate]),
            relay_clients=relay_clients,
            relay_rosters=relay_rosters,
            extra_relay_clients=extra,
            trust=trusted,
            submission_clients=submitting,
        )
        self._declare(name, host, arguments, opts)
