"""No table that a parameter names stays unseen: its rows are known, or a reviewer reads that nobody knows them."""

from dataclasses import replace

import pytest

from postfix.host import ClientSide, HostDeclaration, Ownership, ServerSide
from postfix.named_tables import tables_named
from postfix.parameters import ParameterClass, known_parameters
from postfix.preflight import problems_of_host
from postfix.receiving import LookupTable, Maps
from postfix.receiving_review import to_review, unknown_tables
from postfix.settings import ClientSettings, ServerSettings, Transport
from tests.support.stack_files import host, problems_of

HOST = HostDeclaration("mx1", "mx1.example.org", server=ServerSide(ServerSettings(), ("mx1",)))

# What a table of each kind may do; each was in a host without a word of it in the preview.
TABLES: dict[str, tuple[str, str, str]] = {
    "a filter by header": ("header_checks", "regexp:/etc/postfix/x", "hand it to a filter"),
    "a copy by body": ("body_checks", "pcre:$config_directory/x", "copy it"),
    "by part": ("mime_header_checks", "hash:/etc/postfix/x", "send mail elsewhere"),
    "by attached message": ("nested_header_checks", "hash:/etc/postfix/x", "send mail elsewhere"),
    "by header of a mail filter": ("milter_header_checks", "hash:/etc/postfix/x", "send mail elsewhere"),
    "what is sent": ("smtp_header_checks", "regexp:/etc/postfix/x", "change mail that is sent"),
    "what is sent by lmtp": ("lmtp_body_checks", "regexp:/etc/postfix/x", "change mail that is sent"),
    "other addresses": ("smtp_generic_maps", "hash:/etc/postfix/x", "to other addresses"),
    "a server": ("smtp_generic_maps", "tcp:192.0.2.1:2000", "to other addresses"),
    "a socket": ("lmtp_generic_maps", "socketmap:inet:192.0.2.1:2000:x", "to other addresses"),
    "a database": ("smtp_generic_maps", "mysql:/etc/postfix/x.cf", "to other addresses"),
    "a database by parameters": ("smtp_generic_maps", "ldap:people", "to other addresses"),
    "the environment": ("smtp_generic_maps", "environ:", "to other addresses"),
    "behind a proxy": ("smtp_generic_maps", "proxy:hash:/etc/postfix/x", "to other addresses"),
    "a name that only the host knows": ("smtp_generic_maps", "$virtual_maps", "to other addresses"),
    "an answer that only the host knows": ("fallback_transport_maps", "static:smtp:$relayhost", "any delivery service"),
    "another service": ("fallback_transport_maps", "hash:/etc/postfix/x", "any delivery service"),
    "another mailbox": ("mailbox_transport_maps", "hash:/etc/postfix/x", "any delivery service"),
    "another service for probes": ("address_verify_transport_maps", "hash:/etc/postfix/x", "any delivery service"),
    "another relay": ("address_verify_sender_dependent_relayhost_maps", "hash:/etc/postfix/x", "through other hosts"),
    "another mail filter": ("smtpd_milter_maps", "cidr:/etc/postfix/x", "other mail filters"),
    "what is a failure": ("smtp_delivery_status_filter", "pcre:/etc/postfix/x", "what becomes of mail"),
    "what a server said": ("smtp_reply_filter", "pcre:/etc/postfix/x", "what becomes of mail"),
    "passwords": ("smtp_sasl_password_maps", "hash:/etc/postfix/sasl_passwd", "TLS and log-ins"),
    "who owns an address": ("local_login_sender_maps", "hash:/etc/postfix/x", "TLS and log-ins"),
    "keys by name": ("tls_server_sni_maps", "hash:/etc/postfix/x", "TLS and log-ins"),
    "what DNS says": ("smtp_dns_reply_filter", "pcre:/etc/postfix/x", "TLS and log-ins"),
    "who may connect": ("postscreen_access_list", "cidr:/etc/postfix/x", "TLS and log-ins"),
    "an exception": ("fast_flush_domains", "!hash:/etc/postfix/x", "what becomes of mail"),
}
# Of these the rows stand in main.cf, which previews show, or in no table at all.
KNOWN = {
    "written out": ("header_checks", "regexp:{{/^X-Spam: yes$$/ REDIRECT spam@example.org}}"),
    "one answer": ("fallback_transport_maps", "static:smtp:[mx.example.net]"),
    "one of ours in an answer": ("smtp_generic_maps", "inline:{{a@example.org = b@$mydomain}}"),
    "composed of those": ("smtp_generic_maps", "proxy:unionmap:{static:a@example.org, inline:{{a=b@example.org}}}"),
    "nothing": ("header_checks", ""),
    "a cache": ("address_verify_map", "btree:$data_directory/verify"),
    "a cache behind a proxy": ("smtp_sasl_auth_cache_name", "proxy:btree:$data_directory/sasl"),
    "words": ("smtpd_noop_commands", "XFOO, XBAR"),
    "a list by name": ("fast_flush_domains", "$relay_domains"),
    "addresses": ("inet_interfaces", "192.0.2.1, [2001:db8::1]"),
}


def test_a_part_of_a_composed_table_keeps_its_proxy() -> None:
    """Only what stands in front of all of it is left out to see of what type it is."""
    assert [*tables_named("map-list", (), "proxy:unionmap:{proxy:hash:/a, hash:/b}")] == ["proxy:hash:/a", "hash:/b"]
    assert [*tables_named("list", (), "!proxy:hash:/a, example.org")] == ["proxy:hash:/a"]


