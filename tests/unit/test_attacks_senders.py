"""No setting lets whoever writes mail decide where it goes, or writes it where it would let them in."""

from dataclasses import replace
from typing import Any

import pytest

from postfix.host import HostDeclaration, Ownership, ServerSide
from postfix.parameters import known_parameters
from postfix.preflight import problems_of_host
from postfix.receiving_review import to_review
from postfix.settings import RelayPolicy, ServerSettings
from tests.support.stack_files import host, problems_of

HOST = HostDeclaration("mx1", "mx1.example.org", server=ServerSide(ServerSettings(), ("mx1",)))

# Each was seen at work in a Postfix that took mail for its own domain only.
RELAYING: dict[str, tuple[str, str]] = {
    "the recipient's extension": ("luser_relay", "$user@$extension"),
    "the extension alone": ("luser_relay", "$extension"),
    "the local part": ("luser_relay", "$local"),
    "the local part in braces": ("luser_relay", "${local}"),
    "a header by REDIRECT": ("header_checks", "regexp:{{/^X-To: (.*)/ REDIRECT $$1}}"),
    "a header by BCC": ("mime_header_checks", "pcre:{{/^X-To: (.*)/ BCC $${1}}}"),
    "a header by FILTER": ("header_checks", "regexp:{{/^X-To: (.*)/ FILTER smtp:$$1}}"),
    "a line of the body": ("body_checks", "regexp:{{/^X-To: (.*)/ redirect\t$$1}}"),
    "a header that is an action": ("header_checks", "regexp:{{/^X-Do: (.*)/ $$1}}"),
    "an action in pieces": ("header_checks", "pipemap:{regexp:{{/^X-(RED)(IRECT): (.*)/ $$1$$2 $$3}}}"),
    "behind proxy": ("header_checks", "proxy:regexp:{{/^X-To: (.*)/ REDIRECT $$1}}"),
    "behind a condition": ("header_checks", "regexp:{{if /X/} {/^X-To: (.*)/ REDIRECT $$1} {endif}}"),
    "the recipient, rewritten": ("smtp_generic_maps", "regexp:{{/^(.*)=(.*)@/ $$1@$$2}}"),
    "below a registry": ("smtp_generic_maps", "regexp:{{/^(.*)=(.*)@/ $$1@$$2.co.uk}}"),
    "below a top-level domain": ("smtp_generic_maps", "regexp:{{/^(.*)=(.*)@/ $$1@$$2.com}}"),
}
# Postfix takes all of these for rules, so what they answer has to be known.
UNREADABLE = {
    "two patterns": ("header_checks", "regexp:{{/^X-To: (.*)/!/q/ FILTER evil:}}"),
    "two patterns with flags": ("mailbox_transport_maps", "regexp:{{/(.*)/i!/q/ evil:}}"),
}
# And these it takes, and so do we: the service that they name is found.
READ = {
    "a letter-like sign": ("header_checks", "regexp:{{_x_ FILTER evil:}}"),
    "two negations": ("header_checks", "regexp:{{!!/x/ FILTER evil:}}"),
    "negations with blanks": ("header_checks", "regexp:{{! ! /x/ FILTER evil:}}"),
    "a network and a tab": ("fallback_transport_maps", "cidr:{{192.0.2.0/24\tevil:}}"),
}
HARMLESS = {
    "a fixed domain": ("luser_relay", "$user@other.example.org"),
    "a fixed domain for the extension": ("luser_relay", "$user+$extension@other.example.org"),
    "a domain of ours": ("luser_relay", "$local@$mydomain"),
    "a domain of ours in braces": ("always_bcc", "archive@${myhostname}"),
    "another address": ("address_verify_sender", "$double_bounce_sender"),
    "a mailbox": ("luser_relay", "postmaster"),
    "a rewritten local part": ("smtp_generic_maps", "regexp:{{/^(.*)@old\\.example$$/ $$1@new.example}}"),
    "a rewritten subdomain": ("smtp_generic_maps", "regexp:{{/^(.*)@(.*)\\.old$$/ $$1@$$2.new.example}}"),
    "a fixed copy": ("header_checks", "regexp:{{/^X-Spam: yes$$/ REDIRECT spam@example.org}}"),
    "a header put in front": ("header_checks", "regexp:{{/^X-To: (.*)/ PREPEND X-Was: $$1}}"),
    "a header replaced": ("header_checks", "pcre:{{/^Subject: (.*)/i REPLACE Subject: [$$1]}}"),
}


