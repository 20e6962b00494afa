"""A host's configuration in a plain directory: what a reviewer sees, what is written, what somebody else changed."""

import os
import time
from dataclasses import replace
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from pki.acceptance import AcceptedRow
from pki.fingerprint import certificate_fingerprint_sha256, public_key_fingerprint_sha256
from pki.model import Profile, SlotId
from pki.verification import chain_pem
from postfix.host import HostDeclaration, Ownership, ServerSide
from postfix.host_resource.records import HostRow
from postfix.settings import RelayPolicy, ServerSettings
from postfix.target import Directory
from postseal_core.files.directory import DirectoryWriter
from postseal_core.instants import format_instant
from postseal_core.packing import pack_records, unpack_records
from postseal_core.records import encode
from tests.support.host_certificates import admitted_alice, alice, authority, served
from tests.support.plugin_runs import PluginRuns
from tests.support.provider import UNKNOWN, CheckFailedError, Resource, Secret
from tests.support.resource_properties import key_pem
from tests.support.specimens import VALIDITY, issue_leaf, make_authority


@cache
def alice_before() -> x509.Certificate:
    """Return the certificate that the client had before."""
    return issue_leaf(authority(), Profile.CLIENT, serial_number=299)


BOB = ":".join(["AB"] * 32)
HOST = HostDeclaration("mx1", "mx1.example.org", ServerSide(ServerSettings(), ("mx1",)))
FROM, UNTIL = format_instant(VALIDITY.not_before), format_instant(VALIDITY.not_after)
ROW = f"alice generation=1 not_after={UNTIL[:10]}"
RELOADED = {"reload": "add"}
NO_LONGER = {'changes["will no longer be let in"]': "add", **RELOADED}


def identity(**changes: Any) -> dict[str, Any]:
    """Return a client as its certificate resource describes it."""
    return admitted_alice() | changes


def access(**changes: Any) -> dict[str, Any]:
    """Return who may relay: alice."""
    return {"access": {"smtp": {"clients": {"alice": identity()}} | changes}}


def roster(*rows: AcceptedRow) -> dict[str, Any]:
    """Return a roster with these rows."""
    return {"description": f"{len(rows)} clients", "accepted_rows": pack_records(rows)}


def accepted(client: str, fingerprint: str, generation: int = 1) -> AcceptedRow:
    """Return a row as a roster hands it over."""
    until = VALIDITY.not_after
    return AcceptedRow(
        client=client, generation=generation, not_after=until, until=until, fingerprint_sha256=fingerprint
    )


def declared(directory: Path | str, host: HostDeclaration = HOST, **changes: Any) -> dict[str, Any]:
    """Return a relay that admits alice."""
    return {
        "declaration": encode(host),
        "target": encode(Directory(str(directory)).record),
        "chains": {
            "mx1": {
                "description": "generation 1 until 2027",
                "private_key_pem": Secret(key_pem()),
                "chain_pem": chain_pem([served()]),
            }
        },
        "roots": {"mail-ca": chain_pem([authority().certificate])},
        **access(),
    } | changes


def rows_on(host: Resource) -> list[HostRow]:
    """Return the rows that stand on a host, as its state has them."""
    return [*unpack_records(HostRow, host.outputs["rows"])]


# Alice's generation as it is once another one has taken over.
EARLIER = {name: value for name, value in identity().items() if name not in ("match", "previous", "revoked_at")}
EARLIER["retire_at"] = UNTIL


def written(directory: Path) -> dict[str, bytes]:
    """Return every file below a directory."""
    files = (path for path in directory.rglob("*") if path.is_file() and not path.name.startswith("."))
    return {str(path.relative_to(directory)): path.read_bytes() for path in files}


@pytest.fixture
def host(plugin: PluginRuns) -> Resource:
    """Return a host that does not exist yet."""
    return plugin.resource("MailServer", "mx1")


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """Return the directory that is deployed to; nothing is there yet."""
    return tmp_path / "hosts/mx1"


