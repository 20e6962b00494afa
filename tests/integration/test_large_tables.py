"""Of a large table few rows change: its index is brought up to date, and is the one that postmap would have made."""

from dataclasses import replace
from hashlib import sha256

import pytest

from postfix.deploy.host_files import HostFiles
from postfix.deploy.transaction import Reloading
from tests.support.relay import ALICE, BOB, SERVERS, Relay, declared

COUNT = 5_000


@pytest.fixture
def relay(started: Relay) -> Relay:
    """Return it with nothing cut."""
    started.session.before()
    started.session.forget()
    return started


def large(kind: str, *rows: str, without: int = -1) -> HostFiles:
    """Return a relay with many clients that are nobody, and with these rows."""
    digests = (sha256(str(number).encode()).hexdigest().upper() for number in range(COUNT) if number != without)
    nobody = "".join(f"{':'.join(each[at : at + 2] for at in range(0, 64, 2))} nobody\n" for each in digests)
    desired = declared(SERVERS[0], kind=kind)
    (table,) = desired.tables
    source = replace(table.source, content=(nobody + "".join(f"{row}\n" for row in rows)).encode())
    return replace(desired, tables=(replace(table, source=source),))


def rows_of(relay: Relay, kind: str) -> dict[str, str]:
    """Return what postmap finds in the index in force, one row after the other."""
    table = f"{kind}:{relay.session.root}/relay_clientcerts"
    said = relay.instance.command("postmap", "-c", relay.session.root, "-s", table)
    assert said.returncode == 0, said.stderr
    return dict(line.split("\t") for line in said.stdout.splitlines())


def declared_rows(desired: HostFiles) -> dict[str, str]:
    """Return what a table declares, keys in small letters as postmap keeps them."""
    lines = desired.tables[0].source.content.decode().splitlines()
    return {line.split()[0].lower(): line.split()[1] for line in lines}


@pytest.mark.parametrize("kind", ["hash", "btree", "lmdb"])
def test_an_index_that_is_brought_up_to_date_has_the_declared_rows_and_no_other(relay: Relay, kind: str) -> None:
    """A row added, one that goes, one with another value; and the service acts by it."""
    alice, bob = f"{ALICE.fingerprint_sha256} alice", f"{BOB.fingerprint_sha256} bob"
    relay.up(large(kind, alice), served=SERVERS[0])
    assert relay.state()[1:] == (True, False, False)
    changes = [large(kind, alice, bob), large(kind, f"{alice}-2", bob, without=17), large(kind, bob)]
    for desired, clients in zip(changes, [(True, True), (True, True), (False, True)], strict=True):
        relay.session.forget()
        assert relay.up(desired, served=SERVERS[0]).reloading is Reloading.DONE
        assert any(step.startswith("patched:") for step in relay.session.steps)
        assert rows_of(relay, kind) == declared_rows(desired)
        assert relay.state()[1:] == (*clients, False)


def test_an_index_that_others_have_changed_is_made_anew(relay: Relay) -> None:
    """A row that somebody has put into the index alone does not stay in it."""
    alice, bob = f"{ALICE.fingerprint_sha256} alice", f"{BOB.fingerprint_sha256} bob"
    relay.up(large("hash", alice), served=SERVERS[0])
    table = f"hash:{relay.session.root}/relay_clientcerts"
    other = relay.instance.command("postmap", "-c", relay.session.root, "-i", table, stdin=f"{bob}\n")
    assert other.returncode == 0
    desired = large("hash", f"{alice}-3")
    relay.session.forget()
    relay.up(desired, served=SERVERS[0])
    assert not any(step.startswith("patched:") for step in relay.session.steps)
    assert rows_of(relay, "hash") == declared_rows(desired)
    assert relay.state()[1:] == (True, False, False)


def test_a_source_that_others_have_changed_is_no_ground_to_build_on(relay: Relay) -> None:
    """What they took out of the source alone is still in the index, and would stay there."""
    alice, bob = f"{ALICE.fingerprint_sha256} alice", f"{BOB.fingerprint_sha256} bob"
    relay.up(large("hash", alice, bob), served=SERVERS[0])
    source = relay.instance.config_directory / "relay_clientcerts"
    source.write_text(source.read_text().replace(f"{bob}\n", ""))
    desired = large("hash", f"{alice}-4")
    relay.up(desired, served=SERVERS[0])
    assert rows_of(relay, "hash") == declared_rows(desired)
    assert relay.state()[1:] == (True, False, False)
