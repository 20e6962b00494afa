"""The one declaration of a certificate's fields, and what a change of each means."""

from collections.abc import Callable
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any, Final, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pki.declared import Said, changed_content, declaration_of, moved_differences, named, policy_of
from pki.demand import Basis, below_issuer, demand_of, differences_of
from pki.fields import FIELDS, DeclaredCertificate, SaidBy, fields_said_by
from pki.lifetime import LifetimePolicy
from pki.model import NameConstraints, Profile, SlotId, Subject, SubjectAltNames
from pki.profiles import PROFILES
from pki.records import IssuerArgs
from pki.schedule import decide
from tests.support.examples import examples

START = datetime(2026, 1, 1, 10, 30, tzinfo=UTC)
TEXTS = st.text("abc.@", max_size=6)
HINTS: Final = get_type_hints(DeclaredCertificate)
VALUES: dict[Any, st.SearchStrategy[Any]] = {
    str: TEXTS,
    tuple[str, ...]: st.lists(TEXTS, max_size=3, unique=True).map(tuple),
    int: st.integers(0, 5),
    bool: st.booleans(),
    int | None: st.none() | st.integers(1, 5),
    Fraction | None: st.none() | st.fractions(0, 1, max_denominator=4),
}


def values(name: str) -> st.SearchStrategy[Any]:
    """Return values of a field; what is no text, number or list is an enumeration."""
    hint = HINTS[name]
    return VALUES[hint] if hint in VALUES else st.sampled_from(list(hint))


DECLARED = st.builds(DeclaredCertificate, **{name: values(name) for name in FIELDS})
STEADY: Final = {
    name: getattr(DeclaredCertificate(), name)
    for name in (
        "validity_hours",
        "renew_fraction",
        "renew_before_hours",
        "revoke",
        "issue_again",
        "confirmed_generation",
    )
}
"""Lifetimes and steps have their own say in when a certificate is issued: they stay as they are here."""
few = examples(6)  # for each field
every_field = pytest.mark.parametrize("name", FIELDS)


def two_that_differ(declared: DeclaredCertificate, name: str, data: st.DataObject) -> list[DeclaredCertificate]:
    """Return two declarations that differ in this field and in nothing else that stands in a certificate."""
    one = data.draw(values(name))
    other = data.draw(values(name).filter(lambda value: value != one))
    # A name that is not said follows from others.
    said = replace(declared, common_name=declared.common_name or "somebody")
    return [replace(said, **{name: value}) for value in (one, other)]


def is_issued_anew(before: DeclaredCertificate, after: DeclaredCertificate) -> bool:
    """Return whether a client that is declared otherwise an hour later gets another generation."""
    old, new = (replace(each, **STEADY) for each in (before, after))
    first = decide(None, demand_of(old, Profile.CLIENT, None), START).schedule
    differences = differences_of(*(Basis(each, Profile.CLIENT, "itself", "") for each in (new, old)))
    demand = demand_of(new, Profile.CLIENT, None, differences)
    return decide(first, demand, START + timedelta(hours=1)).is_issued


@every_field
@few
@given(declared=DECLARED, data=st.data())
def test_a_new_certificate_is_issued_exactly_for_what_stands_in_it_and_for_its_key(
    name: str, declared: DeclaredCertificate, data: st.DataObject
) -> None:
    """Whatever else is declared: no field that is in the certificate can change silently, and no other issues one."""
    before, after = two_that_differ(declared, name, data)
    is_named = name == "common_name" and named(before) == named(after)
    assert is_issued_anew(before, after) == ((FIELDS[name].is_content or name == "key_algorithm") and not is_named)


@every_field
@few
@given(declared=DECLARED, data=st.data())
def test_a_move_is_refused_exactly_for_fields_that_are_compared(
    name: str, declared: DeclaredCertificate, data: st.DataObject
) -> None:
    """The field is named, also where the list has the same names in another order: then it is not."""
    here, there = two_that_differ(declared, name, data)
    one, other = (getattr(named(each), name) for each in (here, there))
    is_same = sorted(one) == sorted(other) if isinstance(one, tuple) else one == other
    assert moved_differences(here, there) == ((name,) if FIELDS[name].is_compared and not is_same else ())


def test_everything_that_stands_in_a_certificate_is_compared_when_it_moves() -> None:
    """Else its new place would issue another one at once."""
    assert [name for name, each in FIELDS.items() if each.is_content and not each.is_compared] == []


@given(DECLARED)
def test_nothing_differs_from_itself(declared: DeclaredCertificate) -> None:
    """A declaration is never a reason to issue what it has issued already."""
    assert changed_content(declared, declared) == moved_differences(declared, declared) == ()
    assert changed_content(named(declared), declared) == ()


