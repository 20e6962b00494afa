"""What inputs name of a key is public; it opens nothing for anybody but the resource that was handed the key."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import grpc
import pytest
from pulumi.runtime.proto import provider_pb2 as pb
from pulumi.runtime.proto.provider_pb2_grpc import ResourceProviderStub

from pki.verification import chain_pem
from postseal.provider import REGISTRY
from postseal_core.plugin.server import start
from tests.support.provider import Provider, Resource, Secret, decode, encode
from tests.support.resource_properties import certificate_of, client, issued_by, key_pem, root
from tests.support.specimens import make_authority

REFUSED = "did not pass through Check in this run"
Properties = dict[str, Any]


@pytest.fixture
def port() -> Iterator[int]:
    """Return the port of a running plugin."""
    with running() as port:
        yield port


@contextmanager
def running() -> Iterator[int]:
    """Start a plugin in a run of its own; it is stopped at the end."""
    server, port = start(REGISTRY, version="0.0.0")
    yield port
    server.stop(grace=None).wait()


@contextmanager
def connected(port: int) -> Iterator[Provider]:
    """Connect to a plugin over a connection that nobody else uses."""
    options = [("grpc.use_local_subchannel_pool", 1)]
    with grpc.insecure_channel(f"127.0.0.1:{port}", options=options) as channel:
        provider = Provider(ResourceProviderStub(channel))
        provider.set_clock(None)
        yield provider


def certificate(provider: Provider, name: str) -> Resource:
    """Return a certificate that does not exist yet."""
    return provider.resource("postseal:index:Certificate", name)


@pytest.fixture
def plugin(port: int) -> Iterator[Provider]:
    """Return the plugin as its engine sees it."""
    with connected(port) as provider:
        yield provider


@pytest.fixture
def issuer(plugin: Provider) -> Properties:
    """Return what a client is told of an authority that the engine has brought up."""
    authority = certificate(plugin, "mail-ca")
    authority.up(root())
    return issued_by(authority.outputs)


def refused(step: Any, *arguments: Any) -> bool:
    """Return whether a step is refused because its inputs are not those of a Check."""
    with pytest.raises(grpc.RpcError) as caught:
        step(*arguments)
    return REFUSED in str(caught.value)


def test_a_reference_made_from_the_public_certificate_is_worth_nothing(plugin: Provider, issuer: Properties) -> None:
    """Not alone, and not put into inputs that Check has returned."""
    authority = certificate(plugin, "mail-ca")
    public = authority.check(root())["private_key"]
    assert public.startswith("sha256:")
    archive = plugin.resource("postseal:index:Pkcs12", "loot")
    pem = issuer["issuer"]["chain_pem"]
    own = {"name": "loot", "profile": "modern", "generation": 1, "certificate_pem": pem, "ca_pem": pem}
    checked = archive.check(own | {"private_key_pem": Secret(key_pem("eve")), "passphrase": Secret("known to eve")})
    assert refused(archive.plan, checked | {"private_key": public})
    assert refused(archive.apply, checked | {"private_key": public})
    assert refused(certificate(plugin, "eve").apply, client(issuer, "eve") | {"issuer_key": public})


def test_inputs_of_one_resource_make_nothing_of_another_name(plugin: Provider, issuer: Properties) -> None:
    """What alice's Check was handed signs for alice alone, whoever repeats her inputs word for word."""
    alice = certificate(plugin, "alice")
    checked = alice.check(client(issuer))
    assert refused(certificate(plugin, "eve").apply, checked)
    eve = certificate(plugin, "eve")
    eve.id, eve.outputs = "eve", {}
    assert refused(eve.apply, checked)
    assert alice.apply(checked)["generation"] == 1


def test_inputs_are_worth_nothing_on_another_connection(port: int, plugin: Provider, issuer: Properties) -> None:
    """Whoever can guess every word of them, dates included: nobody else speaks on the engine's connection."""
    checked = certificate(plugin, "alice").check(client(issuer))
    with connected(port) as stranger:
        assert refused(certificate(stranger, "alice").plan, checked)
        assert refused(certificate(stranger, "alice").apply, checked)
    assert certificate(plugin, "alice").apply(checked)["generation"] == 1


def test_inputs_are_worth_nothing_in_another_process(plugin: Provider, issuer: Properties) -> None:
    """A preview's inputs make nothing in the plugin of the update, and the other way round."""
    checked = certificate(plugin, "alice").check(client(issuer))
    with running() as another, connected(another) as provider:
        assert refused(certificate(provider, "alice").apply, checked)


def test_nobody_changes_what_another_resource_was_handed(plugin: Provider, issuer: Properties) -> None:
    """Whoever hands in a chain of their own under the name of an authority of the stack: only they get it."""
    foreign = make_authority()
    pem = chain_pem([foreign.certificate])
    mallory = {"issuer": issuer["issuer"] | {"chain_pem": pem, "private_key_pem": Secret(key_pem("mallory"))}}
    eve, alice = certificate(plugin, "eve"), certificate(plugin, "alice")
    eve.check(client(mallory, "eve"))
    alices = alice.check(client(issuer))
    eve.check(client(mallory, "eve"))
    issued = certificate_of(alice.apply(alices))
    authority = certificate(plugin, "mail-ca")
    issued.verify_directly_issued_by(certificate_of(authority.apply(authority.check(root()))))


def test_the_same_key_and_inputs_are_the_same_in_every_run(plugin: Provider, issuer: Properties) -> None:
    """So a preview, an update and a stored plan agree: no member of the inputs is random."""
    declared = client(issuer)
    first = plugin.stub.Check(pb.CheckRequest(urn=certificate(plugin, "alice").urn, news=encode(declared)))
    with running() as another, connected(another) as provider:
        assert certificate(provider, "alice").check(declared) == decode(first.inputs)
