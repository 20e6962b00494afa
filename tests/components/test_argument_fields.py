"""The keyword arguments of components follow from the declaration of a certificate's fields."""

from enum import EnumType
from inspect import signature
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import pytest

import pki
from pki.arguments import AuthorityFields, ClientFields, RequestFields, RosterFields, ServerFields
from pki.fields import FIELDS, DeclaredCertificate, SaidBy, fields_said_by

SURFACES = [
    (SaidBy.CLIENT, ClientFields),
    (SaidBy.SERVER, ServerFields),
    (SaidBy.AUTHORITY, AuthorityFields),
    (SaidBy.ROSTER, RosterFields),
]


def parts(hint: Any) -> tuple[Any, ...]:
    """Return what a hint allows, one by one."""
    return get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)


def words(hint: Any) -> list[str]:
    """Return the words that a hint allows as plain texts."""
    return [word for each in parts(hint) if get_origin(each) is Literal for word in get_args(each)]


def kinds(hint: Any) -> frozenset[Any]:
    """Return the types that a hint allows; a list of texts is one, and words stand for their enum."""
    return frozenset(
        "list" if get_origin(each) in (tuple, list) else each for each in parts(hint) if get_origin(each) is not Literal
    )


@pytest.mark.parametrize(("surface", "arguments"), SURFACES, ids=lambda each: getattr(each, "__name__", None))
def test_every_field_that_may_be_said_is_an_argument_of_its_type(surface: SaidBy, arguments: type) -> None:
    """Those of a lifetime and of name constraints are said together, in an argument of their own."""
    declared, given = get_type_hints(DeclaredCertificate), get_type_hints(arguments)
    expected = {name for name in fields_said_by(surface) if not FIELDS[name].group}
    assert given.keys() == expected
    assert {name: kinds(hint) for name, hint in given.items()} == {name: kinds(declared[name]) for name in expected}


@pytest.mark.parametrize(("surface", "arguments"), SURFACES, ids=lambda each: getattr(each, "__name__", None))
def test_a_word_may_be_written_as_text_and_no_other_text(surface: SaidBy, arguments: type) -> None:
    """A type checker refuses a word that is none; the words are those of the field's enum, each once."""
    given = get_type_hints(arguments)
    enums = {name: kind for name in given for kind in kinds(given[name]) if isinstance(kind, EnumType)}
    assert {name: words(given[name]) for name in enums} == {name: [*kind] for name, kind in enums.items()}
    assert ("key_algorithm" in enums, surface in FIELDS["match"].said_by) == (True, "match" in enums)


def test_the_profile_of_an_archive_is_a_word_too() -> None:
    """`modern` or `legacy`, as text or from the enum."""
    hint = signature(pki.Pkcs12).parameters["profile"].annotation
    assert words(hint) == [*pki.Pkcs12Profile]
    assert kinds(hint) == {pki.Pkcs12Profile}


def test_what_others_sign_says_nothing_that_only_our_own_certificates_have() -> None:
    """Its fields are those of a server that a certificate request can hold."""
    assert RequestFields.__annotations__.keys() < ServerFields.__annotations__.keys()
