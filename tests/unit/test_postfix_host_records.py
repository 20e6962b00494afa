"""A host comes back from plain values as it was declared, and what does not fit is named without its value."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postfix.host import ClientSide, HostDeclaration, Ownership, ServerSide
from postfix.host_resource.destinations import DESTINATIONS
from postfix.host_resource.records import HostArgs
from postfix.parameters import PostfixVersion
from postfix.settings import ClientSettings, DestinationPolicy, RelayPolicy, ServerSettings, Transport
from postfix.target import TARGETS, Directory, Local, Ssh, TargetKind, target_of
from postseal_core.errors import ConfigError, Problem
from postseal_core.records import decode, encode

TEXTS = st.text(max_size=8)
LISTS = st.lists(TEXTS, max_size=2).map(tuple)
POLICIES = st.builds(DestinationPolicy, TEXTS, TEXTS, LISTS)
TRANSPORTS = st.builds(Transport, TEXTS, LISTS, match=LISTS)
SERVERS = st.builds(
    ServerSettings,
    smtpd_tls_ask_ccert=st.none() | st.booleans(),
    smtpd_tls_loglevel=st.integers(0, 4) | LISTS,
    relay=st.builds(RelayPolicy, networks=LISTS),
)
CLIENTS = st.builds(
    ClientSettings, policies=st.lists(POLICIES, max_size=2).map(tuple), transports=st.tuples(TRANSPORTS)
)
HOSTS = st.builds(
    HostDeclaration,
    TEXTS,
    TEXTS,
    server=st.none() | st.builds(ServerSide, SERVERS, LISTS),
    client=st.none() | st.builds(ClientSide, CLIENTS, LISTS),
    parameters=st.dictionaries(TEXTS, TEXTS, max_size=2),
    ownership=st.sampled_from(Ownership),
    postfix_version=st.none() | st.builds(PostfixVersion, st.integers(2, 4), st.integers(0, 20)),
)
MX1 = HostArgs(declaration=HostDeclaration("mx1", "mx1.example.org"), target=Directory("out/mx1").record)


def problems_of(declaration: dict[str, Any]) -> tuple[Problem, ...]:
    """Return what is wrong with a declaration of mx1 in which this is said otherwise."""
    plain = json.loads(json.dumps(encode(MX1)))
    plain["declaration"] |= declaration
    with pytest.raises(ConfigError) as caught:
        decode(HostArgs, plain)
    return caught.value.problems


@given(HOSTS)
def test_a_declaration_comes_back_as_it_was(host: HostDeclaration) -> None:
    """Through plain values and JSON and back nothing is lost, types included."""
    decoded = decode(HostArgs, json.loads(json.dumps(encode(replace(MX1, declaration=host))))).declaration
    assert decoded == host
    assert type(decoded.ownership) is Ownership


def test_what_is_left_out_has_its_default() -> None:
    """Only the names of the host, and all of its target, are required."""
    target = {"kind": "directory", "path": "out/mx1", "config_directory": "/etc/postfix", "ownership": "whole"}
    declaration = {"name": "mx1", "myhostname": "mx1.example.org"}
    assert decode(HostArgs, {"declaration": declaration, "target": target}) == MX1


@pytest.mark.parametrize(
    ("fields", "path", "expected"),
    [
        ({"myhostname": None}, "myhostname", "missing"),
        ({"myhostname": 5}, "myhostname", "expected a text"),
        ({"server": "hunter2"}, "server", "expected a mapping"),
        ({"server": {"certificates": []}}, "server.settings", "missing"),
        ({"server": {"settings": {}, "certificates": "mx1"}}, "server.certificates", "expected a list"),
        (
            {"client": {"settings": {"policies": [{"destination": "x", "level": 1}]}}},
            "client.settings.policies[0].level",
            "expected a text",
        ),
        (
            {"server": {"settings": {"smtpd_tls_loglevel": True}, "certificates": []}},
            "server.settings.smtpd_tls_loglevel",
            "expected a whole number",
        ),
        ({"parameters": {"smtp_sasl_password": ["hunter2"]}}, "parameters.smtp_sasl_password", "expected a text"),
        ({"ownership": "theirs"}, "ownership", "expected one of: whole, merge"),
        ({"postfix_version": [3]}, "postfix_version", "expected"),
        ({"postfix_version": "3"}, "postfix_version", "expected"),
        ({"hostname": "hunter2"}, "hostname", "unknown"),
    ],
)
def test_what_does_not_fit_is_named_without_its_value(fields: dict[str, Any], path: str, expected: str) -> None:
    """A wrong type, a missing or an unknown member is one problem with its path, and no text is quoted."""
    (problem,) = problems_of(fields)
    assert problem.path == f"declaration.{path}"
    assert expected in problem.message
    assert "hunter2" not in problem.message


def test_all_that_is_wrong_is_told_at_once() -> None:
    """One mistake does not hide another."""
    found = problems_of({"name": 1, "myhostname": None, "parameters": {"a": 2}})
    assert {problem.path for problem in found} == {
        "declaration.name",
        "declaration.myhostname",
        "declaration.parameters.a",
    }


def test_programs_name_a_target_in_a_word() -> None:
    """A directory is ours as a whole by default, and of this machine's Postfix only what is declared."""
    directory, local = Directory("out/mx1").record, Local("/srv/postfix").record
    assert (directory.kind, directory.config_directory) == (TargetKind.DIRECTORY, "/etc/postfix")
    assert (local.kind, local.config_directory) == (TargetKind.LOCAL, local.path)
    assert (directory.ownership, local.ownership) == (Ownership.WHOLE, Ownership.MERGE)


def test_every_kind_of_target_has_a_class_and_a_destination() -> None:
    """A kind that is known in one place only would be deployed to the wrong one."""
    assert {*DESTINATIONS} == {*TargetKind}, "add what writes there to DESTINATIONS in destinations.py"
    way = Ssh("mx1.example.org", host_key="")
    made = {kind: target_of(kind, "/etc/postfix", None, ssh=way) for kind in TargetKind}
    assert {type(target) for target in made.values()} == {*TARGETS}, "add the class to HostTarget in postfix/target.py"
    assert {kind: target.record.kind for kind, target in made.items()} == {kind: kind for kind in TargetKind}
