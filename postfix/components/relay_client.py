"""A host that only sends mail and authenticates itself by certificate."""

from collections.abc import Mapping, Sequence

import pulumi

from pki.components.authority import CertificateAuthority
from postfix.components.certificates import HostCertificate, TrustedRoot, by_name, problems_of_one_name
from postfix.components.declared_host import DeclaredHost, sending_side
from postfix.components.host import PostfixHost
from postfix.components.reading import HostArguments
from postfix.host import HostDeclaration
from postfix.receiving import Domains, Maps
from postfix.settings import ClientSettings
from postfix.tables import TableType
from postfix.target import HostTarget

__all__ = ["RelayClient"]


class RelayClient(PostfixHost):
    """A host that only sends, through other hosts, to which it authenticates itself with a client certificate.

        postfix.RelayClient("web1", myhostname="web1.example.org", certificate=web1, trust=[ca], target=target,
                            settings=postfix.ClientSettings(relayhost="[mx1.example.org]:587"))

    Its attributes are those of a `PostfixHost`.

    Args:
        name: Name of the resource.
        myhostname: The full host name (postconf(5)).
        target: Where to: `Directory` or `Local`.
        certificate: The client certificate that it presents. Default: none.
        transport_certificates: Certificates that `settings.transports` name. Default: none.
        settings: TLS of the sending side. Default: `ClientSettings()`.
        trust: Authorities whose servers are trusted, ours or others'. Default: none.
        domains: For which domains it receives mail itself. Default: as the host has them.
        maps: What it looks up about addresses, aliases for one. Default: as the host has them.
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

    resource_type = "RelayClient"

    def __init__(
        self,
        name: str,
        *,
        myhostname: str,
        target: HostTarget,
        certificate: HostCertificate | None = None,
        transport_certificates: Sequence[HostCertificate] = (),
        settings: ClientSettings | None = None,
        trust: Sequence[CertificateAuthority | TrustedRoot] = (),
        domains: Domains | None = None,
        maps: Maps | None = None,
        parameters: Mapping[str, str] | None = None,
        unchecked: Sequence[str] = (),
        accept: Mapping[str, Sequence[str]] | None = None,
        table_type: TableType = "texthash",
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        arguments = HostArguments("hosts", name, opts)
        arguments.expect_certificate("certificate", certificate, is_needed=False)
        arguments.expect_each_certificate("transport_certificates", transport_certificates)
        arguments.expect_target(target)
        arguments.expect_trust(trust)
        own = arguments.record("settings", settings, ClientSettings, "postfix.ClientSettings(...)") or ClientSettings()
        arguments.expect_receiving(domains, maps)
        arguments.expect_each("unchecked", unchecked, str, "the name of a parameter")
        accepted = arguments.accepted(accept)
        arguments.refuse()
        presented = [certificate, *transport_certificates]
        arguments.add(problems_of_one_name(presented))
        declaration = HostDeclaration(
            name=name,
            myhostname=myhostname,
            client=sending_side(own, certificate, has_roots=bool(trust)),
            domains=domains or Domains(),
            maps=maps or Maps(),
            parameters={} if parameters is None else parameters,
            unchecked=tuple(unchecked),
            ownership=target.ownership,
            table_type=table_type,
            accept=accepted,
        )
        host = DeclaredHost(
            checked=arguments.checked(declaration), target=target, certificates=by_name(presented), trust=trust
        )
        self._declare(name, host, arguments, opts)
