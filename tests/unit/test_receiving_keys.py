"""What is said of the mail that a host receives, as parameters, tables, and lines that a reviewer reads."""

import re
from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postfix.host import HostDeclaration, Ownership, ServerSide
from postfix.host_resource.preparation import PreparedHost, host_files, indexes_of
from postfix.lookup_checks import meaning_of, problems_of_table
from postfix.preflight import problems_of_host
from postfix.receiving import DomainList, Domains, LookupTable, Maps, Restrictions
from postfix.receiving_rendering import table_types
from postfix.receiving_review import to_review, unknown_tables
from postfix.rendering import render_configuration_files, render_parameters, setting_tables, table_names
from postfix.settings import RelayPolicy, ServerSettings
from postseal.stack.config import load_stack
from postseal.stack.host_sections import HostSection
from postseal.stack.receiving_sections import DomainsSection, MapsSection, RestrictionsSection
from postseal_core.records import decode, encode
from tests.support.stack_files import host, problems_of

MX1 = HostDeclaration("mx1", "mx1.example.org", server=ServerSide(ServerSettings(), ("mx1",)))
REFUSING = "reject_unauth_destination"
LISTED = "permit_tls_clientcerts"


def declared(**sections: Any) -> HostDeclaration:
    """Return a host of a stack file with which nothing is wrong."""
    return load_stack(host(**sections), [], stack_name="dev").hosts["mx1"].declaration


def messages(path: str, declaration: HostDeclaration) -> list[str]:
    """Return what is wrong at a place."""
    return [problem.message for problem in problems_of_host(declaration) if problem.path == path]