@pytest.mark.parametrize("ownership", Ownership)
@pytest.mark.parametrize(("name", "value", "said"), TABLES.values(), ids=TABLES)
def test_a_table_that_nobody_has_seen_is_named(name: str, value: str, said: str, ownership: Ownership) -> None:
    """With what its rows may do."""
    declared = replace(HOST, parameters={name: value}, ownership=ownership)
    table = value.lstrip("!")
    assert problems_of_host(declared) == []
    assert unknown_tables(declared) == {f"{name}[0]": table}
    assert to_review(declared)[f"{name}[0]"].startswith(f"rows of {table} may ")
    assert said in to_review(declared)[f"{name}[0]"]


@pytest.mark.parametrize(("name", "value"), KNOWN.values(), ids=KNOWN)
def test_a_table_whose_rows_are_read_is_not_named(name: str, value: str) -> None:
    """Or nobody would look at the others."""
    declared = replace(HOST, parameters={name: value})
    assert problems_of_host(declared) == []
    assert unknown_tables(declared) == to_review(declared) == {}


def test_each_part_of_a_composed_table_is_named() -> None:
    """By itself and once, also where a reference brings it in; what is written out is not."""
    parts = "regexp:/etc/postfix/a, unionmap:{tcp:127.0.0.1:99, regexp:/etc/postfix/a}, static:DUNNO"
    settings = {"header_checks": f"pipemap:{{{parts}}} $body_checks", "body_checks": "pcre:/etc/postfix/b"}
    declared = replace(HOST, parameters=settings)
    assert problems_of_host(declared) == []
    assert unknown_tables(declared) == {
        "header_checks[0]": "regexp:/etc/postfix/a",
        "header_checks[1]": "tcp:127.0.0.1:99",
        "header_checks[2]": "pcre:/etc/postfix/b",
        "body_checks[0]": "pcre:/etc/postfix/b",
    }


def test_a_table_that_decides_little_is_named_without_a_note() -> None:
    """What a client is told, for one."""
    declared = replace(HOST, parameters={"smtpd_reject_footer_maps": "pcre:/etc/postfix/x"})
    assert unknown_tables(declared) == {"smtpd_reject_footer_maps[0]": "pcre:/etc/postfix/x"}
    assert to_review(declared) == {}


def test_a_shared_cache_is_a_table_that_others_write() -> None:
    """Whoever reaches it decides which addresses there are."""
    declared = replace(HOST, parameters={"address_verify_map": "memcache:/etc/postfix/x.cf"})
    assert unknown_tables(declared) == {"address_verify_map[0]": "memcache:/etc/postfix/x.cf"}


def test_a_table_of_ours_is_known_and_one_beside_it_is_not() -> None:
    """One is ours as main.cf names it: another type would be another file."""
    maps = Maps(virtual_alias_maps=(LookupTable({"a@example.org": "b@example.org"}, "hash"),))
    to_hub = Transport("to-hub", ("example.net",), next_hop="[mx.example.net]")
    declared = replace(
        HOST,
        maps=maps,
        client=ClientSide(ClientSettings(ca_file=False, smtp_tls_CAfile="/etc/ca.pem", transports=(to_hub,))),
        parameters={
            "smtp_generic_maps": "$virtual_alias_maps",
            "address_verify_transport_maps": "$transport_maps, hash:$config_directory/transport",
        },
    )
    assert problems_of_host(declared) == []
    assert unknown_tables(declared) == {"address_verify_transport_maps[0]": "hash:$config_directory/transport"}


def test_an_unchecked_table_is_shown_as_such() -> None:
    """With its whole value, in a place of its own."""
    declared = replace(HOST, parameters={"header_checks": "regexp:/srv/x"}, unchecked=("header_checks",))
    assert problems_of_host(declared) == []
    assert unknown_tables(declared) == {}


_TABLE_KINDS = {"access-list", "list", "map"}
LOOKING_UP = sorted(
    name
    for name, each in known_parameters().items()
    if (each.kind in _TABLE_KINDS or each.kind.endswith("map-list")) and not (each.kind == "map" and each.allowed)
)


@pytest.mark.parametrize("name", LOOKING_UP)
def test_no_parameter_takes_a_table_without_a_word(name: str) -> None:
    """Of all that look something up: refused, or named."""
    declared = replace(HOST, parameters={name: "hash:/etc/postfix/x"})
    refused = {problem.path for problem in problems_of_host(declared)}
    assert refused == {f"parameters.{name}"} or unknown_tables(declared) == {f"{name}[0]": "hash:/etc/postfix/x"}


KEYED = sorted(name for name, each in known_parameters().items() if each.key)


@pytest.mark.parametrize("ownership", Ownership)
@pytest.mark.parametrize("name", KEYED)
def test_what_a_key_says_is_refused_by_name(name: str, ownership: Ownership) -> None:
    """By a program as by a stack file, whatever it decides, with the key to use."""
    key = known_parameters()[name].key
    (told,) = problems_of_host(replace(HOST, parameters={name: "hash:/etc/postfix/x"}, ownership=ownership))
    assert told.path == f"parameters.{name}"
    assert f"this host's {key} decides it" in told.message
    (told,) = problems_of(host(settings={name: "hash:/etc/postfix/x"}))
    assert told.path == f"hosts.mx1.settings.{name}"
    assert f"this host's {key} decides it" in told.message


@pytest.mark.parametrize("name", [name for name in KEYED if known_parameters()[name].decides is ParameterClass.ROUTING])
def test_what_a_key_says_is_taken_where_it_is_named(name: str) -> None:
    """In both, as `unchecked`, which previews show."""
    settings = {name: "hash:/etc/postfix/x"}
    assert problems_of_host(replace(HOST, parameters=settings, unchecked=(name,))) == []
    assert problems_of(host(settings=settings, unchecked=[name])) == []
