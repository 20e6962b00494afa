"""Rosters in the stack file: clients here or in a file, what holds for all of them, and where mistakes are told."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pki.declared import Said
from pki.fields import ArchiveWord, DeclaredCertificate, Match
from pki.lifetime import LifetimePolicy
from pki.model import KeyAlgorithm, Pkcs12Profile
from pki.roster.rows import RosterRow
from postseal.stack.check_rosters import JudgedClients
from postseal.stack.config import load_stack
from postseal.stack.model import Roster
from postseal.stack.screening import FileText, declared_files
from postseal_core.errors import ConfigError
from tests.support.stack_files import problems_of, roster, stack
from tests.support.test_authority import ThrowAwayAuthority

LEAF = ThrowAwayAuthority().issue_client("anna")
Raw = dict[str, Any]
ANNA = {"email": "anna@example.org"}
TABLE = "name,email,dns_names\nanna,anna@example.org,\nscanner,,a.example.org;b.example.org\n"
MAPPING = "anna: {email: anna@example.org}\nscanner:\n  dns_names: [a.example.org, b.example.org]\n"
LIST = "- {name: scanner, dns_names: [a.example.org, b.example.org]}\n- {name: anna, email: anna@example.org}\n"


def row(name: str, **fields: Any) -> RosterRow:
    """Return a row that says these fields and no others."""
    return RosterRow(name, Said(DeclaredCertificate(**fields), frozenset(fields)))


ROW_OF_ANNA = row("anna", **ANNA)


def loaded(raw: Raw, **files: str) -> Roster:
    """Return the roster staff; files are given without the dot of their names."""
    texts = {name.replace("_", "."): FileText(text) for name, text in files.items()}
    return load_stack(raw, [], stack_name="dev", files=texts).rosters["staff"]


@pytest.mark.parametrize(("name", "text"), [("staff.csv", TABLE), ("staff.yaml", MAPPING), ("staff.yml", LIST)])
def test_clients_may_stand_in_a_file_of_three_forms(name: str, text: str) -> None:
    """A table, a mapping and a list give the rows that the stack file itself would."""
    raw = roster(clients=None, file=name)
    hosts = ["a.example.org", "b.example.org"]
    inline = roster(clients={"scanner": {"dns_names": hosts}, "anna": ANNA})
    in_file = loaded(raw, **{name.replace(".", "_"): text})
    assert in_file.rows == loaded(inline).rows == (ROW_OF_ANNA, row("scanner", dns_names=tuple(hosts)))
    assert declared_files(raw) == [name]


def test_everything_about_a_roster_is_taken_over() -> None:
    """What holds for all clients arrives in the model; the common name is each client's own."""
    raw = roster(
        organization="Example",
        country="DE",
        key_algorithm="RSA-3072",
        lifetime={"validity": "90d"},
        match="public_key",
        confirm=True,
        pkcs12="legacy",
    )
    staff = loaded(raw)
    assert staff.authority == "authority"
    assert staff.declared == DeclaredCertificate(
        organization="Example",
        country="DE",
        key_algorithm=KeyAlgorithm.RSA_3072,
        match=Match.PUBLIC_KEY,
        confirm=True,
        pkcs12=ArchiveWord.LEGACY,
        validity_hours=2160,
        renew_key_every=0,
    )
    assert staff.lifetime == LifetimePolicy(validity_hours=2160, renew_key_every=0)
    assert (staff.clients["anna"].organization, staff.archives) == ("Example", {"anna": Pkcs12Profile.LEGACY})


CLIENTS = {"anna": ANNA, "ben": {"email": "ben@example.org", "pkcs12": "modern"}}


@pytest.mark.parametrize(
    ("fields", "handed_out"),
    [
        ({"clients": {"anna": ANNA}}, ()),
        ({"clients": {"anna": ANNA}, "hand_out": True}, ("anna",)),
        ({"clients": {"anna": ANNA}, "hand_out": False}, ()),
        ({"clients": CLIENTS}, ("ben",)),
        ({"clients": CLIENTS, "hand_out": True}, ("anna", "ben")),
        ({"clients": {"anna": {**ANNA, "pkcs12": "none"}, **CLIENTS}, "pkcs12": "modern"}, ("anna", "ben")),
        ({"clients": {"anna": {**ANNA, "pkcs12": "none"}}, "pkcs12": "modern"}, ()),
    ],
)
def test_files_are_written_for_whom_it_is_asked(fields: Raw, handed_out: tuple[str, ...]) -> None:
    """An archive is asked for to be handed out; `hand_out` says it for all, or for none."""
    assert loaded(roster(**fields)).handed_out == handed_out


