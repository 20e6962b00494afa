"""A host's configuration in a plain directory: what a reviewer sees, what is written, what somebody else changed."""

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from pki.fingerprint import certificate_fingerprint_sha256, public_key_fingerprint_sha256
from pki.model import Profile
from pki.verification import chain_pem
from postfix.host import HostDeclaration, ServerSide
from postfix.settings import ServerSettings
from postseal_core.instants import format_instant
from tests.support.plugin_runs import PluginRuns
from tests.support.provider import UNKNOWN, CheckFailedError, Resource, Secret
from tests.support.resource_properties import key_pem
from tests.support.specimens import VALIDITY, issue_leaf, make_authority

ROOT = make_authority()
SERVED = issue_leaf(ROOT)
ALICE = issue_leaf(ROOT, Profile.CLIENT, serial_number=300)
ALICE_BEFORE = issue_leaf(ROOT, Profile.CLIENT, serial_number=299)
BOB = ":".join(["AB"] * 32)
HOST = HostDeclaration("mx1", "mx1.example.org", ServerSide(ServerSettings(), ("mx1",)))
UNTIL = format_instant(VALIDITY.not_after)
ROW = f"alice generation=1 not_after={UNTIL[:10]}"


def identity(**changes: Any) -> dict[str, Any]:
    """Return a relay client as its certificate resource describes it."""
    return {
        "match": "certificate",
        "generation": 1,
        "not_after": UNTIL,
        "fingerprint_sha256": certificate_fingerprint_sha256(ALICE),
        "public_key_fingerprint_sha256": public_key_fingerprint_sha256(ALICE),
        "previous": [],
        "revoked_at": "",
    } | changes


def declared(directory: Path | str, host: HostDeclaration = HOST, **changes: Any) -> dict[str, Any]:
    """Return a relay that admits alice."""
    return {
        "declaration": json.loads(json.dumps(asdict(host))),
        "target": {"kind": "directory", "path": str(directory), "config_directory": "/etc/postfix"},
        "chains": {
            "mx1": {
                "description": "generation 1 until 2027",
                "private_key_pem": Secret(key_pem()),
                "chain_pem": chain_pem([SERVED]),
            }
        },
        "roots": {"mail-ca": chain_pem([ROOT.certificate])},
        "relay_clients": {"alice": identity()},
    } | changes


def written(directory: Path) -> dict[str, bytes]:
    """Return every file below a directory."""
    files = (path for path in directory.rglob("*") if path.is_file() and not path.name.startswith("."))
    return {str(path.relative_to(directory)): path.read_bytes() for path in files}


@pytest.fixture
def deployment(plugin: PluginRuns) -> Resource:
    """Return a deployment that does not exist yet."""
    return plugin.resource("Deployment", "mx1")


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """Return the directory that is deployed to; nothing is there yet."""
    return tmp_path / "hosts/mx1"


def test_a_host_goes_through_its_whole_life(plugin: PluginRuns, deployment: Resource, directory: Path) -> None:
    """Preview writes nothing, create writes everything, no change is none, refresh echoes, delete leaves nothing."""
    _, planned = plugin.preview(deployment, declared(directory))
    assert planned["deployed"] == UNKNOWN
    assert not directory.exists()
    plugin.up(deployment, declared(directory))
    assert written(directory).keys() >= {"main.cf", "master.cf", "relay_clientcerts", "tls/mx1.pem", "tls/ca.pem"}
    assert ROW in written(directory)["relay_clientcerts"].decode()
    assert (directory / "tls/mx1.pem").stat().st_mode & 0o077 == 0
    assert plugin.up(deployment, declared(directory)) == {}
    before = dict(deployment.inputs), dict(deployment.outputs)
    plugin.start_run()
    deployment.refresh()
    assert (deployment.inputs, deployment.outputs) == before
    assert plugin.up(deployment, declared(directory)) == {}
    (directory / "notes").write_text("mine")
    deployment.delete()
    assert written(directory) == {"notes": b"mine"}