@every_field
def test_every_field_says_to_its_reader_what_it_is(name: str) -> None:
    """Tables and messages show it: one clause, without a full stop."""
    meaning = FIELDS[name].meaning
    assert meaning
    assert not meaning.endswith(".")
    assert meaning[0].islower() or meaning[:2].isupper() or meaning[0].isdigit() or meaning.startswith("PKCS")


def test_every_part_of_a_certificate_is_declared_by_a_field() -> None:
    """Subject and name constraints have fields of the same names; of alternative names, URIs cannot be declared."""
    assert {each.name for kind in (Subject, NameConstraints) for each in fields(kind)} <= FIELDS.keys()
    assert {each.name for each in fields(SubjectAltNames)} - FIELDS.keys() == {"email_addresses", "uris"}
    assert {each.name for each in fields(LifetimePolicy)} <= FIELDS.keys()


def test_who_may_say_what() -> None:
    """A client, a server and a row have the same vocabulary where it makes sense; an authority has its own."""
    said = {surface: set(fields_said_by(surface)) for surface in SaidBy if surface in SaidBy.ALL and surface.name}
    assert said[SaidBy.CLIENT] - said[SaidBy.ROW] == set()
    assert said[SaidBy.ROW] - said[SaidBy.CLIENT] == {"pkcs12"}
    assert said[SaidBy.CLIENT] - said[SaidBy.SERVER] == {"email", "person", "unseen_after_days"}
    assert said[SaidBy.AUTHORITY].isdisjoint({"email", "dns_names", "ip_addresses", "revoke", "confirm", "match"})
    assert "crl_urls" not in set.union(*said.values())


@pytest.mark.parametrize(
    ("declared", "common_name"),
    [
        (DeclaredCertificate(email="alice@example.org", dns_names=("a.example.org",)), "alice@example.org"),
        (DeclaredCertificate(dns_names=("a.example.org", "b.example.org")), "a.example.org"),
        (DeclaredCertificate(common_name="Alice", email="alice@example.org"), "Alice"),
        (DeclaredCertificate(), ""),
    ],
)
def test_a_name_that_is_not_said_is_the_first_name(declared: DeclaredCertificate, common_name: str) -> None:
    """The mailbox before hosts; nothing where there is none."""
    assert declaration_of(declared, Profile.CLIENT).subject.common_name == common_name
    assert named(declared) == replace(declared, common_name=common_name)


@pytest.mark.parametrize("profile", Profile)
def test_a_lifetime_that_is_not_said_is_that_of_the_profile(profile: Profile) -> None:
    """And each part of it that is said counts by itself."""
    default = LifetimePolicy(validity_hours=PROFILES[profile].default_validity_hours)
    assert policy_of(DeclaredCertificate(), profile) == default
    said = DeclaredCertificate(overlap_hours=1, renew_before_hours=24)
    assert policy_of(said, profile) == replace(default, overlap_hours=1, renew_before_hours=24)


def _said(**values: Any) -> Said:
    return Said(DeclaredCertificate(**values), frozenset(values))


@pytest.mark.parametrize(
    ("own", "general", "expected"),
    [
        (_said(confirm=False), _said(confirm=True), _said(confirm=False)),
        (_said(), _said(organization="Example"), _said(organization="Example")),
        (_said(organization=""), _said(organization="Example"), _said(organization="")),
        (_said(renew_before_hours=24), _said(renew_fraction=Fraction(1, 2)), _said(renew_before_hours=24)),
        (_said(renew_fraction=Fraction(1, 2)), _said(renew_before_hours=24), _said(renew_fraction=Fraction(1, 2))),
    ],
)
def test_what_is_said_of_one_goes_over_what_is_said_of_all(own: Said, general: Said, expected: Said) -> None:
    """Also where it takes something back; of two ways to say when to renew, the nearer one counts alone."""
    assert own.over(general) == expected


AUTHORITY: Final = IssuerArgs(
    slot=SlotId("mail-ca"),
    generation=1,
    not_before=START,
    not_after=START + timedelta(days=3650),
    chain_pem="",
    private_key_pem="",
    crl_urls=("http://example.org/mail-ca.crl",),
)


@pytest.mark.parametrize(
    ("spelled_out", "expected"),
    [
        (lambda: below_issuer(DeclaredCertificate(), AUTHORITY), AUTHORITY.crl_urls),
        (lambda: below_issuer(DeclaredCertificate(crl_urls=("http://x.example/",)), AUTHORITY), ("http://x.example/",)),
        (lambda: below_issuer(DeclaredCertificate(), None), ()),
    ],
)
def test_a_certificate_names_the_list_of_its_issuer(
    spelled_out: Callable[[], DeclaredCertificate], expected: tuple[str, ...]
) -> None:
    """Unless it names its own; what signs itself has no issuer that could list it."""
    assert spelled_out().crl_urls == expected
