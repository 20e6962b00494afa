"""Clients that move between `clients` and a roster: for the one `up` that moves them they are declared at both."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from pki.declared import DeclaredCertificate, decode_declared, problems_of_words
from pki.roster.client_properties import client_properties
from postseal.stack.model import Client, Roster
from postseal.stack.problems import unknown_name
from postseal.stack.reading import DeclaredStack
from postseal.stack.rosters import shared_fields
from postseal_core.errors import Problem

__all__ = ["problems_of_moves"]


@dataclass(frozen=True, slots=True)
class _Move:
    """A client that moves into a roster or out of it, and the path at which that is declared."""

    path: str
    client: str
    roster: str


def problems_of_moves(
    declared: DeclaredStack, clients: Mapping[str, Client], rosters: Mapping[str, Roster]
) -> Iterator[Problem]:
    """Find moves of clients that are not at both places, or whose certificate could not stay what it is."""
    first: dict[str, str] = {}
    for move in _moves(declared):
        other = first.setdefault(move.client, move.path)
        if move.roster not in rosters:
            yield unknown_name(move.path, "roster", move.roster, rosters)
        elif other != move.path:
            yield Problem(move.path, f"{move.client} moves by {other} already; one move at a time")
        elif move.client not in clients:
            yield Problem(
                move.path,
                f"{move.client} is not in clients; it stays there for the one `pulumi up` that moves it: put it back, "
                "or leave this out if that is done",
            )
        elif _is_readable(move, declared):
            yield from _problems_of_move(move, clients[move.client], rosters[move.roster])


def _moves(declared: DeclaredStack) -> Iterator[_Move]:
    for roster in declared.rosters.values():
        for index, name in enumerate(roster.section.take_over):
            yield _Move(f"{roster.path}.take_over[{index}]", name, roster.name)
    for client in declared.clients.values():
        if client.section.take_over_from is not None:
            yield _Move(f"{client.path}.take_over_from", client.name, client.section.take_over_from)


def _is_readable(move: _Move, declared: DeclaredStack) -> bool:
    """Whether both places could be read as they stand there; else what seems different may be only that."""
    unread = declared.clients[move.client].unread | declared.rosters[move.roster].unread
    return not unread and not declared.roster_clients[move.roster].problems


def _problems_of_move(move: _Move, client: Client, roster: Roster) -> Iterator[Problem]:
    entry = next((entry for entry in roster.entries if entry["name"] == move.client), None)
    if entry is None:
        message = f"{move.client} is not in roster {roster.name}; declare it there as well, with what clients says"
        yield Problem(move.path, message)
    elif client.authority != roster.authority:
        yield Problem(
            move.path,
            f"authority {client.authority} signs {move.client} in clients, and {roster.authority} signs roster "
            f"{roster.name}; a certificate moves only below the authority that signed it",
        )
    else:
        properties = client_properties(entry, shared_fields(roster))
        if not problems_of_words(properties):
            yield from _differences(move, client, decode_declared(properties))


def _differences(move: _Move, client: Client, in_roster: DeclaredCertificate) -> Iterator[Problem]:
    """Find what would make the new place issue another certificate at once, or forget a revocation."""
    here, there = _compared(client), _compared(in_roster)
    told = [f"{name} ({here[name]!r} and {there[name]!r})" for name in here if here[name] != there[name]]
    if told:
        yield Problem(
            move.path,
            f"{move.client} differs between clients and roster {move.roster}: {', '.join(told)}; say the same at both, "
            "and change it after the move",
        )


def _compared(declared: Client | DeclaredCertificate) -> dict[str, Any]:
    declaration = declared.declaration
    return {
        "email": "".join(declaration.alt_names.email_addresses),
        "dns_names": sorted(declaration.alt_names.dns_names),
        **asdict(declaration.subject),
        "key_algorithm": declared.key_algorithm.value,
        "revoke": declared.revoke,
        "issue_again": declared.issue_again,
    }
