"""Select the clients of a roster that a hand-out writes files for."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, get_args

from pki.components.roster import ClientRoster
from pki.components.roster_client import RosterClient
from postseal_core.arguments import Arguments
from postseal_core.errors import Problem
from postseal_core.values import MUST_BE_KNOWN, is_deferred
from postseal_core.wording import found

__all__ = ["RosterHandOut", "handed_clients", "read_rosters"]

_Word = Literal["all", "with_archive"]
_WORDS: Final[tuple[Any, ...]] = get_args(_Word)
_ROSTER: Final = "a roster, as pki.ClientRoster(...)"
_CLIENTS: Final = f"one of {', '.join(_WORDS)}, or a list of names"


@dataclass(frozen=True, slots=True)
class RosterHandOut:
    """A roster with the choice of its clients that are handed out.

        pki.HandOut("hand-out", directory="out", rosters=[pki.RosterHandOut(staff, clients="with_archive")])

    Args:
        roster: The roster.
        clients: `all`, or `with_archive` for those that have a PKCS#12 archive, or a list of names; a name that is not
            in the roster is refused. Default: `all`.
    """

    roster: ClientRoster
    clients: _Word | list[str] | tuple[str, ...] = "all"


def read_rosters(arguments: Arguments, rosters: Sequence[ClientRoster | RosterHandOut]) -> list[RosterHandOut]:
    """Return each roster with its chosen clients; problems are added to `arguments`."""
    if not arguments.expect_each(
        "rosters", rosters, (ClientRoster, RosterHandOut), f"{_ROSTER}, or pki.RosterHandOut(...)"
    ):
        return []
    entries = [each if isinstance(each, RosterHandOut) else RosterHandOut(each) for each in rosters]
    for index, entry in enumerate(entries):
        place = f"rosters[{index}]"
        is_roster = arguments.expect(f"{place}.roster", entry.roster, ClientRoster, _ROSTER)
        if arguments.expect(f"{place}.clients", entry.clients, (str, list, tuple), _CLIENTS) and is_roster:
            arguments.add(problem.below(place) for problem in _problems_of_clients(entry))
    return entries


def handed_clients(entry: RosterHandOut) -> list[RosterClient]:
    """Return the chosen clients of a roster."""
    if isinstance(entry.clients, str):
        names = entry.roster.names if entry.clients == "all" else entry.roster.names_with_archive
    else:
        names = tuple(entry.clients)
    return [entry.roster.client(name) for name in names]


def _problems_of_clients(entry: RosterHandOut) -> Iterator[Problem]:
    if isinstance(entry.clients, str):
        if entry.clients not in _WORDS:
            yield Problem("clients", f"got {found(entry.clients)}, expected {_CLIENTS}")
        return
    names: Sequence[Any] = entry.clients
    for index, name in enumerate(names):
        if is_deferred(name):
            yield Problem(f"clients[{index}]", MUST_BE_KNOWN)
        elif name not in entry.roster.names:
            yield Problem(f"clients[{index}]", f"got {found(name)}, which is not in the roster; declare it there")
    for name, count in Counter(each for each in names if isinstance(each, str)).items():
        if count > 1:
            yield Problem("clients", f"{name} is there {count} times; name each client once")
