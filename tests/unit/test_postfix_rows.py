"""Single rows and names of a Postfix host: what access(5), a map and a server's names may say, one refusal a fault."""

from dataclasses import replace
from typing import Any

import pytest

from postfix.access_actions import faults_of_action
from postfix.host import ClientSide, HostDeclaration, OnHost, ServerSide
from postfix.host_checks import problems_of_declaration
from postfix.lookup_checks import problems_of_map
from postfix.receiving import LookupTable, Restrictions
from postfix.receiving_checks import delivery_services
from postfix.restriction_steps import Vocabulary
from postfix.settings import ClientSettings, ServerSettings, Transport

SERVICES = frozenset({"smtp", "relay", "scan"})
KNOWN = Vocabulary(Restrictions(classes={"strict": ("reject",)}), SERVICES)
MX1 = HostDeclaration("mx1", "mx1.example.org", server=ServerSide(ServerSettings(), ("mx1",)))


@pytest.mark.parametrize(
    ("action", "words"),
    [
        ("BCC alice@example.org", ""),
        ("BCC alice", "BCC "),
        ("BCC", "BCC "),
        ("redirect alice@example.org", ""),
        ("redirect |/bin/sh", "redirect "),
        ("PREPEND X-Seen: yes", ""),
        ("PREPEND X-Seen:", ""),
        ("PREPEND yes", "behind PREPEND, expected a header"),
        ("PREPEND : yes", "behind PREPEND, expected a header"),
        ("PREPEND", "behind PREPEND, expected a header"),
        ("FILTER smtp:[mx.example.net]:587", ""),
        ("FILTER scan:anything/else", ""),
        ("FILTER smtp:", ""),
        ("FILTER smtp", "behind FILTER, expected service:destination"),
        ("FILTER smtp:a b", "behind FILTER, expected service:destination"),
        ("FILTER smtp:a,smtp:b", "behind FILTER, expected service:destination"),
        ("FILTER smpt:[mx.example.net]", "FILTER: service"),
        ("FILTER smtp:[mx.example.net", "is no next hop"),
        ("FILTER smtp:http://mx.example.net", "is no next hop"),
        ("strict", ""),
        ("DUNNO", ""),
        ("550", "alone counts as OK"),
        ("550 no", ""),
    ],
)
def test_an_action_of_access_5_is_taken_or_refused_with_its_cause(action: str, words: str) -> None:
    """Each refusal stands beside an action of the same kind that is taken."""
    faults = [*faults_of_action(action, KNOWN)]
    assert [words in each for each in faults] == [True] * bool(words)


@pytest.mark.parametrize(
    ("parameter", "key", "value", "words"),
    [
        ("sender_bcc_maps", "alice@example.org", "archive@example.org", ""),
        ("sender_bcc_maps", "alice@example.org", " archive ", ""),
        ("sender_bcc_maps", "alice@example.org", "a@example.org, b@example.org", "is no address"),
        ("sender_bcc_maps", "alice@example.org", "|/bin/sh", "is no address"),
        ("recipient_canonical_maps", "@example.org", "@example.net", ""),
        ("recipient_canonical_maps", "@example.org", ":include:/etc/passwd", "is no address"),
        ("canonical_maps", "alice", "alice@-.example", "alice@-.example"),
        ("sender_dependent_relayhost_maps", "@example.org", "[mx.example.net]:587", ""),
        ("sender_dependent_relayhost_maps", "@example.org", "DUNNO", ""),
        ("sender_dependent_relayhost_maps", "@example.org", "smtp:[mx.example.net]", "expected a next hop"),
        ("sender_dependent_relayhost_maps", "@example.org", "[mx.example.net", "expected a next hop"),
        ("sender_dependent_relayhost_maps", "@example.org", "a.example, b.example", "expected a next hop"),
    ],
)
def test_a_row_of_a_map_is_taken_or_refused_at_its_key(parameter: str, key: str, value: str, words: str) -> None:
    """What would run a command, read a file or name several where Postfix takes one is told with what is expected."""
    problems = [*problems_of_map(parameter, LookupTable({key: value}), SERVICES)]
    assert [(each.path, words in each.message) for each in problems] == [(f"rows.{key}", True)] * bool(words)


@pytest.mark.parametrize(
    ("table", "paths"),
    [
        (LookupTable({"a@example.org": "b"}, table_type="lmdb"), []),
        (LookupTable(unknown_table="hash:/etc/postfix/bcc"), []),
        (LookupTable(unknown_table="hash:/etc/postfix/bcc", table_type="lmdb"), ["table_type"]),
        (LookupTable(unknown_table="hash:/etc/postfix/bcc", table_type="regexp"), ["table_type"]),  # type: ignore[arg-type]
        (LookupTable({"a@example.org": "b"}, table_type="regexp"), ["table_type"]),  # type: ignore[arg-type]
        (LookupTable({"a@example.org": "b"}, unknown_table="hash:/etc/postfix/bcc"), [""]),
        (LookupTable(), [""]),
    ],
)
def test_a_table_of_the_host_says_its_type_itself(table: LookupTable, paths: list[str]) -> None:
    """Rows may have a type of ours beside them; a name of the host's has it in front already."""
    assert [each.path for each in problems_of_map("sender_bcc_maps", table, SERVICES)] == paths


@pytest.mark.parametrize(
    ("changes", "paths"),
    [
        ({}, []),
        ({"certificates": ()}, ["server.certificates"]),
        ({"certificates": (), "on_host": OnHost(("/etc/ssl/mx1.pem",))}, []),
        ({"on_host": OnHost(("/etc/ssl/mx1.pem",))}, ["server.on_host"]),
        ({"certificates": ("mx1", "mx1")}, ["server.certificates"]),
        ({"public_names": ("mx.example.org", "*.example.org")}, []),
        ({"public_names": ("mx.example.org", "mx.example.org")}, ["server.public_names"]),
        ({"public_names": ("mx.example.org", "*.*.example.org")}, ["server.public_names[1]"]),
        ({"public_names": ("-mx.example.org", "a b")}, ["server.public_names[0]", "server.public_names[1]"]),
        ({"certificates": (), "on_host": OnHost()}, ["server.on_host.chain_files"]),
        (
            {"certificates": (), "on_host": OnHost(("mx1.pem", "/a/../b"))},
            ["server.on_host.chain_files[0]", "server.on_host.chain_files[1]"],
        ),
    ],
)
def test_a_server_serves_one_kind_of_certificate_under_names_that_a_client_can_use(
    changes: dict[str, Any], paths: list[str]
) -> None:
    """Ours or the host's, never both, and each name once."""
    assert MX1.server
    host = replace(MX1, server=replace(MX1.server, **changes))
    assert [each.path for each in problems_of_declaration(host)] == paths


def test_rows_may_name_what_delivers_mail_and_the_transports_of_the_host() -> None:
    """Not what master(8) runs for other things, nor the SMTP server of the same name."""
    usual = {"discard", "error", "lmtp", "local", "relay", "retry", "smtp", "virtual"}
    assert delivery_services(MX1) == usual
    slow = replace(MX1, client=ClientSide(ClientSettings(transports=(Transport("slow", ()),))))
    assert delivery_services(slow) == usual | {"slow"}