KEYS: dict[str, tuple[dict[str, Any], dict[str, str], dict[str, dict[str, str]]]] = {
    "names": (
        {"domains": {"mydestination": ["$myhostname", "localhost.$mydomain", "mx1", "localhost", "Example.ORG"]}},
        {"mydestination": "$myhostname, localhost.$mydomain, mx1, localhost, Example.ORG"},
        {},
    ),
    "no domain at all": ({"domains": {"mydestination": []}}, {"mydestination": ""}, {}),
    "what is ours is relayed to": (
        {"domains": {"relay_domains": ["$mydestination", "partner.example"]}},
        {"relay_domains": "$mydestination, partner.example"},
        {},
    ),
    "a table alone": (
        {"domains": {"virtual_mailbox_domains": {"table_type": "lmdb", "rows": {"a.example": "yes"}}}},
        {"virtual_mailbox_domains": "lmdb:$config_directory/virtual_mailbox_domains"},
        {"virtual_mailbox_domains": {"a.example": "yes"}},
    ),
    "an unknown table": (
        {"domains": {"virtual_mailbox_domains": {"unknown_table": "proxy:mysql:/etc/postfix/domains.cf"}}},
        {"virtual_mailbox_domains": "proxy:mysql:/etc/postfix/domains.cf"},
        {},
    ),
    "names and tables": (
        {
            "domains": {
                "relay_domains": {
                    "names": ["partner.example"],
                    "tables": [
                        {"rows": {"b.example": "x"}},
                        {"unknown_table": "hash:$config_directory/others"},
                        {"rows": {"c.example": "x"}},
                    ],
                }
            }
        },
        {
            "relay_domains": "partner.example, texthash:$config_directory/relay_domains, "
            "hash:$config_directory/others, texthash:$config_directory/relay_domains-3"
        },
        {"relay_domains": {"b.example": "x"}, "relay_domains-3": {"c.example": "x"}},
    ),
    "aliases": (
        {
            "maps": {
                "alias_maps": [
                    {"rows": {"root": "alice@example.org, bob", "owner-list": "first.last+tag@example.org"}},
                    {"unknown_table": "hash:/etc/aliases"},
                    {"unknown_table": "socketmap:inet:127.0.0.1:9:aliases"},
                ],
                "local_recipient_maps": [{"unknown_table": "proxy:unix:passwd.byname"}],
            }
        },
        {
            "alias_maps": "texthash:$config_directory/alias_maps, hash:/etc/aliases, "
            "socketmap:inet:127.0.0.1:9:aliases",
            "local_recipient_maps": "proxy:unix:passwd.byname",
        },
        {"alias_maps": {"root": "alice@example.org, bob", "owner-list": "first.last+tag@example.org"}},
    ),
    "nothing is looked up": ({"maps": {"local_recipient_maps": []}}, {"local_recipient_maps": ""}, {}),
    "virtual addresses of declared domains may be patterns": (
        {
            "domains": {"virtual_alias_domains": ["a.example"]},
            "maps": {"virtual_alias_maps": {"unknown_table": "pcre:/etc/postfix/virtual.pcre"}},
        },
        {"virtual_alias_domains": "a.example", "virtual_alias_maps": "pcre:/etc/postfix/virtual.pcre"},
        {},
    ),
    "addresses": (
        {
            "maps": {
                "virtual_alias_maps": {"rows": {"info@example.org": "alice", "@example.net": "@example.org"}},
                "canonical_maps": {"rows": {"alice": "alice.a@example.org"}},
                "smtpd_sender_login_maps": {"rows": {"info@example.org": "alice, bob"}},
                "recipient_bcc_maps": {"rows": {"info@example.org": "archive@example.org"}},
                "sender_dependent_relayhost_maps": {"rows": {"@example.org": "[hub.example.net]:587"}},
                "virtual_mailbox_maps": {"rows": {"bob@example.org": "example.org/bob/"}},
            }
        },
        {
            name: f"texthash:$config_directory/{name}"
            for name in (
                *("virtual_alias_maps", "canonical_maps", "smtpd_sender_login_maps", "recipient_bcc_maps"),
                *("sender_dependent_relayhost_maps", "virtual_mailbox_maps"),
            )
        },
        {
            "virtual_alias_maps": {"info@example.org": "alice", "@example.net": "@example.org"},
            "canonical_maps": {"alice": "alice.a@example.org"},
            "smtpd_sender_login_maps": {"info@example.org": "alice, bob"},
            "recipient_bcc_maps": {"info@example.org": "archive@example.org"},
            "sender_dependent_relayhost_maps": {"@example.org": "[hub.example.net]:587"},
            "virtual_mailbox_maps": {"bob@example.org": "example.org/bob/"},
        },
    ),
    "transports of both keys": (
        {
            "transports": {"to-hub": {"destinations": ["hub.example"], "next_hop": "[hub.example]"}},
            "maps": {
                "transport_maps": {
                    "rows": {
                        "a.example": "to-hub:",
                        ".b.example": "smtp:[mx.b.example]:25",
                        "c.example": "lmtp:unix:private/dovecot-lmtp",
                        "gone.example": "error:5.1.2 no longer here",
                        "*": "relay:[hub.example]",
                    }
                }
            },
        },
        {"transport_maps": "texthash:$config_directory/transport, texthash:$config_directory/transport_maps"},
        {
            "transport": {"hub.example": "to-hub:[hub.example]"},
            "transport_maps": {
                "a.example": "to-hub:",
                ".b.example": "smtp:[mx.b.example]:25",
                "c.example": "lmtp:unix:private/dovecot-lmtp",
                "gone.example": "error:5.1.2 no longer here",
                "*": "relay:[hub.example]",
            },
        },
    ),
    "lists, classes and tables": (
        {
            "restrictions": {
                "smtpd_helo_restrictions": [
                    "reject_invalid_helo_hostname",
                    "warn_if_reject reject_unknown_helo_hostname",
                ],
                "smtpd_recipient_restrictions": [
                    "permit_mynetworks",
                    LISTED,
                    REFUSING,
                    "check_recipient_access careful",
                    "check_policy_service { inet:127.0.0.1:10023, timeout = 10s, default_action = DUNNO }",
                    "reject_rbl_client zen.example.org=127.0.0.[2..11]",
                ],
                "classes": {"greylist": ["check_policy_service unix:private/postgrey"]},
                "tables": {"careful": {"table_type": "hash", "rows": {"info@": "greylist", "a.example": "554 no"}}},
            }
        },
        {
            "smtpd_helo_restrictions": "reject_invalid_helo_hostname, warn_if_reject reject_unknown_helo_hostname",
            "smtpd_recipient_restrictions": (
                "permit_mynetworks, permit_tls_clientcerts, reject_unauth_destination, "
                "check_recipient_access hash:$config_directory/access-careful, "
                "check_policy_service { inet:127.0.0.1:10023, timeout = 10s, default_action = DUNNO }, "
                "reject_rbl_client zen.example.org=127.0.0.[2..11]"
            ),
            "smtpd_restriction_classes": "greylist",
            "greylist": "check_policy_service unix:private/postgrey",
        },
        {"access-careful": {"info@": "greylist", "a.example": "554 no"}},
    ),
}


