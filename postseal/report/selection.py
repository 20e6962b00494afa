"""Filter and group the items of a report."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

from postseal.report.hosts import StackHosts
from postseal.report.model import Expiring, Kind, Proven, State, Unseen

__all__ = ["Group", "Selection", "group_items", "to_serve_anew"]

_TITLES = {
    Kind.ROOT: "Authorities",
    Kind.INTERMEDIATE: "Authorities",
    Kind.SERVER: "Servers",
    Kind.SERVER_AND_CLIENT: "Servers",
    Kind.IMPORTED: "Imported certificates",
    Kind.ON_HOST: "Certificates that hosts have by themselves",
    Kind.REVOCATION_LIST: "Revocation lists",
    Kind.CLIENT: "Clients",
}
_ORDER = tuple(dict.fromkeys(_TITLES.values()))


@dataclass(frozen=True, slots=True)
class Selection:
    """Which items to show; an empty tuple stands for all.

    `names`: shell patterns (`mx*`, case matters), matched against the name and the alternative names of an item.
    """

    kinds: tuple[Kind, ...] = ()
    names: tuple[str, ...] = ()
    states: tuple[State, ...] = ()

    def apply(self, items: Iterable[Expiring]) -> tuple[Expiring, ...]:
        """Return the items that pass every filter, in their order."""
        return tuple(item for item in items if self._accepts(item))

    def apply_to_unseen(self, unseen: Iterable[Unseen]) -> tuple[Unseen, ...]:
        """Return what was not seen of the hosts that pass every filter; it has no state, so none may be asked for."""
        is_asked = (not self.kinds or Kind.ON_HOST in self.kinds) and not self.states
        return tuple(each for each in unseen if is_asked and (not self.names or self._names_any([each.host])))

    def apply_to_proven(self, proven: Iterable[Proven]) -> tuple[Proven, ...]:
        """Return what was proven of the hosts that pass every filter; where kinds or states are asked for, nothing."""
        is_asked = not self.kinds and not self.states
        return tuple(each for each in proven if is_asked and (not self.names or self._names_any([each.host])))

    def apply_to_hosts(self, stack: StackHosts) -> StackHosts:
        """Return the hosts that pass every filter; where kinds or states are asked for, none."""
        is_asked = not self.kinds and not self.states
        chosen = (each for each in stack.hosts if is_asked and (not self.names or self._names_any([each.host])))
        return replace(stack, hosts=tuple(chosen), unread=stack.unread if is_asked else ())

    def _accepts(self, item: Expiring) -> bool:
        is_kind = not self.kinds or item.kind in self.kinds
        is_state = not self.states or item.state in self.states
        return is_kind and is_state and (not self.names or self._is_named(item))

    def _is_named(self, item: Expiring) -> bool:
        return self._names_any((item.name, *item.alt_names))

    def _names_any(self, candidates: Iterable[str]) -> bool:
        return any(fnmatchcase(candidate, pattern) for candidate in candidates for pattern in self.names)


@dataclass(frozen=True, slots=True)
class Group:
    """Items under one heading, in the order of the report; `roster` is empty for resources of their own."""

    title: str
    items: tuple[Expiring, ...]
    roster: str = ""

    def states(self) -> tuple[tuple[State, int], ...]:
        """Return how many items are in each state that occurs, worst first."""
        found = [item.state for item in self.items]
        return tuple((state, found.count(state)) for state in State if state in found)


def group_items(items: Iterable[Expiring]) -> tuple[Group, ...]:
    """Return the groups of the report: authorities first, then servers, rosters last; items keep their order."""
    members: dict[tuple[int, str], list[Expiring]] = {}
    for item in items:
        members.setdefault((_ORDER.index(_TITLES[item.kind]), item.roster), []).append(item)
    return tuple(
        Group(f"Roster {roster}" if roster else _ORDER[rank], tuple(found), roster)
        for (rank, roster), found in sorted(members.items())
    )


def to_serve_anew(items: Iterable[Expiring]) -> tuple[str, ...]:
    """Return a line for each distrusted slot that names everybody who must be served anew because of it."""
    holders: dict[str, list[str]] = {}
    for item in sorted(items, key=lambda item: item.identity):
        if item.distrusted and not item.kind.is_authority:
            kind = "client" if item.kind is Kind.CLIENT else "server"
            holders.setdefault(item.distrusted, []).append(f"{kind} {item.roster and item.roster + '/'}{item.name}")
    return tuple(
        f"{slot} is distrusted; to be served anew: {', '.join(names)}" for slot, names in sorted(holders.items())
    )
