"""Check a declared certificate; problems name the declared fields. For single certificates and rosters.

Paths of problems are names of fields: `email`, `dns_names[0]`, `validity_hours`.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Final

from pki.constraints import IssuerLimits, problems_under_limits
from pki.declared import declaration_of, is_key_lost, policy_of
from pki.fields import DeclaredCertificate
from pki.lifetime import LifetimePolicy
from pki.model import Profile
from pki.name_syntax import fault_of_text
from pki.names import problems_of_declaration
from pki.profiles import PROFILES
from postseal_core.errors import Problem

__all__ = ["problems_of_declared", "problems_of_steps"]

_LONGEST_PERSON: Final = 64


def problems_of_declared(
    declared: DeclaredCertificate, profile: Profile, issuers: Sequence[IssuerLimits] = ()
) -> list[Problem]:
    """Return everything that is wrong with a declaration: names, the profile's rules, lifetime, steps.

    `issuers`: what the authorities above allow, the one that signs first; asked only about names that are well-formed.
    """
    declaration = declaration_of(declared, profile)
    of_names = problems_of_declaration(declaration) or problems_under_limits(declaration, issuers)
    return [
        *_told_once(declared, profile, of_names),
        *_problems_of_lifetime(declared, profile),
        *_problems_of_person(declared),
        *problems_of_steps(declared),
    ]


def problems_of_steps(declared: DeclaredCertificate) -> list[Problem]:
    """Find settings without effect, such as confirmed_generation without confirm."""
    problems = []
    if declared.confirmed_generation < 0:
        problems.append(Problem("confirmed_generation", "expected the number of a generation, 1 or more"))
    if declared.confirmed_generation and not declared.confirm:
        message = "nothing waits for a confirmation; set confirm to true, or leave this out"
        problems.append(Problem("confirmed_generation", message))
    if declared.unseen_after_days < 0:
        problems.append(Problem("unseen_after_days", "expected a number of days, 1 or more; 0 for none"))
    if declared.issue_again and not declared.revoke:
        problems.append(Problem("issue_again", "nothing is revoked; leave this out"))
    return problems


@lru_cache(maxsize=1024)
def _problems_of_policy(policy: LifetimePolicy) -> tuple[Problem, ...]:
    """Judge a policy once; thousands of clients of a roster share the same few."""
    return tuple(policy.problems())


def _problems_of_person(declared: DeclaredCertificate) -> Iterator[Problem]:
    person = declared.person
    if len(person) > _LONGEST_PERSON:
        yield Problem("person", f"got {len(person)} characters, expected at most {_LONGEST_PERSON}: shorten it")
    elif person and (fault := fault_of_text(person)):
        yield Problem("person", fault)


def _told_once(declared: DeclaredCertificate, profile: Profile, problems: Iterable[Problem]) -> list[Problem]:
    """Move problems of a defaulted common name to the declared name it was taken from."""
    found = list(problems)
    if declared.common_name:
        return found
    others = [problem for problem in found if problem.path != "common_name"]
    source = "email" if declared.email else "dns_names[0]" if declared.dns_names else ""
    if not source:
        # A leaf without any name is told so by the rule of its profile; an authority has no other name.
        return others if PROFILES[profile].required_alt_names else found
    if source in {problem.path for problem in others}:
        return others
    return [replace(problem, path=source) if problem.path == "common_name" else problem for problem in found]


def _problems_of_lifetime(declared: DeclaredCertificate, profile: Profile) -> Iterator[Problem]:
    policy, limit = policy_of(declared, profile), PROFILES[profile].max_validity_hours
    yield from _problems_of_policy(policy)
    if policy.validity_hours > limit:
        yield Problem(
            "validity_hours",
            f"got {policy.validity_hours}, expected at most {limit} for a {profile.value} certificate",
        )
    if is_key_lost(declared, profile):
        yield Problem("match", "`public_key` needs a key that stays: set renew_key_every to 0, or match by certificate")
