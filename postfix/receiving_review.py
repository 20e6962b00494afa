"""Notes for the reviewer about valid but risky domains, maps and restrictions."""

from collections.abc import Iterator

from postfix.domain_checks import covers_subdomains, expanded_domain
from postfix.host import HostDeclaration
from postfix.receiving import DOMAINS_BY_DEFAULT
from postfix.receiving_rendering import declared_tables
from postfix.restriction_checks import BEFORE_RELAYING, REASONS, relaying_clients, vocabulary_of
from postfix.restriction_names import Effect
from postfix.restriction_verdicts import Verdict, first_that_may, verdict
from postfix.routing_checks import services_of_others

__all__ = ["to_review", "unknown_tables"]


def unknown_tables(host: HostDeclaration) -> dict[str, str]:
    """Return the tables of the host whose content nobody has checked, by their place in the declaration."""
    return {each.path: each.table.unknown_table for each in declared_tables(host) if each.table.unknown_table}


def to_review(host: HostDeclaration) -> dict[str, str]:
    """Return notes on parts of a declaration that widen or may block mail, by path."""
    return dict((*_subdomains(host), *_deciding_tables(host), *_doubtful_lists(host), *services_of_others(host)))


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
                item = first_that_may(Effect.REFUSE, items, client, known)
                word = "refuses" if result is Verdict.REFUSE else "may refuse"
                yield f"restrictions.{name}.{client}", f"{item} {word} {REASONS[client]}"
