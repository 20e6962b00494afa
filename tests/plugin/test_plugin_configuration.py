"""What the plugin says of itself, its configuration, and rehearsals with another clock."""

import json
from typing import Any

import grpc
import pytest
from google.protobuf import empty_pb2
from google.protobuf.struct_pb2 import Struct
from pulumi.runtime.proto import provider_pb2 as pb
from pulumi.runtime.proto.provider_pb2_grpc import ResourceProviderStub

from postseal.provider import REGISTRY
from postseal_core.plugin.server import start
from tests.support.plugin_runs import PluginRuns
from tests.support.provider import UNKNOWN
from tests.support.resource_properties import root

LATER = "2027-03-01T00:00:00Z"


def settings(**given: Any) -> Struct:
    """Return a configuration on the wire."""
    struct = Struct()
    struct.update(given)
    return struct


def configure(plugin: PluginRuns, **given: Any) -> pb.ConfigureResponse:
    """Configure the current run."""
    response: pb.ConfigureResponse = plugin.provider.stub.Configure(pb.ConfigureRequest(args=settings(**given)))
    return response


def test_the_plugin_knows_its_name_and_version(plugin: PluginRuns) -> None:
    """Version and a schema of name and version are all that the engine asks for."""
    stub = plugin.provider.stub
    assert stub.GetPluginInfo(empty_pb2.Empty()).version == "0.0.0"
    assert json.loads(stub.GetSchema(pb.GetSchemaRequest()).schema) == {"name": "postseal", "version": "0.0.0"}
    assert stub.Cancel(empty_pb2.Empty()) == empty_pb2.Empty()


def test_the_plugin_takes_secrets_and_previews(plugin: PluginRuns) -> None:
    """Secrets and unknowns must arrive as such, or state would hold keys in clear; nothing else is asked for."""
    response = configure(plugin)
    assert (response.acceptSecrets, response.supportsPreview) == (True, True)
    assert (response.acceptResources, response.acceptOutputs) == (False, False)


@pytest.mark.parametrize(
    ("given", "names"),
    [
        ({}, set()),
        ({"clock": LATER, "rehearsal": "true", "version": "0.1.0"}, set()),
        ({"rehearsal": True}, set()),
        ({"clock": "1970-01-01T00:00:00Z"}, set()),
        ({"clock": "1969-12-31T23:59:59Z"}, {"clock"}),
        ({"clock": "8999-12-31T23:59:59Z"}, set()),
        ({"clock": "9000-01-01T00:00:00Z"}, {"clock"}),
        ({"clok": LATER}, {"clok"}),
        ({"clock": "tomorrow", "rehearsal": "maybe"}, {"clock", "rehearsal"}),
        ({"clock": "2027-03-01T00:00:00"}, {"clock"}),
        ({"colour": "red", "size": 3, "clock": 5}, {"colour", "size", "clock"}),
    ],
)
def test_unknown_keys_and_values_of_the_configuration_are_all_named(
    plugin: PluginRuns, given: dict[str, Any], names: set[str]
) -> None:
    """CheckConfig reports every mistake; Configure refuses with the same sentences, one a line."""
    response = plugin.provider.stub.CheckConfig(pb.CheckRequest(news=settings(**given)))
    assert {failure.reason.partition(":")[0] for failure in response.failures} == names
    assert response.inputs == settings(**given)
    if names:
        lines = plugin.refusal(configure, plugin, **given).splitlines()
        assert {line.partition(":")[0] for line in lines} == {f"postseal.{name}" for name in names}
    else:
        configure(plugin, **given)


@pytest.mark.parametrize(
    ("old", "new", "changed"),
    [
        ({}, {}, []),
        ({}, {"clock": LATER}, ["clock"]),
        ({"clock": LATER, "rehearsal": "true"}, {"clock": LATER}, ["rehearsal"]),
    ],
)
def test_another_clock_is_a_change_in_place(
    plugin: PluginRuns, old: dict[str, str], new: dict[str, str], changed: list[str]
) -> None:
    """The engine must configure the plugin anew for another clock, and replace nothing for it."""
    request = pb.DiffRequest(old_inputs=settings(**old), news=settings(**new))
    response = plugin.provider.stub.DiffConfig(request)
    assert list(response.diffs) == changed
    assert not response.replaces
    assert response.changes == (pb.DiffResponse.DIFF_SOME if changed else pb.DiffResponse.DIFF_NONE)


def test_a_preview_may_look_at_another_day(plugin: PluginRuns) -> None:
    """With `clock` alone, Check and a preview answer for that day."""
    configure(plugin, clock=LATER)
    authority = plugin.resource("Certificate", "mail-ca")
    checked = authority.check(root())
    assert checked["not_before"] == "2027-02-28T23:00:00Z"
    assert authority.plan(checked)["certificate_pem"] == UNKNOWN


def test_another_day_changes_nothing_outside_a_rehearsal(plugin: PluginRuns) -> None:
    """Create, Update and Delete refuse with the two ways out, so that no stack is changed on a made-up day."""
    authority = plugin.resource("Certificate", "mail-ca")
    plugin.up(authority, root())
    configure(plugin, clock=LATER)
    checked = authority.check(root(crl_urls=["http://example.org/ca.crl"]))
    fresh = plugin.resource("Certificate", "mail-ca")
    for step, arguments in ((authority.apply, [checked]), (fresh.apply, [checked]), (authority.delete, [])):
        sentence = plugin.refusal(step, *arguments)
        assert sentence.startswith(f"postseal:clock is set to {LATER}: ")
        assert "pulumi config set postseal:rehearsal true" in sentence
        assert "pulumi config rm postseal:clock" in sentence
    authority.refresh()


def test_on_another_day_nothing_begins_or_ends_to_wait(plugin: PluginRuns) -> None:
    """What waits for its authority is in the state as everything else is; previews show it."""
    waiting, other = {"awaits": "the certificate of issuing"}, {"awaits": "the certificate of mail-ca"}
    alice = plugin.resource("ClientCertificate", "alice")
    plugin.up(alice, waiting)
    configure(plugin, clock=LATER)
    fresh = plugin.resource("ClientCertificate", "bob")
    assert fresh.plan(fresh.check(waiting)) == waiting
    assert alice.plan(alice.check(other)) == other
    for step, arguments in ((fresh.apply, [waiting]), (alice.apply, [other]), (alice.delete, [])):
        assert plugin.refusal(step, *arguments).startswith(f"postseal:clock is set to {LATER}: ")
    configure(plugin, clock=LATER, rehearsal="true")
    alice.apply(other)
    alice.delete()


def test_a_rehearsal_is_carried_out_on_its_day(plugin: PluginRuns) -> None:
    """On a rehearsal stack everything is done as if the day were there."""
    authority = plugin.resource("Certificate", "mail-ca")
    plugin.up(authority, root())
    configure(plugin, clock="2036-01-01T00:00:00+01:00", rehearsal="true")
    authority.apply(authority.check(root()))
    assert authority.outputs["generation"] == 2
    assert authority.outputs["not_before"] == "2035-12-31T22:00:00Z"
    authority.delete()


def test_the_server_listens_on_loopback_and_tells_a_line_without_an_engine(capfd: pytest.CaptureFixture[str]) -> None:
    """A started plugin answers on the port it names; without an engine its lines go to stderr, never to stdout."""
    server, port = start(REGISTRY, version="1.2.3")
    try:
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            assert ResourceProviderStub(channel).GetPluginInfo(empty_pb2.Empty()).version == "1.2.3"
    finally:
        server.stop(grace=None).wait()
    assert capfd.readouterr().out == ""
