"""Fields of a certificate are read alike wherever they are said; the declaration alone says who may say which."""

from fractions import Fraction
from typing import Any

import pytest

from pki.declared import Said
from pki.fields import FIELDS, NOTHING_SAID, DeclaredCertificate, Group, Match, SaidBy
from pki.model import KeyAlgorithm, RevocationReason
from pki.reading import declared_arguments, field_of_cell, said_in, with_fields
from postseal_core.errors import ConfigError
from postseal_core.reading import Section, read_section

SURFACES = (SaidBy.CLIENT, SaidBy.SERVER, SaidBy.AUTHORITY, SaidBy.ROSTER, SaidBy.ROW)
EXAMPLES: dict[str, Any] = {
    "country": "DE",
    "email": "alice@example.org",
    "path_length": 0,
    "key_algorithm": "RSA-3072",
    "validity_hours": 100,
    "renew_fraction": "1/2",
    "renew_before_hours": 10,
    "overlap_hours": 5,
    "renew_key_every": 2,
    "match": "public_key",
    "confirm": True,
    "confirmed_generation": 2,
    "unseen_after_days": 90,
    "revoke": "keyCompromise",
    "issue_again": True,
    "fail_beyond_issuer": True,
    "pkcs12": "legacy",
}
NAMES = ["a.example.org"]


def example(name: str) -> Any:
    """Return a value that somebody may write for a field."""
    default = NAMES if isinstance(getattr(DeclaredCertificate(), name), tuple) else f"a {name}"
    return EXAMPLES.get(name, default)


@pytest.mark.parametrize("surface", SURFACES, ids=lambda surface: surface.name)
def test_a_surface_says_exactly_the_fields_that_name_it(surface: SaidBy) -> None:
    """Each field that may be said is read to another value than its default; each other one is unknown."""
    for name, each in FIELDS.items():
        given = {name: example(name)}
        if surface in each.said_by:
            declared = declared_arguments(surface, "at", given)
            assert getattr(declared, name) != getattr(DeclaredCertificate(), name), name
        else:
            with pytest.raises(ConfigError, match=f"at.{name}: unknown key"):
                declared_arguments(surface, "at", given)


@pytest.mark.parametrize("surface", SURFACES, ids=lambda surface: surface.name)
def test_fields_of_a_group_stand_below_its_key_in_a_section(surface: SaidBy) -> None:
    """`lifetime` is the section's own; `name_constraints` is there where such fields may be said."""
    keys = with_fields(surface, Section).model_fields
    said = {name for name, each in FIELDS.items() if surface in each.said_by}
    direct = {name for name in said if FIELDS[name].group is Group.NONE}
    has_constraints = any(FIELDS[name].group is Group.NAME_CONSTRAINTS for name in said)
    assert {*keys} == direct | ({"name_constraints"} if has_constraints else set())


def test_said_in_a_section_are_only_the_fields_that_stand_there() -> None:
    """What stands empty is not said."""
    section = with_fields(SaidBy.AUTHORITY, Section)
    given = {"common_name": "CA", "country": None, "name_constraints": {"permitted_dns": ["example.org"]}}
    said = said_in(read_section(given, section).section)
    assert said.names == {"common_name", "permitted_dns"}
    assert said.values == DeclaredCertificate(common_name="CA", permitted_dns=("example.org",))


MISTAKES: list[tuple[dict[str, Any], str]] = [
    ({"dns_names": "c.example.org"}, "at.dns_names: got 'c.example.org', expected a list, as [first, second]"),
    ({"dns_names": [3]}, "at.dns_names[0]: got 3, expected text; put it into quotes"),
    ({"organization": 3}, "at.organization: got 3, expected text; put it into quotes"),
    ({"confirm": "yes"}, "at.confirm: got 'yes', expected true or false"),
    ({"confirmed_generation": True}, "at.confirmed_generation: got true, expected a whole number"),
    ({"validity_hours": "8760"}, "at.validity_hours: got '8760', expected a whole number"),
    ({"renew_fraction": "soon"}, "at.renew_fraction: got 'soon', expected a part of the lifetime: write 2/3 or 0.66"),
    ({"renew_fraction": "1e999999999"}, "at.renew_fraction: got '1e999999999', expected a part of the lifetime"),
    ({"match": "key"}, "at.match: got 'key', expected one of certificate, public_key"),
    ({"revoke": "stolen"}, "at.revoke: got 'stolen', expected one of unspecified, keyCompromise"),
    ({"key_algorithm": "RSA-1024"}, "at.key_algorithm: got 'RSA-1024', which is too weak"),
    ({"key_algorithm": "rsa-2047"}, "at.key_algorithm: got 'rsa-2047', which is too weak"),
    ({"key_algorithm": "RSA-2049"}, "at.key_algorithm: got 'RSA-2049', expected one of ECDSA-P256"),
    ({"key_algorithm": 4096}, "at.key_algorithm: got 4096, expected one of ECDSA-P256"),
    ({"renew_fraction": True}, "at.renew_fraction: got True, expected a part of the lifetime: write 2/3 or 0.66"),
    ({"validity_hours": 876_001}, "at.validity_hours: got 876001, expected a whole number of at most 876,000"),
    ({"validity_hours": -876_001}, "at.validity_hours: got -876001, expected a whole number of at most 876,000"),
    (
        {"confirmed_generation": 1_000_001},
        "at.confirmed_generation: got 1000001, expected a whole number of at most 1,000,000",
    ),
    ({"emial": "a@example.org"}, "at.emial: unknown key; did you mean email?"),
]


