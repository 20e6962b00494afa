"""Files that are about to be deployed are judged as Postfix and its peers would judge them."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509

from pki.keys import private_key_pem
from pki.model import KeyAlgorithm, Profile, Subject
from pki.verification import chain_pem
from postfix.ca_path import chroot_entries
from postfix.content import ChainContent, HostContent, pending_files, render_content_files
from postfix.content_checks import problems_of_chain_file, problems_of_content
from postfix.host import ClientSide, HostDeclaration, ServerSide
from postfix.preflight import problems_of_host
from postfix.settings import ClientSettings, RelayPolicy, ServerSettings
from postfix.tables import ClientRow
from postseal_core.errors import ConfigError
from postseal_core.files.tree import Entry, FileEntry, Symlink
from postseal_core.values import UNKNOWN
from tests.support.specimens import issue_leaf, key_of, make_authority
from tests.support.test_authority import Credential, ThrowAwayAuthority

NAME = "mx1.example.org"
HOST = HostDeclaration("mx1", NAME, ServerSide(ServerSettings(), ("mx1",)))
NOW = datetime.now(UTC)
AUTHORITY = ThrowAwayAuthority()
SERVER = AUTHORITY.issue_server(NAME)
CLIENT = AUTHORITY.issue_client("alice")
ROOT = x509.load_pem_x509_certificate(AUTHORITY.certificate_pem.encode())
ALICE = ClientRow(CLIENT.fingerprint_sha256, "alice", 1, NOW)


def content(server: Credential = SERVER, **others: Credential) -> HostContent:
    """Return the content of a host, chains by name; the server's is `mx1`."""
    chains = {
        name: ChainContent(each.private_key_pem, (x509.load_pem_x509_certificate(each.certificate_pem.encode()),))
        for name, each in {"mx1": server, **others}.items()
    }
    return HostContent(chains, (ROOT,), {"smtp": (ALICE,)})


def test_what_is_rendered_is_ready() -> None:
    """A host with a good certificate has chain, roots and clients, keys readable by root only, and no problem."""
    entries = render_content_files(HOST, content())
    modes = {entry.path: entry.mode for entry in entries if isinstance(entry, FileEntry)}
    assert modes == {"relay_clientcerts": 0o644, "tls/ca.pem": 0o644, "tls/mx1.pem": 0o400}
    assert problems_of_content(HOST, entries, now=NOW) == []


def test_the_key_stands_first_and_shows_nowhere_else() -> None:
    """The chain file begins with the key; no representation of the content holds it."""
    (chain,) = content().chains.values()
    assert isinstance(chain, ChainContent)
    assert chain.pem.startswith(b"-----BEGIN PRIVATE KEY-----\n")
    assert "PRIVATE KEY" not in repr(content())


def test_the_same_content_gives_the_same_files() -> None:
    """Roots may come in any order, and twice; clients in any order."""
    foreign = x509.load_pem_x509_certificate(ThrowAwayAuthority("Other").certificate_pem.encode())
    bob = ClientRow(SERVER.fingerprint_sha256, "bob", 1, NOW)
    one = replace(content(), roots=(ROOT, foreign, ROOT), clients={"smtp": (bob, ALICE)})
    other = replace(content(), roots=(foreign, ROOT), clients={"smtp": (ALICE, bob)})
    assert render_content_files(HOST, one) == render_content_files(HOST, other)


@pytest.mark.parametrize("incomplete", [HostContent({}, (ROOT,)), replace(content(), roots=())])
def test_missing_content_is_refused(incomplete: HostContent) -> None:
    """Without its chain or over an empty CAfile, Postfix would turn TLS off."""
    with pytest.raises(ConfigError) as caught:
        render_content_files(HOST, incomplete)
    assert len(caught.value.problems) == 1


def test_roots_in_a_directory_are_files_with_hashed_links() -> None:
    """A CApath replaces the CAfile, and its copy for the jail has the same names below the host's path."""
    host = replace(HOST, server=ServerSide(ServerSettings(ca_path=True), ("mx1",)))
    entries = render_content_files(host, content())
    roots = [entry for entry in entries if entry.path.startswith("ca/")]
    links = [entry for entry in roots if isinstance(entry, Symlink)]
    assert [f"ca/{link.target}" for link in links] == [each.path for each in roots if isinstance(each, FileEntry)]
    assert "tls/ca.pem" not in {entry.path for entry in entries}
    assert [entry.path for entry in chroot_entries(roots, config_directory="/etc/postfix")] == [
        f"etc/postfix/{entry.path}" for entry in roots
    ]
    assert problems_of_content(host, entries, now=NOW) == []
    without = [entry for entry in entries if entry not in roots]
    assert [problem.path for problem in problems_of_content(host, without, now=NOW)] == ["ca"]


