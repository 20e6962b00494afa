"""All checks of a host's declaration that need no certificate and no host.

`postfix check` accepts nearly all of it; Postfix then dies, turns TLS off or denies everybody, often without a word.
"""

from dataclasses import dataclass
from types import MappingProxyType

from postfix.host import TABLE_TYPES, HostDeclaration, problems_of_declaration
from postfix.master_cf import problems_of_services
from postfix.parameters import problems_of_parameters
from postfix.rendering import (
    CLIENT_TABLE,
    render_parameters,
    render_services_of,
    setting_tables,
    typed_parameters,
)
from postfix.tables import problems_of_rows
from postfix.values import split_list
from postseal_core.errors import Problem

__all__ = ["CheckedHost", "checked_host", "problems_of_host"]

_SIDES = MappingProxyType({"smtpd": "server", "smtp": "client", "relayhost": "client"})


def _agrees(name: str, typed: str, free: str) -> bool:
    """Return whether a free-form value contradicts nothing typed; a list of tables may have more of them.

    In `relay_clientcerts` only tables that list fingerprints: `static:x` or a pattern would let anybody relay who has
    any certificate at all.
    """
    tables = split_list(free)
    if name == CLIENT_TABLE and not all(table.partition(":")[0] in TABLE_TYPES for table in tables):
        return False
    if name.endswith("_maps") or name == CLIENT_TABLE:
        return set(split_list(typed)) <= set(tables)
    return typed.split() == free.split()


def _contradictions(host: HostDeclaration) -> list[Problem]:
    typed = typed_parameters(host)
    return [
        Problem(
            f"parameters.{name}",
            f"{value!r} contradicts {typed[name]!r}, which other settings of this host make; leave it out here",
        )
        for name, value in host.parameters.items()
        if name in typed and not _agrees(name, typed[name], value)
    ]


def _place(host: HostDeclaration, parameter: str) -> str:
    """Return the path in the declaration that sets a parameter."""
    if parameter in host.parameters:
        return f"parameters.{parameter}"
    side = _SIDES.get(parameter.partition("_")[0])
    return f"{side}.{parameter}" if side else parameter


def _problems_of_rendered(host: HostDeclaration) -> list[Problem]:
    version = host.postfix_version
    parameters = [
        Problem(_place(host, problem.path), problem.message)
        for problem in problems_of_parameters(render_parameters(host), postfix_version=version)
    ]
    services = render_services_of(host)
    options = [
        problem.below(service.name)
        for service in services
        for problem in problems_of_parameters(dict(service.options), postfix_version=version)
    ]
    transports = [problem.below("client.transports") for problem in [*problems_of_services(services), *options]]
    rows = [problem.below(name) for name, each in setting_tables(host).items() for problem in problems_of_rows(each)]
    return [*parameters, *transports, *rows]


def problems_of_host(host: HostDeclaration) -> list[Problem]:
    """Return everything that is wrong with a host's declaration, before any certificate is there.

    Checked: names, typed settings, what they render to as Postfix parameters, free-form parameters that contradict
    them, services and tables. Not checked: what certificates hold; see `problems_of_content`.
    """
    problems = [*problems_of_declaration(host), *_contradictions(host)]
    told = {problem.path for problem in problems}
    return problems + [problem for problem in _problems_of_rendered(host) if problem.path not in told]


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
