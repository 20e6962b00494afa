"""Check rosters: shared fields, each client, and clients declared twice."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace

from pki.constraints import IssuerLimits
from pki.declared import is_key_lost
from pki.declared_checks import problems_of_declared
from pki.fields import DeclaredCertificate
from pki.identities import Claims, identities_of
from pki.model import Profile
from postseal.stack.lifetimes import problems_of_lifetime, resolve_lifetime, without_renewal_of_nothing
from postseal.stack.model import OWN_SERVER, Roster, StackConfig
from postseal.stack.reading import DeclaredStack
from postseal.stack.references import issuing_limits, problems_of_authority_choice, repeated_identities
from postseal.stack.sections import LIFETIME_FIELDS, RosterKeys
from postseal_core.errors import Problem
from postseal_core.wording import shown

__all__ = ["JudgedClients", "problems_of_rosters"]

_Found = tuple[str, Problem]


@dataclass(frozen=True, slots=True)
class JudgedClients:
    """What is wrong with clients of rosters, kept for a second stack file that declares most of them alike."""

    _under: list[tuple[Sequence[IssuerLimits], dict[DeclaredCertificate, list[Problem]]]] = field(default_factory=list)

    def under(self, limits: Sequence[IssuerLimits]) -> Callable[[DeclaredCertificate], Sequence[Problem]]:
        """Return what judges a client under the limits of its authority."""
        known = next((found for same, found in self._under if same == limits), None)
        if known is None:
            known = {}
            self._under.append((limits, known))

        def judge(declared: DeclaredCertificate) -> Sequence[Problem]:
            found = known.get(declared)
            if found is None:
                found = known[declared] = problems_of_declared(declared, Profile.CLIENT, limits)
            return found

        return judge


def problems_of_rosters(stack: DeclaredStack, config: StackConfig, judged: JudgedClients) -> Iterator[Problem]:
    """Find what is wrong with each roster and each of its clients, and clients that are declared twice."""
    moving = _moving(stack)
    staying = {name: client for name, client in config.clients.items() if name not in moving}
    names = {name.lower(): f"client {name} of this stack" for name in staying}
    claims = Claims()
    for name, client in staying.items():
        list(claims.taken(identities_of(client.declared), f"client {name}"))
    for declared in stack.rosters.values():
        roster, path = config.rosters[declared.name], declared.path
        issuer = config.authorities.get(roster.authority)
        lifetime = resolve_lifetime(Profile.CLIENT, stack.lifetime, declared.section, path)
        of_all = problems_of_declared(_stand_in(roster.declared), Profile.CLIENT)
        yield from (problem.below(path) for problem in _problems_of_shared(declared.section, roster, of_all))
        yield from problems_of_authority_choice(f"{path}.authority", declared.section.authority, config.authorities)
        yield from problems_of_lifetime(lifetime, issuer.lifetime if issuer else None)
        found = [*_problems_of_clients(roster, of_all, config, judged), *_repeated(roster, names, claims)]
        yield from stack.roster_rows[declared.name].placed(found)


def _moving(stack: DeclaredStack) -> set[str]:
    """Return the clients that may be declared twice because they move, or because their move was unreadable."""
    moving = {name for declared in stack.rosters.values() for name in declared.section.take_over}
    for name, declared in stack.rosters.items():
        if "take_over" in declared.unread:
            moving |= {row.name for row in stack.roster_rows[name].rows}
    return moving | {
        name
        for name, declared in stack.clients.items()
        if declared.section.take_over_from or "take_over_from" in declared.unread
    }


def _stand_in(shared: DeclaredCertificate) -> DeclaredCertificate:
    """Return a client with the shared fields only, to report their problems once for the roster."""
    return replace(shared, common_name="x", email="x@example.org")


def _problems_of_shared(section: RosterKeys, roster: Roster, of_all: Collection[Problem]) -> Iterator[Problem]:
    yield from (problem for problem in of_all if problem.path not in {*LIFETIME_FIELDS, "match"})
    if is_key_lost(roster.declared, roster.profile):
        message = "public_key needs a key that stays: set lifetime.renew_key to never, or match by certificate"
        yield Problem("match", message)
    if section.hand_out.all_clients is False and roster.archives:
        yield Problem("hand_out", "archives are made to be handed out; leave this out, or leave out pkcs12")


def _problems_of_clients(
    roster: Roster, of_all: Collection[Problem], config: StackConfig, judged: JudgedClients
) -> Iterator[_Found]:
    problems_of = judged.under(issuing_limits(roster.authority, config.authorities))
    for name, declared in roster.clients.items():
        if not declared.email and not declared.dns_names:
            yield name, Problem("email", "missing; give the client's email, or dns_names for a host")
            continue
        found = [each for each in problems_of(declared) if each not in of_all]
        yield from ((name, problem) for problem in without_renewal_of_nothing(found) if problem.path)


def _repeated(roster: Roster, names: dict[str, str], claims: Claims) -> Iterator[_Found]:
    """Find clients that are declared before under the same name, mailbox or host; those seen here are added."""
    mine = f"a client of roster {roster.name}"
    for row in roster.rows:
        if row.name == OWN_SERVER:
            yield row.name, Problem("name", f"{OWN_SERVER} means a host's own certificate; choose another name")
        other = names.setdefault(row.name.lower(), mine)
        if other != mine:
            message = (
                f"{shown(row.name)} is {other} already; give each client a name of its own, or move it with take_over"
            )
            yield row.name, Problem("name", message)
        itself = f"client {row.name} of roster {roster.name}"
        yield from ((row.name, problem) for problem in repeated_identities(row.said.values, itself, claims))