@pytest.mark.parametrize(("sections", "parameters", "tables"), KEYS.values(), ids=KEYS)
def test_keys_become_parameters_and_tables(
    sections: dict[str, Any], parameters: dict[str, str], tables: dict[str, dict[str, str]]
) -> None:
    """Nothing else that a host has changes by them, but for a table that another key asks first."""
    plain = {name: value for name, value in sections.items() if name == "transports"}
    before, after = render_parameters(declared(**plain)), render_parameters(declared(**sections))
    assert after == before | parameters
    rows = {name: {row.key: row.value for row in rows} for name, rows in setting_tables(declared(**sections)).items()}
    assert rows == tables
    assert {*tables} <= {*table_names(declared(**sections))}


@pytest.mark.parametrize("sections", [each[0] for each in KEYS.values()], ids=KEYS)
def test_a_declaration_means_the_same_once_it_was_sent(sections: dict[str, Any]) -> None:
    """An empty list says that there is nothing, and no list says nothing: the plugin still tells the two apart."""
    declaration = declared(**sections)
    assert decode(HostDeclaration, encode(declaration)) == declaration


@pytest.mark.parametrize(
    ("section", "kind"),
    [(DomainsSection, Domains), (MapsSection, Maps), (RestrictionsSection, Restrictions)],
    ids=["domains", "maps", "restrictions"],
)
def test_the_keys_of_the_stack_file_are_the_fields(section: Any, kind: Any) -> None:
    """In the same order, so that no parameter is forgotten in one of the two; each map has a meaning."""
    names = [each.name for each in fields(kind)]
    assert [*section.model_fields] == names
    assert section in {each for each in map(_section_of, HostSection.model_fields.values()) if each}
    assert [name for name in names if kind is Maps and not meaning_of(name).words] == []


def _section_of(field: Any) -> Any:
    return next((each for each in getattr(field.annotation, "__args__", ()) if each is not type(None)), None)


def test_tables_that_say_a_type_have_it_and_others_have_the_hosts() -> None:
    """Each table by itself: a deployment compiles those, and only those, that need it."""
    tables = (LookupTable({"a@example.org": "b"}, "hash"), LookupTable({"c@example.org": "d"}))
    declaration = replace(MX1, table_type="lmdb", maps=Maps(virtual_alias_maps=tables))
    assert table_types(declaration) == {"virtual_alias_maps": "hash"}
    text = "hash:$config_directory/virtual_alias_maps, lmdb:$config_directory/virtual_alias_maps-2"
    assert render_parameters(declaration)["virtual_alias_maps"] == text


def test_unknown_tables_are_listed_by_their_place() -> None:
    """Of domains, maps and restrictions; tables with rows are not."""
    declaration = declared(
        domains={"relay_domains": {"tables": [{"rows": {"a.example": "x"}}, {"unknown_table": "hash:/etc/postfix/a"}]}},
        maps={"alias_maps": {"unknown_table": "hash:/etc/aliases"}},
        restrictions={
            "smtpd_client_restrictions": ["check_client_access known"],
            "tables": {"known": {"unknown_table": "cidr:/etc/postfix/clients.cidr"}},
        },
    )
    assert unknown_tables(declaration) == {
        "domains.relay_domains.tables[1]": "hash:/etc/postfix/a",
        "maps.alias_maps[0]": "hash:/etc/aliases",
        "restrictions.tables.known": "cidr:/etc/postfix/clients.cidr",
    }


def test_a_relay_domain_is_told_with_what_lies_below_it() -> None:
    """As Postfix's default has it; a host that says otherwise may write a dot in front."""
    domains = Domains(relay_domains=DomainList(("$mydomain", "partner.example"), (LookupTable({"a.example": "x"}),)))
    sentence = "mail is also relayed to all names below example.org, partner.example, a.example"
    assert to_review(replace(MX1, domains=domains)) == {"domains.relay_domains": sentence}
    exact = replace(MX1, domains=domains, parameters={"parent_domain_matches_subdomains": "smtpd_access_maps"})
    assert to_review(exact) == {}
    dotted = replace(exact, domains=Domains(relay_domains=DomainList((".partner.example",))))
    path = "domains.relay_domains.names[0]"
    assert messages(path, dotted) == []
    assert messages(path, replace(dotted, parameters={})) != []


