"""What a host may not have is told as what it is, with what to write instead; and what looks alike is taken."""

from typing import Any

import pytest

from postfix.lines import carriage_return_of
from postfix.master_cf import BEGIN_MARK, END_MARK, Service, merge_services
from postfix.registries import has_customers_below, is_registry
from postfix.settings import ServerSettings
from postfix.settings_checks import problems_of_server
from postfix.table_places import fault_of_table_file
from postfix.table_rules import answers_of
from postseal_core.errors import ConfigError
from tests.support.stack_files import host, problems_of

LISTS = ("mydestination", "relay_domains", "virtual_alias_domains", "virtual_mailbox_domains")
REFERENCES = {
    "$mydomain": {"mydestination", "relay_domains"},
    "$myhostname": {"mydestination"},
    "$mydestination": {"relay_domains"},
    "mail.$mydomain": {"mydestination"},
    "a.b.$mydomain": {"mydestination"},
    "mail.$myhostname": set[str](),
    "mail.$mydestination": set[str](),
    "$mydomain.example": set[str](),
    "$mynetworks": set[str](),
}


def told(**fields: Any) -> list[str]:
    """Return the messages about the host of a stack file."""
    return [problem.message for problem in problems_of(host(**fields))]


@pytest.mark.parametrize("parameter", LISTS)
@pytest.mark.parametrize(("name", "taken"), REFERENCES.items(), ids=REFERENCES)
def test_a_reference_is_taken_where_postfix_has_it_by_default_and_nowhere_else(
    parameter: str, name: str, taken: set[str]
) -> None:
    """Elsewhere nobody can tell by the file which domain it is."""
    expected = [] if parameter in taken else [f"'{name}' cannot be judged here; write the domain itself"]
    assert told(domains={parameter: [name]}) == expected


@pytest.mark.parametrize("parameter", LISTS)
@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("*.example.net", "there are no wildcards here"),
        ("{x}", "is a table; declare it under tables"),
        ("{hash}", "is a table; declare it under tables"),
        ("!example.net", "is a file or an exception"),
        ("!", "is a file or an exception"),
        ("example", "is one label"),
        ("co.uk", "'co.uk' is a registry"),
        ("CO.UK", "'CO.UK' is a registry"),
        ("1.168.192.in-addr.arpa", "'1.168.192.in-addr.arpa' is a registry"),
        (".example.net", "matches nothing"),
        ("example.net", ""),
        ("Example.Net", ""),
        ("home.arpa", ""),
        ("mail.home.arpa", ""),
    ],
)
def test_what_is_no_domain_is_told_as_what_it_is(parameter: str, name: str, words: str) -> None:
    """A table needs another key than an exception does."""
    assert [words in each for each in told(domains={parameter: ["example.org", name]})] == [True] * bool(words)


@pytest.mark.parametrize(
    ("name", "registry", "customers"),
    [
        ("com", True, True),
        ("co.uk", True, True),
        ("CO.UK.", True, True),
        ("github.io", False, True),
        ("eu.org", False, True),
        ("example.org", False, False),
        ("mail.example.co.uk", False, False),
        ("arpa", True, True),
        ("home.arpa", False, None),
        ("10.in-addr.arpa", True, None),
    ],
)
def test_a_registry_is_not_somebody_with_customers(name: str, *, registry: bool, customers: bool | None) -> None:
    """The public suffix list has both, in two parts."""
    assert is_registry(name) is registry
    if customers is not None:
        assert has_customers_below(name) is customers


@pytest.mark.parametrize("level", ["none", "strict", "", "nonex", "may", "encrypt"])
def test_a_level_of_a_server_is_told_once(level: str) -> None:
    """`none` is a level of Postfix, with a sentence of its own."""
    settings = ServerSettings(smtpd_tls_security_level=level)  # type: ignore[arg-type]  # any word of a stack file
    found = problems_of_server(settings)
    assert [problem.path for problem in found] == ["smtpd_tls_security_level"] * (level not in ("may", "encrypt"))
    assert [problem for problem in found if "turns TLS off" in problem.message] == found * (level == "none")


