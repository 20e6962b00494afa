"""A host with domains, maps and restrictions is booted as it is: it takes mail for what they declare, and no other."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from postfix.content import render_content_files
from postfix.host import HostDeclaration, ServerSide
from postfix.preflight import problems_of_host
from postfix.receiving import DomainList, Domains, LookupTable, Maps, Restrictions
from postfix.rendering import render_configuration_files
from postfix.settings import ServerSettings
from postseal.stack.config import load_stack
from tests.integration.test_rendered_directory_boots import People, host_content, people, write_entries
from tests.support.postfix_instance import PostfixInstance, boot
from tests.support.smtp_probe import probe
from tests.support.stack_files import REPOSITORY, stack
from tests.support.xclient_probe import rcpt_code_as

__all__ = ["people"]

pytestmark = pytest.mark.needs_postfix

STRANGER, BLOCKED, NETWORK = "203.0.113.7", "203.0.113.9", "192.0.2.254"
HOST = HostDeclaration(
    "mx1",
    "mx1.example.test",
    server=ServerSide(ServerSettings(), ("mx1",)),
    domains=Domains(
        mydestination=DomainList(("$myhostname", "example.test", "localhost")),
        relay_domains=DomainList(("partner.test",), (LookupTable({"listed.test": "yes"}, "hash"),)),
        virtual_alias_domains=DomainList(("aliases.test",)),
        virtual_mailbox_domains=DomainList(("boxes.test",)),
    ),
    maps=Maps(
        alias_maps=(LookupTable({"root": "info@aliases.test", "team": "root, info@aliases.test"}),),
        local_recipient_maps=(LookupTable({"alice": "yes", "root": "yes", "team": "yes"}, "hash"),),
        virtual_alias_maps=(LookupTable({"info@aliases.test": "sink@sunk.test"}, "hash"),),
        virtual_mailbox_maps=(LookupTable({"bob@boxes.test": "boxes/bob/"}),),
        transport_maps=(LookupTable({"sunk.test": "discard:"}), LookupTable({"never.test": "error:5.1.2 not here"})),
    ),
    restrictions=Restrictions(
        smtpd_client_restrictions=("check_client_access clients",),
        smtpd_sender_restrictions=("reject_non_fqdn_sender",),
        smtpd_recipient_restrictions=(
            "permit_mynetworks",
            "permit_tls_clientcerts",
            "reject_unauth_destination",
            "warn_if_reject careful",
        ),
        classes={"careful": ("check_helo_access helo", "reject")},
        tables={
            "clients": LookupTable({BLOCKED: "REJECT not you", "198.51.100": "OK"}, "hash"),
            "helo": LookupTable({"client.test": "DUNNO"}),
        },
    ),
)
TAKEN = (
    *("alice@example.test", "root@mx1.example.test", "info@aliases.test", "bob@boxes.test"),
    *("someone@partner.test", "someone@below.partner.test", "someone@listed.test"),
)
REFUSED = (
    *("nobody@example.test", "nobody@aliases.test", "nobody@boxes.test", "someone@elsewhere.test"),
    *("someone@sunk.test", "someone@never.test", "someone%elsewhere.test@example.test"),
)


def booted(host: HostDeclaration, people: People, directory: Path) -> PostfixInstance:
    """Boot a host with which nothing is wrong; only who asks through XCLIENT is added."""
    assert problems_of_host(host) == []
    content = host_content(people, mx1=people.server)
    write_entries(directory, [*render_configuration_files(host), *render_content_files(host, content)])
    overrides = {"smtpd_authorized_xclient_hosts": "127.0.0.1", "smtpd_peername_lookup": "no", "alias_maps": None}
    return boot(directory, overrides=overrides)


@pytest.fixture(scope="module")
def instance(people: People, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostfixInstance]:
    """Boot the host of these tests once."""
    with booted(HOST, people, tmp_path_factory.mktemp("host")) as running:
        yield running


def test_a_stranger_may_write_to_what_is_declared_and_to_nothing_else(instance: PostfixInstance) -> None:
    """Domains by name and by table, and below a relay domain; unknown users and all other domains are refused."""
    codes = {rcpt: rcpt_code_as(STRANGER, instance.port, rcpt) for rcpt in (*TAKEN, *REFUSED)}
    assert [rcpt for rcpt in TAKEN if codes[rcpt] != 250] == []
    assert [rcpt for rcpt in REFUSED if codes[rcpt] < 400] == []


def test_who_relays_passes_the_lists_and_who_is_blocked_does_not(instance: PostfixInstance, people: People) -> None:
    """The network and the listed certificate relay; an unlisted one and a client in the table do not."""
    assert rcpt_code_as(NETWORK, instance.port, "someone@elsewhere.test") == 250
    assert rcpt_code_as("198.51.100.4", instance.port, "someone@elsewhere.test") == 554
    assert rcpt_code_as(BLOCKED, instance.port, "alice@example.test") == 554
    assert probe(instance.port, client_certificate=people.listed).may_relay
    assert not probe(instance.port, client_certificate=people.unlisted).may_relay


def test_aliases_and_transports_lead_where_their_rows_say(instance: PostfixInstance) -> None:
    """A local alias leads over a virtual one to the service that its domain is sent through."""
    assert instance.send("info@aliases.test").status == "sent"
    mark = instance.mark()
    assert instance.send("team@example.test").status == "sent"
    instance.wait_for_log(r"to=<sink@sunk.test>, .*status=sent \(sunk.test\)", since=mark)
    instance.wait_for_log(r"to=<team@example.test>, relay=local, .*status=sent \(forwarded as", since=mark)
    assert instance.complaints() == []


def test_the_host_of_the_page_takes_what_the_page_says(people: People, tmp_path: Path) -> None:
    """The first example of docs/receive.md, as it stands there."""
    page = (REPOSITORY / "docs/receive.md").read_text(encoding="utf-8")
    example = yaml.safe_load(page.split("```yaml\n")[1].partition("```")[0])["mail-pki:hosts"]["mx1"]
    host = load_stack(stack(hosts={"mx1": example}), [], stack_name="dev").hosts["mx1"].declaration
    taken = ("alice@example.org", "team@mx1.example.org", "someone@below.partner.example", "info@old.example")
    refused = ("carol@example.org", "carol@old.example", "someone@elsewhere.test", "someone@mx.partner.test")
    with booted(host, people, tmp_path) as running:
        codes = {rcpt: rcpt_code_as(STRANGER, running.port, rcpt) for rcpt in (*taken, *refused)}
        assert {rcpt for rcpt, code in codes.items() if code == 250} == {*taken}
        assert rcpt_code_as(STRANGER, running.port, taken[0], sender="x@spam.example") == 554
        assert probe(running.port, client_certificate=people.listed).may_relay
