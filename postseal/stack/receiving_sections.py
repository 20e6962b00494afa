"""The keys of a receiving host in the stack file: domains, maps and restriction lists.

The keys are those of `Domains`, `Maps` and `Restrictions` in postfix/receiving.py.
"""

from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, Field, StrictStr

from postfix.receiving import DomainList, Domains, LookupTable, Maps, Restrictions
from postseal.stack.words import Text, Texts
from postseal_core.errors import Problem
from postseal_core.reading import Section

__all__ = [
    "DomainsSection",
    "MapsSection",
    "RestrictionsSection",
    "as_written",
    "domains_of",
    "maps_of",
    "restrictions_of",
]

_OF_TABLE: Final = frozenset({"table_type", "rows", "unknown_table"})


class TableSection(Section):
    """A lookup table: its rows, or the name of one that the host has already."""

    table_type: Text = ""
    rows: Mapping[str, StrictStr] = Field(default_factory=dict)
    unknown_table: Text = ""


class DomainListSection(Section):
    """Domains by name and by table."""

    names: Texts = ()
    tables: tuple[TableSection, ...] = ()


def _domain_list(value: Any) -> Any:
    """Return a list of names, or a table alone, as the section that it stands for."""
    if isinstance(value, list | tuple):
        return {"names": value}
    return {"tables": [value]} if _is_table(value) else value


def _is_table(value: Any) -> bool:
    return isinstance(value, Mapping) and bool(value) and value.keys() <= _OF_TABLE


def _tables(value: Any) -> Any:
    """Return a table alone as a list of one."""
    return [value] if isinstance(value, Mapping) else value


_DomainList = Annotated[DomainListSection | None, BeforeValidator(_domain_list)]
_Tables = Annotated[tuple[TableSection, ...] | None, BeforeValidator(_tables)]


class DomainsSection(Section):
    """For which domains the host receives mail."""

    mydestination: _DomainList = None
    relay_domains: _DomainList = None
    virtual_alias_domains: _DomainList = None
    virtual_mailbox_domains: _DomainList = None


class MapsSection(Section):
    """Lookup maps for addresses."""

    alias_maps: _Tables = None
    local_recipient_maps: _Tables = None
    relay_recipient_maps: _Tables = None
    virtual_alias_maps: _Tables = None
    virtual_mailbox_maps: _Tables = None
    canonical_maps: _Tables = None
    sender_canonical_maps: _Tables = None
    recipient_canonical_maps: _Tables = None
    relocated_maps: _Tables = None
    transport_maps: _Tables = None
    sender_dependent_relayhost_maps: _Tables = None
    sender_dependent_default_transport_maps: _Tables = None
    sender_bcc_maps: _Tables = None
    recipient_bcc_maps: _Tables = None
    smtpd_sender_login_maps: _Tables = None


class RestrictionsSection(Section):
    """Restriction lists, with classes and tables by names of their own."""

    smtpd_client_restrictions: Texts | None = None
    smtpd_helo_restrictions: Texts | None = None
    smtpd_sender_restrictions: Texts | None = None
    smtpd_recipient_restrictions: Texts | None = None
    smtpd_data_restrictions: Texts | None = None
    smtpd_end_of_data_restrictions: Texts | None = None
    smtpd_etrn_restrictions: Texts | None = None
    classes: Mapping[str, Texts] = Field(default_factory=dict)
    tables: Mapping[str, TableSection] = Field(default_factory=dict)


def as_written(problem: Problem, hosts: object) -> Problem:
    """Return a problem of a host with the paths of the short forms that somebody wrote.

    `hosts`: the section of all hosts, before it was read.
    """
    section, _, rest = problem.path.partition(".")
    host = hosts.get(rest.partition(".")[0]) if section == "hosts" and isinstance(hosts, Mapping) else None
    path, message = problem.path, problem.message
    for long, short in _short_forms(host) if isinstance(host, Mapping) else ():
        path, message = path.replace(long, short), message.replace(long, short)
    return Problem(path, message)


def _short_forms(host: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the path of each long form for which a host has the short one, and the path of that."""
    for parameter, value in _mapping(host.get("domains")).items():
        short = f"domains.{parameter}"
        if isinstance(value, list | tuple):
            yield f"{short}.names[", f"{short}["
        elif _is_table(value):
            yield f"{short}.tables[0]", short
    for parameter, value in _mapping(host.get("maps")).items():
        if isinstance(value, Mapping):
            yield f"maps.{parameter}[0]", f"maps.{parameter}"


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def domains_of(section: DomainsSection | None) -> Domains:
    """Return the declared domains."""
    return Domains(**{name: _names(each) for name, each in _said(section, Domains)})


def maps_of(section: MapsSection | None) -> Maps:
    """Return the declared maps."""
    return Maps(**{name: tuple(map(_table, each)) for name, each in _said(section, Maps)})


def restrictions_of(section: RestrictionsSection | None) -> Restrictions:
    """Return the declared restriction lists."""
    tables = {name: _table(each) for name, each in section.tables.items()} if section else {}
    return Restrictions(**{**dict(_said(section, Restrictions)), "tables": tables})


def _said(section: Section | None, kind: type[Domains | Maps | Restrictions]) -> list[tuple[str, Any]]:
    values = [(each.name, getattr(section, each.name, None)) for each in fields(kind)]
    return [(name, value) for name, value in values if value is not None]


def _names(section: DomainListSection) -> DomainList:
    return DomainList(section.names, tuple(map(_table, section.tables)))


def _table(section: TableSection) -> LookupTable:
    # Which words are right is checked with the whole host.
    table_type: Any = section.table_type or None
    return LookupTable(section.rows, table_type, section.unknown_table)