def test_a_table_that_decides_on_domains_by_default_is_told() -> None:
    """Until the domains are declared themselves."""
    maps = Maps(virtual_mailbox_maps=(LookupTable(unknown_table="ldap:/etc/boxes.cf"),))
    sentence = "ldap:/etc/boxes.cf also decides for which domains mail is received"
    assert to_review(replace(MX1, maps=maps)) == {"maps.virtual_mailbox_maps[0]": sentence}
    named = Domains(virtual_mailbox_domains=DomainList(("example.org",)))
    assert to_review(replace(MX1, maps=maps, domains=named)) == {}


def relaying(items: tuple[str, ...], ownership: Ownership = Ownership.WHOLE, **relay: Any) -> HostDeclaration:
    """Return a host whose clients relay, with one list for recipients."""
    server = ServerSide(ServerSettings(relay=RelayPolicy(**relay)), ("mx1",))
    return replace(
        MX1, server=server, ownership=ownership, restrictions=Restrictions(smtpd_recipient_restrictions=items)
    )


RECIPIENTS = "restrictions.smtpd_recipient_restrictions"


def test_a_list_that_refuses_who_may_relay_is_a_mistake_where_all_is_ours() -> None:
    """Users and listed certificates; where more services may be on the host, the reviewer is told instead."""
    problem = f"{REFUSING} refuses the clients that relay by certificate; put {LISTED} before it"
    assert messages(f"{RECIPIENTS}[0]", relaying((REFUSING,))) == [problem]
    assert messages(f"{RECIPIENTS}[1]", relaying((LISTED, REFUSING), sasl=True)) == [
        f"{REFUSING} refuses users who log in to relay; put permit_sasl_authenticated before it"
    ]
    assert messages(RECIPIENTS, relaying((LISTED, REFUSING))) == []
    merged = relaying((REFUSING,), Ownership.MERGE)
    assert problems_of_host(merged) == []
    assert to_review(merged) == {
        f"{RECIPIENTS}.listed": f"{REFUSING} refuses the clients that relay by certificate",
        f"{RECIPIENTS}.network": f"{REFUSING} refuses hosts in relay.networks",
    }


def test_a_list_that_may_refuse_who_may_relay_is_told() -> None:
    """With the first restriction that could do it; behind the permissions nothing can."""
    doubtful = relaying(("reject_rbl_client zen.example.org", LISTED, REFUSING), networks=())
    sentence = "reject_rbl_client zen.example.org may refuse the clients that relay by certificate"
    assert to_review(doubtful) == {f"{RECIPIENTS}.listed": sentence}
    assert to_review(relaying((LISTED, "reject_rbl_client zen.example.org", REFUSING), networks=())) == {}


def test_where_a_service_may_override_who_relays_the_list_itself_refuses_strangers() -> None:
    """A main.cf that is ours as a whole refuses them before, whatever this list says."""
    items = ("permit_mynetworks", LISTED, "check_policy_service inet:127.0.0.1:10023", REFUSING)
    assert messages(RECIPIENTS, relaying(items)) == []
    assert messages(f"{RECIPIENTS}[2]", relaying(items, Ownership.MERGE)) == [
        (
            "check_policy_service inet:127.0.0.1:10023 may let a stranger pass, who could then relay through a service "
            "that has no smtpd_relay_restrictions; put reject_unauth_destination before it"
        )
    ]
    assert messages(RECIPIENTS, relaying((*items[:2], REFUSING, items[2]), Ownership.MERGE)) == []
    assert messages(RECIPIENTS, relaying((), Ownership.MERGE)) == []


def test_one_list_has_one_author() -> None:
    """What restrict_recipients writes is not declared once more."""
    assert messages(RECIPIENTS, relaying((LISTED, REFUSING), restrict_recipients=True)) == [
        "relay.restrict_recipients writes this list; declare one of the two"
    ]


def test_a_restriction_that_comes_too_early_has_no_effect() -> None:
    """Where smtpd_delay_reject is no, a list knows only what was said before."""
    lists = Restrictions(smtpd_client_restrictions=("reject_non_fqdn_sender",))
    early = replace(MX1, restrictions=lists, parameters={"smtpd_delay_reject": "no"})
    path = "restrictions.smtpd_client_restrictions"
    assert len(messages(path, early)) == 1
    assert messages(path, replace(early, parameters={})) == []


