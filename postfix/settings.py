"""Typed TLS settings of a Postfix host, with safe defaults.

Field names that are parameters of postconf(5) mean the same here; `postfix.rendering` makes files and tables of them,
and `postfix.settings_checks` finds what contradicts itself.
"""

from dataclasses import dataclass
from typing import Any, Final, Literal, get_args

from postfix.next_hops import next_hops_of

__all__ = [
    "CLIENT_LEVELS",
    "SERVER_LEVELS",
    "ClientLevel",
    "ClientSettings",
    "DestinationPolicy",
    "LogLevel",
    "RelayPolicy",
    "ServerLevel",
    "ServerSettings",
    "Submission",
    "SubmissionName",
    "Transport",
    "loglevel_text",
]

ServerLevel = Literal["may", "encrypt"]
"""Security levels of smtpd(8) that serve TLS: offer it, or insist on it (smtpd_tls_security_level in postconf(5))."""

ClientLevel = Literal["none", "may", "encrypt", "dane", "dane-only", "fingerprint", "verify", "secure"]
"""Security levels of smtp(8), from no TLS at all to a verified name (smtp_tls_security_level in postconf(5))."""

SubmissionName = Literal["submission", "submissions"]
"""Services for mail programs: port 587, where TLS begins with STARTTLS, and 465, where it begins at once (RFC 8314)."""

LogLevel = int | tuple[str, ...]
"""What Postfix logs of TLS: a level from 0 to 4, or flags such as `("1", "peercert")`, which are added up."""

SERVER_LEVELS: Final[tuple[Any, ...]] = get_args(ServerLevel)
CLIENT_LEVELS: Final[tuple[Any, ...]] = get_args(ClientLevel)
_LOOPBACK: Final = ("127.0.0.0/8", "[::1]/128")


def loglevel_text(level: LogLevel) -> str:
    """Return a level or flags as main.cf has them."""
    return ",".join(level) if isinstance(level, tuple) else str(level)


@dataclass(frozen=True, slots=True)
class RelayPolicy:
    """Who may relay through a server; everybody else may only write to the server's own domains.

        postfix.RelayPolicy(networks=("192.0.2.0/24", "[2001:db8::]/48"))

    Becomes smtpd_relay_restrictions of postconf(5), which ends with reject_unauth_destination in any case.

    Args:
        client_certificates: Clients relay whose fingerprint is in the table relay_clientcerts, whether or not their
            certificate is trusted (permit_tls_clientcerts). Default: true.
        sasl: Users relay who log in, over TLS only (permit_sasl_authenticated). Default: false.
        networks: Networks whose hosts relay without any proof (mynetworks in postconf(5)), as `192.0.2.0/24` and
            `[2001:db8::]/48`. Private space is taken at any width, public space up to a /24 (IPv6: /48), neighbours
            counted together. Default: this machine, 127.0.0.0/8 and [::1]/128; empty: nobody.
        wide_networks: Public networks of yours that are wider than that and relay as well, up to a /8 (IPv6: /19) in
            all. Default: none.
        restrict_recipients: Write the same list to smtpd_recipient_restrictions as well, for a host whose own list
            there would refuse the clients. Default: false.
    """

    client_certificates: bool = True
    sasl: bool = False
    networks: tuple[str, ...] = _LOOPBACK
    restrict_recipients: bool = False
    wide_networks: tuple[str, ...] = ()

    @property
    def mynetworks(self) -> tuple[str, ...]:
        """All networks whose hosts relay without authentication."""
        return self.networks + self.wide_networks

    @property
    def restrictions(self) -> tuple[str, ...]:
        """The restrictions in the order Postfix tries them; the last one refuses, so nobody relays by accident."""
        permits = (
            (bool(self.mynetworks), "permit_mynetworks"),
            (self.sasl, "permit_sasl_authenticated"),
            (self.client_certificates, "permit_tls_clientcerts"),
            (True, "reject_unauth_destination"),
        )
        return tuple(restriction for is_wanted, restriction in permits if is_wanted)


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """TLS of the receiving side, smtpd(8).

        postfix.ServerSettings(smtpd_tls_security_level="encrypt", relay=postfix.RelayPolicy(networks=()))

    A field called like a parameter of postconf(5) is that parameter. Settings that contradict each other are refused by
    the host that gets them.

    Args:
        smtpd_tls_security_level: `may` offers TLS, which mail from the Internet needs; `encrypt` insists on it.
            Default: `may`.
        smtpd_tls_ask_ccert: Ask clients for a certificate. Default: where client certificates may relay.
        smtpd_tls_req_ccert: Refuse clients without a trusted certificate; needs level `encrypt` and trusted roots.
            Default: false.
        smtpd_tls_protocols: Versions of TLS; written to smtpd_tls_mandatory_protocols as well, since Postfix reads one
            of the two at `may` and the other one at `encrypt`. Default: `>=TLSv1.2`.
        smtpd_tls_received_header: Write protocol, cipher and the client's name into Received headers. Default: true.
        smtpd_tls_loglevel: How much Postfix logs about TLS, 0 to 4; above 1 only while you look for a mistake. Or a
            list of flags: `("1", "peercert")` adds a line for each certificate that a client presents, which
            `postseal seen` reads. Default: 1.
        smtpd_tls_session_cache_database: `btree:` or `lmdb:` and a path. Default: empty, clients keep session tickets.
        ca_file: Trust the declared roots, in one file (smtpd_tls_CAfile). Default: true.
        ca_path: Trust them in a hashed directory instead (smtpd_tls_CApath), which a chrooted smtpd looks for below
            queue_directory. Default: false. With neither of the two no certificate is trusted, and clients with a
            listed fingerprint relay all the same.
        relay: Who may relay. Default: listed certificates, and this machine.
    """

    smtpd_tls_security_level: ServerLevel = "may"
    smtpd_tls_ask_ccert: bool | None = None
    smtpd_tls_req_ccert: bool = False
    smtpd_tls_protocols: str = ">=TLSv1.2"
    smtpd_tls_received_header: bool = True
    smtpd_tls_loglevel: LogLevel = 1
    smtpd_tls_session_cache_database: str = ""
    ca_file: bool = True
    ca_path: bool = False
    relay: RelayPolicy = RelayPolicy()

    @property
    def asks_for_certificates(self) -> bool:
        """Whether clients are asked for a certificate."""
        return self.relay.client_certificates if self.smtpd_tls_ask_ccert is None else self.smtpd_tls_ask_ccert


