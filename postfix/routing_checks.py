"""Check the services of master.cf that settings name: what they run is known of a host's own services only."""

from collections.abc import Iterator, Mapping

from postfix.access_actions import nearest_service
from postfix.host import HostDeclaration, Ownership
from postfix.lines import BLANKS
from postfix.master_cf import BASE_SERVICES
from postfix.named_services import transports_named
from postfix.next_hops import faults_of_transport, split_transport
from postfix.parameters import parameter_named
from postfix.receiving_checks import delivery_services
from postfix.references import filled_in
from postfix.rendering import render_parameters
from postseal_core.errors import Problem

__all__ = ["problems_of_routing", "services_of_others"]


def problems_of_routing(host: HostDeclaration) -> Iterator[Problem]:
    """Report services that a whole host does not have, and next hops that are none, below `parameters`."""
    is_whole = host.ownership is Ownership.WHOLE
    for name, transports in _transports(host):
        faults = [fault for each in transports for fault in faults_of_transport(each)]
        yield from (Problem(f"parameters.{name}", fault) for fault in faults)
        known = _known(host, name)
        for service in _services(transports) if is_whole and not faults else ():
            if service not in known:
                yield Problem(f"parameters.{name}", f"service {nearest_service(service, known)}")


def services_of_others(host: HostDeclaration) -> Iterator[tuple[str, str]]:
    """Yield notes on parameters that name services of a master.cf which is not ours alone."""
    if host.ownership is Ownership.WHOLE:
        return
    for name, transports in _transports(host):
        strange = [each for each in _services(transports) if each not in _known(host, name)]
        if strange:
            services = f"service{'s' if strange[1:] else ''} {', '.join(strange)}"
            yield name, f"names {services} of the host's own master.cf, and nobody has checked it"


def _transports(host: HostDeclaration) -> Iterator[tuple[str, list[str]]]:
    """Yield each parameter that is set by name, with the transports that it names."""
    others = _checked(host)
    for name in host.parameters:
        parameter = parameter_named(name)
        value = filled_in(others[name], others) if name in others else None
        if parameter and value and parameter.kind == "service":
            yield name, [value]
        elif parameter and value:
            yield name, list(transports_named(parameter.kind, value))


def _checked(host: HostDeclaration) -> Mapping[str, str]:
    return {name: value.strip(BLANKS) for name, value in render_parameters(host).items() if name not in host.unchecked}


def _services(transports: list[str]) -> list[str]:
    found = dict.fromkeys(split_transport(each)[0] for each in transports)
    return [service for service in found if service]


def _known(host: HostDeclaration, name: str) -> frozenset[str]:
    parameter = parameter_named(name)
    if parameter and parameter.kind == "service":
        return frozenset(each.name for each in BASE_SERVICES)
    return delivery_services(host)
