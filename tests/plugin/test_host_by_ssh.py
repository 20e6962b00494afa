"""A host on another machine, from the engine's calls through a real sshd down to its Postfix."""

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pki.fingerprint import certificate_fingerprint_sha256
from pki.verification import chain_pem
from postfix.deploy.sessions.ssh_connection import SshConnection, close_all
from postfix.host import HostDeclaration, OnHost, Ownership, ServerSide
from postfix.settings import ServerSettings
from postfix.ssh_access import SshAccess
from postfix.tables import TableType
from postfix.target import Drift, Target, TargetKind
from postseal_core.records import encode
from tests.support.host_certificates import admitted_alice, alice, authority, served
from tests.support.loopback import free_ports
from tests.support.plugin_runs import PluginRuns
from tests.support.postfix_instance import Boot, PostfixInstance
from tests.support.provider import Secret
from tests.support.resource_properties import key_pem
from tests.support.ssh_server import SshServer, ssh_server

pytestmark = [pytest.mark.needs_postfix, pytest.mark.needs_openssl, pytest.mark.needs_sshd, pytest.mark.takes_long]

HOST = HostDeclaration("mx1", "mx1.example.org", ServerSide(ServerSettings(), ("mx1",)), ownership=Ownership.MERGE)


@pytest.fixture(scope="module")
def server() -> Iterator[SshServer]:
    """Return a server that lets root in."""
    with ssh_server() as started:
        yield started
        close_all()


