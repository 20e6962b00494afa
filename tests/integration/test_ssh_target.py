"""Hosts by SSH under the real engine: deployed side by side, one of them away, and nothing left of any connection."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.engine import Stack, write_project
from tests.support.loopback import until
from tests.support.postfix_instance import PostfixInstance, boot
from tests.support.smtp_probe import probe
from tests.support.ssh_server import SshServer, ssh_server
from tests.support.test_authority import Credential

pytestmark = [pytest.mark.needs_engine, pytest.mark.needs_postfix, pytest.mark.needs_sshd, pytest.mark.takes_long]

PROGRAM = """
import pulumi

import pki
import postfix

config = pulumi.Config()
ca = pki.CertificateAuthority("mail-ca", common_name="Example Mail CA", opts=pulumi.ResourceOptions(protect=False))
alice = pki.ClientCertificate("alice", authority=ca, email="alice@example.org")
for name, place in config.require_object("places").items():
    server = pki.ServerCertificate(name, authority=ca, dns_names=[f"{name}.example.org"])
    postfix.MailServer(
        name,
        myhostname=f"{name}.example.org",
        certificate=server,
        relay_clients=[alice],
        settings=postfix.ServerSettings(relay=postfix.RelayPolicy(networks=())),
        target=postfix.Ssh(
            "127.0.0.1",
            host_key=place["host_key"],
            user="root",
            port=int(place["port"]),
            identity_file=place["identity_file"],
            connect_seconds=5,
            wait_seconds=0,
            path=place["path"],
        ),
    )
pulumi.export("ca_pem", ca.certificate_pem)
pulumi.export("alice", {"certificate_pem": alice.certificate_pem, "private_key_pem": alice.private_key_pem})
"""
NAMES = ("mx1", "mx2")
SECONDS = 10.0


@dataclass(slots=True)
class Machines:
    """Two machines, each with an sshd and a Postfix of its own, and the stack that deploys to them."""

    stack: Stack
    servers: dict[str, SshServer]
    instances: dict[str, PostfixInstance]

    def declare(self, *names: str) -> None:
        """Declare these hosts."""
        for name in names:
            server = self.servers[name]
            for key, value in {
                "port": str(server.port),
                "host_key": server.host_key,
                "identity_file": str(server.key("user_key")),
                "path": str(self.instances[name].config_directory),
            }.items():
                self.stack.set_config(f"places.{name}.{key}", value, is_path=True)

    def may_relay(self, name: str) -> bool:
        """Return whether alice may relay through a host."""
        outputs = self.stack.outputs(show_secrets=True)
        alice = Credential(outputs["alice"]["certificate_pem"], outputs["alice"]["private_key_pem"], outputs["ca_pem"])
        return probe(self.instances[name].port, client_certificate=alice).may_relay


@pytest.fixture
def machines(engine_home: Path, tmp_path: Path) -> Iterator[Machines]:
    """Return two machines that nothing was deployed to."""
    (tmp_path / "rendered").mkdir()
    (tmp_path / "rendered/main.cf").write_text("# Ours.\ncompatibility_level = 3.6\n")
    stack = Stack(write_project(tmp_path / "project", PROGRAM), tmp_path / "backend", engine_home).init()
    with (
        ssh_server() as one,
        ssh_server() as two,
        boot(tmp_path / "rendered") as mx1,
        boot(tmp_path / "rendered") as mx2,
    ):
        yield Machines(stack, dict(zip(NAMES, (one, two), strict=True)), dict(zip(NAMES, (mx1, mx2), strict=True)))


def traces() -> set[str]:
    """Return what connections of this machine's users leave while they are open."""
    temporary = Path("/tmp")  # noqa: S108  # where both sides have what is on its way
    return {str(path) for name in ("postseal-ssh-*", "postseal-program.*") for path in temporary.glob(name)}


def test_hosts_are_deployed_side_by_side_and_one_that_is_away_keeps_no_other(machines: Machines) -> None:
    """Both relay for alice; with one away a preview warns, `up` fails for it, and the next one ends right."""
    before = traces()
    machines.declare("mx1")
    result = machines.stack.up().expect_success()
    assert "Postfix was reloaded" in str(result)
    assert machines.may_relay("mx1")
    machines.stack.preview(expect_no_changes=True).expect_success()

    machines.declare("mx2")
    machines.servers["mx2"].stop()
    preview = machines.stack.preview().expect_success()
    assert "this preview cannot tell what is on the host: nothing listens on 127.0.0.1" in str(preview)
    result = machines.stack.up()
    assert not result.is_success
    assert "nothing listens on 127.0.0.1" in str(result)
    assert "Traceback" not in str(result)
    assert machines.may_relay("mx1")

    machines.servers["mx2"].start()
    machines.stack.up().expect_success()
    assert machines.may_relay("mx1")
    assert machines.may_relay("mx2")
    machines.stack.preview(expect_no_changes=True).expect_success()

    # One that was deployed and is away is no host on which nothing has changed.
    machines.servers["mx2"].stop()
    assert "cannot tell" in str(machines.stack.preview().expect_success())
    assert not machines.stack.up().is_success
    machines.servers["mx2"].start()
    machines.stack.destroy().expect_success()
    for instance in machines.instances.values():
        assert {path.name for path in instance.config_directory.iterdir()} <= {"main.cf", "master.cf"}
    assert until(lambda: traces() <= before, SECONDS)
