"""Every class that registers a resource: its token is its name, it is one registration, and its outputs are typed."""

import importlib
import pkgutil
from collections.abc import Callable
from typing import Any, get_args

import pulumi
import pytest

import pki
import postfix
from pki.certificate.resource import Certificate
from pki.imported_certificate.resource import ImportedCertificate
from pki.requested_authority.resource import RequestedAuthority
from postseal.provider import REGISTRY
from postseal_core import values
from postseal_core.program import RecordResource, with_whole_numbers
from postseal_core.records import decode, secret_names, wire_names
from tests.support.mocks import run_program
from tests.support.provider import UNKNOWN, Secret

TARGET = postfix.Directory("out/mx1")


def authority() -> pki.CertificateAuthority:
    """Return a root."""
    return pki.CertificateAuthority("ca", common_name="CA")


def client() -> pki.ClientCertificate:
    """Return a client below a root."""
    return pki.ClientCertificate("one", authority=authority(), email="one@example.org")


def server() -> pki.ServerCertificate:
    """Return a server that signs itself."""
    return pki.ServerCertificate("one", self_signed=True, dns_names=["mx1.example.org"])


def listing() -> pki.RevocationList:
    """Return the list of an authority with a client."""
    issued = client()
    return pki.RevocationList("one", authority=issued.authority, certificates=[issued])


def declaration() -> postfix.HostDeclaration:
    """Return the declaration of a host that serves `one`."""
    return postfix.HostDeclaration(
        name="one",
        myhostname="mx1.example.org",
        server=postfix.ServerSide(
            postfix.ServerSettings(relay=postfix.RelayPolicy(client_certificates=False), ca_file=False), ("one",)
        ),
    )


DECLARED: dict[type[pulumi.Resource], Callable[[], object]] = {
    pki.ClientCertificate: client,
    pki.ServerCertificate: server,
    pki.ThirdPartyClientCertificate: lambda: pki.ThirdPartyClientCertificate(
        "one", signed_chain_pem="the chain", private_key_pem="the key"
    ),
    pki.Pkcs12: lambda: pki.Pkcs12("one", certificate=client()),
    pki.ClientRoster: lambda: pki.ClientRoster("one", authority=authority(), clients={}),
    pki.RevocationList: listing,
    pki.HandOut: lambda: pki.HandOut("one", directory="out", authorities=[authority()], clients=[client()]),
    postfix.PostfixHost: lambda: postfix.PostfixHost(
        "one", declaration=declaration(), target=TARGET, certificates={"one": server()}
    ),
    postfix.MailServer: lambda: postfix.MailServer(
        "one", myhostname="mx1.example.org", certificate=server(), target=TARGET, relay_clients=[client()]
    ),
    postfix.RelayClient: lambda: postfix.RelayClient("one", myhostname="mx1.example.org", target=TARGET),
}
COMPONENTS: dict[type[pulumi.Resource], Callable[[], object]] = {
    pki.CertificateAuthority: lambda: pki.CertificateAuthority("one", common_name="CA"),
    pki.IntermediateAuthority: lambda: pki.IntermediateAuthority("one", authority=authority(), common_name="Office CA"),
    pki.ThirdPartyAuthority: lambda: pki.ThirdPartyAuthority("one", common_name="CA"),
    pki.ThirdPartyServerCertificate: lambda: pki.ThirdPartyServerCertificate("one", dns_names=["mx.example.org"]),
}
ALL = DECLARED | COMPONENTS
MADE_BY_OTHERS = {Certificate, ImportedCertificate, RequestedAuthority}


def resource_classes() -> list[type[RecordResource]]:
    """Return every class of ours that registers a resource."""
    for package in (pki, postfix):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if ".components." in module.name or module.name.endswith(".resource"):
                importlib.import_module(module.name)
    found = [RecordResource]
    for each in found:
        found += each.__subclasses__()
    return [each for each in found if each.__module__.startswith(("pki.", "postfix."))]


RESOURCES = resource_classes()


