"""A Postfix of somebody else that is deployed to, whose service is asked who may relay."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from postfix.deploy.host_files import Deployed, HostFiles, Table
from postfix.deploy.transaction import Outcome, deploy
from postseal_core.errors import DeployError
from postseal_core.files.tree import FileEntry
from tests.support.cut_program import CutSession
from tests.support.postfix_instance import PostfixInstance, boot
from tests.support.smtp_probe import ProbeResult, probe
from tests.support.test_authority import Credential, ThrowAwayAuthority

__all__ = [
    "ALICE",
    "AUTHORITY",
    "BOB",
    "MAIN_CF",
    "NEW",
    "OLD",
    "SERVERS",
    "SHELLS",
    "Relay",
    "declared",
    "failure_of",
    "relay_below",
]

AUTHORITY = ThrowAwayAuthority("Example Mail CA")
SERVERS = [AUTHORITY.issue_server("mx1.example.org") for _ in range(2)]
ALICE, BOB = (AUTHORITY.issue_client(name) for name in ("alice", "bob"))
MAIN_CF = "# The administrator's.\ncompatibility_level = 3.6\nmyhostname = mx1.example.org\n"
SHELLS = {name: shutil.which(name) for name in ("dash", "bash", "busybox")}


def declared(server: Credential, *clients: Credential, kind: str = "hash", **parameters: str) -> HostFiles:
    """Return a relay that serves one certificate and lets clients in."""
    rows = "".join(f"{each.fingerprint_sha256} client\n" for each in clients)
    return HostFiles(
        files=(FileEntry("tls/mx1.pem", server.chain_pem.encode(), 0o400),),
        tables=(Table(FileEntry("relay_clientcerts", rows.encode(), 0o644), kind, lists_clients=True),),
        parameters={
            "relay_clientcerts": f"{kind}:$config_directory/relay_clientcerts",
            "smtpd_relay_restrictions": "permit_tls_clientcerts, reject_unauth_destination",
            "smtpd_tls_ask_ccert": "yes",
            "smtpd_tls_chain_files": "$config_directory/tls/mx1.pem",
            "smtpd_tls_fingerprint_digest": "sha256",
            "smtpd_tls_security_level": "may",
            **parameters,
        },
    )


OLD, NEW = declared(SERVERS[0], ALICE), declared(SERVERS[1], BOB)
SERVED = {id(OLD): SERVERS[0], id(NEW): SERVERS[1]}


@dataclass
class Relay:
    """A Postfix of somebody else that is deployed to, and what we have there."""

    instance: PostfixInstance
    session: CutSession
    deployed: Deployed = field(default_factory=Deployed)

    def up(
        self,
        desired: HostFiles,
        *,
        served: Credential | tuple[Credential, ...] | None = None,
        names: tuple[str, ...] = (),
        generations: int = 0,
    ) -> Outcome:
        """Deploy; the certificate that has to be served is that of OLD and NEW unless others are named."""
        expected = served or SERVED.get(id(desired)) or ()
        fingerprints = [each.fingerprint_sha256 for each in (expected if isinstance(expected, tuple) else (expected,))]
        outcome = deploy(
            self.session,
            desired,
            self.deployed,
            "p/dev",
            served=tuple(fingerprints),
            names=names,
            kept_generations=generations,
        )
        self.deployed = outcome.plan.deployed
        return outcome

    def ask(self, client: Credential | None) -> ProbeResult:
        """Have a client ask to relay."""
        return probe(self.instance.port, client_certificate=client)

    def state(self) -> tuple[str | None, bool, bool, bool]:
        """Return what is served, and whether alice, bob and a stranger may relay."""
        seen = [self.ask(each) for each in (ALICE, BOB, None)]
        served = {each.served_fingerprint_sha256 for each in seen}
        return served.pop() if len(served) == 1 else None, *(each.may_relay for each in seen)  # type: ignore[return-value]

    def is_old(self) -> bool:
        """Whether the service does what OLD says."""
        return self.state() == (SERVERS[0].fingerprint_sha256, True, False, False)

    def is_new(self) -> bool:
        """Whether the service does what NEW says."""
        return self.state() == (SERVERS[1].fingerprint_sha256, False, True, False)

    def content(self) -> dict[str, bytes]:
        """Return every file of the configuration; of an index only that it is there."""
        files = [path for path in self.instance.config_directory.rglob("*") if path.is_file()]
        return {
            str(path): b"" if path.suffix == ".db" else path.read_bytes()
            for path in files
            if ".postseal" not in path.parts
        }

    def leftovers(self) -> list[str]:
        """Return what a transaction should not leave: a journal, staged keys, temporary names."""
        work = self.instance.config_directory / ".postseal"
        names = [path.name for path in work.iterdir() if path.name not in ("lock", "results", "kept")]
        return names + [str(path) for path in self.instance.config_directory.rglob(".postseal-*")]


def failure_of(act: Callable[[], object]) -> str:
    """Return the sentence with which something fails."""
    with pytest.raises(DeployError) as caught:
        act()
    return str(caught.value)


@contextmanager
def relay_below(directory: Path) -> Iterator[Relay]:
    """Boot a Postfix of somebody else with MAIN_CF, and give it to a session whose program lies in `directory`."""
    (directory / "rendered").mkdir()
    (directory / "rendered/main.cf").write_text(MAIN_CF)
    (directory / "program").mkdir()
    with boot(directory / "rendered") as instance:
        yield Relay(instance, CutSession(instance.config_directory, directory / "program"))
