"""No table or list of a stack file makes Postfix read, and so show, a file that is no table of Postfix."""

from typing import Any

import pytest

from postfix.parameter_checks import problems_of_parameters
from tests.support.stack_files import host, problems_of

SECRET_FILES = (
    "/etc/shadow",
    "/home/me/.ssh/id_ed25519",
    "/etc/postfix/../shadow",
    "/etc/postfix/x/../../shadow",
    "/etc/postfix//../shadow",
    "//etc/shadow",
    "/etc/./shadow",
    "/etc/postfixes/x",
    "/etc/postfix",
    "/etc/aliases.d/x",
    "/etc/aliases/../shadow",
    "/proc/1/environ",
    "$config_directory/../shadow",
    "${config_directory}/../shadow",
    "$config_directory",
    "$config_directory/tls/mx1.pem",
    "/etc/postfix/tls/mx1.pem",
    "/etc/postfix/private.key",
    "$mail_name",
    "$mail_name/etc/shadow",
    "/etc/shadow$mail_name",
    "${mail_name?/etc/shadow}",
    "$config_directory/$mail_name",
    "$smtp_tls_CAfile",
)
FILE_TYPES = ("cidr", "pcre", "regexp", "texthash", "hash", "ldap", "mysql", "sqlite", "memcache")

SETTINGS: dict[str, tuple[str, Any]] = (
    {f"the file {file}": ("header_checks", f"cidr:{file}") for file in SECRET_FILES}
    | {f"the type {kind}": ("body_checks", f"{kind}:/etc/shadow") for kind in FILE_TYPES}
    | {
        "behind proxy": ("header_checks", "proxy:cidr:/etc/shadow"),
        "behind proxy twice": ("header_checks", "proxy:proxy:cidr:/etc/shadow"),
        "behind proxy often": ("header_checks", f"{'proxy:' * 6}cidr:/etc/shadow"),
        "in a union": ("smtp_generic_maps", "unionmap:{static:x, cidr:/etc/shadow}"),
        "in a union with a reference": ("smtp_generic_maps", "unionmap:{static:x, cidr:/etc/shadow$mail_name}"),
        "in a pipe": ("lmtp_generic_maps", "pipemap:{static:x, texthash:/etc/shadow}"),
        "in a union in a pipe": ("header_checks", "pipemap:{unionmap:{cidr:/etc/shadow}}"),
        "second in a list": ("header_checks", "pcre:/etc/postfix/header_checks, cidr:/etc/shadow"),
        "where one table stands": ("default_delivery_status_filter", "pcre:/etc/shadow"),
        "in a list of words and tables": ("postscreen_access_list", "permit_mynetworks, cidr:/etc/shadow"),
        "there with a reference": ("postscreen_access_list", "permit_mynetworks, cidr:/etc/shadow$mail_name"),
        "in a list of patterns": ("debug_peer_list", "cidr:/etc/shadow"),
        "there not": ("debug_peer_list", "!texthash:/etc/shadow"),
        "there with a proxy": ("fast_flush_domains", "example.org proxy:texthash:/etc/shadow"),
        "there in a condition": ("debug_peer_list", "${mail_name?/etc/shadow}"),
        "a whole table in a condition": ("header_checks", "${mail_name?cidr:/etc/shadow}"),
        "in the other branch": ("header_checks", "${mail_name:cidr:/etc/shadow}"),
        "in braces": ("header_checks", "${mail_name?{cidr:/etc/shadow}:{}}"),
        "in round brackets": ("header_checks", "$(mail_name?cidr:/etc/shadow)"),
        "in a comparison": ("header_checks", "${{1}=={1}?{cidr:/etc/shadow}}"),
        "a relative configuration": ("header_checks", "ldap:./../etc/shadow"),
        "passwords as patterns": ("header_checks", "cidr:/etc/postfix/sasl_passwd"),
        "passwords as settings": ("header_checks", "memcache:/etc/postfix/sasl_passwd"),
        "settings as patterns": ("header_checks", "regexp:/etc/postfix/ldap-aliases.cf"),
        "settings as something": ("header_checks", "$mail_name:/etc/postfix/main.cf"),
        "negated twice": ("debug_peer_list", "!!/etc/shadow"),
        "in braces in a list": ("debug_peer_list", "{ /etc/shadow }"),
        "a table in braces in a list": ("debug_peer_list", "{ cidr:/etc/shadow }"),
        "a path in braces": ("header_checks", "hash:{/etc/shadow}"),
        "another type by reference": ("header_checks", "$mail_name:/etc/shadow"),
    }
)


@pytest.mark.parametrize(("name", "value"), SETTINGS.values(), ids=SETTINGS)
def test_a_setting_reads_no_file_of_others(name: str, value: str) -> None:
    """A line that is no row is quoted in the log of Postfix, and often to whoever writes mail."""
    assert f"hosts.mx1.settings.{name}" in {problem.path for problem in problems_of(host(settings={name: value}))}