def test_a_reviewer_reads_rows_parameters_and_certificates(
    plugin: PluginRuns, deployment: Resource, directory: Path
) -> None:
    """The inputs hold what a person can judge; of files that hold keys, their digests only."""
    checked = deployment.check(declared(directory))
    assert checked["relay_clientcerts"] == {ROW: certificate_fingerprint_sha256(ALICE)}
    assert checked["certificates"] == {"mx1": "generation 1 until 2027"}
    assert checked["roots"] == {"mail-ca": "trusted"}
    assert checked["main_cf"]["smtpd_tls_security_level"] == "may"
    assert checked["content"]["tls/mx1.pem"].startswith("sha256:")
    assert "chains" not in checked


def test_the_key_comes_before_its_certificate(plugin: PluginRuns, deployment: Resource, directory: Path) -> None:
    """smtpd_tls_chain_files wants each key before its chain."""
    plugin.up(deployment, declared(directory))
    assert written(directory)["tls/mx1.pem"].decode() == key_pem() + chain_pem([SERVED])


def test_a_renewal_adds_a_row_and_its_retirement_takes_one_away(
    plugin: PluginRuns, deployment: Resource, directory: Path
) -> None:
    """Each row is one line of the diff, by client and generation; the digests of the table are not shown beside it."""
    earlier = {
        "generation": 1,
        "not_after": UNTIL,
        "fingerprint_sha256": certificate_fingerprint_sha256(ALICE_BEFORE),
        "public_key_fingerprint_sha256": public_key_fingerprint_sha256(ALICE_BEFORE),
    }
    plugin.up(deployment, declared(directory, relay_clients={"alice": identity(**earlier)}))
    renewed = {"alice": identity(generation=2, previous=[earlier])}
    now = ROW.replace("generation=1", "generation=2")
    changes = plugin.up(deployment, declared(directory, relay_clients=renewed))
    assert changes == {f'relay_clientcerts["{now}"]': "add"}
    table = written(directory)["relay_clientcerts"].decode()
    assert ROW in table
    assert now in table
    changes = plugin.up(deployment, declared(directory, relay_clients={"alice": identity(generation=2)}))
    assert changes == {f'relay_clientcerts["{ROW}"]': "delete"}
    assert ROW not in written(directory)["relay_clientcerts"].decode()


def test_a_revoked_client_loses_every_row(plugin: PluginRuns, deployment: Resource, directory: Path) -> None:
    """Revocation takes the current and all earlier generations out in one change."""
    plugin.up(deployment, declared(directory))
    revoked = {"alice": identity(revoked_at="2026-06-01T12:00:00Z")}
    assert plugin.up(deployment, declared(directory, relay_clients=revoked)) == {"relay_clientcerts": "delete"}
    assert b"alice" not in written(directory)["relay_clientcerts"]


def test_a_client_matched_by_public_key_has_that_in_its_row(
    plugin: PluginRuns, deployment: Resource, directory: Path
) -> None:
    """Rows hold the fingerprint that the client is matched by."""
    plugin.up(deployment, declared(directory, relay_clients={"alice": identity(match="public_key")}))
    assert deployment.inputs["relay_clientcerts"] == {ROW: public_key_fingerprint_sha256(ALICE)}


def test_clients_of_other_authorities_and_rosters_have_their_rows_too(
    plugin: PluginRuns, deployment: Resource, directory: Path
) -> None:
    """Fingerprints from elsewhere are rows like others; a roster is one line to a reviewer, but all rows."""
    ready = f"{':'.join(['CD'] * 32)} carol generation=3 not_after=2027-01-01\n{':'.join(['EF'] * 32)} dave\n"
    more: dict[str, Any] = {
        "extra_relay_clients": {
            "bob": {"fingerprint_sha256": BOB, "not_after": "2027-03-04T00:00:00Z"},
            "eve": {"fingerprint_sha256": BOB.replace("AB", "BA")},
        },
        "rosters": {"staff": {"description": "2 clients", "accepted_rows": ready}},
    }
    plugin.up(deployment, declared(directory, **more))
    rows = deployment.inputs["relay_clientcerts"]
    assert rows["bob not_after=2027-03-04"] == BOB
    assert rows["roster staff"] == "2 clients"
    table = written(directory)["relay_clientcerts"].decode()
    assert all(
        f" {name}" in table for name in ("alice", "bob", "eve", "carol generation=3 not_after=2027-01-01", "dave")
    )


