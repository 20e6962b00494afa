"""What a host receives never lets a stranger relay, runs nothing, and reads no table that nobody has named."""

from typing import Any

import pytest

from tests.support.stack_files import host, problems_of

MERGED = {"target": {"local": "/etc/postfix"}}
REFUSING = "reject_unauth_destination"


def domains(parameter: str, value: Any) -> dict[str, Any]:
    """Return a host with one list of domains."""
    return {"domains": {parameter: value}}


def maps(parameter: str, **rows: str) -> dict[str, Any]:
    """Return a host with one map of these rows."""
    return {"maps": {parameter: {"rows": rows}}}


def recipients(*items: str, **fields: Any) -> dict[str, Any]:
    """Return a host whose list for recipients may be all that refuses strangers."""
    return {**MERGED, "restrictions": {"smtpd_recipient_restrictions": list(items), **fields}}


DOMAINS: dict[str, tuple[dict[str, Any], str]] = {
    f"{parameter} {name}": (domains(parameter, ["example.org", name]), f"domains.{parameter}[1]")
    for parameter in ("mydestination", "relay_domains", "virtual_alias_domains", "virtual_mailbox_domains")
    for name in (
        "*",
        "*.example.net",
        "static:all",
        "regexp:/etc/postfix/all",
        "pcre:{{/./ x}}",
        "hash:/etc/postfix/domains",
        "inline:{{x=y}}",
        "/etc/postfix/domains",
        "!example.net",
        "com",
        "co.uk",
        ".",
        ".com",
        ".example.net",
        "192.0.2.1",
        "[192.0.2.1]",
        "a.example b.example",
        "a.example, static:all",
        "$mynetworks",
        "${mydomain}",
        "$relay_domains",
        "example.org",
        "",
    )
}
TABLES: dict[str, tuple[dict[str, Any], str]] = {
    f"relay_domains {table}": (
        domains("relay_domains", {"unknown_table": table}),
        "domains.relay_domains.unknown_table",
    )
    for table in (
        "static:all",
        "proxy:static:all",
        "regexp:/etc/postfix/all",
        "pcre:/etc/postfix/all",
        "cidr:/etc/postfix/all",
        "inline:{x=y}",
        "pipemap:{static:all}",
        "unionmap:{static:all}",
        "randmap:{all}",
        "tcp:192.0.2.1:99",
        "hash:relative",
        "hash:/a static:all",
        "hash:/a,static:all",
        "hash:$queue_directory/x",
        "/etc/postfix/domains",
        "*",
    )
} | {
    "a row for a top-level domain": (
        domains("relay_domains", {"rows": {"com": "x"}}),
        "domains.relay_domains.rows.com",
    ),
    "a row with a name of main.cf": (
        domains("mydestination", {"rows": {"$mydomain": "x"}}),
        "domains.mydestination.rows.$mydomain",
    ),
    "a pattern as type of rows": (
        domains("relay_domains", {"table_type": "regexp", "rows": {"/./": "x"}}),
        "domains.relay_domains.table_type",
    ),
    "patterns that decide on domains by default": (
        {"maps": {"virtual_alias_maps": {"unknown_table": "regexp:/etc/postfix/virtual"}}},
        "maps.virtual_alias_maps.unknown_table",
    ),
    "mailboxes that decide on domains by default": (
        {"maps": {"virtual_mailbox_maps": {"unknown_table": "pcre:/etc/postfix/virtual"}}},
        "maps.virtual_mailbox_maps.unknown_table",
    ),
    "an alias row that makes a registry a domain": (
        maps("virtual_alias_maps", **{"co.uk": "anything"}),
        "maps.virtual_alias_maps.rows.co.uk",
    ),
    "a name that is wide through mydomain": (
        {"myhostname": "mx1.com", **domains("relay_domains", ["$mydomain"])},
        "domains.relay_domains[0]",
    ),
}
ROWS: dict[str, tuple[dict[str, Any], str]] = (
    {
        f"alias {value}": (maps("alias_maps", root=value), "maps.alias_maps.rows.root")
        for value in (
            "|/bin/sh",
            '"|/bin/sh -c id"',
            ":include:/etc/shadow",
            ":include:/etc/a@b.example",
            "/etc/cron.d/x",
            "/etc/x@example.org",
            '"/etc/cron.d/x y"',
            "alice, |/bin/sh",
            "alice@example.org,/etc/passwd",
            "\\alice",
            "-oQ/tmp",
        )
    }
    | {
        f"transport {value}": (maps("transport_maps", **{"a.example": value}), "maps.transport_maps.rows.a.example")
        for value in ("pipe:x", "maildrop:", "uucp:host", "pickup:", "smtpd:x", "no service at all")
    }
    | {
        "a transport by sender": (
            maps("sender_dependent_default_transport_maps", **{"@a.example": "procmail:"}),
            "maps.sender_dependent_default_transport_maps.rows.@a.example",
        ),
        "a mailbox outside": (
            maps("virtual_mailbox_maps", **{"a@example.org": "../../etc/cron.d/x"}),
            "maps.virtual_mailbox_maps.rows.a@example.org",
        ),
        "an alias as a table": (
            {"maps": {"alias_maps": {"unknown_table": "static:|/bin/sh"}}},
            "maps.alias_maps.unknown_table",
        ),
    }
)
LIST = "restrictions.smtpd_recipient_restrictions"
LISTS: dict[str, tuple[dict[str, Any], str]] = {
    "permit": (recipients("permit", REFUSING), f"{LIST}[0]"),
    "the end": (recipients("permit_mynetworks"), LIST),
    "a policy server": (recipients("check_policy_service inet:127.0.0.1:10023", REFUSING), f"{LIST}[0]"),
    "OK in a table": (
        recipients("check_client_access known", REFUSING, tables={"known": {"rows": {"192.0.2.1": "OK"}}}),
        f"{LIST}[0]",
    ),
    "permit in a table": (
        recipients("check_client_access known", REFUSING, tables={"known": {"rows": {"192.0.2.1": "permit"}}}),
        f"{LIST}[0]",
    ),
    "RELAY in a table": (
        recipients("check_client_access known", REFUSING, tables={"known": {"rows": {"192.0.2.1": "RELAY"}}}),
        f"{LIST}[0]",
    ),
    "a number in a table": (
        recipients("check_client_access known", REFUSING, tables={"known": {"rows": {"192.0.2.1": "1234567"}}}),
        "restrictions.tables.known.rows.192.0.2.1",
    ),
    "an unknown table": (
        recipients("check_helo_access known", REFUSING, tables={"known": {"unknown_table": "hash:/etc/postfix/a"}}),
        f"{LIST}[0]",
    ),
    "a class": (recipients("postseal_a", REFUSING, classes={"postseal_a": ["permit"]}), f"{LIST}[0]"),
    "a class behind a class": (
        recipients(
            "postseal_a",
            REFUSING,
            classes={"postseal_a": ["postseal_b"], "postseal_b": ["reject_non_fqdn_sender", "permit"]},
        ),
        f"{LIST}[0]",
    ),
    "a class from a table": (
        recipients(
            "check_sender_access known",
            REFUSING,
            classes={"postseal_a": ["permit"]},
            tables={"known": {"rows": {"a.example": "postseal_a"}}},
        ),
        f"{LIST}[0]",
    ),
    "a refusal that only warns": (recipients(f"warn_if_reject {REFUSING}"), LIST),
    "a class that only warns": (
        recipients("warn_if_reject postseal_a", classes={"postseal_a": [REFUSING]}),
        LIST,
    ),
    "a warning in an item of its own": (recipients("warn_if_reject", REFUSING), LIST),
    "certificates of anybody": (recipients("permit_tls_all_clientcerts", REFUSING), f"{LIST}[0]"),
    "backup MX of anybody": (recipients("permit_mx_backup", REFUSING), f"{LIST}[0]"),
    "in another case": (recipients("PERMIT_TLS_ALL_CLIENTCERTS", REFUSING), f"{LIST}[0]"),
    "a table alone": (recipients("static:OK", REFUSING), f"{LIST}[0]"),
    "a table as argument": (recipients("check_client_access static:OK", REFUSING), f"{LIST}[0]"),
    "a table in a table": (
        recipients("check_client_access a", REFUSING, tables={"a": {"rows": {"x": "check_sender_access static:OK"}}}),
        "restrictions.tables.a.rows.x",
    ),
    "two in one item": (recipients("reject_non_fqdn_sender permit", REFUSING), f"{LIST}[0]"),
    "a comma in one item": (recipients("reject_non_fqdn_sender, permit", REFUSING), f"{LIST}[0]"),
    "a blank that Postfix does not split at": (
        recipients("permit_mynetworks\u00a0x", REFUSING),
        f"{LIST}[0]",
    ),
    "such a blank in a table": (
        recipients("check_sender_access a", REFUSING, tables={"a": {"rows": {"a.example": "REJECT\u00a0x"}}}),
        "restrictions.tables.a.rows.a.example",
    ),
    "an old level without relay restrictions": (
        {
            "certificate": "none",
            "compatibility_level": "0",
            "restrictions": {"smtpd_recipient_restrictions": ["permit_mynetworks"]},
        },
        "compatibility_level",
    ),
    "a class that a host of others may use already": (
        {
            "target": {"local": "/etc/postfix", "ownership": "merge"},
            "restrictions": {
                "smtpd_data_restrictions": ["mua_relay_restrictions"],
                "classes": {"mua_relay_restrictions": ["permit"]},
            },
        },
        "restrictions.classes.mua_relay_restrictions",
    ),
    "a line break": (recipients("permit_mynetworks\nmynetworks = 0.0.0.0/0", REFUSING), f"{LIST}[0]"),
    "a reference": (recipients("$smtpd_client_restrictions", REFUSING), f"{LIST}[0]"),
    "an unknown restriction": (recipients("reject_everything", REFUSING), f"{LIST}[0]"),
    "a policy server with an action": (
        recipients("check_policy_service { inet:127.0.0.1:1, default_action = OK }", REFUSING),
        f"{LIST}[0]",
    ),
    "a class called like mynetworks": (
        recipients(REFUSING, "mynetworks", classes={"mynetworks": ["permit"]}),
        "restrictions.classes.mynetworks",
    ),
    "a class called like a restriction": (
        recipients(REFUSING, classes={"Reject_Unauth_Destination": ["permit"]}),
        "restrictions.classes.Reject_Unauth_Destination",
    ),
    "a class called like a list": (
        recipients(REFUSING, "smtpd_relay_restrictions", classes={"smtpd_relay_restrictions": ["permit"]}),
        "restrictions.classes.smtpd_relay_restrictions",
    ),
    "a class in a circle": (
        recipients(REFUSING, "postseal_a", classes={"postseal_a": ["postseal_b"], "postseal_b": ["postseal_a"]}),
        "restrictions.classes.postseal_a",
    ),
    "a class in a wide circle": (
        recipients(
            REFUSING,
            "postseal_a",
            classes={f"postseal_{name}": [f"postseal_{after}"] for name, after in ("ab", "bc", "cd", "db")},
        ),
        "restrictions.classes.postseal_c",
    ),
    "a class with an argument": (recipients(REFUSING, "a b", classes={"a": ["reject"]}), f"{LIST}[1]"),
    "a filter that runs something": (
        recipients(REFUSING, "check_sender_access a", tables={"a": {"rows": {"a.example": "FILTER pipe:x"}}}),
        "restrictions.tables.a.rows.a.example",
    ),
    "a table that would be another file": (
        recipients(REFUSING, "check_sender_access ../main.cf", tables={"../main.cf": {"rows": {"a": "OK"}}}),
        "restrictions.tables.../main.cf",
    ),
}


@pytest.mark.parametrize(
    ("fields", "path"),
    [pytest.param(*each, id=name) for name, each in (DOMAINS | TABLES | ROWS | LISTS).items()],
)
def test_what_opens_a_host_is_refused_where_it_stands(fields: dict[str, Any], path: str) -> None:
    """Before anything is registered, with the path of the key."""
    assert f"hosts.mx1.{path}" in {problem.path for problem in problems_of(host(**fields))}
