"""A key or passphrase that stands where something else is expected is in no message about that."""

from collections.abc import Iterator

import grpc
import pytest
from pulumi.runtime.proto import provider_pb2 as pb

from postseal.provider import REGISTRY
from postseal_core.wording import shown
from tests.support.provider import CheckFailedError, Provider, Secret, encode, provider

TOKEN = "postseal:index:Pkcs12"
URN = f"urn:pulumi:test::project::{TOKEN}::anna"
PEM = "-----BEGIN PRIVATE KEY-----\nTklDSFRT\n-----END PRIVATE KEY-----\n"


@pytest.fixture
def plugin() -> Iterator[Provider]:
    """Return the running plugin."""
    with provider([REGISTRY[TOKEN], REGISTRY["postseal:index:HandOut"]]) as running:
        running.set_clock(None)
        yield running


def said_of(plugin: Provider, profile: object) -> str:
    """Return what Check says of an archive with this profile."""
    with pytest.raises(CheckFailedError) as caught:
        plugin.resource(TOKEN, "anna").check({"profile": profile})
    return next(each for each in caught.value.failures if each.startswith("profile"))


@pytest.mark.parametrize("secret", ["hush hush", "it's 'hush'", "x", "hush\n" * 40, "\u00fc\u20ac hush"])
def test_a_secret_in_the_wrong_place_is_not_quoted(plugin: Provider, secret: str) -> None:
    """Arguments change places; without the mark the same text is quoted, so that the mistake is found."""
    said = said_of(plugin, Secret(secret))
    assert said.startswith("profile: got a secret, expected one of: modern")
    assert "hush" not in said
    assert f"got {shown(secret)}" in said_of(plugin, secret)


@pytest.mark.parametrize("value", [PEM, f"my key: {PEM}"])
def test_a_pem_block_in_the_wrong_place_is_not_quoted(plugin: Provider, value: str) -> None:
    """Also where nobody has marked it."""
    assert said_of(plugin, value).startswith("profile: got a PEM block, expected one of: modern")


def test_a_secret_in_what_is_stored_is_not_quoted(plugin: Provider) -> None:
    """An error of another call than Check is one sentence, which the engine prints and logs."""
    stored = encode({"profile": Secret("hush hush"), "name": Secret(["hush again"])})
    for call in (
        lambda: plugin.stub.Delete(pb.DeleteRequest(urn=URN, properties=stored)),
        lambda: plugin.stub.Diff(pb.DiffRequest(urn=URN, old_inputs=stored, news=stored, olds=stored)),
    ):
        with pytest.raises(grpc.RpcError) as caught:
            call()
        assert "cannot be read" in str(caught.value)
        assert "hush" not in str(caught.value)


def test_a_directory_that_cannot_be_named_is_a_sentence(plugin: Provider) -> None:
    """Not an internal error."""
    urn = URN.replace("Pkcs12", "HandOut")
    with pytest.raises(grpc.RpcError, match="no directory can have the name"):
        plugin.stub.Delete(pb.DeleteRequest(urn=urn, properties=encode({"directory": "a\0b", "files": {}})))


@pytest.mark.parametrize("value", [PEM, [PEM], {"key": PEM}, (1, (PEM,))])
def test_no_value_with_a_pem_block_in_it_is_shown(value: object) -> None:
    """Wherever a message quotes a value."""
    assert "a PEM block" in shown(value)
    assert "TklD" not in shown(value)