def test_old_names_are_told_with_the_new_ones() -> None:
    """Postfix still takes some of them, and new releases no longer do."""
    lists = Restrictions(smtpd_client_restrictions=("reject_unknown_client",))
    path = "restrictions.smtpd_client_restrictions[0]"
    assert messages(path, replace(MX1, restrictions=lists)) == [
        "reject_unknown_client is an old name; write reject_unknown_client_hostname"
    ]


@pytest.mark.parametrize(
    ("table", "is_wide"), [("pcre:/etc/postfix/x", True), ("static:x", True), ("ldap:/etc/postfix/x.cf", False)]
)
def test_a_table_of_the_wrong_type_is_told_why(table: str, *, is_wide: bool) -> None:
    """A pattern matches what nobody has named; a type that is merely not expected does not."""
    (problem,) = problems_of_table(LookupTable(unknown_table=table), frozenset({"hash"}))
    assert ("would match what nobody has named" in problem.message) is is_wide


@pytest.mark.parametrize(
    ("address", "is_told"),
    [("postmaster", False), ("double-bounce", False), ("MAILER-DAEMON", False), ("$double_bounce_sender", False),
     ("eve@example.net", True)],
)  # fmt: skip
def test_reports_that_go_elsewhere_are_told(address: str, *, is_told: bool) -> None:
    """Not those that go where Postfix itself sends them."""
    declared = replace(MX1, parameters={"empty_address_recipient": address})
    assert ("empty_address_recipient" in to_review(declared)) is is_told


OTHER_MISTAKES: dict[str, tuple[dict[str, Any], str]] = {
    "twice in two lists": (
        {"domains": {"mydestination": ["example.org"], "virtual_alias_domains": ["EXAMPLE.org"]}},
        "domains.virtual_alias_domains[0]",
    ),
    "twice by another name": (
        {"domains": {"mydestination": ["example.org", "$mydomain"]}},
        "domains.mydestination[1]",
    ),
    "rows and an unknown table": (
        {"maps": {"alias_maps": {"rows": {"a": "b"}, "unknown_table": "hash:/etc/aliases"}}},
        "maps.alias_maps",
    ),
    "no rows": ({"maps": {"alias_maps": {"rows": {}}}}, "maps.alias_maps"),
    "a list in the long form": ({"domains": {"relay_domains": {"names": ["com"]}}}, "domains.relay_domains.names[0]"),
    "a table in the long form": (
        {"domains": {"mydestination": {"tables": [{"unknown_table": "static:all"}]}}},
        "domains.mydestination.tables[0].unknown_table",
    ),
    "a socket without a name": (
        {"maps": {"alias_maps": {"unknown_table": "socketmap:inet:127.0.0.1:9"}}},
        "maps.alias_maps.unknown_table",
    ),
    "users of the host by another key": (
        {"maps": {"local_recipient_maps": {"unknown_table": "unix:passwd.byshell"}}},
        "maps.local_recipient_maps.unknown_table",
    ),
    "a map in the long form": ({"maps": {"alias_maps": [{"rows": {"a": 5}}]}}, "maps.alias_maps[0].rows.a"),
    "a number in a list of domains": ({"domains": {"relay_domains": [5]}}, "domains.relay_domains[0]"),
    "an unknown key": ({"maps": {"alias_map": []}}, "maps.alias_map"),
    "an unknown key of a table": ({"maps": {"alias_maps": {"row": {"a": "b"}}}}, "maps.alias_maps.row"),
    "a number for a text": ({"maps": {"alias_maps": {"rows": {"a": 5}}}}, "maps.alias_maps.rows.a"),
    "a key with a blank": ({"maps": {"alias_maps": {"rows": {"a b": "c"}}}}, "maps.alias_maps.rows.'a b'"),
    "a destination of a transport": (
        {
            "transports": {"to-hub": {"destinations": ["a.example"]}},
            "maps": {"transport_maps": {"rows": {"a.example": "smtp:"}}},
        },
        "maps.transport_maps.rows.a.example",
    ),
    "a warning about nothing": (
        {"restrictions": {"smtpd_helo_restrictions": ["warn_if_reject"]}},
        "restrictions.smtpd_helo_restrictions[0]",
    ),
    "a class that nothing uses": ({"restrictions": {"classes": {"a": ["reject"]}}}, "restrictions.classes.a"),
    "a class of nothing": (
        {"restrictions": {"smtpd_helo_restrictions": ["a"], "classes": {"a": []}}},
        "restrictions.classes.a",
    ),
    "ETRN elsewhere": (
        {"restrictions": {"smtpd_helo_restrictions": ["check_etrn_access a"], "tables": {"a": {"rows": {"a": "OK"}}}}},
        "restrictions.smtpd_helo_restrictions[0]",
    ),
    "a sender at ETRN": (
        {"restrictions": {"smtpd_etrn_restrictions": ["reject_non_fqdn_sender"]}},
        "restrictions.smtpd_etrn_restrictions[0]",
    ),
    "a table that is not there": (
        {"restrictions": {"smtpd_helo_restrictions": ["check_helo_access a"]}},
        "restrictions.smtpd_helo_restrictions[0]",
    ),
    "a class like a parameter of a service": (
        {
            "restrictions": {
                "smtpd_helo_restrictions": ["smtp_destination_recipient_limit"],
                "classes": {"smtp_destination_recipient_limit": ["reject"]},
            }
        },
        "restrictions.classes.smtp_destination_recipient_limit",
    ),
}


