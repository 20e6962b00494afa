"""Check the domains, maps and restriction lists of a host together."""

from collections.abc import Iterator
from typing import Final

from postfix.domain_checks import problems_of_domains
from postfix.host import HostDeclaration
from postfix.lookup_checks import problems_of_map
from postfix.master_cf import BASE_SERVICES
from postfix.restriction_checks import problems_of_restrictions
from postseal_core.errors import Problem

__all__ = ["delivery_services", "problems_of_receiving"]

_DELIVERING: Final = frozenset({"discard", "error", "lmtp", "local", "smtp", "virtual"})
_TRANSPORTS: Final = "transport_maps"


def delivery_services(host: HostDeclaration) -> frozenset[str]:
    """Return the services of master.cf that rows may name: Postfix's own that deliver mail, and the transports."""
    own = {each.name for each in BASE_SERVICES if each.type == "unix" and each.command in _DELIVERING}
    return frozenset(own | {each.name for each in host.transports})


def problems_of_receiving(host: HostDeclaration) -> Iterator[Problem]:
    """Find everything that is wrong with the domains, maps and restrictions of a host, by their place in it."""
    services = delivery_services(host)
    yield from problems_of_domains(host)
    for parameter, tables in host.maps.declared():
        for index, table in enumerate(tables):
            path = f"maps.{parameter}[{index}]"
            yield from (problem.below(path) for problem in problems_of_map(parameter, table, services))
    yield from _repeated_transports(host)
    yield from problems_of_restrictions(host, services)


def _repeated_transports(host: HostDeclaration) -> Iterator[Problem]:
    taken = {destination: each.name for each in host.transports for destination in each.destinations}
    for index, table in enumerate(host.maps.transport_maps or ()):
        for key in table.rows:
            if key in taken:
                message = f"transport {taken[key]} takes this destination already; leave it out in one of the two"
                yield Problem(f"maps.{_TRANSPORTS}[{index}].rows.{key}", message)
