"""Check clients that move between `clients` and a roster: both must declare them for one `pulumi up`."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from pki.declared import moved_differences, named
from pki.fields import DeclaredCertificate
from postseal.stack.model import Client, Roster, StackConfig
from postseal.stack.reading import DeclaredStack
from postseal.stack.references import unknown_name
from postseal_core.errors import Problem

__all__ = ["problems_of_moves"]


@dataclass(frozen=True, slots=True)
class _Move:
    """A client that moves into a roster or out of it, and the path at which that is declared."""

    path: str
    client: str
    roster: str


def problems_of_moves(stack: DeclaredStack, config: StackConfig) -> Iterator[Problem]:
    """Report moves declared at one place only, or that would replace the certificate."""
    first: dict[str, str] = {}
    for move in _moves(stack):
        other = first.setdefault(move.client, move.path)
        if move.roster not in config.rosters:
            yield unknown_name(move.path, "roster", move.roster, config.rosters)
        elif other != move.path:
            yield Problem(move.path, f"{move.client} moves by {other} already; one move at a time")
        elif move.client not in config.clients:
            yield Problem(
                move.path,
                f"{move.client} is not in clients; it stays there for the one `pulumi up` that moves it: put it back, "
                "or leave this out if that is done",
            )
        elif _is_readable(move, stack):
            yield from _problems_of_move(move, config.clients[move.client], config.rosters[move.roster])


def _moves(stack: DeclaredStack) -> Iterator[_Move]:
    for roster in stack.rosters.values():
        for index, name in enumerate(roster.section.take_over):
            yield _Move(f"{roster.path}.take_over[{index}]", name, roster.name)
    for client in stack.clients.values():
        if client.section.take_over_from is not None:
            yield _Move(f"{client.path}.take_over_from", client.name, client.section.take_over_from)


def _is_readable(move: _Move, stack: DeclaredStack) -> bool:
    """Whether both places were read completely; a missing field would look like a difference."""
    unread = stack.clients[move.client].unread | stack.rosters[move.roster].unread
    return not unread and not stack.roster_rows[move.roster].problems


def _problems_of_move(move: _Move, client: Client, roster: Roster) -> Iterator[Problem]:
    in_roster = roster.clients.get(move.client)
    if in_roster is None:
        message = f"{move.client} is not in roster {roster.name}; declare it there as well, with what clients says"
        yield Problem(move.path, message)
    elif client.authority != roster.authority:
        yield Problem(
            move.path,
            f"authority {client.authority} signs {move.client} in clients, and {roster.authority} signs roster "
            f"{roster.name}; a certificate moves only below the authority that signed it",
        )
    else:
        yield from _differences(move, named(client.declared), named(in_roster))


def _differences(move: _Move, here: DeclaredCertificate, there: DeclaredCertificate) -> Iterator[Problem]:
    """Report differences between both places that would re-issue the certificate or lose a revocation."""
    told = [
        f"{name} ({_word(getattr(here, name))} and {_word(getattr(there, name))})"
        for name in moved_differences(here, there)
    ]
    if told:
        yield Problem(
            move.path,
            f"{move.client} differs between clients and roster {move.roster}: {', '.join(told)}; say the same at both, "
            "and change it after the move",
        )


def _word(value: object) -> str:
    return repr(value.value if isinstance(value, Enum) else list(value) if isinstance(value, tuple) else value)