@pytest.mark.parametrize(("sections", "path"), OTHER_MISTAKES.values(), ids=OTHER_MISTAKES)
def test_what_postfix_would_misread_is_a_mistake_where_it_stands(sections: dict[str, Any], path: str) -> None:
    """Before anything is registered; a short form has the path of a short form."""
    assert f"hosts.mx1.{path}" in {problem.path for problem in problems_of(host(**sections))}


@pytest.mark.parametrize(
    ("name", "words"),
    [
        pytest.param("*", "no wildcards", id="wildcard"),
        pytest.param("static:all", "is a table", id="table"),
        pytest.param("/etc/postfix/domains", "is a file", id="file"),
        pytest.param("com", "whole top-level domain", id="top-level domain"),
        pytest.param("co.uk", "is a registry", id="registry"),
        pytest.param("$relay_domains", "cannot be judged", id="reference"),
    ],
)
def test_a_domain_that_is_none_is_told_for_what_it_is(name: str, words: str) -> None:
    """So that whoever wrote it learns what to write instead."""
    declaration = replace(MX1, domains=Domains(relay_domains=DomainList((name,))))
    (message,) = messages("domains.relay_domains.names[0]", declaration)
    assert words in message


@given(st.one_of(st.text(max_size=30), st.from_regex(r"[a-z*!/.:$\[\]{}@| -]{1,20}", fullmatch=True)))
def test_whatever_is_accepted_as_a_relay_domain_is_one_name(name: str) -> None:
    """At least two labels, nothing that Postfix expands, splits, or reads as a table, a file or an exception."""
    declaration = replace(MX1, domains=Domains(relay_domains=DomainList((name,))))
    if not problems_of_host(declaration):
        assert re.fullmatch(r"([A-Za-z0-9-]+\.)+[A-Za-z0-9-]+|\$mydomain|\$mydestination", name)


@given(st.text(st.sampled_from("ab|/:\"'\\,@. -include"), max_size=20))
def test_whatever_is_accepted_as_an_alias_runs_and_writes_nothing(value: str) -> None:
    """Each part is an address; commands, files and lists of files have a character that no address has."""
    declaration = replace(MX1, maps=Maps(alias_maps=(LookupTable({"root": value}),)))
    if not problems_of_host(declaration):
        assert not {*'|/:"\\'} & {*value}
        assert all(part.strip() and not part.strip().startswith("-") for part in value.split(","))


def test_a_host_without_a_server_has_the_same_keys() -> None:
    """A host that only sends has aliases and domains, too."""
    sender = HostDeclaration(
        "web",
        "web.example.org",
        domains=Domains(mydestination=DomainList()),
        maps=Maps(alias_maps=(LookupTable({"root": "alice@example.org"}),)),
    )
    assert problems_of_host(sender) == []
    assert render_parameters(sender)["mydestination"] == ""


def test_the_index_of_a_table_follows_its_own_type() -> None:
    """What a preview foresees, and may take over, is what a deployment makes."""
    tables = Maps(virtual_alias_maps=(LookupTable({"info@example.org": "alice@example.org"}, table_type="hash"),))
    host = replace(MX1, table_type="texthash", maps=tables)
    entries = tuple(render_configuration_files(host))
    prepared = PreparedHost(host, entries)
    assert indexes_of(prepared) == {"virtual_alias_maps": "virtual_alias_maps.db"}
    assert {*indexes_of(prepared).values()} == {*host_files(prepared).index_paths}
