"""Deployments to a real Postfix through a real sshd: as root, and as a user with sudo for one program or a shell."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from postfix.deploy.sessions.ssh import carried_program
from postfix.deploy.transaction import Reloading, remove
from postfix.ssh_access import Sudo
from postseal.cli import main
from tests.support.far_relay import FarRelay, far_relay
from tests.support.relay import NEW, OLD, SERVERS, failure_of
from tests.support.ssh_server import SshServer, ssh_server

pytestmark = [pytest.mark.needs_postfix, pytest.mark.needs_openssl, pytest.mark.needs_sshd]

WAYS = {"root": ("root", Sudo.NONE), "program": ("postseal", Sudo.PROGRAM), "shell": ("postseal", Sudo.SHELL)}


@pytest.fixture(
    params=["root", *(pytest.param(each, marks=pytest.mark.needs_mounts) for each in ("program", "shell"))],
    scope="module",
)
def server(request: pytest.FixtureRequest) -> Iterator[SshServer]:
    """Return a server for each way to be root there."""
    user, sudo = WAYS[request.param]
    with ssh_server(user=user, sudo=sudo) as started:
        yield started


@pytest.fixture
def relay(server: SshServer, tmp_path: Path) -> Iterator[FarRelay]:
    """Return a Postfix of somebody else behind the server."""
    with far_relay(tmp_path, server) as started:
        yield started


def test_a_host_is_deployed_to_proven_left_alone_changed_and_given_back(relay: FarRelay) -> None:
    """What is asked of the service itself answers as declared at each step, and in the end nothing of ours is there."""
    before = relay.content()
    first = relay.up(OLD)
    assert first.reloading is Reloading.DONE
    assert {each.kind for each in first.evidence} >= {"server", "table"}
    assert relay.is_old()
    relay.connect()
    again = relay.up(OLD)
    assert again.reloading is Reloading.NOT_NEEDED
    relay.connect()
    assert relay.up(NEW).reloading is Reloading.DONE
    assert relay.is_new()
    assert relay.leftovers() == []
    relay.connect()
    removed = remove(relay.session, relay.deployed, "p/dev")
    assert removed.reloading is Reloading.DONE
    assert relay.content() == before
    assert not (relay.instance.config_directory / ".postseal").exists()


def test_a_change_that_the_service_does_not_bear_is_undone(relay: FarRelay) -> None:
    """A certificate that is not served ends in the old state, and the error says so."""
    relay.up(OLD)
    relay.connect(has_trial=False)
    sentence = failure_of(lambda: relay.up(NEW, served=SERVERS[0]))
    assert "all files are as they were before" in sentence
    assert relay.is_old()
    assert relay.leftovers() == []


def test_a_host_goes_back_to_an_earlier_state_by_the_stack_file_alone(
    relay: FarRelay, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without a state: the command is told where the host is, lists what is kept there, and goes back and forth."""
    relay.up(OLD, generations=5)
    relay.connect()
    relay.up(NEW, generations=5)
    access = relay.server.access
    if access.user != "root":
        relay.server.put_program(carried_program())
    ssh = {
        "host": access.host,
        "port": access.port,
        "user": access.user,
        "host_key": list(access.host_keys),
        "identity_file": access.identity_file,
        "sudo": str(access.sudo),
        "program": access.program,
        "config_directory": str(relay.instance.config_directory),
    }
    stack_file = tmp_path / "Pulumi.prod.yaml"
    stack_file.write_text(json.dumps({"config": {"mail:hosts": {"mx1": {"target": {"ssh": ssh}}}}}))
    assert main(["rollback", "mx1", "--stack-file", str(stack_file), "--list"]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == ["2", "1"]
    assert main(["rollback", "mx1", "--stack-file", str(stack_file)]) == 0
    assert relay.is_old()
    assert main(["rollback", "mx2", "--stack-file", str(stack_file)]) == 3
    assert "has no host 'mx2'; its hosts: mx1" in capsys.readouterr().err
    assert main(["rollback", "mx1", "--stack-file", str(stack_file), "--to", "3"]) == 0
    assert relay.is_new()


def test_an_audit_from_elsewhere_finds_what_one_on_the_host_finds(
    relay: FarRelay, capsys: pytest.CaptureFixture[str]
) -> None:
    """By the address alone, for whoever has no stack yet; nothing there is changed."""
    relay.up(OLD)
    if relay.server.user != "root":
        relay.server.put_program(carried_program())
    main_cf = relay.instance.config_directory / "main.cf"
    main_cf.write_text(main_cf.read_text() + "smtpd_use_tls = yes\nsmtpd_recipient_restrictions = reject\n")
    main_cf.chmod(0o666)
    access, root = relay.server.access, relay.session.root
    before = relay.content()
    address = f"ssh://{access.user}@{access.host}:{access.port}{root}"
    way = ["--host-key", access.host_keys[0], "--identity-file", access.identity_file, "--sudo", str(access.sudo)]
    way += ["--program", access.program]

    def findings(*arguments: str) -> set[tuple[str, ...]]:
        assert main(["audit", *arguments, "--format", "json"]) == 2
        found = json.loads(capsys.readouterr().out)["findings"]
        names = ("kind", "file", "line", "service", "parameter", "what")
        return {tuple(str(each[name]) for name in names) for each in found if each["kind"] != "not-seen"}

    far, near = findings(address, *way), findings(root)
    assert far == near
    assert "others than root may write it (mode 0666)" in str(far)
    assert relay.content() == before
