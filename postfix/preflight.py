"""All checks of a host's declaration that need no certificate and no host.

`postfix check` accepts nearly all of it; Postfix then dies, turns TLS off or denies everybody, often without a word.
"""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from types import MappingProxyType

from postfix.destination_policies import problems_of_attribute_values
from postfix.effective.acceptance import problems_of_accept
from postfix.host import HostDeclaration, Ownership
from postfix.host_checks import problems_of_declaration
from postfix.lines import BLANKS
from postfix.list_items import split_list
from postfix.master_cf import problems_of_services
from postfix.parameter_checks import problems_of_parameters, problems_of_text
from postfix.parameter_use import problems_of_unchecked, problems_of_use
from postfix.parameters import parameter_named
from postfix.receiving_checks import problems_of_receiving
from postfix.receiving_rendering import place_of
from postfix.rendering import (
    CLIENT_TABLE,
    render_parameters,
    render_services_of,
    sending_tables,
    typed_parameters,
)
from postfix.routing_checks import problems_of_routing
from postfix.sending_checks import problems_of_sending
from postfix.tables import TABLE_TYPES, problems_of_rows
from postseal_core.errors import Problem
from postseal_core.wording import shown

__all__ = ["CheckedHost", "checked_host", "problems_of_host"]

_SIDES = MappingProxyType({"smtpd": "server", "smtp": "client", "relayhost": "client"})


def _agrees(name: str, typed: str, free: str) -> bool:
    """Return whether a free-form value agrees with the typed one; a list of tables may hold more tables.

    In `relay_clientcerts` only tables that list fingerprints: `static:x` or a pattern would let anybody relay who has
    any certificate at all.
    """
    tables = split_list(free)
    if name == CLIENT_TABLE and not all(table.partition(":")[0] in TABLE_TYPES for table in tables):
        return False
    if name.endswith("_maps") or name == CLIENT_TABLE:
        return set(split_list(typed)) <= set(tables)
    return _words(typed) == _words(free)


def _words(text: str) -> list[str]:
    """Split a text at the blanks that Postfix knows: any other is a part of a word, with which nothing works."""
    return [word for word in re.split(f"[{BLANKS}\n]+", text) if word]


def _decided_by(name: str) -> str:
    parameter = parameter_named(name)
    if parameter and parameter.key:
        return f"this host's {parameter.key} decides it; leave it out here and declare it there"
    return "other settings of this host make that; leave it out here"


def _contradictions(host: HostDeclaration) -> list[Problem]:
    typed = typed_parameters(host)
    return [
        Problem(f"parameters.{name}", f"{shown(value)} contradicts {shown(typed[name])}: {_decided_by(name)}")
        for name, value in host.parameters.items()
        if name in typed and not _agrees(name, typed[name], value)
    ]


def _use(host: HostDeclaration) -> Iterator[Problem]:
    """Report free-form parameters that may not be set that way; one equal to its typed setting may."""
    typed = typed_parameters(host)
    services = {each.name for each in render_services_of(host)} if host.ownership is Ownership.WHOLE else None
    broken = {problem.path for problem in problems_of_text(host.parameters)}
    free = [
        name
        for name, value in host.parameters.items()
        if name not in broken and not (name in typed and _words(value) == _words(typed[name]))
    ]
    used = problems_of_use(free, unchecked=host.unchecked, services=services)
    yield from (problem.below("parameters") for problem in used)
    yield from (problem.below("unchecked") for problem in problems_of_unchecked(host.parameters, host.unchecked))


def _place(host: HostDeclaration, parameter: str) -> str:
    """Return the path in the declaration that sets a parameter."""
    if parameter in host.parameters:
        return f"parameters.{parameter}"
    if parameter == "smtpd_tls_chain_files" and host.server and host.server.on_host:
        return "server.on_host.chain_files"
    place = place_of(host, parameter)
    side = _SIDES.get(parameter.partition("_")[0])
    return place or (f"{side}.{parameter}" if side else parameter)


def _problems_of_rendered(host: HostDeclaration) -> list[Problem]:
    version = host.postfix_version
    parameters = [
        Problem(_place(host, problem.path), problem.message)
        for problem in problems_of_parameters(
            render_parameters(host), postfix_version=version, unchecked=host.unchecked
        )
    ]
    services = render_services_of(host)
    options = [
        problem.below(service.name)
        for service in services
        for problem in problems_of_parameters(dict(service.options), postfix_version=version)
    ]
    transports = [problem.below("client.transports") for problem in [*problems_of_services(services), *options]]
    attributes = [
        problem.below(f"client.policies.{policy.destination}")
        for policy in (host.client.settings.policies if host.client else ())
        for problem in problems_of_attribute_values(policy, version)
    ]
    rows = [problem.below(name) for name, each in sending_tables(host).items() for problem in problems_of_rows(each)]
    return [*parameters, *transports, *attributes, *rows]


def problems_of_host(host: HostDeclaration) -> list[Problem]:
    """Return everything that is wrong with a host's declaration, before any certificate is there.

    Checked: names, typed settings, what they render to as Postfix parameters, free-form parameters that contradict
    them or need a key of their own, services and tables. Not checked: what certificates hold; see
    `problems_of_content`.
    """
    problems = [*problems_of_declaration(host), *problems_of_receiving(host), *_contradictions(host)]
    problems += problems_of_sending(host)
    contradicted = {problem.path for problem in problems}
    problems += [problem for problem in _use(host) if problem.path not in contradicted]
    problems += [problem.below("accept") for problem in problems_of_accept(host.accept, render_parameters(host))]
    told = {problem.path for problem in problems}
    problems += [problem for problem in problems_of_routing(host) if problem.path not in told]
    told = {problem.path for problem in problems}
    return problems + [problem for problem in _problems_of_rendered(host) if not _is_told(problem.path, told)]


def _is_told(path: str, told: Collection[str]) -> bool:
    """Return whether a problem was already reported at a path or below it.

    A table that is wrong would make each list that it is used in wrong, too.
    """
    if path.startswith("restrictions.") and any(each.startswith("restrictions.tables.") for each in told):
        return True
    return any(each == path or each.startswith((f"{path}.", f"{path}[")) for each in told)


@dataclass(frozen=True, slots=True)
class CheckedHost:
    """A host's declaration with its problems, as `checked_host` found them.

    Checking one host takes longer than everything else that a program does for it.

    Args:
        declaration: The declaration.
        problems: Everything that is wrong with it; empty where nothing is.
    """

    declaration: HostDeclaration
    problems: tuple[Problem, ...]


def checked_host(host: HostDeclaration) -> CheckedHost:
    """Return a host's declaration with everything that is wrong with it, before any certificate is there.

    Args:
        host: The declaration.
    """
    return CheckedHost(host, tuple(problems_of_host(host)))