@pytest.fixture
def instance(postfix_instance: Boot, tmp_path: Path) -> PostfixInstance:
    """Return a running Postfix of somebody else."""
    rendered = tmp_path / "rendered"
    rendered.mkdir()
    (rendered / "main.cf").write_text("# The administrator's comment.\ncompatibility_level = 3.6\nbiff = yes\n")
    return postfix_instance(rendered)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the verbs that were asked of hosts since it was cleared, one for each round trip."""
    verbs: list[str] = []
    original: Callable[..., Any] = SshConnection.request

    def request(self: SshConnection, remote: str, said: bytes, **options: Any) -> Any:
        verbs.append(said.partition(b"\nPOSTSEAL1 ")[2].partition(b" ")[0].decode())
        return original(self, remote, said, **options)

    monkeypatch.setattr(SshConnection, "request", request)
    return verbs


def target(access: SshAccess, path: Path, **more: Any) -> Target:
    """Return a target as handlers have it."""
    made = Target(
        kind=TargetKind.SSH, path=str(path), config_directory=str(path), ownership=Ownership.MERGE, ssh=access
    )
    return replace(made, **more)


def declared(place: Target, host: HostDeclaration = HOST, *, has_alice: bool = True) -> dict[str, Any]:
    """Return a relay on that Postfix."""
    chains = {"description": "generation 1", "private_key_pem": Secret(key_pem()), "chain_pem": chain_pem([served()])}
    return {
        "declaration": encode(host),
        "target": encode(place),
        "chains": {host.name: chains} if host.server and host.server.certificates else {},
        "roots": {"mail-ca": chain_pem([authority().certificate])},
        "access": {"smtp": {"clients": {"alice": admitted_alice()} if has_alice else {}}},
    }


def test_a_host_far_away_is_brought_to_its_declaration_and_back(
    plugin: PluginRuns, instance: PostfixInstance, server: SshServer, asked: list[str]
) -> None:
    """Create proves, no change is one round trip, what others change is put right, and delete leaves nothing."""
    before = (instance.config_directory / "main.cf").read_bytes()
    relay = declared(target(server.access, instance.config_directory))
    host = plugin.resource("MailServer", "mx1")
    plugin.up(host, relay)
    assert plugin.lines[-1] == "Postfix was reloaded"
    assert host.outputs["evidence"]["servers"]
    table = instance.config_directory / "relay_clientcerts"
    fingerprint = certificate_fingerprint_sha256(alice())
    assert fingerprint in table.read_text()

    asked.clear()
    plugin.start_run()
    assert host.diff(host.check(relay)) == {}
    assert asked == ["look"]

    table.write_text("")
    (instance.config_directory / "tls/mx1.pem").chmod(0o444)
    assert plugin.up(host, relay) == {"changed_outside": "update"}
    assert fingerprint in table.read_text()
    assert any("relay_clientcerts was changed" in line and "is gone" in line for line in plugin.lines)
    assert any("tls/mx1.pem was changed" in line for line in plugin.lines)
    assert (instance.config_directory / "tls/mx1.pem").stat().st_mode & 0o777 == 0o400

    (instance.config_directory / ".postseal/unread").touch()
    assert plugin.up(host, relay) == {"changed_outside": "update"}
    assert plugin.up(host, relay) == {}

    asked.clear()
    without = declared(target(server.access, instance.config_directory), has_alice=False)
    assert plugin.up(host, without) == {'changes["will no longer be let in"]': "add", "reload": "add"}
    assert fingerprint not in table.read_text()
    plugin.start_run()
    host.refresh()
    host.delete()
    assert (instance.config_directory / "main.cf").read_bytes() == before
    assert not [path.name for path in instance.config_directory.iterdir() if "postseal" in path.name]
    assert plugin.clear_secrets() == []


@pytest.mark.parametrize("table_type", ["texthash", "hash"])
def test_a_change_of_rows_takes_few_round_trips(
    plugin: PluginRuns, instance: PostfixInstance, server: SshServer, asked: list[str], table_type: TableType
) -> None:
    """What a deployment will ask is asked at once, rows that will change as well; no index is read, however large."""
    place, typed = target(server.access, instance.config_directory), replace(HOST, table_type=table_type)
    host = plugin.resource("MailServer", "mx1")
    plugin.up(host, declared(place, typed))
    asked.clear()
    plugin.start_run()
    assert host.diff(host.check(declared(place, typed))) == {}
    assert asked == ["look"]
    asked.clear()
    plugin.start_run()
    checked = host.check(declared(place, typed, has_alice=False))
    assert host.diff(checked) != {}
    host.apply(checked)
    assert asked == ["look", "run"]


def test_a_host_that_is_away_is_a_warning_of_a_preview_and_an_error_of_its_up(
    plugin: PluginRuns, instance: PostfixInstance, server: SshServer
) -> None:
    """Another host stays as it was brought, and the state of the one that is away is kept."""
    there = plugin.resource("MailServer", "mx1")
    relay = declared(target(server.access, instance.config_directory))
    plugin.up(there, relay)
    away = declared(target(replace(server.access, port=next(free_ports())), instance.config_directory), replace(HOST))
    lost = plugin.resource("MailServer", "mx2")
    lost.outputs, lost.inputs, lost.id = there.outputs, there.inputs, there.id
    plugin.lines.clear()
    changes, _ = plugin.preview(lost, away)
    assert changes
    assert any(
        "this preview cannot tell what is on the host: nothing listens on 127.0.0.1" in each for each in plugin.lines
    )
    plugin.start_run()
    assert "nothing listens on 127.0.0.1" in plugin.refusal(lost.apply, lost.check(away))
    assert plugin.up(there, relay) == {}


def test_a_host_under_another_name_is_still_the_same(
    plugin: PluginRuns, instance: PostfixInstance, server: SshServer
) -> None:
    """It has the pinned key: what was deployed there stays, and nothing is removed."""
    host = plugin.resource("MailServer", "mx1")
    plugin.up(host, declared(target(server.access, instance.config_directory)))
    table = instance.config_directory / "relay_clientcerts"
    before = table.stat().st_ino
    renamed = target(replace(server.access, host="localhost"), instance.config_directory)
    assert "target.ssh.host" in plugin.up(host, declared(renamed))
    assert table.stat().st_ino == before
    assert plugin.up(host, declared(renamed)) == {}


def test_two_hosts_with_one_key_and_directory_are_refused(
    plugin: PluginRuns, instance: PostfixInstance, server: SshServer
) -> None:
    """They would undo each other in turn, whatever they are called."""
    plugin.start_run()
    one, two = plugin.resource("MailServer", "mx1"), plugin.resource("MailServer", "mx2")
    place = target(server.access, instance.config_directory)
    one.check(declared(place))
    renamed = replace(place, ssh=replace(server.access, host="localhost"))
    two_host = replace(HOST, name="mx2", server=ServerSide(ServerSettings(), ("mx2",)))
    with pytest.raises(Exception, match=r"host mx1 has localhost port .* already"):
        two.check(declared(renamed, two_host))


def test_edits_of_others_stop_a_run_where_that_is_declared(
    plugin: PluginRuns, instance: PostfixInstance, server: SshServer
) -> None:
    """As on this machine: nothing is touched, and the row that was added is told."""
    place = target(server.access, instance.config_directory, drift=Drift.STOP)
    host = plugin.resource("MailServer", "mx1")
    plugin.up(host, declared(place))
    table = instance.config_directory / "relay_clientcerts"
    table.write_text(f"{table.read_text()}AA:BB mallory\n")
    plugin.start_run()
    checked = host.check(declared(place))
    assert host.diff(checked) == {"changed_outside": "update"}
    assert "'AA:BB'" in plugin.refusal(host.apply, checked)
    assert "mallory" in table.read_text()


def test_a_certificate_that_the_host_renews_itself_is_looked_at_without_its_key(
    plugin: PluginRuns, instance: PostfixInstance, server: SshServer
) -> None:
    """The host says its public half; a file that is not there stops the first deployment."""
    path, main_cf = instance.work_directory / "own.pem", instance.config_directory / "main.cf"
    main_cf.write_text(f"{main_cf.read_text()}smtpd_tls_chain_files = {path}\n")
    side = ServerSide(ServerSettings(ca_file=False), on_host=OnHost())
    own = HostDeclaration("mx1", "mx1.example.org", side, ownership=Ownership.MERGE)
    place = target(server.access, instance.config_directory)
    host = plugin.resource("MailServer", "mx1")
    plugin.start_run()
    assert "is not there" in plugin.refusal(host.apply, host.check(declared(place, own)))
    path.write_text(key_pem() + chain_pem([served()]))
    path.chmod(0o600)
    os.utime(path, (1, 1))
    plugin.up(host, declared(place, own))
    seen = host.outputs["on_host"]["certificates"]
    assert [each["fingerprint_sha256"] for each in seen] == [certificate_fingerprint_sha256(served())]
    assert plugin.up(host, declared(place, own)) == {}
