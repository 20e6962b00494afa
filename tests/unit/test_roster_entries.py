"""Clients from a stack file, a CSV file or a YAML file become the same entries, or all problems at once."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pki.roster.csv_entries import parse_csv
from pki.roster.entries import clients_text, entries_of_mapping
from pki.roster.yaml_entries import parse_yaml
from postseal_core.errors import ConfigError
from postseal_core.packing import json_line, pack, pack_records, unpack, unpack_records

ALICE = {"name": "alice", "email": "alice@example.org", "validity_hours": 48, "confirm": True}
RELAY = {"name": "relay", "dns_names": ["a.example.org", "b.example.org"], "renew_fraction": "1/2"}

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


def test_every_input_form_gives_the_same_entries_sorted_by_name() -> None:
    """A mapping, a CSV file and both kinds of YAML file are one declaration."""
    forms = [entries_of_mapping(MAPPING), parse_csv(CSV), parse_yaml(YAML_MAPPING), parse_yaml(YAML_LIST)]
    assert forms == [(ALICE, RELAY)] * 4


def test_the_text_that_a_program_passes_on_is_canonical() -> None:
    """The order of clients and fields in the stack file does not matter."""
    assert clients_text(entries_of_mapping(MAPPING)) == (
        '{"confirm":true,"email":"alice@example.org","name":"alice","validity_hours":48}\n'
        '{"dns_names":["a.example.org","b.example.org"],"name":"relay","renew_fraction":"1/2"}'
    )


def test_no_clients_are_no_lines() -> None:
    """An empty roster is a valid declaration in every form."""
    assert parse_yaml("") == parse_csv("name\n") == entries_of_mapping({}) == ()
    assert clients_text(()) == ""


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
        ("a: &loop {email: *loop}\n", ["line 1.email"]),
        ("a: {email: !!python/name:os.system x}\n", ["line 1"]),
        (
            "a: {mail: x}\nb: {dns_names: b.example.org, confirm: 1}\n",
            ["line 1.mail", "line 2.confirm", "line 2.dns_names"],
        ),
        ("- {name: a, email: x@example.org}\n- {name: b, email: x@example.org}\n", ["line 2.email"]),
    ],
)
def test_what_is_wrong_with_a_yaml_file_is_said_with_its_line(text: str, places: list[str]) -> None:
    """Every wrong field is named at once; a key that YAML would silently overwrite is one of them."""
    assert sorted(problems_of(parse_yaml, text)) == places


def test_what_is_wrong_in_a_stack_file_is_said_with_its_path() -> None:
    """The path is the one that stands in the stack file, and the message says what was expected."""
    problems = problems_of(entries_of_mapping, {"alice": {"validity_hours": True}, "bob": {"validity": 3}})
    assert problems["clients.alice.validity_hours"] == "got True, expected a whole number"
    assert problems["clients.bob.validity"].startswith("unknown field; the fields are: name, email")


NAMES = st.from_regex(r"[a-z][a-z0-9.-]{0,8}", fullmatch=True)


@given(st.dictionaries(NAMES, st.lists(NAMES, max_size=3), max_size=6))
def test_csv_and_mapping_agree_on_whatever_names_there_are(clients: dict[str, list[str]]) -> None:
    """Writing a mapping as CSV and reading it gives the entries of the mapping."""
    rows = [f"{name},{';'.join(hosts)}" for name, hosts in clients.items()]
    declared = {name: {"dns_names": hosts} for name, hosts in clients.items()}
    assert parse_csv("\n".join(["name,dns_names", *rows])) == entries_of_mapping(declared)


TEXTS = st.text(st.characters(exclude_categories=["Cs"]))


@given(st.lists(st.dictionaries(TEXTS, TEXTS | st.integers() | st.lists(TEXTS))))
def test_packed_records_come_back_as_they_were(records: list[dict[str, Any]]) -> None:
    """Packing loses nothing, whatever characters are in the values."""
    assert list(unpack_records(pack_records(records))) == records
    assert unpack(pack("\n".join(map(json_line, records)))) == "\n".join(map(json_line, records))