def test_every_public_class_is_declared_here() -> None:
    """So that none of them is left out of what follows."""
    public = {getattr(package, name) for package in (pki, postfix) for name in package.__all__}
    registering = {each for each in public if isinstance(each, type) and issubclass(each, pulumi.Resource)}
    rule = "export the class in `pki` or `postfix`, and add it to DECLARED in this file"
    assert registering == ALL.keys() | MADE_BY_OTHERS, rule
    assert {*RESOURCES} == DECLARED.keys() | MADE_BY_OTHERS, rule


@pytest.mark.parametrize("preview", [True, False])
@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.__name__)
def test_the_token_is_the_name_of_the_class(kind: type[pulumi.Resource], *, preview: bool) -> None:
    """Who reads a state or a preview finds the class that made it."""
    program = run_program(ALL[kind], preview=preview)
    assert [each.type for each in program.registrations].count(f"postseal:index:{kind.__name__}") == 1


@pytest.mark.parametrize("kind", RESOURCES, ids=lambda kind: kind.__name__)
def test_the_type_of_a_resource_is_the_name_of_its_class(kind: type[RecordResource]) -> None:
    """Also of those that only components register."""
    assert kind.resource_type == kind.__name__


@pytest.mark.parametrize("kind", DECLARED, ids=lambda kind: kind.__name__)
def test_one_thing_is_one_registration(kind: type[pulumi.Resource]) -> None:
    """On a file backend, every registration rewrites the whole state."""
    program = run_program(DECLARED[kind])
    own = [each for each in program.registrations if each.name == "one" and each.type.endswith(f":{kind.__name__}")]
    below = [each for each in program.registrations if each.parent == own[0].urn]
    assert (len(own), below) == (1, [])


def on_the_wire(value: Any) -> Any:
    """Return a property as a handler gets it."""
    if isinstance(value, Secret):
        return on_the_wire(value.value)
    if isinstance(value, dict):
        return {name: on_the_wire(member) for name, member in value.items()}
    if isinstance(value, list):
        return [on_the_wire(item) for item in value]
    return values.UNKNOWN if value == UNKNOWN else with_whole_numbers(value)


@pytest.mark.parametrize("preview", [True, False])
@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.__name__)
def test_handlers_can_read_what_is_registered(kind: type[pulumi.Resource], *, preview: bool) -> None:
    """Outputs stand where their values fit, known and unknown."""
    for each in run_program(ALL[kind], preview=preview).registrations:
        if each.type in REGISTRY:
            decode(REGISTRY[each.type].args, on_the_wire(each.properties))


@pytest.mark.parametrize("kind", RESOURCES, ids=lambda kind: kind.__name__)
def test_outputs_that_a_class_announces_are_those_of_its_state(kind: type[RecordResource]) -> None:
    """Inherited ones are announced again, for the SDK looks at one class only; whole numbers are whole that way."""
    announced = kind.__annotations__
    assert announced.keys() <= wire_names(kind.state)
    if issubclass(kind, Certificate):
        assert get_args(announced["generation"]) == (int,)
        assert secret_names(kind.state) == {"private_key_pem"}


def test_a_number_of_an_output_is_whole() -> None:
    """The engine sends numbers with a fraction; whoever adds one to a generation gets a whole number."""
    seen: list[object] = []

    def program() -> None:
        client().generation.apply(seen.append)

    run_program(program)
    assert [(each, type(each)) for each in seen] == [(1, int)]


def test_numbers_inside_of_plain_values_are_whole_too() -> None:
    """The SDK knows the type of an output, not of what stands in it."""
    assert repr(with_whole_numbers([{"generation": 1.0, "part": 0.5, "name": "1.0"}, 2.0])) == (
        "[{'generation': 1, 'part': 0.5, 'name': '1.0'}, 2]"
    )


def test_every_resource_class_has_its_handler_and_every_handler_its_class() -> None:
    """A class that nothing serves, or a type that no program can declare, would be noticed by its users only."""
    served = {f"postseal:index:{kind.resource_type}" for kind in RESOURCES}
    assert served == {*REGISTRY}, "add the handler to REGISTRY in postseal/provider.py, and a class to pki/components"
    for kind in RESOURCES:
        assert kind.state is REGISTRY[f"postseal:index:{kind.resource_type}"].state
