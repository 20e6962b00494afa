"""Choose and group entries: what the command line's filters and the headings of table and page have in common."""

from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase

from postseal.report.model import Entry, Kind, State

__all__ = ["Group", "Selection", "group_entries"]

_TITLES = {
    Kind.ROOT: "Authorities",
    Kind.INTERMEDIATE: "Authorities",
    Kind.SERVER: "Servers",
    Kind.SERVER_AND_CLIENT: "Servers",
    Kind.IMPORTED: "Imported certificates",
    Kind.REVOCATION_LIST: "Revocation lists",
    Kind.CLIENT: "Clients",
}
_ORDER = tuple(dict.fromkeys(_TITLES.values()))


@dataclass(frozen=True, slots=True)
class Selection:
    """Which entries to show; an empty tuple stands for all.

    `names`: shell patterns (`mx*`, case matters), matched against the name and the alternative names of an entry.
    """

    kinds: tuple[Kind, ...] = ()
    names: tuple[str, ...] = ()
    states: tuple[State, ...] = ()

    def apply(self, entries: Iterable[Entry]) -> tuple[Entry, ...]:
        """Return the entries that pass every filter, in their order."""
        return tuple(entry for entry in entries if self._accepts(entry))

    def _accepts(self, entry: Entry) -> bool:
        is_kind = not self.kinds or entry.kind in self.kinds
        is_state = not self.states or entry.state in self.states
        return is_kind and is_state and (not self.names or self._is_named(entry))

    def _is_named(self, entry: Entry) -> bool:
        candidates = (entry.name, *entry.alt_names)
        return any(fnmatchcase(candidate, pattern) for candidate in candidates for pattern in self.names)


@dataclass(frozen=True, slots=True)
class Group:
    """Entries under one heading, in the order of the report; `roster` is empty for resources of their own."""

    title: str
    entries: tuple[Entry, ...]
    roster: str = ""

    def states(self) -> tuple[tuple[State, int], ...]:
        """Return how many entries are in each state that occurs, worst first."""
        found = [entry.state for entry in self.entries]
        return tuple((state, found.count(state)) for state in State if state in found)


def group_entries(entries: Iterable[Entry]) -> tuple[Group, ...]:
    """Return the groups of the report: authorities first, then servers, rosters last; entries keep their order."""
    members: dict[tuple[int, str], list[Entry]] = {}
    for entry in entries:
        members.setdefault((_ORDER.index(_TITLES[entry.kind]), entry.roster), []).append(entry)
    return tuple(
        Group(f"Roster {roster}" if roster else _ORDER[rank], tuple(found), roster)
        for (rank, roster), found in sorted(members.items())
    )
