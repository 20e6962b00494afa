"""Clients from a stack file, a CSV file or a YAML file become the same rows, or all problems at once."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, ClassVar

import pulumi
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pki.declared import Said
from pki.fields import FIELDS, ArchiveWord, DeclaredCertificate, SaidBy
from pki.roster.entries import PlacedProblem
from pki.roster.reading import (
    PlacedRow,
    ReadRows,
    parse_csv,
    parse_yaml,
    read_csv,
    read_yaml,
    rows_of_mapping,
    rows_of_sequence,
)
from pki.roster.rows import (
    COLUMNS,
    RosterRow,
    archive_word,
    declared_of,
    lines_by_client,
    row_of_line,
    rows_of,
    rows_text,
)
from postseal_core.errors import ConfigError, Problem
from postseal_core.packing import (
    json_line,
    pack,
    pack_lines,
    pack_records,
    records_of_lines,
    unpack,
    unpack_lines,
)
from postseal_core.plain_names import is_lost_in_yaml
from postseal_core.records import Upgrade


def row(name: str, **said: Any) -> RosterRow:
    """Return a row that says these fields."""
    return RosterRow(name, Said(DeclaredCertificate(**said), frozenset(said)))


ALICE = row("alice", email="alice@example.org", validity_hours=48, confirm=True)
RELAY = row("relay", dns_names=("a.example.org", "b.example.org"), renew_fraction=Fraction(1, 2))

MAPPING: dict[str, dict[str, Any]] = {
    "relay": {"dns_names": ("a.example.org", "b.example.org"), "renew_fraction": "1/2", "email": ""},
    "alice": {"email": "alice@example.org", "validity_hours": 48, "confirm": True, "organization": None},
}
CSV = """\ufeffname,email,dns_names,validity_hours,confirm,renew_fraction
relay,,a.example.org; b.example.org,,,1/2

alice, alice@example.org ,,48,TRUE
"""
YAML_MAPPING = """
relay:
  dns_names: [a.example.org, b.example.org]
  renew_fraction: 1/2
