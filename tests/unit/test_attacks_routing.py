"""A setting that names a service of master.cf names one that is there, or a reviewer sees it; no next hop is a URL."""

from dataclasses import replace
from typing import Any

import pytest

from postfix.host import HostDeclaration, Ownership, ServerSide
from postfix.preflight import problems_of_host
from postfix.receiving_review import to_review
from postfix.settings import ServerSettings
from tests.support.stack_files import host, problems_of

HOST = HostDeclaration("mx1", "mx1.example.org", server=ServerSide(ServerSettings(), ("mx1",)))

# Each with the service that it names.
NAMING: dict[str, tuple[str, str, str]] = {
    "mailbox_transport": ("mailbox_transport", "procmail:", "procmail"),
    "content_filter": ("content_filter", "smtp-amavis:[127.0.0.1]:10024", "smtp-amavis"),
    "default_transport": ("default_transport", "uucp", "uucp"),
    "a transport by table": ("mailbox_transport_maps", "inline:{alice=procmail:}", "procmail"),
    "with blanks": ("mailbox_transport_maps", "inline:{ { alice = procmail:x } }", "procmail"),
    "for everybody": ("fallback_transport_maps", "static:procmail:x", "procmail"),
    "for everybody in braces": ("fallback_transport_maps", "static:{procmail:x}", "procmail"),
    "one of several": ("fallback_transport_maps", "randmap:{smtp:, procmail:}", "procmail"),
    "by a pattern": ("mailbox_transport_maps", "pcre:{{/./i procmail:x}}", "procmail"),
    "by a pattern with other signs": (
        "mailbox_transport_maps",
        "regexp:{{%a b% smtp:}, {!%x/% procmail:x}}",
        "procmail",
    ),
    "by a network": ("fallback_transport_maps", "cidr:{{192.0.2.0/24 procmail:x}}", "procmail"),
    "what a pattern found": ("mailbox_transport_maps", "pcre:{{/(.*)/ $$1:x}}", "$1"),
    "in a union": ("mailbox_transport_maps", "unionmap:{static:smtp:, inline:{a=procmail:}}", "procmail"),
    "in a pipe behind proxy": ("mailbox_transport_maps", "proxy:pipemap:{static:smtp:, static:procmail:}", "procmail"),
    "a filter": ("header_checks", "pcre:{{/^X:/ FILTER procmail:x}}", "procmail"),
    "a filter for all": ("body_checks", "static:{filter procmail:x}", "procmail"),
    "a filter by row": ("mime_header_checks", "inline:{{x=FILTER procmail:x}}", "procmail"),
    "a filter of a milter's headers": ("milter_header_checks", "regexp:{{/./ FILTER\tprocmail:}}", "procmail"),
    "another cleanup": ("cleanup_service_name", "procmail", "procmail"),
}


@pytest.mark.parametrize(("name", "value", "service"), NAMING.values(), ids=NAMING)
def test_on_a_whole_host_a_service_is_one_of_its_own(name: str, value: str, service: str) -> None:
    """Its master.cf is ours, so all of them are known."""
    (told,) = problems_of(host(settings={name: value}))
    assert told.path == f"hosts.mx1.settings.{name}"
    assert f"{service!r} is not known in master.cf" in told.message
    assert problems_of(host(settings={name: value}, unchecked=[name])) == []


@pytest.mark.parametrize(("name", "value", "service"), NAMING.values(), ids=NAMING)
def test_where_master_cf_is_of_others_a_reviewer_sees_the_service(name: str, value: str, service: str) -> None:
    """Nobody knows what it runs."""
    merged = replace(HOST, ownership=Ownership.MERGE, parameters={name: value})
    assert problems_of_host(merged) == []
    assert to_review(merged) == {
        name: f"names service {service} of the host's own master.cf, and nobody has checked it"
    }


def test_a_pattern_without_an_end_is_read_in_time() -> None:
    """A search that tries each backslash in two ways would take years."""
    unended = "pcre:{{/" + "\\a" * 5_000 + " procmail:x}}"
    assert to_review(replace(HOST, ownership=Ownership.MERGE, parameters={"mailbox_transport_maps": unended})) == {}


def test_a_service_by_reference_is_one_too() -> None:
    """What a value becomes counts."""
    (told,) = problems_of(host(settings={"syslog_name": "procmail", "mailbox_transport": "$syslog_name"}))
    assert told.path == "hosts.mx1.settings.mailbox_transport"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("mailbox_transport", "lmtp:unix:private/dovecot-lmtp"),
        ("content_filter", "smtp:[127.0.0.1]:10025"),
        ("content_filter", "to-hub:"),
        ("default_transport", "error:5.7.1 mail goes nowhere else"),
        ("local_transport", "local:$myhostname"),
        ("virtual_transport", "virtual"),
        ("relay_transport", "smtp:[2001:db8::1]:25"),
        ("mailbox_transport_maps", "inline:{alice=lmtp:unix:private/x}, hash:/etc/postfix/transports"),
        ("header_checks", "pcre:{{/^X:/ FILTER smtp:[127.0.0.1]:10025}, {/FILTER/ WARN}}"),
        ("header_checks", "regexp:{{/^Subject: filter x:y/ REJECT}}"),
        ("cleanup_service_name", "cleanup"),
    ],
)
def test_services_that_are_there_are_taken_without_a_word(name: str, value: str) -> None:
    """Those of Postfix, and the host's own transports."""
    transports = {"to-hub": {"destinations": ["example.net"], "next_hop": "[mx.example.net]"}}
    assert problems_of(host(settings={name: value}, transports=transports)) == []
    if not value.startswith("to-hub"):
        notes = to_review(replace(HOST, ownership=Ownership.MERGE, parameters={name: value}))
        assert [note for note in notes.values() if "master.cf" in note] == []


URLS = ("http://192.0.2.66/", "smtp://mx.example.net", "//mx.example.net", "user:secret@mx.example.net", "mx example")


@pytest.mark.parametrize("url", URLS)
def test_a_next_hop_is_a_host(url: str) -> None:
    """Postfix would defer all mail to it, for a host of a strange name."""
    hop: dict[str, dict[str, Any]] = {
        "settings.mailbox_transport": {"settings": {"mailbox_transport": f"smtp:{url}"}},
        "settings.mailbox_transport_maps": {"settings": {"mailbox_transport_maps": f"static:{{smtp:{url}}}"}},
        "settings.header_checks": {"settings": {"header_checks": f"static:{{FILTER smtp:{url}}}"}},
        "settings.smtp_fallback_relay": {"settings": {"smtp_fallback_relay": url.replace(" ", "/")}},
        "transports.out": {"transports": {"out": {"destinations": ["example.net"], "next_hop": url}}},
        "maps.transport_maps": {"maps": {"transport_maps": {"rows": {"a.example": f"smtp:{url}"}}}},
    }
    told = {path: {problem.path for problem in problems_of(host(**fields))} for path, fields in hop.items()}
    assert [
        path for path, paths in told.items() if not any(each.startswith(f"hosts.mx1.{path}") for each in paths)
    ] == []
