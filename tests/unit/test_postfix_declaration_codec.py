"""A host's declaration comes back from plain values as it was, and what does not fit is named without its value."""

import json
from dataclasses import asdict
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postfix.declaration_codec import decode_host
from postfix.host import ClientSide, HostDeclaration, Ownership, ServerSide
from postfix.settings import ClientSettings, DestinationPolicy, RelayPolicy, ServerSettings, Transport
from postseal_core.errors import ConfigError, Problem

TEXTS = st.text(max_size=8)
LISTS = st.lists(TEXTS, max_size=2).map(tuple)
POLICIES = st.builds(DestinationPolicy, TEXTS, TEXTS, LISTS)
TRANSPORTS = st.builds(Transport, TEXTS, LISTS, match=LISTS)
SERVERS = st.builds(
    ServerSettings,
    smtpd_tls_ask_ccert=st.none() | st.booleans(),
    smtpd_tls_loglevel=st.integers(0, 4),
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
    postfix_version=st.none() | st.tuples(st.integers(2, 4), st.integers(0, 20)),
)


@given(HOSTS)
def test_a_declaration_comes_back_as_it_was(host: HostDeclaration) -> None:
    """Through `asdict` and JSON and back nothing is lost, types included."""
    decoded = decode_host(json.loads(json.dumps(asdict(host))))
    assert decoded == host
    assert type(decoded.ownership) is Ownership


def test_what_is_left_out_has_its_default() -> None:
    """Only the names of the host are required."""
    assert decode_host({"name": "mx1", "myhostname": "mx1.example.org"}) == HostDeclaration("mx1", "mx1.example.org")


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"myhostname": None}, Problem("myhostname", "expected a text, got NoneType")),
        ({"server": "hunter2"}, Problem("server", "expected a mapping, got str")),
        ({"server": {"settings": {}}}, Problem("server.certificates", "is missing")),
        (
            {"server": {"settings": {}, "certificates": "mx1"}},
            Problem("server.certificates", "expected a list, got str"),
        ),
        (
            {"client": {"settings": {"policies": [{"destination": "x", "level": 1}]}}},
            Problem("client.settings.policies[0].level", "expected a text, got int"),
        ),
        (
            {"server": {"settings": {"smtpd_tls_loglevel": True}, "certificates": []}},
            Problem("server.settings.smtpd_tls_loglevel", "expected a whole number, got bool"),
        ),
        (
            {"parameters": {"smtp_sasl_password": ["hunter2"]}},
            Problem("parameters.smtp_sasl_password", "expected a text, got list"),
        ),
        ({"ownership": "hunter2"}, Problem("ownership", "expected one of whole, merge, got str")),
        ({"postfix_version": [3]}, Problem("postfix_version", "expected a list of 2, got list")),
        ({"hostname": "hunter2"}, Problem("hostname", "is unknown here")),
    ],
)
def test_what_does_not_fit_is_named_without_its_value(fields: dict[str, Any], problem: Problem) -> None:
    """A wrong type, a missing or an unknown member is one problem with its path."""
    with pytest.raises(ConfigError) as caught:
        decode_host({"name": "mx1", "myhostname": "mx1.example.org"} | fields)
    assert caught.value.problems == (problem,)
    assert "hunter2" not in str(caught.value)


def test_all_that_is_wrong_is_told_at_once() -> None:
    """One mistake does not hide another."""
    with pytest.raises(ConfigError) as caught:
        decode_host({"name": 1, "parameters": {"a": 2}})
    assert {problem.path for problem in caught.value.problems} == {"name", "myhostname", "parameters.a"}
