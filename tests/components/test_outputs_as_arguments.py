"""An Output of another resource: taken where something can wait for it, and refused in a sentence everywhere else."""

import inspect
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, replace
from typing import Any, get_type_hints

import pulumi
import pytest

import pki
import postfix
from postseal_core.program import ArgumentError
from postseal_core.values import MUST_BE_KNOWN
from tests.support.declarations import (
    TARGET,
    alice,
    answered,
    archive,
    ca,
    crl,
    given,
    hand_out,
    host,
    mistake_of,
    mx1,
    office,
    relay,
    sender,
    staff,
)
from tests.support.mocks import run_program
from tests.support.test_authority import ThrowAwayAuthority

DECLARED: dict[Callable[..., object], type[pulumi.Resource]] = {
    alice: pki.ClientCertificate,
    answered: pki.ThirdPartyServerCertificate,
    archive: pki.Pkcs12,
    ca: pki.CertificateAuthority,
    crl: pki.RevocationList,
    hand_out: pki.HandOut,
    host: postfix.PostfixHost,
    mx1: pki.ServerCertificate,
    office: pki.IntermediateAuthority,
    relay: postfix.MailServer,
    sender: postfix.RelayClient,
    staff: pki.ClientRoster,
}
WAITED_FOR = {
    (archive, "passphrase"),
    ("AdoptedAuthority", "private_key_passphrase"),
    ("AdoptedAuthority", "private_key_pem"),
    ("TrustedRoot", "certificate_pem"),
}
"""What may be an Output, by who takes it: nothing is decided of it before `pulumi up`."""


@dataclass(frozen=True, slots=True)
class Place:
    """One place for a value: `arguments` makes the arguments that hold it; a problem of it begins with `path`."""

    declare: Callable[..., object]
    path: str
    arguments: Callable[[Any], dict[str, Any]]
    is_waited_for: bool = False

    @property
    def pattern(self) -> str:
        """What the path of its problem looks like; what stands in a list may be told of the list."""
        return re.escape(self.path).removesuffix(r"\[").removesuffix(r"\.")

    def __str__(self) -> str:
        return f"{self.declare.__name__}-{self.path}"


def parameters(kind: type) -> dict[str, Any]:
    """Return the arguments of a class with their types, those of its fields one by one; the name is none of them."""
    signature = inspect.signature(kind.__init__)  # type: ignore[misc]  # of a class, not of one instance
    found: dict[str, Any] = {}
    for name, parameter in signature.parameters.items():
        if parameter.kind is inspect.Parameter.VAR_KEYWORD:
            found |= get_type_hints(parameter.annotation.__args__[0])
        elif name not in ("self", "name"):
            found[name] = parameter.annotation
    return found


def places_of_arguments() -> Iterator[Place]:
    """Yield every argument of every class; of one that is a list or a mapping also what stands in it."""
    for declare, kind in DECLARED.items():
        for name, hint in parameters(kind).items():
            is_waited_for = (declare, name) in WAITED_FOR
            yield Place(declare, name, lambda value, name=name: {name: value}, is_waited_for)  # type: ignore[misc]
            # Lists in a mapping are none of the argument itself.
            of_itself = str(hint).replace("Mapping[str, collections.abc.Sequence[str]]", "")
            if "Sequence" in of_itself or "list[str]" in of_itself:
                yield Place(declare, f"{name}[", lambda value, name=name: {name: [value]})  # type: ignore[misc]
            if "Mapping" in str(hint):
                yield Place(declare, f"{name}.", lambda value, name=name: {name: {"mx1": value}})  # type: ignore[misc]


def client_settings(**changes: Any) -> postfix.ClientSettings:
    """Return settings of the sending side."""
    return replace(postfix.ClientSettings(), **changes)


OLD_CA = ThrowAwayAuthority("CA")

HELD: list[tuple[Callable[..., object], str, Any, Callable[[Any], dict[str, Any]]]] = [
    (alice, "lifetime", pki.LifetimePolicy(), lambda value: {"lifetime": value}),
    (ca, "slots", pki.Slots(), lambda value: {"slots": value}),
    (ca, "name_constraints", pki.NameConstraints(), lambda value: {"name_constraints": value}),
    (ca, "adopt", pki.AdoptedAuthority(OLD_CA.certificate_pem, OLD_CA.private_key_pem), lambda value: {"adopt": value}),
    (relay, "target", TARGET, lambda value: {"target": value}),
    (relay, "target", postfix.Local(), lambda value: {"target": value}),
    (relay, "settings", postfix.ServerSettings(), lambda value: {"settings": value}),
    (relay, "settings.relay", postfix.RelayPolicy(), lambda value: {"settings": postfix.ServerSettings(relay=value)}),
    (relay, "relay_through", postfix.ClientSettings(), lambda value: {"relay_through": value}),
    (
        sender,
        "settings.policies[0]",
        postfix.DestinationPolicy("example.net", "may"),
        lambda value: {"settings": client_settings(policies=(value,))},
    ),
    (
        sender,
        "settings.transports[0]",
        postfix.Transport("to", ("example.net",)),
        lambda value: {"settings": client_settings(transports=(value,))},
    ),
    (host, "", postfix.HostDeclaration("hub", "hub.example.org"), lambda value: {"declaration": value}),
    (host, "server", postfix.ServerSide(postfix.ServerSettings(), ()), lambda value: {"declaration": sided(value)}),
    (
        host,
        "extra_relay_clients[0]",
        postfix.ClientRow(":".join(["AB"] * 32), "x"),
        lambda value: {"extra_relay_clients": [value]},
    ),
    (host, "trust[0]", postfix.TrustedRoot("partner", "a certificate"), lambda value: {"trust": [value]}),
]
"""Dataclasses that arguments are or hold: the place, a right value, and the arguments that hold it."""