def test_a_host_goes_through_its_whole_life(plugin: PluginRuns, host: Resource, directory: Path) -> None:
    """Preview writes nothing, create writes everything, no change is none, refresh echoes, delete leaves nothing."""
    _, planned = plugin.preview(host, declared(directory))
    assert planned["deployed"] == UNKNOWN
    assert not directory.exists()
    plugin.up(host, declared(directory))
    assert written(directory).keys() >= {"main.cf", "master.cf", "relay_clientcerts", "tls/mx1.pem", "tls/ca.pem"}
    assert ROW in written(directory)["relay_clientcerts"].decode()
    assert (directory / "tls/mx1.pem").stat().st_mode & 0o077 == 0
    assert plugin.up(host, declared(directory)) == {}
    before = dict(host.inputs), dict(host.outputs)
    plugin.start_run()
    host.refresh()
    assert (host.inputs, host.outputs) == before
    assert plugin.up(host, declared(directory)) == {}
    (directory / "notes").write_text("mine")
    host.delete()
    assert written(directory) == {"notes": b"mine"}


def test_a_reviewer_reads_rows_parameters_and_certificates(plugin: PluginRuns, host: Resource, directory: Path) -> None:
    """The inputs hold what a person can judge; of files that hold keys, their digests only."""
    checked = host.check(declared(directory))
    assert checked["client_tables"] == {"relay_clientcerts": {ROW: certificate_fingerprint_sha256(alice())}}
    assert checked["certificates"] == {"mx1": "generation 1 until 2027"}
    assert checked["roots"] == {"mail-ca": "trusted"}
    assert checked["main_cf"]["smtpd_tls_security_level"] == "may"
    assert checked["content"]["tls/mx1.pem"].startswith("sha256:")
    assert "chains" not in checked