alice: {email: alice@example.org, validity_hours: 48, confirm: true}
"""
YAML_LIST = """
- {name: relay, dns_names: [a.example.org, b.example.org], renew_fraction: 1/2}
- {name: alice, email: alice@example.org, validity_hours: 48, confirm: yes}
"""


def test_every_input_form_gives_the_same_rows_sorted_by_name() -> None:
    """A mapping, a CSV file and both kinds of YAML file are one declaration."""
    forms = [rows_of_mapping(MAPPING), parse_csv(CSV), parse_yaml(YAML_MAPPING), parse_yaml(YAML_LIST)]
    assert forms == [(ALICE, RELAY)] * 4


def test_the_text_that_a_program_passes_on_is_canonical() -> None:
    """The order of clients and fields in the stack file does not matter."""
    assert rows_text(rows_of_mapping(MAPPING)) == (
        '{"confirm":true,"email":"alice@example.org","name":"alice","validity_hours":48}\n'
        '{"dns_names":["a.example.org","b.example.org"],"name":"relay","renew_fraction":"1/2"}'
    )


def test_no_clients_are_no_lines() -> None:
    """An empty roster is a valid declaration in every form."""
    assert parse_yaml("") == parse_csv("name\n") == rows_of_mapping({}) == ()
    assert rows_text(()) == ""
    assert rows_of("") == {}


def test_rows_of_files_and_mappings_can_stand_in_one_list() -> None:
    """A program adds a client of its own to those of a file; a name that stands there twice is told with both."""
    assert rows_of_sequence([*parse_csv(CSV), {"name": "bob", "email": "bob@example.org"}])[1].name == "bob"
    problems = problems_of(rows_of_sequence, [*parse_csv(CSV), {"name": "ALICE", "email": "x@example.org"}])
    assert problems == {"clients[2].name": "is declared at clients[0] already; declare it once"}


DEVICES_IN_CSV = "name,email,person\nlaptop,a@example.org,{}\nphone,A@example.org,{}\n"
DEVICES_IN_YAML = "laptop: {{email: a@example.org, person: {}}}\nphone: {{email: A@example.org, person: {}}}\n"


@pytest.mark.parametrize(
    "parse",
    [lambda *who: parse_csv(DEVICES_IN_CSV.format(*who)), lambda *who: parse_yaml(DEVICES_IN_YAML.format(*who))],
)
def test_devices_of_one_person_share_a_mailbox_in_a_file(parse: Callable[..., tuple[RosterRow, ...]]) -> None:
    """Two rows with one address: of one person they are two devices, of two persons a mistake."""
    assert [(each.name, each.said.values.person) for each in parse("anna", "anna")] == [
        ("laptop", "anna"),
        ("phone", "anna"),
    ]
    for who in (("anna", "ben"), ("anna", ""), ("", "anna"), ("", "")):
        (message,) = problems_of(lambda two: parse(*two), who).values()
        assert "same person" in message


EXAMPLES: dict[str, Any] = {
    "key_algorithm": "ED25519",
    "renew_fraction": "1/2",
    "match": "public_key",
    "revoke": "superseded",
    "pkcs12": "none",
}


@pytest.mark.parametrize("name", FIELDS)
def test_a_row_may_say_exactly_the_fields_that_are_declared_for_rows(name: str) -> None:
    """In a stack file, in a CSV file and on the way to the plugin; each comes through all of them as it was."""
    default = getattr(DeclaredCertificate(), name)
    value = EXAMPLES.get(name, ["192.0.2.1"] if default == () else not default if default is False else "x")
    value = 3 if isinstance(default, int) and default is not False else value
    value = 3 if default is None and name not in EXAMPLES else value
    cell = value[0] if isinstance(value, list) else str(value)
    line = json_line({"name": "a", name: value})
    if SaidBy.ROW not in FIELDS[name].said_by:
        assert name not in COLUMNS
        assert [*problems_of(rows_of_mapping, {"a": {name: value}})] == [f"clients.a.{name}"]
        assert problems_of(parse_csv, f"name,{name}\na,{cell}\n")["line 1"].startswith("unknown column")
        assert [*problems_of(lambda text: row_of_line("a", text), line)] == [f"clients.a.{name}"]
        return
    (read,) = rows_of_mapping({"a": {name: value}})
    assert read.said.names == {name}
    assert getattr(read.said.values, name) != default
    assert parse_csv(f"name,{name}\na,{cell}\n") == (read,)
    assert row_of_line("a", rows_text([read])) == read
    assert rows_text([read]) == line


def test_what_a_client_says_takes_the_place_of_what_its_roster_says() -> None:
    """A fraction of a client's own is not beaten by hours that the roster sets for all."""
    shared = DeclaredCertificate(renew_before_hours=48, organization="Example", confirm=True)
    assert declared_of(row("alice"), shared) == shared
    own = row("alice", renew_fraction=Fraction(1, 2), confirm=False)
    assert declared_of(own, shared) == DeclaredCertificate(renew_fraction=Fraction(1, 2), organization="Example")


@pytest.mark.parametrize(
    ("own", "shared", "word"),
    [
        ({}, "", ""),
        ({}, "modern", "modern"),
        ({"pkcs12": ArchiveWord.NONE}, "modern", ""),
        ({"pkcs12": ArchiveWord.LEGACY}, "modern", "legacy"),
    ],
)
def test_an_archive_is_asked_for_by_the_roster_or_by_the_client(own: dict[str, Any], shared: str, word: str) -> None:
    """The client has the last word."""
    assert archive_word(declared_of(row("alice", **own), DeclaredCertificate(pkcs12=ArchiveWord(shared)))) == word


@pytest.mark.parametrize(
    ("text", "paths"),
    [
        ("nonsense", ["clients.line 1"]),
        ('{"name":"a"}\n[1]\n{"name":3}\n{}', ["clients.line 2", "clients.line 3", "clients.line 4"]),
        ('{"name":"a"}\n{"name":"a"}', ["clients.a"]),
    ],
)
def test_lines_that_are_no_clients_are_told_with_their_numbers(text: str, paths: list[str]) -> None:
    """Whatever a program hands to the plugin."""
    assert [*problems_of(rows_of, text)] == paths