def test_a_client_that_moves_into_a_roster_and_out_of_it_changes_nothing_on_the_host(
    plugin: PluginRuns, deployment: Resource, directory: Path
) -> None:
    """Alone, at both places, in the roster only: one row, no diff; without her the diff says so."""
    alone = declared(directory)
    ready = {"staff": {"description": "1 client", "accepted_rows": f"{certificate_fingerprint_sha256(ALICE)} {ROW}\n"}}
    plugin.up(deployment, alone)
    table = written(directory)["relay_clientcerts"]
    for there in (alone | {"rosters": ready}, alone | {"rosters": ready, "relay_clients": {}}, alone):
        assert plugin.up(deployment, there) == {}
        assert written(directory)["relay_clientcerts"] == table
    assert plugin.up(deployment, alone | {"relay_clients": {}}) == {"relay_clientcerts": "delete"}


def test_two_clients_with_one_fingerprint_are_refused(
    plugin: PluginRuns, deployment: Resource, directory: Path
) -> None:
    """One certificate under two names would make it unclear whom a row admits."""
    same = {"bob": {"fingerprint_sha256": certificate_fingerprint_sha256(ALICE)}}
    problems = plugin.problems(deployment, declared(directory, extra_relay_clients=same))
    assert problems
    assert all(problem.startswith("relay_clients") for problem in problems)


def test_two_clients_of_one_name_are_both_shown(plugin: PluginRuns, deployment: Resource, directory: Path) -> None:
    """A certificate from elsewhere under the name of a client of ours must not hide its row from a reviewer."""
    other = {"alice": {"fingerprint_sha256": BOB}}
    checked = deployment.check(declared(directory, extra_relay_clients=other))
    assert sorted(checked["relay_clientcerts"].values()) == sorted([BOB, certificate_fingerprint_sha256(ALICE)])


def test_with_a_certificate_still_to_come_its_row_and_the_content_are_unknown(
    plugin: PluginRuns, deployment: Resource, directory: Path
) -> None:
    """A preview that renews a client shows the new row by name, keeps the others known, and writes nothing."""
    plugin.up(deployment, declared(directory))
    before = written(directory)
    coming = identity(
        generation=2,
        fingerprint_sha256=UNKNOWN,
        public_key_fingerprint_sha256=UNKNOWN,
        previous=[identity()],
    )
    changes, planned = plugin.preview(deployment, declared(directory, relay_clients={"alice": coming}))
    assert changes == {f'relay_clientcerts["{ROW.replace("generation=1", "generation=2")}"]': "add"}
    assert planned["deployed"] == UNKNOWN
    assert written(directory) == before


def test_a_key_or_a_roster_that_is_not_known_yet_makes_the_content_unknown(
    plugin: PluginRuns, deployment: Resource, directory: Path
) -> None:
    """In a first preview nothing is signed yet: parameters and services are shown all the same."""
    chain = {"description": "generation 1 until 2027", "private_key_pem": UNKNOWN, "chain_pem": UNKNOWN}
    roster = {"staff": {"description": "2 clients", "accepted_rows": UNKNOWN}}
    checked = deployment.check(declared(directory, chains={"mx1": chain}, roots={"mail-ca": UNKNOWN}, rosters=roster))
    assert checked["content"] == UNKNOWN
    assert checked["relay_clientcerts"]["roster staff"] == "2 clients"
    assert deployment.plan(checked)["deployed"] == UNKNOWN