def test_a_host_lets_a_whole_roster_relay() -> None:
    """Relaying by certificate is on although no single client is listed."""
    hosts = {"mx1": {"myhostname": "mx1.example.org", "relay_rosters": ["staff"]}}
    mx1 = load_stack(roster() | {"hosts": hosts}, [], stack_name="dev").hosts["mx1"]
    assert mx1.declaration.server is not None
    assert (mx1.relaying.rosters, mx1.declaration.server.settings.relay.client_certificates) == (("staff",), True)


def test_clients_that_were_judged_before_are_judged_anew_under_other_limits() -> None:
    """What two stack files declare alike is judged once, but not what the second authority does not certify."""
    judged, raw = JudgedClients(), roster(clients={"anna": ANNA})
    narrow = {"name_constraints": {"permitted_email": ["example.net"]}}
    narrower = raw | {"authority": raw["authority"] | narrow}
    assert load_stack(raw, [], stack_name="dev", judged=judged) == load_stack(raw, [], stack_name="dev")
    with pytest.raises(ConfigError) as told:
        load_stack(narrower, [], stack_name="dev", judged=judged)
    with pytest.raises(ConfigError) as told_alone:
        load_stack(narrower, [], stack_name="dev")
    assert told.value.problems == told_alone.value.problems
    with pytest.raises(ConfigError) as told_again:
        load_stack(narrower, [], stack_name="dev", judged=judged)
    assert told_again.value.problems == told.value.problems
    assert load_stack(raw, [], stack_name="dev", judged=judged).rosters["staff"].rows == (ROW_OF_ANNA,)


def mx1(**fields: Any) -> Raw:
    """Return a stack with a roster and a host that has further fields."""
    return roster() | {"hosts": {"mx1": {"myhostname": "mx1.example.org"} | fields}}


def clients(**entries: Any) -> Raw:
    """Return a stack whose roster has these clients."""
    return roster(clients=entries)


PLACE = "rosters.staff"
MISTAKES: list[tuple[Raw, str, list[str]]] = [
    (stack(rosters={"Staff": {"clients": {}}}), "rosters.Staff", ["name", "lower-case"]),
    (roster(clients=None), f"{PLACE}.clients", ["missing", "a file"]),
    (roster(file="staff.csv"), f"{PLACE}.file", ["beside clients"]),
    (roster(clients=None, file="my staff.csv"), f"{PLACE}.file", ["without blanks"]),
    (roster(clients=None, file="staff.csv"), f"{PLACE}.file", ["staff.csv is not there", "project's directory"]),
    (roster(clients=["anna"]), f"{PLACE}.clients", ["got a list", "a mapping"]),
    (roster(authority="authorty"), f"{PLACE}.authority", ["did you mean authority?"]),
    (roster(organization="x" * 65), f"{PLACE}.organization", ["65 characters"]),
    (roster(key_algorithm="RSA-1024"), f"{PLACE}.key_algorithm", ["too weak"]),
    (roster(lifetime={"validity": "900d"}), f"{PLACE}.lifetime.validity", ["at most 825 d"]),
    (roster(lifetime={"overlap": "no"}), f"{PLACE}.lifetime.overlap", ["36h"]),
    (roster(match="public_key", lifetime={"renew_key": 2}), f"{PLACE}.match", ["renew_key to never"]),
    (roster(pkcs12="old"), f"{PLACE}.pkcs12", ["got 'old'", "legacy"]),
    (roster(pkcs12="modern", hand_out=False), f"{PLACE}.hand_out", ["leave out"]),
    (roster(cliens={}), f"{PLACE}.cliens", ["did you mean clients?"]),
    (clients(anna={**ANNA, "emial": "x"}), f"{PLACE}.clients.anna.emial", ["unknown key", "email"]),
    (clients(anna={**ANNA, "crl_urls": ["http://example.org/a"]}), f"{PLACE}.clients.anna.crl_urls", ["unknown key"]),
    (clients(anna={**ANNA, "ip_addresses": ["300.1.1.1"]}), f"{PLACE}.clients.anna.ip_addresses[0]", ["300.1.1.1"]),
    (clients(anna={}), f"{PLACE}.clients.anna.email", ["missing", "dns_names"]),
    (clients(anna={"email": "anna"}), f"{PLACE}.clients.anna.email", ["'anna'", "one @"]),
    (clients(anna={"email": "anna\tabel@example.org"}), f"{PLACE}.clients.anna.email", ["anna\\tabel"]),
    (clients(anna={**ANNA, "revoke": "stolen"}), f"{PLACE}.clients.anna.revoke", ["'stolen'", "keyCompromise"]),
    (clients(anna={**ANNA, "validity_hours": 1}), f"{PLACE}.clients.anna.validity_hours", ["at least 3 hours"]),
    (clients(alice=ANNA), f"{PLACE}.clients.alice.name", ["client alice of this stack", "a name of its own"]),
    (clients(Alice=ANNA), f"{PLACE}.clients.Alice.name", ["client alice of this stack"]),
    (clients(server=ANNA), f"{PLACE}.clients.server.name", ["host's own certificate"]),
    (clients(anna={"email": "Bob@example.org"}), f"{PLACE}.clients.anna.email", ["is client bob already"]),
    (
        clients(anna={"dns_names": ["a.example.org"]}, ben={"dns_names": ["A.example.org"]}),
        f"{PLACE}.clients.ben.dns_names[0]",
        ["rosters.staff.clients.anna already"],
    ),
    (
        stack(
            rosters={"staff": {"clients": {"anna": ANNA}}, "more": {"clients": {"Anna": {"email": "b@example.org"}}}}
        ),
        "rosters.more.clients.Anna.name",
        ["a client of roster staff already"],
    ),
    (mx1(relay_rosters=["stuff"]), "hosts.mx1.relay_rosters[0]", ["no roster 'stuff'", "did you mean staff?"]),
    (mx1(relay_rosters=["staff", "staff"]), "hosts.mx1.relay_rosters[1]", ["listed twice"]),
    (mx1(relay_rosters=["alice"]), "hosts.mx1.relay_rosters[0]", ["no roster 'alice'"]),
    (mx1(relay_clients=["anna"]), "hosts.mx1.relay_clients[0]", ["in roster staff", "relay_rosters"]),
    (mx1(certificate="none", relay_rosters=["staff"]), "hosts.mx1.relay_rosters", ["serves no TLS"]),
    (
        mx1(extra_relay_clients=[{"name": "anna", "fingerprint_sha256": LEAF.fingerprint_sha256}]),
        "hosts.mx1.extra_relay_clients[0].name",
        ["anna is a name of this stack"],
    ),
]


