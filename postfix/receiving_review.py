"""Notes for the reviewer about valid but risky names, domains, maps and restrictions."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final

from pki.name_syntax import is_host_covered
from postfix.domain_checks import covers_subdomains, expanded_domain
from postfix.host import HostDeclaration
from postfix.networks import public_networks
from postfix.receiving import DOMAINS_BY_DEFAULT
from postfix.receiving_rendering import declared_tables
from postfix.rendering import render_parameters
from postfix.restriction_checks import BEFORE_RELAYING, REASONS, relaying_clients, vocabulary_of
from postfix.restriction_names import Effect
from postfix.restriction_verdicts import Verdict, first_that_may, verdict
from postfix.routing_checks import services_of_others
from postfix.table_review import tables_of_settings, uses_of_tables
from postseal_core.wording import shown

__all__ = ["to_review", "unknown_tables"]

_WAYS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "2bounce_notice_recipient": "reports of bounces that cannot be delivered go to {}",
        "address_verify_sender": "other hosts are asked about recipients in the name of {}",
        "always_bcc": "a copy of all mail goes to {}",
        "bounce_notice_recipient": "copies of bounces, with the header of each mail, go to {}",
        "content_filter": "all mail goes through {}, which may read, change and redirect it",
        "default_transport": "mail to others is handed to {}",
        "delay_notice_recipient": "reports of delayed mail, with its header, go to {}",
        "double_bounce_sender": "reports to postmaster come from {}, and mail to that is thrown away",
        "empty_address_recipient": "bounces of bounces that come back go to {}",
        "error_notice_recipient": "reports of errors, with what the other side said, go to {}",
        "luser_relay": "mail to unknown users goes to {}",
        "non_smtpd_milters": "mail from this machine is shown to {}, which may change and redirect it",
        "relayhost": "mail to others goes through {}",
        "smtp_fallback_relay": "mail that cannot be delivered goes through {}",
        "smtpd_milters": "all mail that comes in is shown to {}, which may change and redirect it",
        "smtpd_proxy_filter": "all mail that comes in goes through {}, which may read, change and redirect it",
    }
)


_BY_DEFAULT: Final = frozenset({"postmaster", "double-bounce", "$double_bounce_sender", "MAILER-DAEMON"})
"""Addresses that Postfix itself has in these parameters, each of whoever keeps the host."""


def unknown_tables(host: HostDeclaration) -> dict[str, str]:
    """Return the tables of the host whose content nobody has checked, by their place in the declaration."""
    declared = {each.path: each.table.unknown_table for each in declared_tables(host) if each.table.unknown_table}
    return declared | {each.path: each.table for each in tables_of_settings(host)}


def to_review(host: HostDeclaration) -> dict[str, str]:
    """Return notes on parts of a declaration that widen or may block mail, by path."""
    opened = (*_names(host), *_public_networks(host), *_subdomains(host), *_deciding_tables(host))
    routed = (*_ways_of_mail(host), *services_of_others(host), *uses_of_tables(host))
    return dict((*opened, *_doubtful_lists(host), *routed))


def _public_networks(host: HostDeclaration) -> Iterator[tuple[str, str]]:
    relay = host.server.settings.relay if host.server else None
    if relay and (networks := public_networks(relay.networks)):
        yield "relay.networks", f"hosts on the Internet relay without any proof: {', '.join(networks)}"


def _ways_of_mail(host: HostDeclaration) -> Iterator[tuple[str, str]]:
    """Note whom mail is handed to, or copied for, by parameters that no other note is about."""
    parameters = render_parameters(host)
    for name, sentence in _WAYS.items():
        value = parameters.get(name)
        if value and value not in _BY_DEFAULT:
            yield name, sentence.format(shown(value))


def _names(host: HostDeclaration) -> Iterator[tuple[str, str]]:
    """Note that clients connect by other names than the host's own, which may be meant or the wrong certificate."""
    if host.server and not is_host_covered(host.myhostname, host.public_names):
        names = ", ".join(host.public_names)
        yield "public_names", f"clients connect to {names}; the certificate is not for myhostname {host.myhostname}"


def _subdomains(host: HostDeclaration) -> Iterator[tuple[str, str]]:
    domains = host.domains.relay_domains
    if domains and covers_subdomains(host):
        names = [expanded_domain(name, host) for name in domains.names]
        names += [key for table in domains.tables for key in table.rows]
        names += ["those in unknown tables"] if any(table.unknown_table for table in domains.tables) else []
        yield "domains.relay_domains", f"mail is also relayed to all names below {', '.join(names) or 'nothing'}"


def _deciding_tables(host: HostDeclaration) -> Iterator[tuple[str, str]]:
    for each in declared_tables(host):
        domains = DOMAINS_BY_DEFAULT.get(each.parameter)
        if domains and each.table.unknown_table and getattr(host.domains, domains) is None:
            yield each.path, f"{each.table.unknown_table} also decides for which domains mail is received"


def _doubtful_lists(host: HostDeclaration) -> Iterator[tuple[str, str]]:
    """Note lists that may refuse clients which the same declaration lets relay."""
    known = vocabulary_of(host, frozenset())
    for name, items in host.restrictions.declared():
        for client in relaying_clients(host) if name in BEFORE_RELAYING else ():
            result = verdict(items, client, known)
            if result is not Verdict.PERMIT:
                index = first_that_may(Effect.REFUSE, items, client, known)
                item = "the list" if index is None else items[index]
                word = "refuses" if result is Verdict.REFUSE else "may refuse"
                yield f"restrictions.{name}.{client}", f"{item} {word} {REASONS[client]}"