def test_content_that_changes_without_a_visible_line_shows_its_digests(
    plugin: PluginRuns, deployment: Resource, directory: Path
) -> None:
    """A chain of the same generation with other bytes is still a change that a reviewer sees."""
    plugin.up(deployment, declared(directory))
    longer = make_authority(ROOT)
    chain = declared(directory)["chains"]["mx1"] | {"chain_pem": chain_pem([issue_leaf(longer), longer.certificate])}
    assert plugin.up(deployment, declared(directory, chains={"mx1": chain})) == {'content["tls/mx1.pem"]': "update"}


def test_a_parameter_that_changes_is_shown_by_name(plugin: PluginRuns, deployment: Resource, directory: Path) -> None:
    """The change in main.cf is one line; the digest of main.cf is hidden beside it."""
    plugin.up(deployment, declared(directory))
    louder = replace(HOST, parameters={"smtpd_banner": "$myhostname ESMTP"})
    assert plugin.up(deployment, declared(directory, louder)) == {"main_cf.smtpd_banner": "add"}
    assert b"smtpd_banner = $myhostname ESMTP" in written(directory)["main.cf"]


def test_what_somebody_changed_is_noticed_and_put_right(
    plugin: PluginRuns, deployment: Resource, directory: Path
) -> None:
    """Changed and removed files show as a change of content, are named, and are as declared afterwards."""
    plugin.up(deployment, declared(directory))
    right = written(directory)
    (directory / "main.cf").write_text("mynetworks = 0.0.0.0/0\n")
    (directory / "relay_clientcerts").unlink()
    assert plugin.up(deployment, declared(directory)) == {"content": "update"}
    assert written(directory) == right
    said = " was changed or removed by somebody else; it will be as declared"
    # Once in the preview, once in the run.
    assert plugin.lines == [f"main.cf{said}", f"relay_clientcerts{said}"] * 2
    assert plugin.up(deployment, declared(directory)) == {}


def test_another_directory_is_written_and_the_old_one_left_empty_of_ours(
    plugin: PluginRuns, deployment: Resource, directory: Path, tmp_path: Path
) -> None:
    """A moved target is shown as such; keys do not stay behind."""
    plugin.up(deployment, declared(directory))
    moved = tmp_path / "elsewhere/mx1"
    assert plugin.preview(deployment, declared(moved))[0] == {"target.path": "update"}
    assert not moved.exists()
    plugin.up(deployment, declared(moved))
    assert written(directory) == {}
    assert "tls/mx1.pem" in written(moved)


def test_a_hashed_directory_of_roots_is_copied_for_the_chroot(
    plugin: PluginRuns, deployment: Resource, directory: Path
) -> None:
    """With ca_path the roots lie once more below queue_directory, and go with the host."""
    host = replace(HOST, server=ServerSide(ServerSettings(ca_path=True), ("mx1",)))
    plugin.up(deployment, declared(directory, host))
    copies = directory.parent / "queue_directory"
    assert written(copies)
    deployment.delete()
    assert written(copies) == {}


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"declaration": {"name": "mx1", "myhostname": 5}}, "myhostname"),
        ({"declaration": {"myhostname": "mx1.example.org", "table_type": "texthash"}}, "name"),
        ({"chains": {"mx1": {"description": "", "private_key_pem": Secret(key_pem("x")), "chain_pem": "y"}}}, ""),
    ],
)
def test_a_host_that_cannot_work_is_refused_before_anything_is_written(
    plugin: PluginRuns, deployment: Resource, directory: Path, changes: dict[str, Any], path: str
) -> None:
    """Unknown words, wrong types and files that do not fit are found in Check."""
    plugin.hidden.add("hush")
    if path:
        assert any(problem.startswith(path) for problem in plugin.problems(deployment, declared(directory, **changes)))
    else:
        assert plugin.refusal(deployment.check, declared(directory, **changes)).startswith("chain of mx1")
    assert not directory.exists()


