"""What an authority's declaration means for certificates below it, before any of them is made.

Pure and without `cryptography`: programs ask it while they register, when no certificate of the authority exists yet.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields

from pki.declared import declaration_of, policy_of
from pki.fields import DeclaredCertificate
from pki.lifetime import format_hours
from pki.model import SUBJECT_PARTS, Profile, Subject
from postseal_core.errors import Problem
from postseal_core.wording import shown

__all__ = [
    "ComparableSubject",
    "DeclaredIssuer",
    "comparable_parts",
    "comparable_subject",
    "problem_of_same_subject",
    "problems_below_issuer",
]

ComparableSubject = tuple[tuple[str, str], ...]
"""A distinguished name as verifiers compare it: object identifiers with their texts, without case."""

_PARTS = tuple(each.name for each in fields(Subject))


@dataclass(frozen=True, slots=True)
class DeclaredIssuer:
    """An authority as it is declared: its name, the subjects of its slots, and how long its certificates are good."""

    name: str
    subjects: tuple[Subject, ...]
    validity_hours: int


def comparable_parts(parts: Iterable[tuple[str, str]]) -> ComparableSubject:
    """Return a name in the form in which two are compared: case and blanks do not count (RFC 5280 section 7.1)."""
    return tuple(sorted((oid, " ".join(text.casefold().split())) for oid, text in parts))


def comparable_subject(subject: Subject) -> ComparableSubject:
    """Return a declared subject in the form in which two are compared."""
    said = ((SUBJECT_PARTS[name].oid, getattr(subject, name)) for name in _PARTS)
    return comparable_parts((oid, text) for oid, text in said if text)


def problem_of_same_subject(common_name: str, issuer: str) -> Problem:
    """Return the problem of a certificate that is called as the authority which signs it."""
    return Problem(
        "common_name",
        f"got {shown(common_name)}, with which it has the subject of {issuer}, who signs it: verifiers take it for a "
        "certificate that signs itself; give one of the two another common_name",
    )


def problems_below_issuer(declared: DeclaredCertificate, profile: Profile, issuer: DeclaredIssuer) -> Iterator[Problem]:
    """Report a lifetime beyond the authority's, and a subject that is the authority's own.

    Not checked: whether the names are well-formed, and the authority's constraints on them.
    """
    hours = policy_of(declared, profile).validity_hours
    if hours > issuer.validity_hours:
        yield Problem(
            "validity_hours",
            f"got {format_hours(hours)}, but authority {issuer.name} lives only {format_hours(issuer.validity_hours)}: "
            "shorten this one, or lengthen the authority's lifetime",
        )
    subject = declaration_of(declared, profile).subject
    if comparable_subject(subject) in map(comparable_subject, issuer.subjects):
        yield problem_of_same_subject(subject.common_name, issuer.name)