@pytest.mark.parametrize(("name", "value"), RELAYING.values(), ids=RELAYING)
def test_a_sender_does_not_decide_where_mail_goes(name: str, value: str) -> None:
    """A program is refused, under merge as well; `unchecked`, which previews show, takes it."""
    for ownership in Ownership:
        told = problems_of_host(replace(HOST, parameters={name: value}, ownership=ownership))
        assert {problem.path for problem in told} == {f"parameters.{name}"}
        assert all("so strangers could relay" in problem.message for problem in told)
    assert problems_of_host(replace(HOST, parameters={name: value}, unchecked=(name,))) == []


@pytest.mark.parametrize(("name", "value"), RELAYING.values(), ids=RELAYING)
def test_a_stack_file_does_not_let_a_sender_decide_either(name: str, value: str) -> None:
    """It is told at the setting."""
    assert {problem.path for problem in problems_of(host(settings={name: value}))} == {f"hosts.mx1.settings.{name}"}


def test_a_harmless_text_does_not_become_such_a_table() -> None:
    """A reference is filled in before it is judged."""
    settings = {"mail_name": "{{/^X-To: (.*)/ REDIRECT $$1}}", "header_checks": "regexp:$mail_name"}
    assert [each.path for each in problems_of(host(settings=settings))] == ["hosts.mx1.settings.header_checks"]


@pytest.mark.parametrize(("name", "value"), HARMLESS.values(), ids=HARMLESS)
def test_a_domain_that_is_written_out_is_taken(name: str, value: str) -> None:
    """A sender may decide the mailbox there, and nothing more."""
    assert problems_of(host(settings={name: value})) == []


@pytest.mark.parametrize(("name", "value"), UNREADABLE.values(), ids=UNREADABLE)
def test_a_rule_that_cannot_be_read_is_refused(name: str, value: str) -> None:
    """What nobody can read might answer anything."""
    (told,) = problems_of_host(replace(HOST, parameters={name: value}, ownership=Ownership.MERGE))
    assert "no rule that can be judged" in told.message


@pytest.mark.parametrize(("name", "value"), READ.values(), ids=READ)
def test_every_form_of_a_rule_is_read(name: str, value: str) -> None:
    """The service that it names is not hidden from the reviewer."""
    merged = replace(HOST, parameters={name: value}, ownership=Ownership.MERGE)
    assert problems_of_host(merged) == []
    assert "names service evil " in to_review(merged)[name]


@pytest.mark.parametrize(
    "path",
    [
        *(".ssh/authorized_keys", ".forward", ".bashrc", ".config/autostart/x", "bin/run", "mail/../.forward"),
        *("../alice/Mailbox", "/etc/cron.d/x", "../../etc/", "$mail_name", "a//Mailbox", "./Mailbox", "profile"),
    ],
)
def test_mail_is_not_written_where_somebody_reads_commands_or_keys(path: str) -> None:
    """Whoever writes mail writes lines of it: one of them would be a key, or a command."""
    assert [each.path for each in problems_of(host(settings={"home_mailbox": path}))] == [
        "hosts.mx1.settings.home_mailbox"
    ]


@pytest.mark.parametrize("path", ["Maildir/", ".maildir/", "Mailbox", "mbox", "mail/inbox", ".mail/in/", ""])
def test_mail_is_written_to_a_mailbox(path: str) -> None:
    """In a maildir Postfix chooses the names of files."""
    assert problems_of(host(settings={"home_mailbox": path})) == []


@pytest.mark.parametrize(
    ("path", "is_taken"),
    [("a/.ssh/authorized_keys", False), ("a/../b", False), ("/a", False), ("a/b", True), ("a/.maildir/", True)],
)
def test_a_virtual_mailbox_is_no_hidden_file(path: str, is_taken: bool) -> None:  # noqa: FBT001
    """Its directory may be one of homes."""
    maps = {"virtual_mailbox_maps": {"rows": {"a@boxes.example": path}}}
    assert (problems_of(host(maps=maps)) == []) is is_taken