@dataclass(frozen=True, slots=True)
class Submission:
    """A service for mail programs: who shows a listed certificate or logs in may write to anybody, and nobody else.

        postfix.Submission(sasl=True)

    It has restriction lists of its own, each complete, so that what is declared for port 25 lets nobody in here and
    keeps nobody out. With `smtpd_sender_login_maps`, who logs in may write in the name of their own addresses only.

    Args:
        client_certificates: Clients may submit whose fingerprint is in the table of this service. Default: true.
        sasl: Users may submit who log in (smtpd_sasl_type and smtpd_sasl_path are settings of the host). Default:
            false.
        needs_both: Only who shows a listed certificate and logs in. Default: false, either of the two is enough.
    """

    client_certificates: bool = True
    sasl: bool = False
    needs_both: bool = False

    @property
    def client_restrictions(self) -> tuple[str, ...]:
        """What a client has to show before anything else; empty where it may log in instead."""
        return ("permit_tls_clientcerts", "reject") if self.needs_both else ()

    @property
    def restrictions(self) -> tuple[str, ...]:
        """The restrictions for each recipient, in the order Postfix tries them; the last one refuses."""
        permits = (
            (self.sasl, "permit_sasl_authenticated"),
            (self.client_certificates and not self.needs_both, "permit_tls_clientcerts"),
            (True, "reject"),
        )
        return tuple(restriction for is_wanted, restriction in permits if is_wanted)


def _begins_with_tls(next_hop: str, *, declared: bool | None) -> bool:
    hops = next_hops_of(next_hop)
    return bool(hops) and all(hop.begins_with_tls for hop in hops) if declared is None else declared