def test_a_line_of_another_type_or_with_a_bad_name_is_told_with_its_client() -> None:
    """The plugin checks what it is handed, wherever it was read."""
    plain = {"email": ["a@example.org"], "validity_hours": "48", "renew_fraction": "1/0", "revoke": "stolen"}
    problems = problems_of(lambda line: row_of_line("a", line), json.dumps({"name": "a", **plain}))
    assert sorted(problems) == sorted(f"clients.a.{field}" for field in plain)
    assert (
        "expected 1 to 64 letters"
        in problems_of(lambda line: row_of_line("b b", line), '{"name":"b b"}')["clients.b b.name"]
    )


def problems_of(parse: Any, declared: Any) -> dict[str, str]:
    """Return the messages of what is wrong, by place."""
    with pytest.raises(ConfigError) as caught:
        parse(declared)
    return {problem.path: problem.message for problem in caught.value.problems}


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("", ["line 1"]),
        ("name,e-mail\n", ["line 1"]),
        ("name,name\n", ["line 1"]),
        ("name,email\nalice,a@example.org,extra\n", ["line 2"]),
        ('name,email\n"alice,a@example.org\n', ["line 2"]),
        ("name,confirm,validity_hours\nalice,perhaps,soon\n", ["line 2.confirm", "line 2.validity_hours"]),
        ("name,email\nalice,A@example.org\nalice,a@example.org\n", ["line 3.name", "line 3.email"]),
        ("name,email\n,a@example.org\nb b,b@example.org\n", ["line 2.name", "line 3.name"]),
        ("name,pkcs12\nalice,zip\n", ["line 2.pkcs12"]),
        ("name,renew_fraction\nalice,often\n", ["line 2.renew_fraction"]),
    ],
)
def test_what_is_wrong_with_a_csv_file_is_said_with_its_line(text: str, places: list[str]) -> None:
    """Every wrong cell is named at once, by line and column."""
    assert sorted(problems_of(parse_csv, text)) == sorted(places)


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("alice", ["line 1"]),
        ("- alice\n", ["line 1"]),
        ("alice: 4\n", ["line 1"]),
        ("alice: [\n", ["line 2"]),
        ("alice: {email: a@example.org}\nalice: {email: b@example.org}\n", ["line 2"]),
        ("alice: {email: a@example.org, email: b@example.org}\n", ["line 1"]),
        ("1001: {email: a@example.org}\n", ["line 1.name"]),
        ("a: &loop {email: *loop}\n", ["line 1"]),
        ("a: {~: x}\n", ["line 1"]),
        ("a: {2020-01-01: x}\nb: {1.5: x}\n", ["line 1", "line 2"]),
        ("a: {confirm: !!bool x}\n", ["line 1"]),
        ("a: {email: !!timestamp x}\n", ["line 1"]),
        ("a: {validity_hours: 0777}\n", ["line 1"]),
        ("a: {validity_hours: 190:20:30}\n", ["line 1"]),
        ("a: {validity_hours: 1_0}\n", ["line 1"]),
        ("a: {dns_names: !!set {a.example.org, b.example.org}}\n", ["line 1"]),
        ('a: {organization: "\\ud800"}\n', ["line 1"]),
        (f"a: {'[' * 3000}{']' * 3000}\n", ["line 1"]),
        ("a: {email: !!python/name:os.system x}\n", ["line 1"]),
        (
            "a: {mail: x}\nb: {dns_names: b.example.org, confirm: 1}\n",
            ["line 1.mail", "line 2.confirm", "line 2.dns_names"],
        ),
        ("- {name: a, email: x@example.org}\n- {name: b, email: x@example.org}\n", ["line 2.email"]),
        ("[{name: a}, {name: A}]\n", ["line 1.name"]),
        ("a: 4\nb: {email: b@example.org}\nc: [x]\n", ["line 1", "line 3"]),
        ("a: {}\nb: {email: 2026-13-45}\n", ["line 2"]),
        ("a: {}\nb: {validity_hours: !!int many}\n", ["line 2"]),
        ("ä: {}\nb: {email: \x01}\n", ["line 2"]),
    ],
)
def test_what_is_wrong_with_a_yaml_file_is_said_with_its_line(text: str, places: list[str]) -> None:
    """Every wrong field is named at once; a key that YAML would silently overwrite is one of them."""
    assert sorted(problems_of(parse_yaml, text)) == places