def test_a_key_of_another_certificate_is_refused(plugin: PluginRuns, deployment: Resource, directory: Path) -> None:
    """Postfix would start without TLS; the key is checked before anything is written."""
    chain = declared(directory)["chains"]["mx1"] | {"private_key_pem": Secret(key_pem("another"))}
    assert plugin.problems(deployment, declared(directory, chains={"mx1": chain}))
    assert not directory.exists()


def test_an_expired_certificate_is_not_deployed(plugin: PluginRuns, deployment: Resource, directory: Path) -> None:
    """A host is never brought to a state in which nobody could trust it."""
    plugin.now = VALIDITY.not_after.replace(year=VALIDITY.not_after.year + 1)
    assert plugin.problems(deployment, declared(directory))


@pytest.mark.parametrize("change", ["path", "config_directory"])
def test_a_target_that_is_only_written_differently_keeps_its_files(
    plugin: PluginRuns, deployment: Resource, directory: Path, change: str
) -> None:
    """Another spelling of the same directory is no move: what is written to it must not be removed as left behind."""
    host = replace(HOST, server=ServerSide(ServerSettings(ca_path=True), ("mx1",)))
    plugin.up(deployment, declared(directory, host))
    before = written(directory)
    respelt = {"path": f"{directory.parent}/../{directory.parent.name}/mx1/", "config_directory": "/srv/postfix"}
    target = declared(directory)["target"] | {change: respelt[change]}
    assert plugin.up(deployment, declared(directory, host, target=target)) == {f"target.{change}": "update"}
    assert written(directory) == before
    deployment.delete()
    assert written(directory.parent) == {}


def test_a_host_under_a_new_name_keeps_the_files_that_the_old_name_gives_up(
    plugin: PluginRuns, deployment: Resource, directory: Path
) -> None:
    """The engine deletes the old resource last; what the new one has in the same directory stays, the rest goes."""
    plugin.up(deployment, declared(directory))
    renamed = plugin.resource("Deployment", "relay")
    chains = {"relay": declared(directory)["chains"]["mx1"]}
    as_declared = declared(directory, replace(HOST, name="relay", server=ServerSide(ServerSettings(), ("relay",))))
    plugin.up(renamed, as_declared | {"chains": chains})
    after = written(directory)
    assert "tls/mx1.pem" in after
    deployment.delete()
    del after["tls/mx1.pem"]
    assert written(directory) == after
    assert {"main.cf", "master.cf", "tls/relay.pem"} <= after.keys()
    assert plugin.up(renamed, as_declared | {"chains": chains}) == {}


def test_two_hosts_of_one_name_each_get_their_own_files(plugin: PluginRuns, tmp_path: Path) -> None:
    """A program may call a server and a client by one name; neither is given the other's keys."""
    one, other = plugin.resource("Deployment", "mx1"), plugin.resource("Deployment", "parent$mx1")
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
    plugin.resource("Deployment", "mx1").check(declared(directory))
    with pytest.raises(CheckFailedError, match=r"target\.path: host mx1 has .* already"):
        plugin.resource("Deployment", "mx2").check(declared(f"{directory}/", replace(HOST, name="mx2")))


def test_hosts_that_share_the_directory_for_the_jail_leave_each_other_their_copies(
    plugin: PluginRuns, deployment: Resource, directory: Path
) -> None:
    """Copies of the roots that two hosts beside each other have in common go with the last of them only."""
    host = replace(HOST, server=ServerSide(ServerSettings(ca_path=True), ("mx1",)))
    plugin.up(deployment, declared(directory, host))
    other = plugin.resource("Deployment", "mx2")
    beside = declared(directory.parent / "mx2", replace(host, name="mx2"))
    plugin.up(other, beside)
    copies = directory.parent / "queue_directory"
    before = written(copies)
    deployment.delete()
    assert written(copies) == before