@pytest.mark.parametrize(("raw", "path", "words"), MISTAKES, ids=[f"{path}:{words[0]}" for _, path, words in MISTAKES])
def test_a_mistake_is_the_only_problem_and_is_told_where_it_stands(raw: Raw, path: str, words: list[str]) -> None:
    """One mistake gives one problem, at its path in the file, with what was found and how to fix it."""
    problems = problems_of(raw)
    assert [problem.path for problem in problems] == [path]
    assert [word for word in words if word not in problems[0].message] == []


def test_what_is_wrong_for_all_clients_is_told_once() -> None:
    """Not at the roster and once more at each client."""
    raw = roster(country="Germany", lifetime={"renew_before": "400d"}, clients=CLIENTS)
    assert [problem.path for problem in problems_of(raw)] == [f"{PLACE}.country", f"{PLACE}.lifetime.renew_before"]


IN_FILES: list[tuple[str, str, list[str]]] = [
    ("staff.csv", "name,email\nanna,anna\n", ["staff.csv line 2, email: got 'anna'"]),
    ("staff.csv", "name,emial\nanna,x\n", ["staff.csv line 1: unknown column 'emial'"]),
    ("staff.csv", "email,name\na@example.org,anna\n\na@example.com, ben \n", []),
    (
        "staff.csv",
        "email,name\nA@example.org,anna\n\nbob@example.org, ben \n",
        ["staff.csv line 4, email: 'bob@example.org' is client bob already"],
    ),
    (
        "staff.csv",
        "name,revoke\nanna,keyCompromise\nben,\n",
        ["staff.csv line 2, email: missing", "staff.csv line 3, email: missing"],
    ),
    ("staff.csv", "name,email,revoke\nanna,a@example.org,stolen\n", ["staff.csv line 2, revoke: got 'stolen'"]),
    ("staff.csv", "name,email,confirm\nanna,a@example.org,maybe\n", ["staff.csv line 2, confirm: got 'maybe'"]),
    ("staff.yaml", "ben: {email: b@example.org}\nanna: {email: anna}\n", ["staff.yaml line 2, email: got 'anna'"]),
    ("staff.yaml", "- email: anna\n  name: anna\n", ["staff.yaml line 2, email: got 'anna'"]),
    ("staff.yaml", "anna: {email: [}\n", ["staff.yaml line 1: is not YAML"]),
    ("staff.yaml", "", []),
    ("staff.txt", "anna", ["staff.txt is no roster file; its name must end in .csv, .yaml or .yml"]),
    ("staff.csv", "name;email\nanna;anna@example.org\n", ["staff.csv has semicolons between its cells"]),
    ("staff.csv", f"name\n{LEAF.certificate_pem}", ["staff.csv holds PEM text"]),
    ("staff.csv", f"name\nanna\n{LEAF.private_key_pem}", ["staff.csv line 3: a private key"]),
]