@pytest.mark.parametrize(("given", "message"), MISTAKES)
def test_a_wrong_value_is_told_with_what_was_expected(given: dict[str, Any], message: str) -> None:
    """Whoever writes a program or a stack file gets the same sentence."""
    with pytest.raises(ConfigError) as caught:
        declared_arguments(SaidBy.CLIENT, "at", given)
    assert str(caught.value).startswith(message)


def test_an_empty_word_in_a_section_is_a_mistake() -> None:
    """Whoever writes `revoke:` with an empty text means something that nobody can guess."""
    reading = read_section({"revoke": ""}, with_fields(SaidBy.CLIENT, Section), "clients.alice")
    assert [problem.path for problem in reading.problems] == ["clients.alice.revoke"]
    assert reading.problems[0].message.startswith("got '', expected one of unspecified, keyCompromise")


@pytest.mark.parametrize("surface", SURFACES, ids=lambda surface: surface.name)
def test_empty_arguments_say_nothing(surface: SaidBy) -> None:
    """A program passes on what it has: None and empty texts are as if they were left out."""
    names = [name for name, each in FIELDS.items() if surface in each.said_by]
    assert declared_arguments(surface, "at", dict.fromkeys(names)) == NOTHING_SAID
    assert declared_arguments(surface, "at", dict.fromkeys(names, "")) == NOTHING_SAID


def test_words_and_numbers_become_what_they_stand_for() -> None:
    """Enumerations and fractions, not texts."""
    given = {"key_algorithm": "ED25519", "match": "public_key", "revoke": "superseded", "renew_fraction": 0.5}
    declared = declared_arguments(SaidBy.CLIENT, "at", given)
    assert declared.key_algorithm is KeyAlgorithm.ED25519
    assert declared.match is Match.PUBLIC_KEY
    assert declared.revoke is RevocationReason.SUPERSEDED
    assert declared.renew_fraction == Fraction(1, 2)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("key_algorithm", "RSA-2048"),
        ("validity_hours", 876_000),
        ("validity_hours", -876_000),
        ("confirmed_generation", 1_000_000),
        ("confirmed_generation", -1_000_000),
    ],
)
def test_a_value_is_read_up_to_its_bound(name: str, value: Any) -> None:
    """What a number means, and whether it may be negative, is judged where the certificate is decided."""
    assert getattr(declared_arguments(SaidBy.CLIENT, "at", {name: value}), name) == value


@pytest.mark.parametrize(
    ("name", "cell", "value"),
    [
        ("dns_names", "a.example.org; b.example.org;", ["a.example.org", "b.example.org"]),
        ("confirm", "TRUE", True),
        ("confirm", "False", False),
        ("confirm", "yes", "yes"),
        ("confirmed_generation", "123456789", 123456789),
        ("confirmed_generation", "1234567890", "1234567890"),
        ("confirmed_generation", "2", 2),
        ("confirmed_generation", "-2", "-2"),
        ("validity_hours", "8760", 8760),
        ("validity_hours", "9" * 5000, "9" * 5000),
        ("email", "1e3", "1e3"),
        ("no such column", "x", "x"),
    ],
)
def test_a_cell_means_what_its_field_is(name: str, cell: str, value: object) -> None:
    """What cannot be read stays as it is, so that its problem is told with all others."""
    assert field_of_cell(name, cell) == value


def test_what_is_said_of_one_client_goes_over_what_is_said_of_all() -> None:
    """Saying when to renew in one way replaces the other way."""
    general = Said(
        DeclaredCertificate(organization="Example", renew_before_hours=48),
        frozenset({"organization", "renew_before_hours"}),
    )
    own = Said(DeclaredCertificate(renew_fraction=Fraction(1, 2)), frozenset({"renew_fraction"}))
    laid = own.over(general)
    assert laid.values == DeclaredCertificate(organization="Example", renew_fraction=Fraction(1, 2))
    assert laid.names == {"organization", "renew_fraction"}
    assert (
        Said(DeclaredCertificate(organization=""), frozenset({"organization"})).over(general).values.organization == ""
    )