def test_rows_come_with_the_line_of_their_name() -> None:
    """In a table with empty lines and cells of several lines, below a key, and within an entry that begins above it."""
    table = 'email,name\n\n"b@example.org", ben \n,"an\n"\n'
    bob = row("ben", email="b@example.org")
    assert read_csv(table) == ReadRows((PlacedRow(5, row("an")), PlacedRow(3, bob)))
    assert read_yaml("\nben:\n  email: b@example.org\nan:\n") == ReadRows((PlacedRow(4, row("an")), PlacedRow(2, bob)))
    assert read_yaml("- email: b@example.org\n  name: ben\n") == ReadRows((PlacedRow(2, bob),))
    assert read_yaml("- email:\n  name: an\n") == ReadRows((PlacedRow(2, row("an")),))


def test_problems_come_with_their_line_and_field_and_without_rows() -> None:
    """A reader of them takes nothing apart."""
    read = read_csv("name,email\nan,a@example.org\nb b,A@example.org\n")
    assert read.rows == ()
    assert [(each.line, each.problem.path) for each in read.problems] == [(3, "name"), (3, "email")]
    assert read_csv("name\nan,x\n").problems == (
        PlacedProblem(2, Problem("", "has 2 cells, the header has 1; quote a cell that has a comma")),
    )
    assert read_yaml("- name: an\n  dns_names: [3]\n").problems == (
        PlacedProblem(1, Problem("dns_names[0]", "got 3, expected text; put it into quotes")),
    )


def test_what_is_wrong_in_a_stack_file_is_said_with_its_path() -> None:
    """The path is the one that stands in the stack file, and the message says what was expected."""
    problems = problems_of(rows_of_mapping, {"alice": {"validity_hours": True}, "bob": {"validity": 3}})
    assert problems["clients.alice.validity_hours"] == "got true, expected a whole number"
    assert problems["clients.bob.validity"].startswith("unknown key; did you mean validity_hours?")


MISTAKES: list[tuple[Any, str, str]] = [
    ("x", "clients.a", "got 'x', expected a mapping, as {key: value}"),
    ({"dns_names": "a.example.org"}, "clients.a.dns_names", "got 'a.example.org', expected a list"),
    ({"email": ["a@example.org"]}, "clients.a.email", "got a list, expected text"),
    ({"pkcs12": "zip"}, "clients.a.pkcs12", "got 'zip', expected one of modern, legacy, none"),
    ({"crl_urls": ["http://crl.example.org"]}, "clients.a.crl_urls", "unknown key"),
    ({"email": pulumi.Output.from_input("a@example.org")}, "clients.a.email", "must be known before `pulumi up`"),
    ({"name": "b", "email": 3}, "clients.a.email", "got 3, expected text"),
]


@pytest.mark.parametrize(("fields", "path", "message"), MISTAKES)
def test_a_program_is_told_what_was_got_and_expected(fields: Any, path: str, message: str) -> None:
    """Wrong types, single texts where a list belongs and outputs are told like any other mistake."""
    problems = problems_of(rows_of_mapping, {"a": fields})
    assert [*problems] == [path]
    assert problems[path].startswith(message)


@pytest.mark.parametrize("name", [1001, "b b", "", "-a", "x" * 65, None])
def test_a_name_is_text_of_a_few_kinds_of_characters(name: Any) -> None:
    """It names files and stands in tables."""
    assert any(path.endswith(".name") for path in problems_of(rows_of_mapping, {name: {"email": "a@example.org"}}))


