"""Tables in files: indexes that are old or open, and types that distributions leave out."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Final

from postfix.audit.findings import Finding, Place
from postfix.audit.host_view import HostView
from postfix.audit.kinds import Kind
from postfix.effective.listeners import values_of_service
from postfix.named_tables import tables_named
from postfix.parameters import known_parameters

__all__ = ["check_indexes", "check_types", "tables_in_use"]

_INDEXED: Final = frozenset({"btree", "cdb", "dbm", "hash", "lmdb", "sdbm"})
_BERKELEY: Final = frozenset({"btree", "hash"})
_TEXTS: Final = frozenset({"texthash"})
_SNI: Final = "tls_server_sni_maps"
_PROXY: Final = "proxy:"
_TOLERANCE_SECONDS: Final = 2.0
_SHOWN: Final = 6
_CACHES: Final = ("_cache_map", "_cache_database", "_cache_name")
_OWN: Final = frozenset({"address_verify_map"})


def tables_in_use(view: HostView) -> dict[str, list[Place]]:
    """Return the tables that main.cf and the options of services name, as `type:name`, with where."""
    found: dict[str, list[Place]] = defaultdict(list)
    for name in sorted(view.configuration.written):
        for table in _tables(name, view.main[name]):
            found[table].append(view.lines.main(name))
    for service in view.configuration.services:
        values = values_of_service(view.configuration, service.name, service)
        for name in sorted(service.options):
            for table in _tables(name, values[name]):
                found[table].append(view.lines.service(service.key, name))
    return found


def _tables(name: str, value: str) -> Iterator[str]:
    parameter = known_parameters().get(name)
    if parameter and not name.endswith(_CACHES) and name not in _OWN:
        for table in dict.fromkeys(tables_named(parameter.kind, parameter.allowed, value)):
            yield table.removeprefix(_PROXY)
    elif name.endswith("_restrictions"):
        words = value.replace(",", " ").split()
        yield from (
            word.removeprefix(_PROXY) for word in words if word.removeprefix(_PROXY).partition(":")[2][:1] == "/"
        )


def check_indexes(view: HostView) -> Iterator[Finding]:
    """Find indexes that are older than their source, and such that show keys."""
    for name, places in tables_in_use(view).items():
        kind, _, path = name.partition(":")
        if kind not in _INDEXED or not path.startswith("/"):
            continue
        table = view.table(name)
        if table is None:
            continue
        parameter = places[0].parameter
        if table.index_time and table.source_time and table.source_time > table.index_time + _TOLERANCE_SECONDS:
            what = f"{path} was changed after its index was made"
            option = "-F " if parameter == _SNI else ""
            place = Place(path, 0, "", parameter)
            yield Finding(kind=Kind.INDEX_OLD, place=place, what=what, fix=f"postmap {option}{name}")
        if parameter == _SNI and table.is_index_open:
            place = Place(path, 0, "", parameter)
            what = "every user of the host may read the index with the private keys of tls_server_sni_maps"
            yield Finding(kind=Kind.OPEN_INDEX, place=place, what=what, fix=f"chmod o= {path} and its index; new keys")


def check_types(view: HostView) -> Iterator[Finding]:
    """Name the parameters whose tables need Berkeley DB, all in one finding."""
    by_parameter: dict[str, Place] = {}
    for name, places in tables_in_use(view).items():
        if name.partition(":")[0] in _BERKELEY:
            by_parameter |= {each.parameter: each for each in places}
    if not by_parameter:
        return
    names = sorted(by_parameter)
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    default = view.main["default_database_type"]
    has_another = default not in (*_BERKELEY, "") and bool(view.record.captures) and not view.record.is_copy
    other = default if has_another else "lmdb or texthash"
    yield Finding(
        kind=Kind.LEAVING_TYPE if has_another else Kind.BERKELEY,
        place=by_parameter[names[0]],
        what=f"tables of Berkeley DB (hash, btree) in {', '.join(names[:_SHOWN])}{more}",
        fix=f"make them {other} tables before this host moves to such a release",
    )
