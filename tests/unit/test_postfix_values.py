"""Each kind of value of main.cf: what Postfix takes as it is meant, and what it would not."""

from typing import NamedTuple

import pytest

from postfix.parameter_checks import problems_of_parameters
from postfix.values import CHECKS

PLACE = "$config_directory"


class Kind(NamedTuple):
    """Values of one kind of parameter, beside the allowed words of a row."""

    name: str
    allowed: str
    good: tuple[str, ...]
    bad: tuple[str, ...]


KINDS = [
    Kind(
        "address",
        "",
        ("", "a", "a@example.org", "@example.org", "<>", "$user@example.org"),
        ("a b", "$x", "$x /", "|cat", "/x", "a@b@c", "a,b"),
    ),
    Kind("boolean", "", ("yes", "NO", "$x"), ("", "true", "yes no")),
    Kind("delimiters", "", ("", "+", "-+.=_#!%^~*&"), ("/", "a", "$x", "+ -")),
    Kind("domain", "", ("example.org", "org"), ("", "$x", "a b", "-x")),
    Kind("enum", "defer|drop", ("", "defer", "drop", "$x"), ("Drop", "x", "defer drop")),
    Kind("enum-any-case", "defer|drop", ("", "defer", "DROP", "$x"), ("x", "defer drop")),
    Kind(
        "feedback",
        "",
        ("", "1", "0.5", "123456789.123456789", "1/2", "1 / concurrency", "1/sqrt_concurrency", "$x"),
        ("1234567890", ".5", "1.", "1/", "1/speed", "-1", "1/2/3"),
    ),
    Kind("fingerprints", "", ("", "AA:BB", "aabb", "aa:bb, CC:DD $x zz$x"), ("AA", "AA:B", "AA::BB", "GG:AA", "AA|BB")),
    Kind("flags", "defer|drop", ("", "defer, drop", "drop $x"), ("Drop", "defer x")),
    Kind("flags-any-case", "defer|drop", ("", "DEFER, drop", "drop $x"), ("defer x",)),
    Kind("home-mailbox", "", ("", "Maildir/", "mbox"), (".ssh/authorized_keys", "notes", "$x")),
    Kind("integer", "5", ("5", "2147483647", "$x"), ("4", "2147483648", "", "5.0", "5s", " 5", "\u0665", "+5")),
    Kind("integer", "-1|3", ("-1", "0", "3"), ("-2", "4", "--1")),
    Kind(
        "ip-address",
        "",
        ("", "192.0.2.1", "[2001:db8::1]", "::", "fe80::1%eth0", "$x"),
        ("[", "[::1", "::1]", "[]", "192.0.2.0/24"),
    ),
    Kind(
        "list",
        "",
        ("", "a, b", "a/b", "hash:/etc/postfix/x", "!hash:/etc/postfix/x", "x:/y", "$x"),
        ("/x", "a, !/x", "{ /x }", "a /x", "hash:/x", "!hash:/x", "{hash:/x}"),
    ),
    Kind(
        "login-options",
        "noanonymous|noplaintext",
        ("noanonymous", "noplaintext, noanonymous"),
        ("", "noplaintext", "x", "noanonymous $x", "Noanonymous"),
    ),
    Kind("login-options", "noplaintext|$other", ("$other", "noplaintext, $other"), ("", "noplaintext", "$x")),
    Kind(
        "login-service",
        "",
        ("", "smtpd", "private/auth", "private/a.b-c_1"),
        ("private/.x", "/x", "private/", "private/a/b", "a.b", "$x", "inet:x", "private/a b"),
    ),
    Kind("map", "", ("", "$x", "static:x", "hash:/etc/postfix/x", "hash:$data_directory/x"), ("x", "no:x", "hash:/x")),
    Kind("map", "btree|lmdb", ("btree:/etc/postfix/x", "lmdb:/var/lib/postfix/x", "$x", ""), ("hash:/etc/postfix/x",)),
    Kind("origin", "", ("$myhostname", "$mydomain", "/etc/mailname", "example.org"), ("", "$x", "/etc/x", "a b")),
    Kind("path", "no", ("", "/x", "no", "$x/y", "/a b"), ("x", "No", "./x", "no /x")),
    Kind("path-list", "", ("", "/x", "/x, $y/z"), ("x", "/x y", '"/x"', "'/x'", "/x\\y", "/'x")),
    Kind(
        "protocols",
        "",
        (
            "",
            "SSLv2:!sslv3",
            "TLSv1, TLSv1.1 >=TLSv1.2",
            "<=tlsv1.3",
            ">=0x0303",
            "<=0XF",
            ">=303",
            ">=0x00303",
            "$x",
            "!TLSv1$x",
        ),
        (
            ">TLSv1",
            "0x0303",
            "!0x0303",
            ">=0x",
            ">=0x000000303",
            ">=x303",
            "TLSv1.4",
            "SSLv1",
            "<TLSv1.2",
            "==TLSv1",
            "!",
        ),
    ),
    Kind("service", "", ("", "pre-cleanup", "a.b_c", "_x", "$x"), ("-x", ".x", "a/b", "a b")),
    Kind("size", "0", ("0", "9223372036854775807", "$x"), ("-1", "9223372036854775808", "", "1k")),
    Kind("size", "1", ("1",), ("0",)),
    Kind("string", "", ("", "a b", "# x", "$x"), ()),
    Kind(
        "time",
        "",
        ("0", "2147483647", "2147483647s", "35791394m", "596523h", "24855d", "3550w", "$x"),
        ("2147483648", "2147483648s", "35791395m", "596524h", "24856d", "3551w", "", "1y", "1 s", "1h30m", "-1", "1S"),
    ),
    Kind("time", "10", ("10", "10s", "1m"), ("9", "9s", "0m")),
    Kind("transport", "", ("", "smtp", "smtp:[mx.example.org]:25", "lmtp:unix:x/y", "error:no mail"), ("|x", "a b:c")),
    Kind("word", "", ("", "x", "a/b$c"), ("a b", "a\tb")),
]
CASES = [
    (kind.name, kind.allowed, value, is_good)
    for kind in KINDS
    for values, is_good in ((kind.good, True), (kind.bad, False))
    for value in values
]