NAMES = st.from_regex(r"[a-z][a-z0-9.-]{0,8}", fullmatch=True).filter(lambda name: not is_lost_in_yaml(name))


def are_all_different(clients: dict[str, list[str]]) -> bool:
    """Whether no DNS name stands twice: a name identifies one client."""
    hosts = [host.rstrip(".") for each in clients.values() for host in each]
    return len(hosts) == len(set(hosts))


@given(st.dictionaries(NAMES, st.lists(NAMES, max_size=3), max_size=6).filter(are_all_different))
def test_csv_and_mapping_agree_on_whatever_names_there_are(clients: dict[str, list[str]]) -> None:
    """Writing a mapping as CSV and reading it gives the entries of the mapping."""
    rows = [f"{name},{';'.join(hosts)}" for name, hosts in clients.items()]
    declared = {name: {"dns_names": hosts} for name, hosts in clients.items()}
    assert parse_csv("\n".join(["name,dns_names", *rows])) == rows_of_mapping(declared)


TEXTS = st.text(st.characters(exclude_categories=["Cs"]))


@given(st.lists(st.dictionaries(TEXTS, TEXTS | st.integers() | st.lists(TEXTS))))
def test_packed_lines_come_back_as_they_were(records: list[dict[str, Any]]) -> None:
    """Packing loses nothing, whatever characters are in the values."""
    lines = [json_line(record) for record in records]
    assert unpack_lines(pack_lines(lines)) == lines
    assert unpack(pack("\n".join(lines))) == "\n".join(lines)


@given(st.lists(st.tuples(TEXTS, TEXTS)))
def test_packed_lines_are_found_by_the_client_that_they_begin_with(records: list[tuple[str, str]]) -> None:
    """Whatever characters are in a name, and however many lines a client has."""
    lines = [
        json.dumps({"name": name, "x": value}, ensure_ascii=False, separators=(",", ":")) for name, value in records
    ]
    found = lines_by_client(pack_lines(lines))
    assert found == {name: [lines[i] for i, each in enumerate(records) if each[0] == name] for name, _ in records}


@dataclass(frozen=True, slots=True)
class _GrownRow:
    """A row whose record has been changed once."""

    UPGRADES: ClassVar[tuple[Upgrade, ...]] = (lambda plain: plain,)

    name: str
    x: int = 1


def test_packed_rows_of_a_later_version_are_still_found_by_their_client() -> None:
    """The version stands behind the name, not in front of it."""
    rows = [_GrownRow("alice", 2), _GrownRow("bob", 3)]
    found = lines_by_client(pack_records(rows))
    assert {name: [*records_of_lines(_GrownRow, lines)] for name, lines in found.items()} == {
        row.name: [row] for row in rows
    }


DECIDED_ELSEWHERE = [name for name, each in FIELDS.items() if SaidBy.ROW not in each.said_by]


@pytest.mark.parametrize("name", DECIDED_ELSEWHERE)
def test_a_row_cannot_say_what_its_authority_decides(name: str) -> None:
    """Not in a table, a mapping or a list, not in a row that a program makes, and not in a line that a plugin gets."""
    said = Said(DeclaredCertificate(email="a@example.org"), frozenset({"email", name}))
    attempts: list[Callable[[], object]] = [
        lambda: parse_csv(f"name,email,{name}\na,a@example.org,1\n"),
        lambda: parse_yaml(f"a: {{email: a@example.org, {name}: [x]}}\n"),
        lambda: rows_of_mapping({"a": {"email": "a@example.org", name: ["x"]}}),
        lambda: rows_of_sequence([RosterRow("a", said)]),
        lambda: row_of_line("a", json_line({"name": "a", name: ["x"]})),
    ]
    for attempt in attempts:
        with pytest.raises(ConfigError, match=name):
            attempt()


def test_the_address_of_a_revocation_list_is_decided_elsewhere() -> None:
    """The test above is about something."""
    assert {"crl_urls", "path_length", "permitted_dns"} <= {*DECIDED_ELSEWHERE}