@pytest.mark.parametrize(
    ("text", "name", "value"),
    [
        ("/etc/shadow", "debug_peer_list", "$mail_name"),
        ("/etc/shadow", "debug_peer_list", "${mail_name}"),
        ("/etc/shadow", "debug_peer_list", "$(mail_name)"),
        ("cidr:/etc/shadow", "header_checks", "$mail_name"),
        ("cidr:/etc/shadow", "header_checks", "static:x, $mail_name"),
        ("cidr", "header_checks", "$mail_name:/etc/shadow"),
        ("unionmap", "header_checks", "$mail_name:{cidr:/etc/shadow}"),
        ("{cidr:/etc/shadow}", "header_checks", "unionmap:$mail_name"),
        ("inet:x:1, cidr:/etc/shadow", "smtpd_milter_maps", "$mail_name"),
        ("private/../../../tmp/auth", "smtpd_sasl_path", "$mail_name"),
        ("|/bin/sh", "luser_relay", "$mail_name"),
    ],
)
def test_a_value_is_judged_with_its_references_filled_in(text: str, name: str, value: str) -> None:
    """A harmless text, named in another parameter, is what that parameter becomes."""
    told = problems_of(host(settings={"mail_name": text, name: value}))
    assert {problem.path for problem in told} == {f"hosts.mx1.settings.{name}"}


def test_a_reference_over_another_one_is_followed() -> None:
    """And one in a circle ends."""
    parameters = {"mail_name": "$syslog_name", "syslog_name": "/etc/shadow", "debug_peer_list": "$mail_name"}
    assert [problem.path for problem in problems_of_parameters(parameters)] == ["debug_peer_list"]
    circle = {"mail_name": "$syslog_name", "syslog_name": "$mail_name", "debug_peer_list": "$mail_name"}
    assert [problem.path for problem in problems_of_parameters(circle)] == ["debug_peer_list"]
    long = {"mail_name": "$syslog_name" * 80_000, "syslog_name": "x" * 100_000, "debug_peer_list": "$mail_name"}
    assert [problem.path for problem in problems_of_parameters(long)] == ["debug_peer_list"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("header_checks", "pcre:/etc/postfix/header_checks.pcre"),
        ("header_checks", "pcre:$config_directory/header_checks.pcre"),
        ("header_checks", "pcre:${config_directory}/checks/header.pcre"),
        ("header_checks", "pcre:{{/^Received:/ IGNORE}}, regexp:/etc/postfix-out/header_checks"),
        ("smtp_sasl_password_maps", "hash:/etc/postfix/sasl_passwd, proxy:mysql:/usr/local/etc/postfix/passwords.cf"),
        ("smtp_generic_maps", "$default_database_type:/etc/mail/generic"),
        ("smtp_tls_policy_maps", "unionmap:{inline:{x=y}, lmdb:/var/lib/postfix/policy}"),
        ("address_verify_map", "btree:$data_directory/verify_cache"),
        ("postscreen_cache_map", "proxy:btree:${data_directory}/postscreen_cache"),
        ("rbl_reply_maps", "$smtpd_reject_filter_maps"),
        ("debug_peer_list", "example.org, [::1], cidr:/etc/postfix/debugged, 192.0.2.0/24"),
        ("smtp_generic_maps", "ldap:logins"),
        ("smtp_generic_maps", "socketmap:unix:/run/maps:name"),
    ],
)
def test_tables_where_tables_lie_are_taken(name: str, value: str) -> None:
    """Nobody has to name what every mail server has."""
    assert problems_of_parameters({name: value}) == []


def test_what_is_unchecked_reads_what_it_wants() -> None:
    """A reviewer sees it."""
    declared = host(settings={"header_checks": "cidr:/srv/checks"}, unchecked=["header_checks"])
    assert problems_of(declared) == []


UNKNOWN: dict[str, tuple[dict[str, Any], str]] = {
    f"a map, {table}": ({"maps": {"canonical_maps": {"unknown_table": table}}}, "maps.canonical_maps")
    for table in (*(f"ldap:{file}" for file in SECRET_FILES), "proxy:hash:/etc/shadow", "pcre:/etc/shadow")
} | {
    "a table of clients": (
        {
            "restrictions": {
                "smtpd_client_restrictions": ["check_client_access x"],
                "tables": {"x": {"unknown_table": "cidr:/etc/shadow"}},
            }
        },
        "restrictions.tables.x",
    ),
    "aliases": ({"maps": {"alias_maps": {"unknown_table": "texthash:/etc/shadow"}}}, "maps.alias_maps"),
    "domains": ({"domains": {"relay_domains": {"unknown_table": "hash:/etc/shadow"}}}, "domains.relay_domains"),
}


@pytest.mark.parametrize(("fields", "path"), UNKNOWN.values(), ids=UNKNOWN)
def test_a_table_of_the_host_is_no_file_of_others(fields: dict[str, Any], path: str) -> None:
    """Nor where it is named as unknown."""
    (told,) = problems_of(host(**fields))
    assert told.path.startswith(f"hosts.mx1.{path}")
    assert told.path.endswith(".unknown_table")


@pytest.mark.parametrize("table", ["hash:/etc/aliases", "hash:/etc/mail/aliases", "ldap:$config_directory/ldap.cf"])
def test_a_table_of_the_host_lies_where_tables_lie(table: str) -> None:
    """The places that systems have for them."""
    assert problems_of(host(maps={"alias_maps": {"unknown_table": table}})) == []
