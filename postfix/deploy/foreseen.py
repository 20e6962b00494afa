"""What a deployment would do to a host beside what is declared, and whether it may: plain values and sentences."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from postfix.deploy.bundle import is_trial_needed
from postfix.deploy.host_files import MAIN_CF, MASTER_CF, Deployed, HostFiles, Situation
from postfix.deploy.lookups import has_rows, keys_of
from postfix.deploy.plan import HostPlan
from postfix.effective.acceptance import Ruling, word_of
from postfix.effective.captures import HostConfiguration
from postfix.effective.comparison import Finding, Rule, View
from postfix.effective.listeners import values_of_service
from postfix.effective.own_answers import OwnFiles
from postfix.effective.remedies import remedy_of
from postfix.list_items import split_list
from postseal_core.errors import Problem

__all__ = [
    "Expectation",
    "Foreseen",
    "changed_names",
    "is_first_row",
    "is_open",
    "is_worth_a_look",
    "lines_of",
    "own_after",
    "own_before",
    "problems_of",
]

_ROWS: Final = "relay_clientcerts"


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """What a declaration expects of its host beside its files.

    `client_tables`: by relative path, whether each table of clients lists one; its rows may still be unknown.
    `pending`: files of which a preview does not know the content. `accept`: as for `effective.acceptance.ruled`.
    """

    client_tables: Mapping[str, bool] = field(default_factory=dict)
    pending: tuple[str, ...] = ()
    accept: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def has_clients(self) -> bool:
        """Whether any client is to be let in."""
        return any(self.client_tables.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Foreseen:
    """What was found about a change before it is made; `before` and `after` are None where nobody looked."""

    ruling: Ruling = field(default_factory=Ruling)
    before: View | None = None
    after: View | None = None
    is_running: bool | None = None


def own_after(desired: HostFiles, expectation: Expectation, root: str) -> OwnFiles:
    """Return what our files will be once they are deployed below `root`."""
    pending = [path for path in expectation.pending if not path.startswith("/")]
    kinds = {table.source.path: table.type for table in desired.tables}
    return OwnFiles(
        loading=frozenset(f"{root}/{path}" for path in (*(entry.path for entry in desired.files), *pending)),
        tables={f"{table.type}:{root}/{table.source.path}": _keys(table.source.content) for table in desired.tables},
        listing=frozenset(
            f"{kind}:{root}/{path}"
            for path, has_clients in expectation.client_tables.items()
            if has_clients
            for kind in ([kinds[path]] if path in kinds else _TYPES)
        ),
    )


_TYPES: Final = ("texthash", "hash", "lmdb", "cdb", "btree")


def _keys(source: bytes) -> list[str]:
    return [key.decode("utf-8", "surrogateescape") for key in keys_of(source)]


def own_before(deployed: Deployed, rows: Mapping[str, bytes], root: str) -> OwnFiles:
    """Return which tables of ours list clients now; `rows`: the sources on the host, by path."""
    ours = [path for path, content in rows.items() if path in deployed.files and has_rows(content)]
    return OwnFiles(listing=frozenset(f"{kind}:{root}/{path}" for path in ours for kind in _TYPES))


def is_first_row(expectation: Expectation, own: OwnFiles) -> bool:
    """Return whether clients are listed that were not before, so that nobody was let in until now."""
    return expectation.has_clients and not own.listing


def is_worth_a_look(plan: HostPlan, desired: HostFiles, situation: Situation, *, is_first: bool) -> bool:
    """Return whether a plan may change what a listener does; other rows for clients do not.

    `is_first`: whether the first client is listed.
    """
    if plan.main_cf is None or plan.is_empty:
        return False
    return is_first or is_trial_needed(plan, desired, situation)


def changed_names(
    desired: HostFiles, deployed: Deployed, situation: Situation, views: tuple[HostConfiguration, HostConfiguration]
) -> tuple[frozenset[str], frozenset[str]]:
    """Return the parameters that a change says, and those that an earlier one of ours said.

    In a main.cf of ours as a whole each parameter is said, and those that are left out as well.
    """
    before, after = views
    written = frozenset(before.written)
    declared = frozenset((*desired.parameters, *deployed.parameters))
    earlier = frozenset(deployed.parameters)
    if desired.has(MAIN_CF):
        declared = frozenset((*written, *after.written))
        earlier = written if MAIN_CF in deployed.files else earlier
    return declared, earlier | _rows_of_our_place(desired, situation.root, before)


def _rows_of_our_place(desired: HostFiles, root: str, before: HostConfiguration) -> frozenset[str]:
    """Return the name of relay_clientcerts where its tables lie where ours do: that they go, `take_over` has said."""
    places = {f"{root}/{table.source.path}" for table in desired.tables}
    tables = split_list(values_of_service(before, "")[_ROWS])
    is_at_our_place = bool(tables) and all(each.partition(":")[2] in places for each in tables)
    return frozenset({_ROWS} if is_at_our_place else ())


def problems_of(foreseen: Foreseen, root: str) -> tuple[Problem, ...]:
    """Return why a change must not be made, each with its place and what may be done."""
    return tuple(_problem(finding, foreseen, root) for finding in foreseen.ruling.refused)


def _problem(finding: Finding, foreseen: Foreseen, root: str) -> Problem:
    remedy = remedy_of(finding, foreseen.after) if foreseen.after else ""
    return Problem(_place(finding, root), "; ".join(filter(None, (finding.message, remedy, _accept(finding)))))


def _place(finding: Finding, root: str) -> str:
    if not finding.place:
        return root
    return f"{root}/{MASTER_CF if '/' in finding.place else MAIN_CF}: {finding.place}"


def _accept(finding: Finding) -> str:
    word = word_of(finding.rule)
    return f"to accept it: `accept: {{ {word}: [{_short(finding.place)}] }}` of the host" if word else ""


def _short(place: str) -> str:
    return place.removesuffix("/inet")


def is_open(foreseen: Foreseen, expectation: Expectation | None) -> bool:
    """Return whether listed clients have to be let in somewhere.

    Not where none is declared, and where it is known that they are let in nowhere, and is no reason to refuse.
    """
    if expectation is None:
        return True
    ruling = foreseen.ruling
    is_accepted = any(each.rule is Rule.LISTED_REFUSED for each in ruling.accepted)
    was_so = any(each.rule is Rule.SO_BEFORE for each in ruling.told)
    return expectation.has_clients and not is_accepted and not was_so


def lines_of(foreseen: Foreseen) -> tuple[str, ...]:
    """Return a line for each finding that is told, for each that is accepted, and for what is accepted in vain."""
    ruling = foreseen.ruling
    told = [Problem(_short(each.place), f"{each.message}{_hint(each, foreseen)}") for each in ruling.told]
    accepted = [
        Problem(_short(each.place), f"{each.message}; `accept` has {word_of(each.rule)}") for each in ruling.accepted
    ]
    unused = [
        Problem(f"accept.{word}", f"nothing needs {place} here any more; take it out") for word, place in ruling.unused
    ]
    return tuple(dict.fromkeys(str(each) for each in (*told, *accepted, *unused)))


def _hint(finding: Finding, foreseen: Foreseen) -> str:
    is_mended_there = finding.rule in (Rule.SO_BEFORE, Rule.REFUSED_HERE)
    remedy = remedy_of(finding, foreseen.after) if is_mended_there and foreseen.after else ""
    return f"; {remedy}" if remedy else ""
