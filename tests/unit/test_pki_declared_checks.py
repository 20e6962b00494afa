"""What is wrong with a declared certificate, told at what was declared."""

from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pki.constraints import limits_of_declaration
from pki.declared import declaration_of
from pki.declared_checks import problems_of_declared, problems_of_steps
from pki.fields import DeclaredCertificate, Match
from pki.lifetime import KEEP_KEY
from pki.model import Profile, RevocationReason
from postseal_core.errors import Problem

ALICE = DeclaredCertificate(email="alice@example.org")
LONG = f"{'a' * 60}@example.org"


def paths(declared: DeclaredCertificate, profile: Profile = Profile.CLIENT) -> list[str]:
    """Return where something is wrong."""
    return [problem.path for problem in problems_of_declared(declared, profile)]


def test_nothing_is_wrong_with_a_client_that_has_a_mailbox() -> None:
    """It needs no common name, no lifetime and no step."""
    assert problems_of_declared(ALICE, Profile.CLIENT) == []


@pytest.mark.parametrize(
    ("declared", "profile", "expected"),
    [
        (DeclaredCertificate(), Profile.CLIENT, ["email"]),
        (DeclaredCertificate(), Profile.SERVER, ["dns_names"]),
        (DeclaredCertificate(), Profile.ROOT, ["common_name"]),
        (DeclaredCertificate(organization="x" * 65), Profile.ROOT, ["common_name", "organization"]),
        (DeclaredCertificate(email="alice"), Profile.CLIENT, ["email"]),
        (DeclaredCertificate(email="no\0mailbox"), Profile.CLIENT, ["email"]),
        (DeclaredCertificate(email=LONG), Profile.CLIENT, ["email"]),
        (DeclaredCertificate(dns_names=(f"{'a.' * 40}org",)), Profile.CLIENT, ["dns_names[0]"]),
        (DeclaredCertificate(common_name="x" * 65, email=LONG), Profile.CLIENT, ["common_name"]),
        (
            DeclaredCertificate(email="alice", dns_names=("a.example.org", "-")),
            Profile.CLIENT,
            ["dns_names[1]", "email"],
        ),
    ],
)
def test_a_fault_of_a_name_is_told_once_and_where_it_was_declared(
    declared: DeclaredCertificate, profile: Profile, expected: list[str]
) -> None:
    """A common name that was not declared has no place of its own."""
    assert sorted(paths(declared, profile)) == expected


def test_what_is_too_long_for_a_common_name_says_so_at_the_mailbox() -> None:
    """The sentence is that of the common name: a mailbox may be longer."""
    (problem,) = problems_of_declared(DeclaredCertificate(email=LONG), Profile.CLIENT)
    assert problem == Problem("email", f"got {len(LONG)} characters, expected at most 64: shorten it")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"validity_hours": 900 * 24}, ["validity_hours"]),
        ({"overlap_hours": 0}, ["overlap_hours"]),
        ({"renew_fraction": Fraction(1)}, ["renew_fraction"]),
        ({"renew_key_every": -1}, ["renew_key_every"]),
        ({"match": Match.PUBLIC_KEY}, ["match"]),
        ({"match": Match.PUBLIC_KEY, "renew_key_every": KEEP_KEY}, []),
        ({"confirmed_generation": 2}, ["confirmed_generation"]),
        ({"confirmed_generation": -1, "confirm": True}, ["confirmed_generation"]),
        ({"confirmed_generation": 2, "confirm": True}, []),
        ({"issue_again": True}, ["issue_again"]),
        ({"issue_again": True, "revoke": RevocationReason.SUPERSEDED}, []),
        ({"path_length": 1, "permitted_dns": ("example.org",)}, ["path_length", "permitted_dns"]),
        (
            {"organization": "x" * 65, "overlap_hours": 0, "issue_again": True},
            ["organization", "overlap_hours", "issue_again"],
        ),
    ],
)
def test_lifetimes_steps_and_the_profile_are_judged_with_the_names(
    changes: dict[str, Any], expected: list[str]
) -> None:
    """Everything at once, each at its field."""
    assert paths(replace(ALICE, **changes)) == expected


def test_an_authority_is_not_matched_and_may_change_its_key() -> None:
    """Relays know nobody by an authority's fingerprint."""
    authority = DeclaredCertificate(common_name="Example CA", match=Match.PUBLIC_KEY)
    assert paths(authority, Profile.ROOT) == []


def test_what_the_issuer_forbids_is_told_at_the_field_too() -> None:
    """With its lifetime, but only once the names themselves can be read."""
    office = DeclaredCertificate(common_name="Office CA", permitted_email=("example.net",))
    limits = [limits_of_declaration("Office CA", declaration_of(office, Profile.INTERMEDIATE))]
    found = problems_of_declared(replace(ALICE, overlap_hours=0), Profile.CLIENT, limits)
    assert [problem.path for problem in found] == ["email", "overlap_hours"]
    unreadable = problems_of_declared(replace(ALICE, email="alice"), Profile.CLIENT, limits)
    assert [problem.path for problem in unreadable] == ["email"]


def test_a_host_in_a_common_name_that_was_not_declared_is_told_once() -> None:
    """OpenSSL reads a host name in a common name: what is wrong with both is one mistake."""
    office = DeclaredCertificate(common_name="Office CA", permitted_dns=("example.net",))
    limits = [limits_of_declaration("Office CA", declaration_of(office, Profile.INTERMEDIATE))]
    declared = DeclaredCertificate(dns_names=("mx1.example.org",))
    assert [each.path for each in problems_of_declared(declared, Profile.SERVER, limits)] == ["dns_names[0]"]


@given(
    confirm=st.booleans(), confirmed=st.integers(-2, 3), revoke=st.sampled_from(RevocationReason), again=st.booleans()
)
def test_a_step_is_refused_exactly_where_it_would_do_nothing(
    *, confirm: bool, confirmed: int, revoke: RevocationReason, again: bool
) -> None:
    """Somebody would wait for it in vain."""
    declared = replace(ALICE, confirm=confirm, confirmed_generation=confirmed, revoke=revoke, issue_again=again)
    is_sound = (confirmed == 0 or (confirm and confirmed > 0)) and (not again or bool(revoke))
    assert (problems_of_steps(declared) == []) == is_sound
