"""Every field of a certificate is wherever it may be said: nothing of the stack file knows fields by name."""

from dataclasses import replace
from fractions import Fraction
from typing import Any, Final

import pytest

from pki import arguments
from pki.declared import changed_content, declaration_of, moved_differences
from pki.fields import FIELDS, DeclaredCertificate, Group, SaidBy, fields_said_by
from pki.model import Profile
from pki.roster.rows import COLUMNS
from postseal.stack.build import build_stack
from postseal.stack.config import load_stack
from postseal.stack.documentation import PAGE, generated, updated
from postseal.stack.sections import (
    AuthoritySection,
    CertificateKeys,
    ClientSection,
    LifetimeSection,
    RosterSection,
    ServerSection,
)
from tests.support.mocks import run_program
from tests.support.stack_files import REPOSITORY, client, problems_of, roster, stack

SECTIONS: Final[dict[SaidBy, type[CertificateKeys]]] = {
    SaidBy.AUTHORITY: AuthoritySection,
    SaidBy.SERVER: ServerSection,
    SaidBy.CLIENT: ClientSection,
    SaidBy.ROSTER: RosterSection,
}
ARGUMENTS: Final[dict[SaidBy, Any]] = {
    SaidBy.AUTHORITY: arguments.AuthorityFields,
    SaidBy.SERVER: arguments.ServerFields,
    SaidBy.CLIENT: arguments.ClientFields,
    SaidBy.ROSTER: arguments.RosterFields,
}
EXAMPLES: Final[dict[str, tuple[Any, Any]]] = {
    "country": ("DE", "DE"),
    "email": ("carol@example.org", "carol@example.org"),
    "ip_addresses": (["192.0.2.1"], ("192.0.2.1",)),
    "permitted_ip": (["192.0.2.0/24"], ("192.0.2.0/24",)),
    "path_length": (1, 1),
    "key_algorithm": ("RSA-3072", "RSA-3072"),
    "validity_hours": ("100d", 2400),
    "renew_fraction": ("1/2", Fraction(1, 2)),
    "renew_before_hours": ("10d", 240),
    "overlap_hours": ("5d", 120),
    "renew_key_every": (3, 3),
    "match": ("public_key", "public_key"),
    "confirm": (True, True),
    "confirmed_generation": (2, 2),
    "unseen_after_days": (90, 90),
    "revoke": ("keyCompromise", "keyCompromise"),
    "issue_again": (True, True),
    "fail_beyond_issuer": (True, True),
    "pkcs12": ("legacy", "legacy"),
}
"""For each field what somebody may write in the stack file, and what it means."""

WRITE_REFERENCE: Final = ".venv/bin/python -m postseal.stack.documentation"


def example(name: str) -> tuple[Any, Any]:
    """Return an example of a field; any that is not listed is a text, or a list of host names."""
    is_list = isinstance(getattr(DeclaredCertificate(), name), tuple)
    host = f"{name.replace('_', '-')}.example.org"
    other: tuple[Any, Any] = ([host], (host,)) if is_list else (f"Some {name}", f"Some {name}")
    return EXAMPLES.get(name, other)


def written(name: str) -> dict[str, Any]:
    """Return the example as it stands in a section, below the key of its group, with whatever it needs beside it."""
    needed: dict[str, dict[str, Any]] = {
        "confirmed_generation": {"confirm": True},
        "issue_again": {"revoke": "keyCompromise"},
    }
    each, text = FIELDS[name], example(name)[0]
    return {each.group.value: {each.word or name: text}} if each.group else {name: text} | needed.get(name, {})


PLACES: Final = [(surface, name) for surface in SECTIONS for name in fields_said_by(surface)]
each_place = pytest.mark.parametrize(
    ("surface", "name"), PLACES, ids=[f"{surface.name}-{name}" for surface, name in PLACES]
)


@each_place
def test_a_section_has_every_field_that_may_be_said_there(surface: SaidBy, name: str) -> None:
    """Directly, or below the key of its group; one of a lifetime stands in every policy."""
    assert (FIELDS[name].group.value or name) in SECTIONS[surface].model_fields
    assert FIELDS[name].group is not Group.LIFETIME or FIELDS[name].word in LifetimeSection.model_fields


def stack_with(surface: SaidBy, fields: dict[str, Any]) -> dict[str, Any]:
    """Return a stack file in which one section has further fields."""
    servers = {"web": {"dns_names": ["web.example.org"], "also_client": True} | fields}
    return {
        SaidBy.AUTHORITY: {"authority": {"common_name": "CA"} | fields},
        SaidBy.SERVER: stack(servers=servers, hosts=None),
        SaidBy.CLIENT: client(**fields) | {"hosts": {}},
        SaidBy.ROSTER: roster(**fields) | {"hosts": {}},
    }[surface]


def declared_by(surface: SaidBy, fields: dict[str, Any]) -> DeclaredCertificate:
    """Return what this section declares."""
    config = load_stack(stack_with(surface, fields), [], stack_name="dev")
    named = {
        SaidBy.AUTHORITY: config.authorities,
        SaidBy.SERVER: config.servers,
        SaidBy.CLIENT: config.clients,
        SaidBy.ROSTER: config.rosters,
    }[surface]
    return next(iter(named.values())).declared


@each_place
def test_what_a_section_says_is_in_the_model(surface: SaidBy, name: str) -> None:
    """Under the field's own name; that an authority keeps its key is refused elsewhere."""
    if (surface, name) != (SaidBy.AUTHORITY, "renew_key_every"):
        assert getattr(declared_by(surface, written(name)), name) == example(name)[1]