@dataclass(frozen=True, slots=True)
class DestinationPolicy:
    """How mail to one destination is protected: a row of smtp_tls_policy_maps (postconf(5)).

        postfix.DestinationPolicy("example.net", "secure", match=("mx.example.net",))

    Args:
        destination: The next hop exactly as it stands in transport_maps or relayhost, or a recipient's domain.
        level: The security level, as smtp_tls_security_level has it in postconf(5).
        match: At `fingerprint` SHA-256 fingerprints, 32 hex pairs with colons, old and new side by side; at `verify`
            and `secure` names, or `nexthop`, `dot-nexthop`, `hostname`; refused at any other level. Default: empty,
            which leaves it to Postfix (smtp_tls_verify_cert_match, smtp_tls_secure_cert_match).
        protocols: Versions of TLS, as `>=TLSv1.3`, or several with colons between. Default: empty, those of all mail.
        ciphers: Grade of ciphers: `high`, `medium`, `low`, `export` or `null`. Default: empty, that of all mail.
        exclude: Ciphers that are left out, by the names of OpenSSL; without effect in TLS 1.3. Default: none.
        servername: What is sent as SNI: a name, or `hostname` or `nexthop`. Needs Postfix 3.5. Default: empty, none
            (smtp_tls_servername).
        connection_reuse: Use one TLS connection for several mails; needs Postfix 3.4 and a tlsproxy(8) service.
            Default: None, as for all mail (smtp_tls_connection_reuse).
        tafile: Files of the host with certificates to trust here instead of the roots, absolute paths, at `verify` and
            `secure` only; a chrooted smtp(8) looks for them below queue_directory, so they need a service outside.
            Default: none.
    """

    destination: str
    level: ClientLevel
    match: tuple[str, ...] = ()
    protocols: str = ""
    ciphers: str = ""
    exclude: tuple[str, ...] = ()
    servername: str = ""
    connection_reuse: bool | None = None
    tafile: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Transport:
    """A way to send mail to some destinations with a client certificate of its own: a service in master.cf.

        postfix.Transport("to-hub", destinations=("example.net",), next_hop="[mx.example.net]", certificate="mx1")

    A `DestinationPolicy` for the same next hop wins over its level and `match`.

    Args:
        name: Name of the service in master.cf: letters, digits, hyphens and underscores.
        destinations: Keys of transport_maps (transport(5)): `example.org` for a domain, `.example.org` for all below.
        certificate: Name of the certificate that is presented, one that the host has. Default: empty, none.
        smtp_tls_security_level: As in postconf(5). Default: `secure`.
        match: As of a `DestinationPolicy`. Default: empty, what Postfix does at this level.
        next_hop: `[host]:port`, without brackets a domain whose MX hosts are asked. Default: empty, the MX hosts of the
            destination.
        smtp_tls_wrappermode: Begin with TLS at once, without STARTTLS; needs level `encrypt` or stronger. Default:
            None, where the port of `next_hop` is 465.
    """

    name: str
    destinations: tuple[str, ...]
    certificate: str = ""
    smtp_tls_security_level: ClientLevel = "secure"
    match: tuple[str, ...] = ()
    next_hop: str = ""
    smtp_tls_wrappermode: bool | None = None

    @property
    def begins_with_tls(self) -> bool:
        """Whether TLS begins at once."""
        return _begins_with_tls(self.next_hop, declared=self.smtp_tls_wrappermode)


@dataclass(frozen=True, slots=True)
class ClientSettings:
    """TLS of the sending side, smtp(8).

        postfix.ClientSettings(relayhost="[mx1.example.org]:587", smtp_tls_security_level="secure")

    A field called like a parameter of postconf(5) is that parameter. Settings that contradict each other are refused by
    the host that gets them.

    Args:
        smtp_tls_security_level: `none`, `may`, `encrypt`, `dane`, `dane-only`, `fingerprint`, `verify` or `secure`; the
            dane levels need a resolver that validates DNSSEC. Default: `may`.
        smtp_tls_protocols: Versions of TLS; written to smtp_tls_mandatory_protocols as well. Default: `>=TLSv1.2`.
        smtp_tls_loglevel: How much Postfix logs about TLS, 0 to 4, or a list of flags, as of smtpd_tls_loglevel.
            Default: 1.
        smtp_tls_fingerprint_cert_match: SHA-256 fingerprints of the next hop, 32 hex pairs with colons; level
            `fingerprint` needs one. Default: empty.
        ca_file: Trust the declared roots, in one file; levels `verify` and `secure` need roots. Default: true.
        smtp_tls_CAfile: Trust the roots in this file of the host instead, an absolute path. Default: empty.
        relayhost: Where all mail goes that no transport takes: `[host]:port`. Default: empty, the MX hosts.
        smtp_tls_wrappermode: Begin with TLS at once, without STARTTLS, in all mail that no transport takes; needs level
            `encrypt` or stronger. Default: None, where the port of `relayhost` is 465.
        present_server_certificate: Present the server's chain as the client's, too; its certificates must be made for
            both (`also_client`), which is checked. Default: false.
        policies: How mail to single destinations is protected. Default: none.
        transports: Ways of their own for some destinations. Default: none.
    """

    smtp_tls_security_level: ClientLevel = "may"
    smtp_tls_protocols: str = ">=TLSv1.2"
    smtp_tls_loglevel: LogLevel = 1
    smtp_tls_fingerprint_cert_match: tuple[str, ...] = ()
    ca_file: bool = True
    smtp_tls_CAfile: str = ""  # noqa: N815 - the parameter's name
    relayhost: str = ""
    present_server_certificate: bool = False
    policies: tuple[DestinationPolicy, ...] = ()
    transports: tuple[Transport, ...] = ()
    smtp_tls_wrappermode: bool | None = None

    @property
    def begins_with_tls(self) -> bool:
        """Whether TLS begins at once in all mail that no transport takes."""
        return _begins_with_tls(self.relayhost, declared=self.smtp_tls_wrappermode)

    @property
    def levels(self) -> tuple[str, ...]:
        """All security levels in use."""
        others = (
            *(policy.level for policy in self.policies),
            *(each.smtp_tls_security_level for each in self.transports),
        )
        return (self.smtp_tls_security_level, *others)
