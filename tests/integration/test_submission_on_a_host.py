"""Services for mail programs come to a Postfix that runs, are proven there, change, and go again.

They listen on the real ports 587 and 465 of loopback, which nothing else in these tests does.
"""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest

from postfix.deploy.host_files import HostFiles, Table
from postfix.host import HostDeclaration, Ownership, ServerSide
from postfix.settings import ServerSettings, Submission, SubmissionName
from postfix.submission_rendering import SUBMISSION_TABLES, submission_services
from postseal_core.errors import ConfigError
from postseal_core.files.tree import FileEntry
from tests.support.relay import ALICE, BOB, SERVERS, Relay, declared, relay_below
from tests.support.smtp_probe import probe
from tests.support.test_authority import Credential

pytestmark = [pytest.mark.needs_postfix, pytest.mark.needs_openssl]

SUBMISSION, SUBMISSIONS = 587, 465
PORTS: dict[str, int] = {"submission": SUBMISSION, "submissions": SUBMISSIONS}


@pytest.fixture
def relay(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Relay]:
    """Return a running relay of somebody else."""
    with relay_below(tmp_path_factory.mktemp("relay")) as relay:
        yield relay


def with_services(base: HostFiles, **clients: Credential) -> HostFiles:
    """Return a relay that has these services as well, each for one client."""
    names = [name for name in get_args(SubmissionName) if name in clients]
    services: dict[SubmissionName, Submission] = {name: Submission() for name in names}
    side = ServerSide(ServerSettings(), ("mx1",), submission=services)
    host = HostDeclaration("mx1", "mx1.example.org", server=side, ownership=Ownership.MERGE)
    rows = {name: f"{clients[name].fingerprint_sha256} client\n".encode() for name in names}
    tables = [
        Table(FileEntry(SUBMISSION_TABLES[name], rows[name], 0o644), "texthash", lists_clients=True) for name in names
    ]
    return replace(base, tables=(*base.tables, *tables), services=tuple(submission_services(host)))


def admitted(relay: Relay) -> dict[str, set[str]]:
    """Return who may submit or relay, by service."""
    people = {"alice": ALICE, "bob": BOB, "stranger": None}
    ports = {"smtp": relay.instance.port, **PORTS}
    return {
        service: {
            name
            for name, client in people.items()
            if probe(port, client_certificate=client, tls="implicit" if port == SUBMISSIONS else "starttls").may_relay
        }
        for service, port in ports.items()
        if is_open(port)
    }


def is_open(port: int) -> bool:
    """Return whether somebody answers on loopback."""
    try:
        return probe(port, tls="implicit" if port == SUBMISSIONS else "starttls").served_fingerprint_sha256 is not None
    except OSError:
        return False


def test_a_service_comes_changes_its_clients_and_goes(relay: Relay) -> None:
    """Each lets in its own clients, whoever may relay at port 25; the last `up` leaves nothing of them."""
    base = declared(SERVERS[0], ALICE)
    relay.up(base, served=SERVERS[0])
    assert admitted(relay) == {"smtp": {"alice"}}
    outcome = relay.up(with_services(base, submission=BOB, submissions=ALICE), served=SERVERS[0])
    assert admitted(relay) == {"smtp": {"alice"}, "submission": {"bob"}, "submissions": {"alice"}}
    servers = {each.fields[0].rpartition(":")[2] for each in outcome.evidence if each.kind == "server"}
    assert servers >= {"submission", "submissions"}
    relay.up(with_services(base, submission=ALICE, submissions=ALICE), served=SERVERS[0])
    assert admitted(relay)["submission"] == {"alice"}
    relay.up(base, served=SERVERS[0])
    assert admitted(relay) == {"smtp": {"alice"}}
    assert not [path for path in relay.content() if "submission" in path]


def test_a_service_that_the_host_has_already_is_not_taken_over(relay: Relay) -> None:
    """It is told beforehand, and nothing changes; the same name commented out is no service."""
    base = declared(SERVERS[0], ALICE)
    relay.up(base, served=SERVERS[0])
    master_cf = relay.instance.config_directory / "master.cf"
    theirs = "587 inet n - y - - smtpd\n  -o smtpd_tls_security_level=encrypt\n"
    before = master_cf.read_text()
    shutil.copy(master_cf, Path(f"{master_cf}.theirs"))
    master_cf.write_text(before + theirs)
    with pytest.raises(ConfigError, match="already has a service 587"):
        relay.up(with_services(base, submission=BOB), served=SERVERS[0])
    assert master_cf.read_text() == before + theirs
    master_cf.write_text(before + "".join(f"#{line}\n" for line in theirs.splitlines()))
    relay.up(with_services(base, submission=BOB), served=SERVERS[0])
    assert admitted(relay)["submission"] == {"bob"}