REGISTERED: Final = {
    SaidBy.AUTHORITY: ("Certificate", "authority"),
    SaidBy.SERVER: ("ServerCertificate", "web"),
    SaidBy.CLIENT: ("ClientCertificate", "alice"),
    SaidBy.ROSTER: ("ClientRoster", "staff"),
}
RIVALS: Final = frozenset({"renew_before_hours", "match"})
"""Fields that cannot be said beside all others: another way to say when to renew, and one that needs a kept key."""


@pytest.mark.parametrize("is_rival", [False, True])
@pytest.mark.parametrize("surface", SECTIONS, ids=lambda surface: surface.name)
def test_what_a_section_says_is_declared_to_the_engine(surface: SaidBy, is_rival: bool) -> None:  # noqa: FBT001
    """Every field at once; an authority keeps its key."""
    names = [name for name in fields_said_by(surface) if (name in RIVALS) is is_rival]
    if surface is SaidBy.AUTHORITY and "renew_key_every" in names:
        names.remove("renew_key_every")
    fields: dict[str, Any] = {}
    for name in names:
        for key, value in written(name).items():
            fields[key] = fields.get(key, {}) | value if isinstance(value, dict) else value
    config = load_stack(stack_with(surface, fields), [], stack_name="dev")
    properties = run_program(lambda: build_stack(config), preview=True).one(*REGISTERED[surface]).properties
    assert [name for name in names if str(properties.get(name)) != str(on_the_wire(name))] == []


def on_the_wire(name: str) -> Any:
    """Return what an example means, as plain properties have it."""
    value = example(name)[1]
    return list(value) if isinstance(value, tuple) else value


def test_a_row_has_every_field_that_may_be_said_of_one_client() -> None:
    """The columns of a table are those fields behind the name."""
    assert ("name", *fields_said_by(SaidBy.ROW)) == COLUMNS


@pytest.mark.parametrize("surface", SECTIONS, ids=lambda surface: surface.name)
def test_a_component_takes_every_field_that_may_be_said_there(surface: SaidBy) -> None:
    """Those of groups come in a value of their own: a lifetime, name constraints."""
    direct = {name for name in fields_said_by(surface) if not FIELDS[name].group}
    place = f"{ARGUMENTS[surface].__name__} in pki/arguments.py"
    assert set(ARGUMENTS[surface].__annotations__) == direct, f"say the same fields in {place}"


def test_every_field_of_the_content_is_in_what_is_issued() -> None:
    """A field that nobody reads would issue a new certificate without it."""
    same = DeclaredCertificate(common_name="Alice")
    content = {name: replace(same, **{name: example(name)[1]}) for name, each in FIELDS.items() if each.is_content}
    plain = declaration_of(same, Profile.CLIENT)
    unread = [name for name, other in content.items() if declaration_of(other, Profile.CLIENT) == plain]
    assert unread == [], "read the field in `declaration_of` of pki/declared.py"


def test_what_differs_is_compared_wherever_the_field_says_so() -> None:
    """A field of the certificate needs a new one; what is compared at a move keeps it from moving."""
    same = DeclaredCertificate(common_name="Alice")
    other = {name: replace(same, **{name: example(name)[1]}) for name in FIELDS}
    assert [name for name in FIELDS if name in changed_content(other[name], same)] == [
        name for name, each in FIELDS.items() if each.is_content
    ]
    assert [name for name in FIELDS if name in moved_differences(other[name], same)] == [
        name for name, each in FIELDS.items() if each.is_compared
    ]


MOVED: Final = [name for name in fields_said_by(SaidBy.CLIENT | SaidBy.ROW) if FIELDS[name].is_compared]


@pytest.mark.parametrize("name", MOVED)
def test_a_move_is_refused_where_a_compared_field_differs(name: str) -> None:
    """Both values are told at the move; saying the same at both places lets the client move."""
    needed = {"revoke": "superseded"} if name == "issue_again" else {}
    alice = {"email": "alice@example.org", "common_name": "Alice"} | needed
    differing = {name: example(name)[0]}

    def moving(in_roster: dict[str, Any]) -> dict[str, Any]:
        staff = {"clients": {"alice": alice | in_roster}, "take_over": ["alice"]}
        return stack(clients={"alice": alice | differing}, rosters={"staff": staff}, hosts=None)

    (problem,) = problems_of(moving({}))
    assert problem.path == "rosters.staff.take_over[0]"
    assert f" {name} (" in problem.message
    assert problems_of(moving(differing)) == []


def test_the_reference_is_made_of_the_fields_as_they_are_declared() -> None:
    """A command writes it anew."""
    page = (REPOSITORY / PAGE).read_text(encoding="utf-8")
    assert updated(page) == page, f"run `{WRITE_REFERENCE}`, and review the diff of {PAGE}"


def test_the_reference_has_every_field_that_may_be_said() -> None:
    """With what it means, once; and at each section that it may stand there."""
    page = (REPOSITORY / PAGE).read_text(encoding="utf-8")
    untold = [name for name, each in FIELDS.items() if each.said_by and f"| {each.meaning} |" not in page]
    assert untold == [], f"run `{WRITE_REFERENCE}`, and review the diff of {PAGE}"
    assert [name for name in fields_said_by(SaidBy.ROW) if f"`{name}`" not in generated("fields of rows")] == []