def test_files_are_written_before_what_names_them(
    plugin: PluginRuns, host: Resource, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A Postfix that is started meanwhile reads no main.cf whose files are still to come; none looks just written."""
    renamed: list[Any] = []
    real = os.rename

    def rename(source: Any, target: Any, **named: Any) -> None:
        renamed.append(target)
        real(source, target, **named)

    monkeypatch.setattr(os, "rename", rename)
    plugin.up(host, declared(directory))
    ours = [name for name in renamed if not name.startswith(".")]
    assert sorted(ours[:2]) == ["ca.pem", "mx1.pem"]
    assert ours[2:] == ["relay_clientcerts", "master.cf", "main.cf"]
    # Postfix waits for files that are younger than two seconds.
    assert all(time.time() - (directory / name).stat().st_mtime >= 2 for name in written(directory))


def test_the_key_comes_before_its_certificate(plugin: PluginRuns, host: Resource, directory: Path) -> None:
    """smtpd_tls_chain_files wants each key before its chain."""
    plugin.up(host, declared(directory))
    assert written(directory)["tls/mx1.pem"].decode() == key_pem() + chain_pem([served()])


def test_a_renewal_adds_a_row_and_its_retirement_takes_one_away(
    plugin: PluginRuns, host: Resource, directory: Path
) -> None:
    """Each row is one line of the diff, by client and generation; the digests of the table are not shown beside it."""
    earlier = {
        "generation": 1,
        "not_before": FROM,
        "not_after": UNTIL,
        "issuer_slot": "mail-ca/1",
        "fingerprint_sha256": certificate_fingerprint_sha256(alice_before()),
        "public_key_fingerprint_sha256": public_key_fingerprint_sha256(alice_before()),
    }
    plugin.up(host, declared(directory, **access(clients={"alice": identity(**earlier)})))
    renewed = {"alice": identity(generation=2, previous=[earlier | {"retire_at": UNTIL}])}
    now = ROW.replace("generation=1", "generation=2")
    changes = plugin.up(host, declared(directory, **access(clients=renewed)))
    assert changes == {'changes["g2 until 2027-06-01 beside g1 until 2027-06-01"]': "add", **RELOADED}
    table = written(directory)["relay_clientcerts"].decode()
    assert ROW in table
    assert now in table
    changes = plugin.up(host, declared(directory, **access(clients={"alice": identity(generation=2)})))
    assert changes == {'changes["will lose g1"]': "add", **RELOADED}
    assert ROW not in written(directory)["relay_clientcerts"].decode()


def test_a_revoked_client_loses_every_row(plugin: PluginRuns, host: Resource, directory: Path) -> None:
    """Revocation takes the current and all earlier generations out in one change."""
    plugin.up(host, declared(directory))
    revoked = {"alice": identity(revoked_at="2026-06-01T12:00:00Z")}
    assert plugin.up(host, declared(directory, **access(clients=revoked))) == NO_LONGER
    assert b"alice" not in written(directory)["relay_clientcerts"]


def test_a_client_matched_by_public_key_has_that_in_its_row(
    plugin: PluginRuns, host: Resource, directory: Path
) -> None:
    """Rows hold the fingerprint that the client is matched by."""
    plugin.up(host, declared(directory, **access(clients={"alice": identity(match="public_key")})))
    assert host.inputs["client_tables"]["relay_clientcerts"] == {ROW: public_key_fingerprint_sha256(alice())}


def test_clients_of_other_authorities_and_rosters_have_their_rows_too(
    plugin: PluginRuns, host: Resource, directory: Path
) -> None:
    """Fingerprints from elsewhere are rows like others; a roster is one line to a reviewer, but all rows."""
    more: dict[str, Any] = access(
        extra={
            "bob": {"fingerprint_sha256": BOB, "not_after": "2027-03-04T00:00:00Z"},
            "eve": {"fingerprint_sha256": BOB.replace("AB", "BA")},
        },
        rosters={
            "staff": roster(
                accepted("carol", BOB.replace("AB", "CD"), generation=3), accepted("dave", BOB.replace("AB", "EF"))
            )
        },
    )
    plugin.up(host, declared(directory, **more))
    rows = host.inputs["client_tables"]["relay_clientcerts"]
    assert rows["bob not_after=2027-03-04"] == BOB
    assert rows["roster staff"] == "2 clients"
    table = written(directory)["relay_clientcerts"].decode()
    carol = ROW.replace("alice generation=1", "carol generation=3")
    assert all(f" {name}" in table for name in ("alice", "bob", "eve", carol, "dave"))


def test_a_client_that_moves_into_a_roster_and_out_of_it_changes_nothing_on_the_host(
    plugin: PluginRuns, host: Resource, directory: Path
) -> None:
    """Alone, at both places, in the roster only: one row, no diff; without her the diff says so."""
    ready = {"staff": roster(accepted("alice", certificate_fingerprint_sha256(alice())))}
    plugin.up(host, declared(directory))
    table = written(directory)["relay_clientcerts"]
    for there in (access(rosters=ready), access(rosters=ready, clients={}), access()):
        assert plugin.up(host, declared(directory, **there)) == {}
        assert written(directory)["relay_clientcerts"] == table
    assert plugin.up(host, declared(directory, **access(clients={}))) == NO_LONGER


def test_two_clients_with_one_fingerprint_are_refused(plugin: PluginRuns, host: Resource, directory: Path) -> None:
    """One certificate under two names would make it unclear whom a row admits."""
    same = {"bob": {"fingerprint_sha256": certificate_fingerprint_sha256(alice())}}
    problems = plugin.problems(host, declared(directory, **access(extra=same)))
    assert problems
    assert all(problem.startswith("relay_clients") for problem in problems)


def test_two_clients_of_one_name_are_both_shown(plugin: PluginRuns, host: Resource, directory: Path) -> None:
    """A certificate from elsewhere under the name of a client of ours must not hide its row from a reviewer."""
    other = {"alice": {"fingerprint_sha256": BOB}}
    checked = host.check(declared(directory, **access(extra=other)))
    assert sorted(checked["client_tables"]["relay_clientcerts"].values()) == sorted(
        [BOB, certificate_fingerprint_sha256(alice())]
    )


def test_with_a_certificate_still_to_come_its_row_and_the_content_are_unknown(
    plugin: PluginRuns, host: Resource, directory: Path
) -> None:
    """A preview that renews a client shows the new row by name, keeps the others known, and writes nothing."""
    plugin.up(host, declared(directory))
    before = written(directory)
    coming = identity(
        generation=2,
        fingerprint_sha256=UNKNOWN,
        public_key_fingerprint_sha256=UNKNOWN,
        previous=[EARLIER],
    )
    changes, planned = plugin.preview(host, declared(directory, **access(clients={"alice": coming})))
    assert changes == {'changes["g2 until 2027-06-01 beside g1 until 2027-06-01"]': "add", **RELOADED}
    assert planned["deployed"] == UNKNOWN
    assert written(directory) == before


def test_each_file_is_unknown_only_while_something_in_it_is(
    plugin: PluginRuns, host: Resource, directory: Path
) -> None:
    """In a first preview nothing is signed yet: parameters, services and the files of settings are known already."""
    chain = {"description": "generation 1 until 2027", "private_key_pem": UNKNOWN, "chain_pem": UNKNOWN}
    coming = {"staff": {"description": "2 clients", "accepted_rows": UNKNOWN}}
    full = host.check(declared(directory))["content"]
    for changes, pending in (
        ({"chains": {"mx1": chain}}, ["tls/mx1.pem"]),
        ({"roots": {"mail-ca": UNKNOWN}}, ["tls/ca.pem"]),
        (access(rosters=coming), ["relay_clientcerts"]),
        (
            {"chains": {"mx1": chain}, "roots": {"mail-ca": UNKNOWN}, **access(rosters=coming)},
            ["relay_clientcerts", "tls/ca.pem", "tls/mx1.pem"],
        ),
    ):
        checked = host.check(declared(directory, **changes))
        assert checked["content"] == full | dict.fromkeys(pending, UNKNOWN)
        assert host.plan(checked)["deployed"] == UNKNOWN
    assert checked["client_tables"]["relay_clientcerts"]["roster staff"] == "2 clients"


def test_a_change_of_unknown_content_is_shown_by_its_file(plugin: PluginRuns, host: Resource, directory: Path) -> None:
    """A key that is made anew under the same description changes its own file, as far as a preview knows."""
    plugin.up(host, declared(directory))
    chain = declared(directory)["chains"]["mx1"] | {"private_key_pem": UNKNOWN}
    changes, _ = plugin.preview(host, declared(directory, chains={"mx1": chain}))
    assert changes == {'content["tls/mx1.pem"]': "update", **RELOADED}


def test_the_state_says_since_when_each_row_stands_on_the_host(
    plugin: PluginRuns, host: Resource, directory: Path, tmp_path: Path
) -> None:
    """A row that stays keeps its date, a new one has that of the run that wrote it, and another place begins anew."""
    plugin.up(host, declared(directory))
    first, second = plugin.now, plugin.now + timedelta(days=3)
    (row,) = rows_on(host)
    assert (row.service, row.accepted.client, row.accepted.generation, row.since) == ("smtp", "alice", 1, first)
    assert row.accepted.issuer == SlotId("mail-ca")
    assert row.accepted.until == VALIDITY.not_after

    plugin.now = second
    more = access(rosters={"staff": roster(accepted("carol", BOB))})
    plugin.up(host, declared(directory, **more))
    assert {row.accepted.client: (row.roster, row.since) for row in rows_on(host)} == {
        "alice": ("", first),
        "carol": ("staff", second),
    }
    plugin.now = second + timedelta(days=3)
    plugin.up(host, declared(tmp_path / "elsewhere", **more))
    assert {row.since for row in rows_on(host)} == {plugin.now}


def test_content_that_changes_without_a_visible_line_shows_its_digests(
    plugin: PluginRuns, host: Resource, directory: Path
) -> None:
    """A chain of the same generation with other bytes is still a change that a reviewer sees."""
    plugin.up(host, declared(directory))
    longer = make_authority(authority())
    chain = declared(directory)["chains"]["mx1"] | {"chain_pem": chain_pem([issue_leaf(longer), longer.certificate])}
    assert plugin.up(host, declared(directory, chains={"mx1": chain})) == {
        'content["tls/mx1.pem"]': "update",
        **RELOADED,
    }


def test_a_parameter_that_changes_is_shown_by_name(plugin: PluginRuns, host: Resource, directory: Path) -> None:
    """The change in main.cf is one line; the digest of main.cf is hidden beside it."""
    plugin.up(host, declared(directory))
    louder = replace(HOST, parameters={"smtpd_banner": "$myhostname ESMTP"})
    assert plugin.up(host, declared(directory, louder)) == {"main_cf.smtpd_banner": "add", **RELOADED}
    assert b"smtpd_banner = $myhostname ESMTP" in written(directory)["main.cf"]


def test_what_somebody_changed_is_noticed_and_put_right(plugin: PluginRuns, host: Resource, directory: Path) -> None:
    """Changed and removed files show without digests that are the same twice, are named, and are put right."""
    plugin.up(host, declared(directory))
    right = written(directory)
    (directory / "main.cf").write_text("mynetworks = 0.0.0.0/0\n")
    (directory / "relay_clientcerts").unlink()
    assert plugin.up(host, declared(directory)) == {"changed_outside": "update"}
    assert written(directory) == right
    said = "was changed or removed by somebody else"
    # Once in the preview, once in the run.
    assert (
        plugin.lines
        == [
            f"mx1: {directory}/main.cf {said}: what it holds is not what was written there; it will be as declared",
            f"mx1: {directory}/relay_clientcerts {said}: it is gone; it will be as declared",
        ]
        * 2
    )
    assert plugin.up(host, declared(directory)) == {}


def test_another_directory_is_written_and_the_old_one_left_empty_of_ours(
    plugin: PluginRuns, host: Resource, directory: Path, tmp_path: Path
) -> None:
    """A moved target is shown as such; keys do not stay behind."""
    plugin.up(host, declared(directory))
    moved = tmp_path / "elsewhere/mx1"
    assert plugin.preview(host, declared(moved))[0] == {"target.path": "update", **RELOADED}
    assert not moved.exists()
    plugin.up(host, declared(moved))
    assert written(directory) == {}
    assert "tls/mx1.pem" in written(moved)


def test_a_hashed_directory_of_roots_is_copied_for_the_chroot(
    plugin: PluginRuns, host: Resource, directory: Path
) -> None:
    """With ca_path the roots lie once more below queue_directory, and go with the host."""
    chrooted = replace(HOST, server=ServerSide(ServerSettings(ca_path=True), ("mx1",)))
    plugin.up(host, declared(directory, chrooted))
    copies = directory.parent / "queue_directory"
    assert written(copies)
    host.delete()
    assert written(copies) == {}


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"declaration": {"name": "mx1", "myhostname": 5}}, "declaration.myhostname"),
        ({"declaration": {"myhostname": "mx1.example.org", "table_type": "texthash"}}, "declaration.name"),
        ({"declaration": {"name": "mx1", "myhostname": "mx1_example"}}, "myhostname"),
        ({"declaration": encode(replace(HOST, ownership=Ownership.MERGE))}, "target.ownership"),
        ({"access": {"lmtp": {}}}, "access.lmtp"),
        ({"chains": {"mx1": {"description": "", "private_key_pem": Secret(key_pem("x")), "chain_pem": "y"}}}, ""),
    ],
)
def test_a_host_that_cannot_work_is_refused_before_anything_is_written(
    plugin: PluginRuns, host: Resource, directory: Path, changes: dict[str, Any], path: str
) -> None:
    """Unknown words, wrong types and files that do not fit are found in Check."""
    plugin.hidden.add("hush")
    if path:
        problems = plugin.problems(host, declared(directory, **changes))
        assert path in [problem.partition(": ")[0] for problem in problems]
    else:
        assert plugin.refusal(host.check, declared(directory, **changes)).startswith("chain of mx1: ")
    assert not directory.exists()


def test_a_key_of_another_certificate_is_refused(plugin: PluginRuns, host: Resource, directory: Path) -> None:
    """Postfix would start without TLS; the key is checked before anything is written."""
    chain = declared(directory)["chains"]["mx1"] | {"private_key_pem": Secret(key_pem("another"))}
    assert plugin.problems(host, declared(directory, chains={"mx1": chain}))
    assert not directory.exists()


def test_an_expired_certificate_is_not_deployed(plugin: PluginRuns, host: Resource, directory: Path) -> None:
    """A host is never brought to a state in which nobody could trust it."""
    plugin.now = VALIDITY.not_after.replace(year=VALIDITY.not_after.year + 1)
    assert plugin.problems(host, declared(directory))


@pytest.mark.parametrize("change", ["path", "config_directory"])
def test_a_target_that_is_only_written_differently_keeps_its_files(
    plugin: PluginRuns, host: Resource, directory: Path, change: str
) -> None:
    """Another spelling of the same directory is no move: what is written to it must not be removed as left behind."""
    chrooted = replace(HOST, server=ServerSide(ServerSettings(ca_path=True), ("mx1",)))
    plugin.up(host, declared(directory, chrooted))
    before = written(directory)
    respelt = {"path": f"{directory.parent}/../{directory.parent.name}/mx1/", "config_directory": "/srv/postfix"}
    target = declared(directory)["target"] | {change: respelt[change]}
    assert plugin.up(host, declared(directory, chrooted, target=target)) == {
        f"target.{change}": "update",
        **RELOADED,
    }
    assert written(directory) == before
    host.delete()
    assert written(directory.parent) == {}


def test_a_host_under_a_new_name_keeps_the_files_that_the_old_name_gives_up(
    plugin: PluginRuns, host: Resource, directory: Path
) -> None:
    """The engine deletes the old resource last; what the new one has in the same directory stays, the rest goes."""
    plugin.up(host, declared(directory))
    renamed = plugin.resource("MailServer", "relay")
    chains = {"relay": declared(directory)["chains"]["mx1"]}
    as_declared = declared(directory, replace(HOST, name="relay", server=ServerSide(ServerSettings(), ("relay",))))
    plugin.up(renamed, as_declared | {"chains": chains})
    after = written(directory)
    assert "tls/mx1.pem" in after
    host.delete()
    del after["tls/mx1.pem"]
    assert written(directory) == after
    assert {"main.cf", "master.cf", "tls/relay.pem"} <= after.keys()
    assert plugin.up(renamed, as_declared | {"chains": chains}) == {}


def test_two_hosts_of_one_name_each_get_their_own_files(plugin: PluginRuns, tmp_path: Path) -> None:
    """A program may call a server and a client by one name; neither is given the other's keys."""
    one, other = plugin.resource("MailServer", "mx1"), plugin.resource("MailServer", "parent$mx1")
    plugin.start_run()
    checked = one.check(declared(tmp_path / "one"))
    others = other.check(declared(tmp_path / "other", replace(HOST, parameters={"biff": "no"})))
    one.apply(checked)
    other.apply(others)
    assert b"biff" not in written(tmp_path / "one")["main.cf"]
    assert b"biff" in written(tmp_path / "other")["main.cf"]


def test_two_hosts_cannot_have_one_directory(plugin: PluginRuns, directory: Path) -> None:
    """They would overwrite each other in every run, with nobody to tell which one is right."""
    plugin.start_run()
    plugin.resource("MailServer", "mx1").check(declared(directory))
    with pytest.raises(CheckFailedError, match=r"target\.path: host mx1 has .* already"):
        plugin.resource("MailServer", "mx2").check(declared(f"{directory}/", replace(HOST, name="mx2")))


def test_hosts_that_share_the_directory_for_the_jail_leave_each_other_their_copies(
    plugin: PluginRuns, host: Resource, directory: Path
) -> None:
    """Copies of the roots that two hosts beside each other have in common go with the last of them only."""
    chrooted = replace(HOST, server=ServerSide(ServerSettings(ca_path=True), ("mx1",)))
    plugin.up(host, declared(directory, chrooted))
    other = plugin.resource("MailServer", "mx2")
    beside = declared(directory.parent / "mx2", replace(chrooted, name="mx2"))
    plugin.up(other, beside)
    copies = directory.parent / "queue_directory"
    before = written(copies)
    host.delete()
    assert written(copies) == before


def test_a_host_that_was_not_checked_in_this_run_is_not_written(
    plugin: PluginRuns, host: Resource, directory: Path
) -> None:
    """Its files hold keys and are in no state: without Check they are not there, and one sentence says so."""
    checked = host.check(declared(directory))
    plugin.start_run()
    assert "run `pulumi up` again" in plugin.refusal(host.apply, checked)
    assert not directory.exists()


def test_the_postfix_of_an_administrator_is_not_a_plain_directory(
    plugin: PluginRuns, host: Resource, directory: Path
) -> None:
    """main.cf and master.cf that are there already are neither replaced nor, later, removed."""
    directory.mkdir(parents=True)
    theirs = {name: f"# {name} of the administrator\n".encode() for name in ("main.cf", "master.cf")}
    for name, content in theirs.items():
        (directory / name).write_bytes(content)
    plugin.start_run()
    checked = host.check(declared(directory))
    for step in (host.plan, host.apply):
        sentence = plugin.refusal(step, checked)
        assert sentence.count("not ours") == 1
        assert f"{directory}: 2 files that are not ours stand there" in sentence
        assert "`take_over: [main.cf, master.cf]`" in sentence
    assert written(directory) == theirs
    host.outputs = {"name": "mx1", "target": checked["target"], "deployed": {"files": present(directory)}}
    host.delete()
    assert written(directory) == theirs

    taken = declared(directory, target=encode(Directory(str(directory), take_over=("main.cf", "master.cf")).record))
    plugin.preview(host, taken)
    assert sum("is taken over" in line for line in plugin.lines) == len(theirs)
    plugin.up(host, taken)
    assert written(directory)["main.cf"] != theirs["main.cf"]
    assert written(directory)["main.cf.before-postseal"] == theirs["main.cf"]
    host.delete()
    assert written(directory) == theirs


def test_a_name_to_take_over_that_no_file_of_the_host_has_is_a_mistake(
    plugin: PluginRuns, host: Resource, directory: Path
) -> None:
    """The place of the problem is that of the target."""
    target = encode(Directory(str(directory), take_over=("main.fc",)).record)
    (problem,) = plugin.problems(host, declared(directory, target=target))
    assert problem.startswith("target.take_over: got 'main.fc'")


def present(directory: Path) -> dict[str, str]:
    """Return the digests of what is there, as anybody can compute them."""
    return DirectoryWriter(directory).present(written(directory))


def test_wide_networks_are_shown_to_the_reviewer(host: Resource, directory: Path) -> None:
    """Whoever reads the preview sees them by their key, not only in a long list of networks."""
    relay = RelayPolicy(networks=("192.0.2.0/24",), wide_networks=("203.0.0.0/16",))
    checked = host.check(declared(directory, replace(HOST, server=ServerSide(ServerSettings(relay=relay), ("mx1",)))))
    assert checked["wide_networks"] == {"203.0.0.0/16": "whoever is in this public network relays without any proof"}
    assert checked["main_cf"]["mynetworks"] == "192.0.2.0/24 203.0.0.0/16"