@pytest.mark.parametrize(("name", "text", "beginnings"), IN_FILES)
def test_a_mistake_in_a_file_is_told_with_its_line(name: str, text: str, beginnings: list[str]) -> None:
    """The path leads to the reference in the stack file, the message to the line."""
    problems = problems_of(roster(clients=None, file=name), files={name: text})
    assert [problem.path for problem in problems] == [f"{PLACE}.file"] * len(beginnings)
    assert [each for each, start in zip(problems, beginnings, strict=True) if not each.message.startswith(start)] == []


def test_a_file_that_is_wrong_throughout_is_told_in_part() -> None:
    """Twenty lines show what it is; the rest is counted."""
    text = "name,email\n" + "".join(f"client{number},client{number}@\n" for number in range(100))
    problems = problems_of(roster(clients=None, file="staff.csv"), files={"staff.csv": text})
    assert len(problems) == 21
    assert problems[-1].message == "staff.csv has 80 more problems"


@pytest.mark.parametrize("fault", ["is no UTF-8 text; save it as UTF-8", "cannot be read: Permission denied"])
def test_a_file_that_cannot_be_read_says_why(fault: str) -> None:
    """Roster or chain, what the reader met is told at the reference."""
    raw = roster(clients=None, file="staff.csv") | {
        "servers": {"web": {"dns_names": ["web.example.org"], "third_party": {"signed_chain_file": "web.pem"}}}
    }
    files = {"staff.csv": FileText(fault=fault), "web.pem": FileText(fault=fault)}
    assert {(problem.path, problem.message) for problem in problems_of(raw, files=files)} == {
        (f"{PLACE}.file", f"staff.csv {fault}"),
        ("servers.web.third_party.signed_chain_file", f"web.pem {fault}"),
    }


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("nothing", "web.pem: "),
        (LEAF.private_key_pem + LEAF.certificate_pem, "web.pem line 1: a private key"),
    ],
)
def test_a_chain_in_a_file_is_checked_with_the_rest(text: str, words: str) -> None:
    """A file without a certificate is refused, and one that holds the key, which is never shown."""
    raw = stack(servers={"web": {"dns_names": ["web.example.org"], "third_party": {"signed_chain_file": "web.pem"}}})
    (problem,) = problems_of(raw, files={"web.pem": text})
    assert problem.path == "servers.web.third_party.signed_chain_file"
    assert problem.message.startswith(words)
    assert LEAF.private_key_pem.splitlines()[1] not in problem.message


@given(
    text=st.text(st.sampled_from("name,email\n\"':-{}[]@ax;."), max_size=60), suffix=st.sampled_from(["csv", "yaml"])
)
def test_whatever_a_file_holds_is_read_or_refused_with_problems(text: str, suffix: str) -> None:
    """No text ends in another exception."""
    file = f"staff.{suffix}"
    for problem in problems_of(roster(clients=None, file=file), files={file: text}):
        assert problem.path.startswith(PLACE)
        assert problem.message


@given(secret=st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=8, max_size=40))
def test_no_message_shows_a_secret_of_a_file(secret: str) -> None:
    """A passphrase pasted into a roster is not repeated."""
    hidden = f"Q7{secret}"
    raw = roster(clients=None, file="staff.csv", pkcs12="modern") | {
        "clients": {"bob": {"email": "bob@example.org", "pkcs12": {"passphrase_secret": "kept"}}},
        "kept": hidden,
        "hosts": None,
    }
    raw = {name: section for name, section in raw.items() if section is not None}
    problems = problems_of(raw, ["kept"], {"staff.csv": f"name,email\nanna,{hidden}\n"})
    assert [problem.path for problem in problems] == [f"{PLACE}.file"]
    assert hidden not in str(problems)