def test_a_foreign_service_within_our_block_is_named_by_name_and_type() -> None:
    """So that it can be found among others of its name; it is not taken away."""
    ours = Service("postseal-a", "unix", "smtp")
    text = merge_services("smtp inet n - y - - smtpd\n", [ours])
    stranger = "policy     inet      n       n       n       -       0       spawn\n"
    with pytest.raises(ConfigError) as refused:
        merge_services(text.replace(END_MARK, f"{stranger}{END_MARK}"), [ours])
    (problem,) = refused.value.problems
    assert problem.message.startswith("service policy of type inet stands inside our block and is not ours")
    for outside in (text.replace(BEGIN_MARK, f"{stranger}{BEGIN_MARK}"), f"{text}{stranger}"):
        assert merge_services(outside, [ours]) == outside


@pytest.mark.parametrize(
    ("text", "ending"),
    [
        ("", ""),
        ("a", ""),
        ("a\r\n", "\r"),
        ("a\n", ""),
        ("a\r\nb\n", ""),
        ("a\r\nb\r\nc\n", "\r"),
        ("a\r\nb\nc\n", ""),
        ("a\rb\r\n", "\r"),
        ("a\rb\n", ""),
    ],
)
def test_lines_of_ours_end_as_most_lines_of_the_file_do(text: str, ending: str) -> None:
    """Half of them are not most, and a carriage return within a line ends none."""
    assert carriage_return_of(text) == ending


@pytest.mark.parametrize(
    "place",
    [
        "/etc/aliases",
        "/usr/local/etc/aliases",
        *(
            f"{directory}/table"
            for directory in (
                *("$config_directory", "${config_directory}", "$(config_directory)"),
                *("$data_directory", "${data_directory}", "$(data_directory)"),
                *("/etc/postfix", "/usr/local/etc/postfix", "/opt/homebrew/etc/postfix", "/usr/pkg/etc/postfix"),
                *("/etc/postfix-out", "/usr/local/etc/postfix-in_2", "/etc/postfix/a/b"),
                *("/etc/mail", "/var/lib/postfix", "/var/db/postfix", "/var/lib/mailman/data"),
                "/var/lib/mailman3/data",
            )
        ),
    ],
)
def test_a_table_may_lie_where_systems_have_tables(place: str) -> None:
    """And nowhere one step beside: not in a longer name, not above, not below a file."""
    assert fault_of_table_file("hash", place) is None
    assert "is no place of tables" in (fault_of_table_file("hash", f"/srv{place}") or "")
    assert "is no place of tables" in (fault_of_table_file("hash", f"{place}/../x") or "")
    for ending in (".pem", ".key", ".KEY", ".Pem"):
        beside = fault_of_table_file("hash", f"{place}{ending}") or ""
        assert ("is no place of tables" if "aliases" in place else "is where keys are") in beside


@pytest.mark.parametrize("place", ["/etc/postfix/tls/x", "$config_directory/tls/a/b", "$(config_directory)/tls/x"])
def test_no_table_lies_among_our_keys(place: str) -> None:
    """Whatever it is called; a directory that is called alike is one of others."""
    assert "is where keys are" in (fault_of_table_file("hash", place) or "")
    assert fault_of_table_file("hash", place.replace("/tls/", "/tlsx/")) is None


@pytest.mark.parametrize(
    ("value", "answers"),
    [
        ("static:x", ["x"]),
        ("static:{x}", ["x"]),
        ("static:{x y}", ["x y"]),
        ("proxy:static:{x}", ["x"]),
        ("inline:{a=x, {b = y z}}", ["x", "y z"]),
        ("randmap:{x, {y z}}", ["x", "y z"]),
        ("cidr:{{192.0.2.0/24 x}, {2001:db8::/32  y z}}", ["x", "y z"]),
        ("pcre:{{/a b/ x}, {!/c/i  y z}, {if /d/}, {endif}}", ["x", "y z"]),
        ("unionmap:{static:x, inline:{a=y}}", ["x", "y"]),
        ("pipemap:{static:{x y}, proxy:static:z}", ["x y", "z"]),
        ("static:$$1, hash:/etc/postfix/x, ldap:name", ["$1"]),
        ("hash:{x}", []),
        ("", []),
    ],
)
def test_what_a_table_within_main_cf_may_answer_is_read_whole(value: str, answers: list[str]) -> None:
    """With braces around it or without; what is in a file is not looked into."""
    assert [*answers_of(value)] == answers