@pytest.mark.parametrize(("name", "allowed", "value", "is_good"), CASES, ids=[repr(case) for case in CASES])
def test_a_value_is_taken_or_has_one_fault(name: str, allowed: str, value: str, *, is_good: bool) -> None:
    """Up to the bounds of its kind and no further."""
    faults = [*CHECKS[name](value, tuple(filter(None, allowed.split("|"))))]
    assert len(faults) == (0 if is_good else 1), faults


def test_all_kinds_but_those_of_lists_of_services_are_listed_here() -> None:
    """Those have tables of their own below."""
    of_services = {"access-list", "milters", "next-hops", *(name for name in CHECKS if name.endswith("map-list"))}
    assert {kind.name for kind in KINDS} == set(CHECKS) - of_services


TYPES_IN_FILES = ("btree", "cdb", "cidr", "dbm", "hash", "lmdb", "pcre", "regexp", "sdbm", "texthash")
TYPES_ELSEWHERE = ("ldap", "memcache", "mongodb", "mysql", "pgsql", "sqlite")
OTHER_TYPES = ("environ", "fail", "inline", "internal", "netinfo", "nis", "nisplus", "randmap", "socketmap", "static")


@pytest.mark.parametrize("table_type", [*TYPES_IN_FILES, *TYPES_ELSEWHERE, *OTHER_TYPES, "tcp", "unix"])
def test_every_type_of_table_in_postfix_is_known(table_type: str) -> None:
    """As DATABASE_README(5) lists them; each also behind `proxy:`, and in a table that is composed of others."""
    ending = ".cf" if table_type in TYPES_ELSEWHERE else ""
    table = f"{table_type}:/etc/postfix/x{ending}"
    assert not [*CHECKS["map-list"](f"{table}, proxy:{table} unionmap:{{ {table} }} pipemap:{{{table}, $x}}", ())]


@pytest.mark.parametrize("table_type", [*TYPES_IN_FILES, *TYPES_ELSEWHERE])
def test_a_table_that_is_in_a_file_has_it_in_a_place_of_tables(table_type: str) -> None:
    """From another place Postfix would show what it reads."""
    [fault] = CHECKS["map-list"](f"{table_type}:/home/x", ())
    assert "is no place of tables" in fault


@pytest.mark.parametrize(
    "value",
    [
        "cidr:{{10.0.0.0/8 OK}}",
        "pcre:{ {/x/ OK} }",
        "ldap:my_directory",
        "mysql:aliases2",
        "static:/x",
        "$x:/etc/postfix/x",
        "$x",
        "proxy:proxy:proxy:hash:/etc/postfix/x",
        "unionmap:{ unionmap:{ unionmap:{ static:x } } }",
    ],
)
def test_what_stands_in_place_of_a_file_is_taken(value: str) -> None:
    """Patterns in braces, a word for parameters of main.cf, and tables within tables, three deep."""
    assert not [*CHECKS["map-list"](value, ())]


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("/etc/postfix/x", "names no table type"),
        ("hsh:/etc/postfix/x", "is no table type that can be used here"),
        ("$x:/home/x", "is no place of tables"),
        ("ldap:my-directory", "is no place of tables"),
        ("hash:{ x }", "is no place of tables"),
        ("proxy:proxy:proxy:proxy:hash:/etc/postfix/x", "has too many tables within tables"),
        ("unionmap:{ unionmap:{ unionmap:{ unionmap:{ static:x } } } }", "composes no tables"),
        ("unionmap:static:x", "composes no tables"),
        ("pipemap:{ static:x", "composes no tables"),
        ("unionmap:static:x}", "composes no tables"),
        ("unionmap:{ hash:/home/x }", "is no place of tables"),
        ("unionmap:{ x }", "names no table type"),
    ],
)
def test_what_is_no_table_says_why(value: str, words: str) -> None:
    """Wherever it stands among others."""
    [fault] = CHECKS["map-list"](f"static:x, {value} $y", ())
    assert words in fault


