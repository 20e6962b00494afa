"""A Postfix host from a complete declaration; `mail_server` and `relay_client` are the short forms."""

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi

from pki.components.authority import CertificateAuthority
from pki.components.roster import ClientRoster
from postfix.components.admission import Admission
from postfix.components.certificates import (
    HostCertificate,
    RelayingClient,
    TrustedRoot,
    problems_of_certificates,
    problems_of_kinds,
    problems_of_names,
    trust_anchors,
)
from postfix.components.declared_host import (
    DeclaredHost,
    host_args,
    problems_of_admissions,
    summary_of,
    without_waiting,
)
from postfix.components.reading import A_DECLARATION, HostArguments
from postfix.host import HostDeclaration
from postfix.host_resource.records import HostState
from postfix.preflight import CheckedHost
from postfix.settings import SubmissionName
from postfix.tables import ClientRow
from postfix.target import HostTarget
from postseal_core.program import RecordResource
from postseal_core.waiting import Awaiting

__all__ = ["PostfixHost"]


class PostfixHost(RecordResource):
    """One Postfix host, with one side or both, brought to its declared configuration.

        postfix.PostfixHost("mx1", declaration=declaration, target=target, certificates={"mx1": mx1})

    `MailServer` and `RelayClient` are the shorter ways.

    Args:
        name: Name of the resource.
        declaration: What is rendered; one from `checked_host` is not checked again.
        target: Where to: `Directory` or `Local`.
        certificates: For each name in the declaration, the certificate.
        relay_clients: Single clients that may relay; a server only if it is `also_client`. Default: none.
        relay_rosters: Rosters all of whose clients may relay. Default: none.
        extra_relay_clients: Certificates from elsewhere that may relay. Default: none.
        submission_clients: Who may submit by certificate through the services for mail programs that the declaration
            has, by service: `{"submission": Admission(clients=[alice])}`. Default: none.
        trust: Authorities whose clients and servers are trusted, ours or others'. Default: none.
        opts: Options of Pulumi. Default: none.

    Attributes:
        name: Name of the host.
        on_host: What was seen of certificates that the host has by itself (`OnHost`): a mapping with `certificates`,
            each with `kind`, `dns_names`, `not_after` and more, `faults`, `cannot_tell` and `seen_at`. Empty where it
            serves certificates of this program.
        evidence: What the last run that changed the host proved: a mapping with `proven_at`, `servers` (each with
            `address`, `fingerprint_sha256`, `manner` and `reply`), `rehearsal`, `answers`, `tables` and more; see
            `postfix.proving.HostEvidence`. Empty for a plain directory.
        ledger_digest: SHA-256 of who may relay, as `postseal who` says it: 64 hexadecimal digits.
        summary: What a stack says of it in its outputs: `myhostname`, `target`, `certificates`, `relay_clients` and,
            where there are any, `relay_rosters`.

    Raises:
        ConfigError: everything that is wrong with the host, before anything is registered.

    A host waits while one of its certificates does; clients and rosters that wait are left out of its tables.
    """

    resource_type = "PostfixHost"
    state = HostState

    on_host: pulumi.Output[Any]
    evidence: pulumi.Output[Any]
    ledger_digest: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        *,
        declaration: HostDeclaration | CheckedHost,
        target: HostTarget,
        certificates: Mapping[str, HostCertificate],
        relay_clients: Sequence[RelayingClient] = (),
        relay_rosters: Sequence[ClientRoster] = (),
        extra_relay_clients: Sequence[ClientRow] = (),
        submission_clients: Mapping[SubmissionName, Admission] | None = None,
        trust: Sequence[CertificateAuthority | TrustedRoot] = (),
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        arguments = HostArguments("hosts", name, opts)
        arguments.expect("declaration", declaration, (HostDeclaration, CheckedHost), A_DECLARATION)
        arguments.expect_target(target)
        arguments.expect_certificates(certificates)
        arguments.expect_admitted(relay_clients, relay_rosters)
        arguments.expect_rows(extra_relay_clients)
        arguments.expect_admissions(submission_clients)
        arguments.expect_trust(trust)
        arguments.refuse()
        host = DeclaredHost(
            checked=declaration if isinstance(declaration, CheckedHost) else arguments.checked(declaration),
            target=target,
            certificates=certificates,
            relay_clients=relay_clients,
            relay_rosters=relay_rosters,
            extra_relay_clients=extra_relay_clients,
            trust=trust,
            submission_clients=submission_clients or {},
        )
        self._declare(name, host, arguments, opts)

    def _declare(
        self, name: str, host: DeclaredHost, arguments: HostArguments, opts: pulumi.ResourceOptions | None
    ) -> None:
        """Register the host, unless anything is wrong with it."""
        arguments.add(host.checked.problems)
        arguments.add(problems_of_certificates(host.declaration, host.certificates))
        arguments.add(problems_of_kinds(host.declaration, host.certificates))
        arguments.add(problems_of_admissions(host))
        arguments.add(problems_of_names("trust", trust_anchors(host.trust)))
        arguments.refuse()
        awaits = _awaits(host)
        super().__init__(name, Awaiting(awaits) if awaits else host_args(without_waiting(host)), opts)
        self.name, self.summary = name, summary_of(host)


def _awaits(host: DeclaredHost) -> str:
    """Return what a certificate that the host needs waits for; empty where all are there."""
    return next((each.awaits for each in host.certificates.values() if each.awaits), "")
