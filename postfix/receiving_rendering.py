"""Render the domains, maps and restriction lists of a host: parameters of main.cf, and tables."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from postfix.host import HostDeclaration
from postfix.receiving import LookupTable
from postfix.restriction_names import RESTRICTIONS, Argument
from postfix.restriction_steps import steps_of
from postfix.tables import Row

__all__ = ["DeclaredTable", "declared_tables", "place_of", "receiving_parameters", "receiving_tables", "table_types"]

_HERE: Final = "$config_directory/"


@dataclass(frozen=True, slots=True)
class DeclaredTable:
    """A table of a declaration: its place there, the parameter that looks into it, and the file if it is ours."""

    path: str
    parameter: str
    file: str
    table: LookupTable


def declared_tables(host: HostDeclaration) -> tuple[DeclaredTable, ...]:
    """Return all tables that are declared for what a host receives, in the order of the declaration."""
    return (*_of_lists(host), *_of_restrictions(host))


def _of_lists(host: HostDeclaration) -> Iterator[DeclaredTable]:
    for parameter, domains in host.domains.declared():
        yield from _numbered(f"domains.{parameter}.tables", parameter, domains.tables)
    for parameter, tables in host.maps.declared():
        yield from _numbered(f"maps.{parameter}", parameter, tables)


def _numbered(path: str, parameter: str, tables: Sequence[LookupTable]) -> Iterator[DeclaredTable]:
    for index, table in enumerate(tables):
        file = parameter if index == 0 else f"{parameter}-{index + 1}"
        yield DeclaredTable(f"{path}[{index}]", parameter, "" if table.unknown_table else file, table)


def _of_restrictions(host: HostDeclaration) -> Iterator[DeclaredTable]:
    for name, table in host.restrictions.tables.items():
        file = "" if table.unknown_table else f"access-{name}"
        yield DeclaredTable(f"restrictions.tables.{name}", name, file, table)


def receiving_tables(host: HostDeclaration) -> dict[str, list[Row]]:
    """Return the tables that are ours, by file."""
    return {
        each.file: [Row(key, value) for key, value in each.table.rows.items()]
        for each in declared_tables(host)
        if each.file
    }


def table_types(host: HostDeclaration) -> dict[str, str]:
    """Return the type of each table that declares its own, by file."""
    return {each.file: each.table.table_type for each in declared_tables(host) if each.file and each.table.table_type}


def receiving_parameters(host: HostDeclaration) -> dict[str, str]:
    """Return the parameters of main.cf; one declared empty is rendered with an empty value."""
    texts = {each.path: _text(host, each) for each in declared_tables(host)}
    domains = {
        parameter: ", ".join((*each.names, *_below(f"domains.{parameter}.tables[", texts)))
        for parameter, each in host.domains.declared()
    }
    maps = {parameter: ", ".join(_below(f"maps.{parameter}[", texts)) for parameter, _ in host.maps.declared()}
    return {**domains, **maps, **_restriction_parameters(host, texts)}


def place_of(host: HostDeclaration, parameter: str) -> str | None:
    """Return the path in the declaration that sets a parameter; None if it is no domain, map or restriction."""
    restrictions = host.restrictions
    sections: dict[str, Mapping[str, object]] = {
        "domains": dict(host.domains.declared()),
        "maps": dict(host.maps.declared()),
        "restrictions.classes": restrictions.classes,
        "restrictions": dict(restrictions.declared()),
    }
    return next((f"{section}.{parameter}" for section, said in sections.items() if parameter in said), None)


def _text(host: HostDeclaration, each: DeclaredTable) -> str:
    return each.table.unknown_table or f"{each.table.table_type or host.table_type}:{_HERE}{each.file}"


def _below(prefix: str, texts: Mapping[str, str]) -> Iterator[str]:
    return (text for path, text in texts.items() if path.startswith(prefix))


def _restriction_parameters(host: HostDeclaration, texts: Mapping[str, str]) -> dict[str, str]:
    restrictions = host.restrictions
    lists = {**dict(restrictions.declared()), **restrictions.classes}
    rendered = {
        name: ", ".join(_item(item, restrictions.classes, texts) for item in items) for name, items in lists.items()
    }
    classes = {"smtpd_restriction_classes": ", ".join(restrictions.classes)} if restrictions.classes else {}
    return {**classes, **rendered}


def _item(item: str, classes: Mapping[str, object], texts: Mapping[str, str]) -> str:
    words = []
    for step in steps_of([item]):
        restriction = None if step.name in classes else RESTRICTIONS.get(step.restriction)
        is_table = restriction is not None and restriction.argument is Argument.TABLE
        argument = texts.get(f"restrictions.tables.{step.argument}", step.argument) if is_table else step.argument
        words += [step.name, argument] if argument else [step.name]
    return " ".join(words)
