"""Check the domains that a host receives mail for: none may open a relay to strangers."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from pki.name_syntax import fault_of_host
from postfix.host import HostDeclaration
from postfix.lookup_checks import LISTABLE_TYPES, problems_of_table, type_of_unknown
from postfix.receiving import DOMAINS_BY_DEFAULT, DomainList, LookupTable
from postfix.registries import has_customers_below, is_registry
from postseal_core.errors import Problem
from postseal_core.wording import shown

__all__ = ["covers_subdomains", "expanded_domain", "problems_of_domains"]

_RELAY: Final = "relay_domains"
_LOCAL: Final = "mydestination"
_SUBDOMAINS: Final = "parent_domain_matches_subdomains"
_REFERENCE: Final = re.compile(r"(?P<below>([A-Za-z0-9-]+\.)*)\$(?P<name>myhostname|mydomain|mydestination)", re.ASCII)
_HOME_NETWORK: Final = "home.arpa"


def covers_subdomains(host: HostDeclaration) -> bool:
    """Return whether an entry of relay_domains may stand for all names below it; by default it does."""
    said = host.parameters.get(_SUBDOMAINS)
    return said is None or _RELAY in said.replace(",", " ").split() or "$" in said


def expanded_domain(name: str, host: HostDeclaration) -> str:
    """Return a name with `$myhostname` and `$mydomain` filled in, in lower case."""
    mydomain = host.parameters.get("mydomain") or host.myhostname.partition(".")[2] or "localdomain"
    return name.replace("$mydomain", mydomain).replace("$myhostname", host.myhostname).lower()


@dataclass(frozen=True, slots=True)
class _Rules:
    """The rules for entries of one domain list."""

    parameter: str
    host: HostDeclaration

    def fault_of_name(self, name: str) -> str | None:
        """Say what is wrong with a name as it is written in main.cf."""
        reference = _REFERENCE.fullmatch(name)
        if reference and self._may_refer(reference["name"], is_below=bool(reference["below"])):
            is_list = reference["name"] == _LOCAL
            return None if is_list else self.fault_of_domain(expanded_domain(name, self.host), is_named=False)
        if "$" in name:
            return f"{shown(name)} cannot be judged here; write the domain itself"
        return self.fault_of_domain(name)

    def _may_refer(self, name: str, *, is_below: bool) -> bool:
        if self.parameter == _LOCAL:
            return name == "mydomain" or (name == "myhostname" and not is_below)
        return self.parameter == _RELAY and not is_below and name in ("mydomain", _LOCAL)

    def fault_of_domain(self, name: str, *, is_named: bool = True) -> str | None:
        """Say what is wrong with a domain; `is_named`: whether it is written as it is, not by `$mydomain`."""
        if fault := _fault_of_pattern(name):
            return fault
        if self.parameter == _RELAY and name.startswith(".") and not covers_subdomains(self.host):
            name = name[1:]
        if name.startswith("."):
            return self._fault_of_dot(name)
        if fault := fault_of_host(name):
            return fault
        if "." not in name and not self._is_own_label(name):
            return f"{shown(name)} is one label, which covers a whole top-level domain; name the domains below it"
        return self._fault_of_suffix(name, source="" if is_named else ", which $mydomain stands for,")

    def _fault_of_suffix(self, name: str, *, source: str) -> str | None:
        if "." not in name or name.lower() == _HOME_NETWORK:
            return None
        if is_registry(name):
            return f"{shown(name)}{source} is a registry, under which anybody may have a domain; name the domains below"
        if self.parameter == _RELAY and covers_subdomains(self.host) and has_customers_below(name):
            return (
                f"{shown(name)}{source} has domains of others below it, for which it would stand as well; name the "
                f"domains below, or leave relay_domains out of {_SUBDOMAINS}"
            )
        return None

    def _fault_of_dot(self, name: str) -> str:
        if self.parameter == _RELAY:
            wider = f"write {shown(name[1:])}, which covers all below"
            return f"{shown(name)} matches nothing beside Postfix's {_SUBDOMAINS}; {wider}"
        return f"{shown(name)} matches nothing in {self.parameter}; name each domain"

    def _is_own_label(self, name: str) -> bool:
        own = {"localhost", "localdomain", self.host.myhostname.partition(".")[0].lower()}
        return self.parameter == _LOCAL and name.lower() in own


def _fault_of_pattern(name: str) -> str | None:
    if "*" in name:
        return f"{shown(name)}: there are no wildcards here; name each domain"
    if ":" in name or name.startswith("{"):
        return f"{shown(name)} is a table; declare it under tables, with its rows or as unknown_table"
    if name.startswith(("/", "!")):
        return f"{shown(name)} is a file or an exception, which cannot be judged; name the domains"
    return None


def problems_of_domains(host: HostDeclaration) -> Iterator[Problem]:
    """Find everything that is wrong with the domains of a host, with paths below `domains`."""
    for parameter, domains in host.domains.declared():
        yield from (
            problem.below(f"domains.{parameter}") for problem in _problems_of_list(_Rules(parameter, host), domains)
        )
    yield from _declared_twice(host)
    yield from _problems_of_defaults(host)


def _problems_of_list(rules: _Rules, domains: DomainList) -> Iterator[Problem]:
    for index, name in enumerate(domains.names):
        if fault := rules.fault_of_name(name):
            yield Problem(f"names[{index}]", fault)
    for index, table in enumerate(domains.tables):
        found = [*problems_of_table(table, LISTABLE_TYPES), *_problems_of_keys(rules, table)]
        yield from (problem.below(f"tables[{index}]") for problem in found)


def _problems_of_keys(rules: _Rules, table: LookupTable) -> Iterator[Problem]:
    for key in table.rows:
        fault = "$ means nothing inside a table" if "$" in key else rules.fault_of_domain(key)
        if fault:
            yield Problem(f"rows.{key}", fault)


def _declared_twice(host: HostDeclaration) -> Iterator[Problem]:
    """Find domains in two lists, or twice in one: Postfix warns at every message and takes one of them."""
    seen: dict[str, str] = {}
    for parameter, domains in host.domains.declared():
        names = [(f"names[{index}]", name) for index, name in enumerate(domains.names)]
        names += [
            (f"tables[{index}].rows.{key}", key) for index, table in enumerate(domains.tables) for key in table.rows
        ]
        for place, name in names:
            path = f"domains.{parameter}.{place}"
            domain = expanded_domain(name, host)
            if domain in seen:
                yield Problem(path, f"{shown(name)} is {seen[domain]} already; keep one of the two")
            seen.setdefault(domain, path)


def _problems_of_defaults(host: HostDeclaration) -> Iterator[Problem]:
    """Check maps whose keys, by Postfix's defaults, also declare virtual domains."""
    for parameter, tables in host.maps.declared():
        domains = DOMAINS_BY_DEFAULT.get(parameter)
        if domains is None or getattr(host.domains, domains) is not None:
            continue
        for index, table in enumerate(tables):
            yield from (
                problem.below(f"maps.{parameter}[{index}]") for problem in _problems_of_default(host, domains, table)
            )


def _problems_of_default(host: HostDeclaration, domains: str, table: LookupTable) -> Iterator[Problem]:
    kind = type_of_unknown(table.unknown_table)
    if kind and kind not in LISTABLE_TYPES:
        message = f"a table of type {shown(kind)} would also decide for which domains mail is received"
        yield Problem("unknown_table", f"{message}; declare domains.{domains}")
    for key in (each for each in table.rows if "." in each and "@" not in each):
        if fault := _Rules(domains, host).fault_of_domain(key):
            yield Problem(f"rows.{key}", f"it would be a domain that this host receives for: {fault}")
