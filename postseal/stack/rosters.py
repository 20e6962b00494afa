"""Rosters: what their declarations mean, and what is wrong with them and with each of their clients."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from pki.constraints import IssuerLimits
from pki.declared import DeclaredCertificate, decode_declared, problems_of_declared, problems_of_words
from pki.lifetime import KEEP_KEY
from pki.model import KeyAlgorithm, Profile, Subject
from pki.names import problems_of_subject
from pki.pkcs12 import Pkcs12Profile
from pki.roster.client_properties import archive_profile, client_properties
from pki.roster.entries import Entry as ClientEntry
from postseal.stack.authorities import default_authority, problems_of_authority_choice
from postseal.stack.clients import OWN_SERVER, identities_of_clients
from postseal.stack.issuing_limits import issuing_limits, problems_of_names
from postseal.stack.lifetime_config import ResolvedLifetime, problems_of_lifetime, resolve_lifetime
from postseal.stack.model import Authority, Roster
from postseal.stack.reading import DeclaredStack, Entry
from postseal.stack.roster_config import RosterSection
from postseal_core.errors import Problem

__all__ = ["archives_of_roster", "problems_of_rosters", "resolve_rosters", "shared_fields"]

_Found = tuple[str, Problem]


def resolve_rosters(declared: DeclaredStack, authorities: Mapping[str, Authority]) -> dict[str, Roster]:
    """Return the rosters in the order of the file."""
    return {name: _resolve(entry, declared, authorities) for name, entry in declared.rosters.items()}


def _resolve(entry: Entry[RosterSection], declared: DeclaredStack, authorities: Mapping[str, Authority]) -> Roster:
    section = entry.section
    parts = (section.organization, section.organizational_unit, section.locality, section.state_or_province)
    roster = Roster(
        name=entry.name,
        authority=default_authority(section.authority, authorities) or "",
        entries=declared.roster_clients[entry.name].entries,
        subject=Subject("", *parts, section.country),
        key_algorithm=section.key_algorithm or KeyAlgorithm.ECDSA_P256,
        lifetime=_lifetime(entry, declared).policy,
        match=section.match,
        confirm=section.confirm,
        pkcs12=Pkcs12Profile(section.pkcs12) if section.pkcs12 else None,
        take_over=section.take_over,
    )
    return replace(roster, handed_out=tuple(_handed_out(section, roster)))


def _handed_out(section: RosterSection, roster: Roster) -> Iterator[str]:
    """Name the clients whose files are written: where nothing is said, those with an archive, made for that."""
    archives = archives_of_roster(roster)
    for entry in roster.entries:
        if section.hand_out or (section.hand_out is None and entry["name"] in archives):
            yield str(entry["name"])


def _lifetime(entry: Entry[RosterSection], declared: DeclaredStack) -> ResolvedLifetime:
    section, path = entry.section, f"{entry.path}.lifetime"
    is_key_kept = section.match == "public_key"
    return resolve_lifetime(Profile.CLIENT, declared.lifetime, section.lifetime, path, is_key_kept=is_key_kept)


def archives_of_roster(roster: Roster) -> dict[str, str]:
    """Return the profile of each client's archive by the client's name, clients without one left out."""
    shared = shared_fields(roster)
    profiles = {str(entry["name"]): archive_profile(entry, shared) for entry in roster.entries}
    return {name: profile for name, profile in profiles.items() if profile}


def shared_fields(roster: Roster) -> dict[str, Any]:
    """Return what holds for all clients, as fields of an entry."""
    lifetime = asdict(roster.lifetime)
    fraction, before = str(lifetime.pop("renew_fraction")), lifetime.pop("renew_before_hours")
    lifetime |= {"renew_fraction": fraction} if before is None else {"renew_before_hours": before}
    subject = {field: text for field, text in asdict(roster.subject).items() if text}
    archive = {"pkcs12": roster.pkcs12.value} if roster.pkcs12 else {}
    words = {"key_algorithm": roster.key_algorithm.value, "match": roster.match, "confirm": roster.confirm}
    return {**subject, **lifetime, **words, **archive}


def problems_of_rosters(
    declared: DeclaredStack, rosters: Mapping[str, Roster], authorities: Mapping[str, Authority]
) -> Iterator[Problem]:
    """Find what is wrong with each roster and each of its clients, and clients that are declared twice."""
    moving = _moving(declared)
    names = {name.lower(): f"client {name} of this stack" for name in declared.clients if name not in moving}
    known = identities_of_clients(declared)
    identities = {identity.lower(): f"client {name}" for name, _, identity in known if name not in moving}
    for entry in declared.rosters.values():
        roster, clients = rosters[entry.name], declared.roster_clients[entry.name]
        issuer = authorities.get(roster.authority)
        yield from _problems_of_shared(entry, roster)
        yield from problems_of_authority_choice(f"{entry.path}.authority", entry.section.authority, authorities)
        yield from problems_of_lifetime(Profile.CLIENT, _lifetime(entry, declared), issuer.lifetime if issuer else None)
        found = [*_problems_of_clients(roster, authorities), *_repeated(roster, names, identities)]
        yield from clients.placed(found)


def _moving(declared: DeclaredStack) -> set[str]:
    """Name the clients that may stand in `clients` and in a roster: those that move, or may be meant to."""
    moving = {name for entry in declared.rosters.values() for name in entry.section.take_over}
    for name, entry in declared.rosters.items():
        if "take_over" in entry.unread:
            moving |= {str(client["name"]) for client in declared.roster_clients[name].entries}
    return moving | {
        name
        for name, entry in declared.clients.items()
        if entry.section.take_over_from or "take_over_from" in entry.unread
    }


def _problems_of_shared(entry: Entry[RosterSection], roster: Roster) -> Iterator[Problem]:
    for problem in problems_of_subject(roster.subject):
        if problem.path != "common_name":
            yield problem.below(entry.path)
    if roster.match == "public_key" and roster.lifetime.renew_key_every != KEEP_KEY:
        message = "public_key needs a key that stays: set lifetime.renew_key to never, or match by certificate"
        yield Problem(f"{entry.path}.match", message)
    if entry.section.hand_out is False and archives_of_roster(roster):
        yield Problem(
            f"{entry.path}.hand_out", "archives are made to be handed out; leave this out, or leave out pkcs12"
        )


def _problems_of_clients(roster: Roster, authorities: Mapping[str, Authority]) -> Iterator[_Found]:
    shared, limits = shared_fields(roster), issuing_limits(roster.authority, authorities)
    stand_in = decode_declared(client_properties({"name": "x", "email": "x@example.org"}, shared))
    of_all = frozenset(problems_of_declared(stand_in))
    for entry in roster.entries:
        for problem in _problems_of_client(entry, shared, limits):
            if problem not in of_all:
                path = "email" if problem.path.startswith("email_addresses") else problem.path
                yield str(entry["name"]), Problem(path, problem.message)


def _problems_of_client(entry: ClientEntry, shared: Mapping[str, Any], limits: Sequence[IssuerLimits]) -> list[Problem]:
    if not entry.get("email") and not entry.get("dns_names"):
        return [Problem("email", "missing; give the client's email, or dns_names for a host")]
    properties = client_properties(entry, shared)
    found = problems_of_words(properties)
    if found:
        return found
    declared: DeclaredCertificate = decode_declared(properties)
    found = problems_of_declared(declared) or problems_of_names(declared.declaration, limits)
    told = {problem.path for problem in found}
    return [problem for problem in found if not _follows(problem.path, told, entry)]


def _follows(path: str, told: Collection[str], entry: ClientEntry) -> bool:
    """Whether a problem only follows from another one: of a name that became the common name, of no lifetime at all."""
    if path == "common_name":
        return path not in entry and len(told) > 1
    return path.startswith("renew_") and "validity_hours" in told


def _repeated(roster: Roster, names: dict[str, str], identities: dict[str, str]) -> Iterator[_Found]:
    """Find clients that are declared before under the same name, mailbox or host; those seen here are added."""
    for entry in roster.entries:
        name = str(entry["name"])
        if name == OWN_SERVER:
            yield name, Problem("name", f"{OWN_SERVER} means a host's own certificate; choose another name")
        other = names.setdefault(name.lower(), f"a client of roster {roster.name}")
        if other != f"a client of roster {roster.name}":
            message = f"{name!r} is {other} already; give each client a name of its own, or move it with take_over"
            yield name, Problem("name", message)
        for field, identity in _identities(entry):
            other = identities.setdefault(identity.lower(), f"client {name} of roster {roster.name}")
            if other != f"client {name} of roster {roster.name}":
                yield name, Problem(field, f"{identity!r} is {other} already; give each its own, or remove one of them")


def _identities(entry: ClientEntry) -> Iterator[tuple[str, str]]:
    if entry.get("email"):
        yield "email", str(entry["email"])
    for index, host in enumerate(entry.get("dns_names", ())):
        yield f"dns_names[{index}]", host