@pytest.mark.parametrize("value", ["regexp:{{/x$/ IGNORE}}", "hash:/etc/postfix/a$", "static:$.", "static:$$$ x"])
def test_a_sign_that_ends_postfix_is_a_mistake(value: str) -> None:
    """`$/` is no reference; Postfix dies over it, and two of them stand for one."""
    assert [each.path for each in problems_of(host(settings={"header_checks": value}))] == [
        "hosts.mx1.settings.header_checks"
    ]


@pytest.mark.parametrize("blank", ["\N{NO-BREAK SPACE}", "\N{LINE SEPARATOR}", "\x85", "\N{IDEOGRAPHIC SPACE}"])
def test_only_blanks_of_postfix_are_blanks(blank: str) -> None:
    """With any other one a word is another word: a value that looks right ends the service."""
    assert problems_of(host(settings={"smtpd_helo_required": f"{blank}yes"})) != []
    told = problems_of_host(replace(HOST, parameters={"mynetworks": f"127.0.0.0/8{blank}[::1]/128"}))
    assert {problem.path for problem in told} == {"parameters.mynetworks"}
    assert problems_of_host(replace(HOST, parameters={"mynetworks": "127.0.0.0/8   [::1]/128"})) == []


@pytest.mark.parametrize("name", ["fallback_relay", "virtual_maps", "smtpd_client_connection_limit_exceptions"])
def test_a_class_does_not_set_what_another_parameter_is_made_of(name: str) -> None:
    """The default of smtp_fallback_relay is $fallback_relay: its restrictions would be hosts that mail goes to."""
    restrictions: dict[str, Any] = {
        "smtpd_helo_restrictions": [name],
        "classes": {name: ["reject_rbl_client evil.example"]},
    }
    (told,) = problems_of(host(restrictions=restrictions))
    assert told.path == f"hosts.mx1.restrictions.classes.{name}"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("always_bcc", "archive@example.org"),
        ("content_filter", "smtp:[127.0.0.1]:10024"),
        ("default_transport", "smtp:[192.0.2.1]"),
        ("luser_relay", "$user@example.org"),
        ("non_smtpd_milters", "inet:127.0.0.1:8891"),
        ("relayhost", "[mx.example.net]:587"),
        ("smtp_fallback_relay", "mx.example.net"),
        ("smtpd_milters", "unix:/run/milter.sock"),
        ("smtpd_proxy_filter", "127.0.0.1:10026"),
    ],
)
def test_a_reviewer_sees_whom_mail_is_handed_to(name: str, value: str) -> None:
    """With the value, whoever owns master.cf."""
    for ownership in Ownership:
        declared = replace(HOST, parameters={name: value}, ownership=ownership)
        assert problems_of_host(replace(declared, unchecked=(name,))) == []
        assert problems_of_host(declared) == [] or known_parameters()[name].key
        assert repr(value) in to_review(declared)[name]
    assert to_review(HOST) == {}


_ADDRESSES = [name for name, each in known_parameters().items() if each.kind == "address"]


@pytest.mark.parametrize("name", _ADDRESSES)
def test_a_reviewer_sees_every_mailbox_that_gets_copies(name: str) -> None:
    """Bounces have the header of a mail, and reports of errors what the other side said."""
    declared = replace(HOST, parameters={name: "mallory@example.net"})
    assert "'mallory@example.net'" in to_review(declared)[name]
    assert to_review(replace(HOST, parameters={name: "postmaster"})) == {}


def test_a_reviewer_sees_public_networks_that_relay() -> None:
    """Private ones go without saying."""
    relay = RelayPolicy(networks=("10.0.0.0/8", "192.0.2.0/24", "[2001:db8::]/48", "[fd00::]/8"))
    notes = to_review(replace(HOST, server=ServerSide(ServerSettings(relay=relay), ("mx1",))))
    assert notes == {"relay.networks": "hosts on the Internet relay without any proof: 192.0.2.0/24, [2001:db8::]/48"}


@pytest.mark.parametrize("name", ["smtpd_tls_cert_file", "smtpd_tls_key_file", "smtpd_tls_eccert_file"])
def test_a_certificate_by_file_is_answered_with_the_key_to_use(name: str) -> None:
    """The host's `certificate` names one that is made and renewed here."""
    (told,) = problems_of(host(settings={name: "/etc/ssl/mx1.pem"}))
    assert told.path == f"hosts.mx1.settings.{name}"
    assert told.message.startswith("this host's certificate decides it; leave it out here and declare it there")