@pytest.mark.parametrize(
    ("pem", "complaints"),
    [
        pytest.param(SERVER.chain_pem, 0, id="good"),
        pytest.param(f"remark\r\n{SERVER.chain_pem}", 0, id="text between blocks"),
        pytest.param(SERVER.certificate_pem + SERVER.private_key_pem, 1, id="certificate first"),
        pytest.param(SERVER.private_key_pem, 1, id="key only"),
        pytest.param("", 1, id="empty"),
        pytest.param(SERVER.chain_pem + SERVER.private_key_pem, 1, id="second key"),
        pytest.param(CLIENT.private_key_pem + SERVER.certificate_pem, 1, id="key of another certificate"),
        pytest.param(
            SERVER.chain_pem.replace("BEGIN PRIVATE", "BEGIN ENCRYPTED PRIVATE").replace(
                "END PRIVATE", "END ENCRYPTED PRIVATE"
            ),
            1,
            id="not a readable key",
        ),
        pytest.param(SERVER.private_key_pem + AUTHORITY.certificate_pem + SERVER.certificate_pem, 4, id="root first"),
    ],
)
def test_a_chain_file_has_key_leaf_and_issuers_in_this_order(pem: str, complaints: int) -> None:
    """Postfix would turn TLS off over any other order or key, with no more than a line in its log."""
    problems = problems_of_chain_file(pem, now=NOW, server_names=[NAME])
    assert bool(problems) is bool(complaints)
    assert not [
        problem for problem in problems if "BEGIN" in problem.message and "PRIVATE KEY-----\n" in problem.message
    ]


FAULTS: list[tuple[str, Callable[[], Credential]]] = [
    ("another name", lambda: AUTHORITY.issue_server("mx2.example.org")),
    ("expired", lambda: AUTHORITY.issue_server(NAME, days=(-30, -1))),
    ("not yet valid", lambda: AUTHORITY.issue_server(NAME, days=(1, 30))),
    ("a client's", lambda: CLIENT),
]


@pytest.mark.parametrize(("fault", "issue"), FAULTS, ids=[fault for fault, _ in FAULTS])
def test_a_server_certificate_that_peers_would_refuse_is_a_problem(fault: str, issue: Callable[[], Credential]) -> None:
    """Postfix serves it without a word; the file is named before it is deployed."""
    entries = render_content_files(HOST, content(issue()))
    assert {problem.path.partition(".pem")[0] for problem in problems_of_content(HOST, entries, now=NOW)} == {"tls/mx1"}


@pytest.mark.parametrize(
    ("client", "is_accepted"),
    [
        (CLIENT, True),
        (SERVER, False),
        (AUTHORITY.issue_expired_client("alice"), False),
        (AUTHORITY.issue_client("alice", days=(1, 30)), False),
    ],
)
def test_a_client_certificate_has_to_be_good_for_clients(client: Credential, *, is_accepted: bool) -> None:
    """The sending side presents certificates for TLS clients that are valid now."""
    host = HostDeclaration("out", NAME, client=ClientSide(ClientSettings(), ("out",)))
    entries = render_content_files(host, content(out=client))
    assert (problems_of_content(host, entries, now=NOW) == []) is is_accepted


def test_a_servers_certificate_is_presented_only_if_it_is_for_clients_too() -> None:
    """A certificate for servers alone must not be handed to the client."""
    host = replace(HOST, client=ClientSide(ClientSettings(present_server_certificate=True)))
    problems = problems_of_content(host, render_content_files(host, content()), now=NOW)
    assert [problem.path for problem in problems] == ["tls/mx1.pem.chain[0]"]


def test_a_clients_chain_stands_in_order() -> None:
    """A root in front of its leaf does not fit the key either."""
    pem = CLIENT.private_key_pem + AUTHORITY.certificate_pem + CLIENT.certificate_pem
    assert {problem.path for problem in problems_of_chain_file(pem, now=NOW, is_client=True)} == {"chain[0]", "chain"}


def test_a_clients_chain_keeps_to_what_its_authorities_demand() -> None:
    """An authority that may stand above none stands above one: every peer would refuse the client."""
    above = make_authority(make_authority(), path_length=0)
    lowest = make_authority(above, subject=Subject("lowest"))
    leaf = issue_leaf(lowest, Profile.CLIENT)
    pem = private_key_pem(key_of(KeyAlgorithm.ECDSA_P256)) + chain_pem([leaf, lowest.certificate, above.certificate])
    (problem,) = problems_of_chain_file(pem, now=leaf.not_valid_before_utc, is_client=True)
    assert (problem.path, "may stand above 0 authorities" in problem.message) == ("chain[2]", True)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        pytest.param("tls/mx1.pem", None, id="no chain"),
        pytest.param("tls/ca.pem", None, id="no roots"),
        pytest.param("tls/ca.pem", "", id="empty roots"),
        pytest.param("tls/ca.pem", SERVER.certificate_pem, id="a leaf as root"),
        pytest.param("tls/ca.pem", AUTHORITY.certificate_pem * 2, id="a root twice"),
        pytest.param("relay_clientcerts", None, id="no table"),
        pytest.param(
            "relay_clientcerts",
            f"{CLIENT.fingerprint_sha256} a\n{CLIENT.fingerprint_sha256.lower()} b\n",
            id="a fingerprint twice",
        ),
        pytest.param(
            "relay_clientcerts",
            f"{CLIENT.fingerprint_sha256.replace(':', '')} alice\n",
            id="a fingerprint without colons",
        ),
    ],
)
def test_a_file_that_is_missing_or_wrong_is_named(path: str, text: str | None) -> None:
    """Each file that main.cf names has to be there and to hold what Postfix reads from it."""
    entries: list[Entry] = [entry for entry in render_content_files(HOST, content()) if entry.path != path]
    if text is not None:
        entries.append(FileEntry(path, text.encode(), 0o600))
    problems = problems_of_content(HOST, entries, now=NOW)
    assert problems
    assert all(problem.path.startswith(path) for problem in problems)


