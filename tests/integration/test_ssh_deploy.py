"""Deployments to a real Postfix through a real sshd: as root, and as a user with sudo for one program or a shell."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from postfix.deploy.transaction import Reloading, remove
from postfix.ssh_access import Sudo
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