def sided(server: postfix.ServerSide) -> postfix.HostDeclaration:
    """Return a declaration with this receiving side."""
    return postfix.HostDeclaration("hub", "hub.example.org", server=server)


def places_of_fields() -> Iterator[Place]:
    """Yield every field of the dataclasses that arguments are or hold."""
    for declare, path, right, arguments in HELD:
        for each in fields(right):

            def changed(value: Any, name: str = each.name, right: Any = right, make: Any = arguments) -> Any:
                return make(replace(right, **{name: value}))

            is_waited_for = (type(right).__name__, each.name) in WAITED_FOR
            yield Place(declare, f"{path}.{each.name}".removeprefix("."), changed, is_waited_for)


PLACES = [*places_of_arguments(), *places_of_fields()]


@pytest.mark.parametrize("place", [each for each in PLACES if not each.is_waited_for], ids=str)
def test_an_output_where_check_must_decide_is_refused_in_one_sentence(place: Place) -> None:
    """No traceback, and no guess: the value is needed while the program runs, in a preview as well."""
    error = mistake_of(lambda: place.declare(**place.arguments(pulumi.Output.from_input("later"))))
    assert [problem.message for problem in error.problems] == [MUST_BE_KNOWN]
    (problem,) = error.problems
    assert re.search(rf"{place.pattern}($|[.\[])", problem.path)


REGISTERED = [each for each in PLACES if each.is_waited_for and not each.path.endswith("_key_passphrase")]
"""What is registered as it is; the passphrase of an adopted key opens it before, see test_authorities.py."""


@pytest.mark.parametrize("place", REGISTERED, ids=str)
def test_an_output_that_can_be_waited_for_is_taken(place: Place) -> None:
    """It is registered as it is, and the engine puts in what it stands for."""
    program = run_program(lambda: place.declare(**place.arguments(pulumi.Output.from_input("later"))))
    assert "later" in str([each.properties for each in program.registrations])


def test_every_place_was_found() -> None:
    """The walk over arguments is no empty one: classes, fields by keyword, lists, mappings, and what they hold."""
    assert {each.is_waited_for for each in PLACES} == {True, False}
    found = {str(each) for each in PLACES}
    assert found >= {"alice-email", "alice-dns_names[", "relay-parameters.", "host-myhostname", "staff-pkcs12"}


@pytest.mark.parametrize("read", [pki.parse_csv, pki.parse_yaml])
@pytest.mark.parametrize("text", [pulumi.Output.from_input("name\nanna\n"), None, b"name\nanna\n"], ids=str)
def test_a_file_that_is_no_text_is_refused_in_one_sentence(read: Callable[[Any], object], text: Any) -> None:
    """Bytes are not guessed at, and an Output cannot be waited for: the clients are rows of a preview."""
    with pytest.raises(ArgumentError) as error:
        read(text)
    (problem,) = error.value.problems
    assert (problem.path, "expected the text of a file" in problem.message or problem.message == MUST_BE_KNOWN) == (
        "text",
        True,
    )


@pytest.mark.parametrize(
    ("read", "text", "path"), [(pki.parse_csv, "name,mail\n", "line 1"), (pki.parse_yaml, "a: 5", "line 1")]
)
def test_a_mistake_in_a_file_is_a_sentence_with_its_line(read: Callable[[str], object], text: str, path: str) -> None:
    """The engine shows it without a traceback, as the mistakes of arguments."""
    with pytest.raises(ArgumentError) as error:
        read(text)
    assert error.value.problems[0].path == path


def test_a_field_of_a_row_must_be_known() -> None:
    """Rows go into one text, which the decision about each client reads."""
    error = mistake_of(lambda: staff(clients={"bob": {"email": pulumi.Output.from_input("b@example.org")}}))
    assert [str(each) for each in error.problems] == [f"rosters.staff.clients.bob.email: {MUST_BE_KNOWN}"]


def test_the_name_of_a_client_must_be_known() -> None:
    """What is asked of a roster is looked up while the program runs."""
    error = mistake_of(lambda: staff().client(**given(name=pulumi.Output.from_input("bob"))))
    assert [problem.message for problem in error.problems] == [MUST_BE_KNOWN]