@pytest.mark.parametrize(
    ("value", "is_good"),
    [
        ("permit, HASH $x", False),
        ("PERMIT dunno $x", True),
        ("permit, cidr:/etc/postfix/x", True),
        ("permit cidr:/home/x", False),
        ("static:x nosuch:x", False),
        ("$x:/etc/postfix/y", True),
    ],
)
def test_a_list_of_words_may_name_tables(value: str, *, is_good: bool) -> None:
    """Words in any case, of those that are allowed."""
    assert len([*CHECKS["access-list"](value, ("permit", "dunno"))]) == (0 if is_good else 1)


@pytest.mark.parametrize(
    ("value", "is_good"),
    [
        ("inet:mx:25, inet6:[::1]:25 unix:/x local:y inet:25@mx inet6:25@::1", True),
        ("{ inet:mx:25, timeout=1s } $x", True),
        ("{inet:mx:25}", True),
        ("", True),
        ("inet:mx", False),
        ("inet7:mx:25", False),
        ("unix:", False),
        ("mx:25", False),
        ("{}", False),
        ("{ timeout=1s, inet:mx:25 }", False),
        ("{inet:mx:25", False),
    ],
)
def test_a_mail_filter_has_an_address(value: str, *, is_good: bool) -> None:
    """In braces it is the first item."""
    assert len([*CHECKS["milters"](value, ())]) == (0 if is_good else 1)


@pytest.mark.parametrize(
    ("value", "is_good"),
    [
        ("mx1.example.org, [192.0.2.1]:25 [ipv6:2001:db8::1] inet:mx:smtp unix:private/x $x", True),
        ("", True),
        ("[mx", False),
        ("smtp://mx", False),
        ("mx:", False),
        ("-mx", False),
        ("unix:", False),
        ("udp:mx:1:2", False),
    ],
)
def test_next_hops_are_hosts_or_sockets(value: str, *, is_good: bool) -> None:
    """As transport(5) writes them."""
    assert len([*CHECKS["next-hops"](value, ())]) == (0 if is_good else 1)


@pytest.mark.parametrize(
    ("value", "is_good"),
    [
        ("lmtp:a, unix:b/c", True),
        ("relay:[mx]:25,mx2", True),
        (":mx", True),
        (" smtp:mx ", True),
        ("smtp : mx", False),
        ("$x:a b", False),
        ("$x:y", True),
        ("error:a b", True),
        ("retry:4.0.0 later on", True),
        ("discard:a b", True),
        ("virtual:any/thing", True),
        ("pipe:user+ext", True),
        ("pipe:http://x", False),
        ("pipe://x", False),
        ("pipe:a b", False),
        ("lmtp:a b", False),
        ("relay:a b", False),
        ("smtp:a b", False),
        (":a b", False),
        ("smtp:user+ext", False),
        ("relay:user+ext", False),
        ("lmtp:user+ext", False),
        (":user+ext", False),
        ("smtp:$x+y", True),
        ("-x:mx", False),
    ],
)
def test_a_transport_says_where_mail_goes(value: str, *, is_good: bool) -> None:
    """To hosts, to a program of the host's own, or back with a text; what a program takes is its own matter."""
    assert len([*CHECKS["transport"](value, ())]) == (0 if is_good else 1)


@pytest.mark.parametrize(
    ("name", "value", "becomes"),
    [
        ("luser_relay", "$my_x", "/var/mail/all"),
        ("smtp_bind_address", "$my_x", None),
        ("smtpd_tls_CAfile", "$my_x/ca.pem", "tls"),
        ("cleanup_service_name", "$my_x", "../x"),
        ("content_filter", "$my_x", "a b:c"),
        ("smtp_reply_filter", "$my_x", "nosuch:x"),
        ("postscreen_access_list", "$my_x", "nosuch:x"),
        ("notify_classes", "$my_x", "everything"),
        ("smtpd_tls_loglevel", "$my_x", "9"),
        ("mynetworks", "$my_x", "/etc/shadow"),
        ("smtpd_sasl_tls_security_options", "noanonymous $my_x", "everything"),
        ("canonical_maps", "$my_x", "nosuch:x"),
        ("smtpd_milters", "$my_x", "x"),
        ("smtp_fallback_relay", "$my_x", "[mx"),
        ("smtpd_tls_chain_files", "$my_x", "x"),
        ("smtp_tls_fingerprint_cert_match", "$my_x", None),
        ("smtpd_tls_protocols", "$my_x", None),
    ],
)
def test_a_reference_is_judged_by_what_it_becomes_where_it_names_something(
    name: str, value: str, becomes: str | None
) -> None:
    """Files, tables, services and programs are not reached over a parameter of one's own; None: nothing is named."""
    wrong = becomes or "what nobody would take"
    found = [problem.path for problem in problems_of_parameters({name: value, "my_x": wrong})]
    assert found == ([name] if becomes else [])
