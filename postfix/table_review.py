"""Name the tables that parameters of a host bring in by name, and what their rows may do."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from postfix.host import HostDeclaration
from postfix.lines import BLANKS
from postfix.named_tables import tables_named
from postfix.parameters import Parameter, ParameterClass, parameter_named
from postfix.references import filled_in
from postfix.rendering import render_parameters, table_texts
from postfix.table_places import OWN_PLACES

__all__ = ["SettingTable", "tables_of_settings", "uses_of_tables"]

_BY_KIND: Final[Mapping[str, str]] = MappingProxyType(
    {
        "address-map-list": "may send or copy mail to other addresses",
        "content-map-list": "may send mail elsewhere, copy it, hand it to a filter, change it or drop it",
        "milter-map-list": "may show mail to other mail filters, or to none",
        "next-hop-map-list": "may send mail through other hosts",
        "sent-content-map-list": "may change mail that is sent",
        "transport-map-list": "may send mail elsewhere, and to any delivery service",
    }
)
_BY_CLASS: Final[Mapping[ParameterClass, str]] = MappingProxyType(
    {
        ParameterClass.ROUTING: "may decide what becomes of mail",
        ParameterClass.TRUST: "may decide about TLS and log-ins",
    }
)


@dataclass(frozen=True, slots=True)
class SettingTable:
    """A table that a parameter names and whose rows nobody has seen; `use`: what they may do, empty for little."""

    path: str
    table: str
    use: str


def tables_of_settings(host: HostDeclaration) -> Iterator[SettingTable]:
    """Yield the tables in parameters that are set by name, without those whose rows are declared.

    Parameters under `unchecked` are left out: previews show those with their whole value.
    """
    own = table_texts(host)
    values = {name: value for name, value in render_parameters(host).items() if name not in host.unchecked}
    others = {name: value for name, value in values.items() if name not in OWN_PLACES}
    for name in host.parameters:
        parameter = parameter_named(name)
        if not parameter or name not in values:
            continue
        value = values[name].strip(BLANKS)
        filled = filled_in(value, others)
        named = tables_named(parameter.kind, parameter.allowed, value if filled is None else filled)
        unknown = (each for each in dict.fromkeys(named) if each not in own)
        yield from (SettingTable(f"{name}[{index}]", each, _use(parameter)) for index, each in enumerate(unknown))


def uses_of_tables(host: HostDeclaration) -> Iterator[tuple[str, str]]:
    """Yield notes on what rows of such tables may do."""
    for each in tables_of_settings(host):
        if each.use:
            yield each.path, f"rows of {each.table} {each.use}, and nobody has checked them"


def _use(parameter: Parameter) -> str:
    return _BY_KIND.get(parameter.kind) or _BY_CLASS.get(parameter.decides, "")
