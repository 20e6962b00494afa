"""The keyword arguments of components follow from the declaration of a certificate's fields."""

from types import NoneType
from typing import Any, get_args, get_origin, get_type_hints

import pytest

from pki.arguments import AuthorityFields, ClientFields, RequestFields, RosterFields, ServerFields
from pki.fields import FIELDS, DeclaredCertificate, SaidBy, fields_said_by

SURFACES = [
    (SaidBy.CLIENT, ClientFields),
    (SaidBy.SERVER, ServerFields),
    (SaidBy.AUTHORITY, AuthorityFields),
    (SaidBy.ROSTER, RosterFields),
]


def kinds(hint: Any) -> frozenset[Any]:
    """Return the types that a hint allows; a list of texts is one, and a word may be given as a text."""
    if (
        get_origin(hint) is not None
        and str in get_args(hint)
        and len(get_args(hint)) <= 2
        and NoneType not in get_args(hint)
    ):
        return (
            frozenset({"list"}) if get_origin(hint) is not get_origin(int | str) else frozenset(get_args(hint)) - {str}
        )
    return frozenset(get_args(hint) or (hint,))


@pytest.mark.parametrize(("surface", "arguments"), SURFACES, ids=lambda each: getattr(each, "__name__", None))
def test_every_field_that_may_be_said_is_an_argument_of_its_type(surface: SaidBy, arguments: type) -> None:
    """Those of a lifetime and of name constraints are said together, in an argument of their own."""
    declared, given = get_type_hints(DeclaredCertificate), get_type_hints(arguments)
    expected = {name for name in fields_said_by(surface) if not FIELDS[name].group}
    assert given.keys() == expected
    assert {name: kinds(hint) for name, hint in given.items()} == {name: kinds(declared[name]) for name in expected}


def test_what_others_sign_says_nothing_that_only_our_own_certificates_have() -> None:
    """Its fields are those of a server that a certificate request can hold."""
    assert RequestFields.__annotations__.keys() < ServerFields.__annotations__.keys()