def test_content_without_a_root_is_refused_where_a_root_is_missing() -> None:
    """Postfix would turn TLS off over an empty file."""
    with pytest.raises(ConfigError) as caught:
        render_content_files(HOST, replace(content(), roots=()))
    assert [problem.path for problem in caught.value.problems] == ["roots"]


def test_a_chain_that_cannot_be_read_is_one_problem_of_the_whole_file() -> None:
    """It has no part yet that could be named."""
    assert [problem.path for problem in problems_of_chain_file("no PEM", now=NOW)] == [""]


def test_roots_that_ended_are_named() -> None:
    """An expired root vouches for nobody; in a month the one used here will have ended."""
    entries = render_content_files(HOST, content())
    later = problems_of_content(HOST, entries, now=NOW + timedelta(days=365))
    assert {"tls/ca.pem.certificates[0]", "tls/mx1.pem.chain[0]"} == {problem.path for problem in later}


def test_everything_that_is_wrong_is_told_once() -> None:
    """All problems of a declaration come at once, all of its files too, and none of them twice."""
    host = replace(HOST, table_type="dbm")  # type: ignore[arg-type]  # a stack file may hold any word
    policy = RelayPolicy(networks=("0.0.0.0/0",))
    host = replace(host, server=ServerSide(replace(ServerSettings(), relay=policy), ("mx1",)))
    assert {problem.path for problem in problems_of_host(host)} >= {"table_type", "server.relay.networks[0]"}
    paths = [problem.path for problem in problems_of_content(host, [], now=NOW)]
    assert sorted(paths) == ["relay_clientcerts", "tls/ca.pem", "tls/mx1.pem"]


@pytest.mark.parametrize(
    ("unknown", "pending"),
    [
        ({"chains": {"mx1": UNKNOWN}}, ["tls/mx1.pem"]),
        ({"roots": (ROOT, UNKNOWN)}, ["tls/ca.pem"]),
        ({"clients": {"smtp": UNKNOWN}}, ["relay_clientcerts"]),
    ],
)
def test_a_file_that_is_not_known_yet_keeps_no_other_waiting(unknown: dict[str, Any], pending: list[str]) -> None:
    """What a preview knows is rendered and judged file by file; what is still to come is not missing."""
    partial = replace(content(), **unknown)
    entries = render_content_files(HOST, partial)
    assert list(pending_files(HOST, partial)) == pending
    complete = {entry.path: entry for entry in render_content_files(HOST, content())}
    assert {entry.path: entry for entry in entries} == {
        path: entry for path, entry in complete.items() if path not in pending
    }
    assert problems_of_content(HOST, entries, pending=pending, now=NOW) == []
    assert [problem.path for problem in problems_of_content(HOST, entries, now=NOW)] == pending


def test_links_to_roots_wait_for_all_roots() -> None:
    """Files are named after their own root; which number a link has depends on the others of its name."""
    host = replace(HOST, server=ServerSide(ServerSettings(ca_path=True), ("mx1",)))
    partial = replace(content(), roots=(ROOT, UNKNOWN))
    entries = [entry for entry in render_content_files(host, partial) if entry.path.startswith("ca/")]
    links = [entry.path for entry in render_content_files(host, content()) if isinstance(entry, Symlink)]
    assert [type(entry) for entry in entries] == [FileEntry]
    assert list(pending_files(host, partial)) == ["ca/", *links]
    assert problems_of_content(host, render_content_files(host, partial), pending=["ca/"], now=NOW) == []


def test_a_fault_of_a_known_file_is_told_while_others_are_unknown() -> None:
    """A preview need not wait for every certificate to say that one of them is for another name."""
    partial = replace(content(AUTHORITY.issue_server("mx2.example.org")), roots=(UNKNOWN,))
    pending = pending_files(HOST, partial)
    (problem,) = problems_of_content(HOST, render_content_files(HOST, partial), pending=pending, now=NOW)
    assert problem.path.startswith("tls/mx1.pem")


def test_each_chain_is_judged_whatever_is_wrong_with_the_one_before() -> None:
    """One that is unknown or missing does not hide that others are."""
    host = replace(HOST, server=ServerSide(ServerSettings(), ("mx1", "mx2", "mx3")))
    others = [entry for entry in render_content_files(HOST, content()) if entry.path != "tls/mx1.pem"]
    missing = problems_of_content(host, others, pending=["tls/mx1.pem"], now=NOW)
    assert [problem.path for problem in missing] == ["tls/mx2.pem", "tls/mx3.pem"]
