"""Parameters that Postfix would die of, refuse or silently ignore are found before they are deployed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postfix.list_items import split_list
from postfix.parameter_checks import problems_of_parameters, problems_of_text
from postfix.parameters import ParameterClass, PostfixVersion, is_list, known_parameters, parameter_named, parse_table
from postfix.values import CHECKS
from postseal_core.errors import Problem

GOOD = [
    ("smtpd_tls_security_level", "may"),
    ("smtpd_tls_security_level", "Encrypt"),
    ("smtpd_tls_security_level", ""),
    ("smtpd_tls_security_level", "$my_level"),
    ("smtp_tls_security_level", "dane-only"),
    ("smtpd_tls_auth_only", "YES"),
    ("smtpd_tls_auth_only", "${stress?{no}:{yes}}"),
    ("smtpd_tls_loglevel", "1"),
    ("smtpd_tls_loglevel", "routine, certmatch"),
    ("smtpd_tls_loglevel", "1,dane Trace"),
    ("smtpd_tls_ccert_verifydepth", "0"),
    ("smtpd_starttls_timeout", "300s"),
    ("smtpd_starttls_timeout", "5"),
    ("smtpd_tls_CAfile", "$config_directory/tls/ca.pem"),
    ("smtpd_tls_CAfile", "/etc/a path/ca.pem"),
    ("smtpd_tls_cert_file", "none"),
    ("smtpd_tls_chain_files", "/etc/a.pem, $config_directory/b.pem /etc/c.pem"),
    ("smtpd_tls_protocols", ">=TLSv1.2"),
    ("smtpd_tls_protocols", "!SSLv3, !tlsv1 !TLSv1.1:TLSv1.3, >=0x0303"),
    ("smtpd_tls_ciphers", "high"),
    ("smtpd_tls_fingerprint_digest", "SHA256"),
    ("smtpd_tls_session_cache_database", "btree:${data_directory}/smtpd_scache"),
    ("smtp_tls_fingerprint_cert_match", "AA:BB, ccdd $others"),
    ("relay_clientcerts", "texthash:$config_directory/clients, inline:{ AA:BB=x, CC=y } $more"),
    ("tls_random_bytes", "32"),
    ("tls_ssl_options", "NO_TICKET, 0x1"),
    ("myhostname", "mx1.example.org"),
    ("smtpd_banner", "$myhostname # not a comment"),
    ("t-out_destination_rate_delay", "1s"),
    ("my_tls_directory", "/etc/tls"),
    ("tls_config_file", "default"),
    ("smtpd_helo_required", "Yes"),
    ("soft_bounce", "no"),
    ("message_size_limit", "0"),
    ("message_size_limit", "9223372036854775807"),
    ("smtpd_client_connection_count_limit", "50"),
    ("access_map_reject_code", "554"),
    ("unverified_sender_reject_code", "250"),
    ("postscreen_dnsbl_allowlist_threshold", "-1"),
    ("postscreen_dnsbl_allowlist_threshold", "${other?{0}:{1}}"),
    ("maximal_queue_lifetime", "0"),
    ("smtpd_timeout", "${stress?{10}:{300}}s"),
    ("in_flow_delay", "1s"),
    ("smtp_destination_rate_delay", "1s"),
    ("to-hub_destination_concurrency_limit", "2"),
    ("default_destination_concurrency_positive_feedback", "1 / concurrency"),
    ("default_destination_concurrency_negative_feedback", "0.5"),
    ("header_checks", "pcre:/etc/postfix/header_checks, regexp:{ { /x/ IGNORE } }"),
    ("canonical_maps", "proxy:mysql:/etc/postfix/canonical.cf"),
    ("canonical_maps", "unionmap:{ hash:/etc/postfix/a, static:x }"),
    ("transport_maps", "hash:/etc/postfix/transport $more"),
    ("smtp_reply_filter", "pcre:/etc/postfix/reply_filter"),
    ("smtp_reply_filter", ""),
    ("address_verify_map", "btree:$data_directory/verify_cache"),
    ("smtpd_milters", "inet:127.0.0.1:8891, unix:/run/rspamd/milter.sock"),
    ("smtpd_milters", "{ inet:[::1]:8891, connect_timeout=10s, default_action=accept }"),
    ("non_smtpd_milters", "$smtpd_milters"),
    ("milter_default_action", "accept"),
    ("relayhost", "[mx.example.org]:submission"),
    ("smtp_fallback_relay", "mx1.example.org, [192.0.2.1]:25 [ipv6:2001:db8::1]"),
    ("mailbox_transport", "lmtp:unix:private/dovecot-lmtp"),
    ("content_filter", "smtp-amavis:[127.0.0.1]:10024"),
    ("default_transport", "error:outside"),
    ("luser_relay", "$user@other.example.org"),
    ("always_bcc", "archive+all@example.org"),
    ("address_verify_sender", "<>"),
    ("smtp_bind_address", "192.0.2.1"),
    ("smtp_bind_address6", "2001:db8::1"),
    ("mydomain", "example.org"),
    ("myorigin", "/etc/mailname"),
    ("myorigin", "$mydomain"),
    ("recipient_delimiter", "+-"),
    ("inet_interfaces", "loopback-only"),
    ("inet_protocols", "ipv4, ipv6"),
    ("notify_classes", "resource, software"),
    ("notify_classes", ""),
    ("postscreen_access_list", "permit_mynetworks, cidr:/etc/postfix/postscreen_access.cidr"),
    ("local_header_rewrite_clients", "permit_inet_interfaces"),
    ("postscreen_greet_action", "enforce"),
    ("smtpd_sasl_security_options", "noanonymous, noplaintext"),
    ("smtpd_sasl_tls_security_options", "$smtpd_sasl_security_options"),
    ("smtpd_sasl_path", "private/auth"),
    ("smtpd_sasl_type", "dovecot"),
    ("smtp_sasl_security_options", ""),
    ("smtpd_forbid_bare_newline", "normalize"),
    ("cleanup_service_name", "pre-cleanup"),
    ("smtpd_reject_footer", "\\c. # call us"),
]
BAD = [
    ("smtpd_tls_security_level", "secure"),
    ("smtpd_tls_security_level", "yes"),
    ("smtp_tls_security_level", "mandatory"),
    ("smtpd_tls_auth_only", "true"),
    ("smtpd_tls_auth_only", ""),
    ("smtpd_tls_auth_only", "yes # comment"),
    ("smtpd_tls_CAfile", "# none"),
    ("smtpd_tls_loglevel", "5"),
    ("smtpd_tls_ccert_verifydepth", "-1"),
    ("smtpd_tls_ccert_verifydepth", "٣"),
    ("smtpd_tls_ccert_verifydepth", "2147483648"),
    ("tls_random_bytes", "0"),
    ("smtpd_starttls_timeout", "5 min"),
    ("smtpd_starttls_timeout", ""),
    ("smtpd_tls_CAfile", "tls/ca.pem"),
    ("smtpd_tls_cert_file", "None"),
    ("smtpd_tls_chain_files", "/etc/my certs/a.pem"),
    ("smtpd_tls_chain_files", '"/etc/a.pem"'),
    ("smtpd_tls_chain_files", "/etc/'a'.pem"),
    ("smtpd_tls_protocols", "TLSv1.2+"),
    ("smtpd_tls_protocols", ">=TLS1.2"),
    ("smtpd_tls_mandatory_protocols", "!SSLv9"),
    ("smtpd_tls_protocols", "0x0303"),
    ("smtpd_tls_ciphers", "strong"),
    ("smtpd_tls_fingerprint_digest", "sha-256"),
    ("smtpd_tls_session_cache_database", "texthash:/x"),
    ("smtpd_tls_session_cache_database", "btree:smtpd_scache"),
    ("smtp_tls_fingerprint_cert_match", "AA:BB|CC:DD"),
    ("relay_clientcerts", "/etc/postfix/clients"),
    ("relay_clientcerts", "hsh:/etc/postfix/clients"),
    ("relay_clientcerts", "lmdb:clients"),
    ("smtpd_sasl_tls_security_options", "noplain"),
    ("smtpd_tls_dkim", "yes"),
    ("tls_dane_digest_agility", "on"),
    ("smtpd_use_tls", "yes"),
    ("myhostname", "mx1\nsmtpd_tls_security_level = none"),
    ("myhostname", "mx1\rx"),
    ("my host", "x"),
    ("smtpd_helo_required", "yess"),
    ("smtpd_helo_required", ""),
    ("smtpd_client_connection_count_limit", "abc"),
    ("smtpd_client_connection_count_limit", "-1"),
    ("smtpd_client_connection_count_limit", "99999999999999999999"),
    ("smtpd_client_connection_count_limit", "10M"),
    ("message_size_limit", "10M"),
    ("message_size_limit", "9223372036854775808"),
    ("access_map_reject_code", "250"),
    ("default_delivery_slot_discount", "101"),
    ("smtpd_timeout", "0"),
    ("smtpd_timeout", "1y"),
    ("smtpd_timeout", "1h30m"),
    ("maximal_queue_lifetime", "4294967296"),
    ("maximal_queue_lifetime", "99999w"),
    ("smtp_destination_rate_delay", "soon"),
    ("default_destination_concurrency_positive_feedback", "1/speed"),
    ("header_checks", "/etc/postfix/header_checks"),
    ("header_checks", "pcre:header_checks"),
    ("header_checks", "perl:/etc/postfix/header_checks"),
    ("canonical_maps", "proxy:nosuch:/etc/x"),
    ("canonical_maps", "proxy:hash:canonical"),
    ("canonical_maps", "unionmap:{ hash:/etc/postfix/a, nosuch:x }"),
    ("canonical_maps", "unionmap:hash:/etc/a"),
    ("smtp_reply_filter", "nosuch:x"),
    ("address_verify_map", "texthash:/x"),
    ("smtpd_milters", "127.0.0.1:8891"),
    ("smtpd_milters", "inet:8891"),
    ("smtpd_milters", "{ }"),
    ("milter_default_action", "acept"),
    ("smtp_fallback_relay", "[mx.example.org"),
    ("relayhost", "smtp://mx.example.org"),
    ("mailbox_transport", "|/usr/bin/procmail"),
    ("content_filter", "smtp amavis:x"),
    ("luser_relay", "|/usr/bin/procmail"),
    ("luser_relay", "/var/mail/all"),
    ("always_bcc", "a@example.org, b@example.org"),
    ("always_bcc", ":include:/etc/shadow"),
    ("smtp_bind_address", "mx1.example.org"),
    ("mydomain", ""),
    ("mydomain", "example.org example.net"),
    ("mydomain", "$mail_name"),
    ("myorigin", "/etc/shadow"),
    ("recipient_delimiter", "/"),
    ("inet_protocols", "ipv5"),
    ("notify_classes", "everything"),
    ("notify_classes", "Resource"),
    ("milter_default_action", "Accept"),
    ("postscreen_access_list", "permit_mynetwork"),
    ("postscreen_access_list", "nosuch:/x"),
    ("local_header_rewrite_clients", "permit_all"),
    ("postscreen_greet_action", "reject"),
    ("smtpd_sasl_security_options", ""),
    ("smtpd_sasl_security_options", "$smtpd_banner"),
    ("smtpd_sasl_security_options", "$smtpd_sasl_security_options"),
    ("smtpd_sasl_path", "inet:192.0.2.1:12345"),
    ("smtpd_sasl_type", "saslauthd"),
    ("smtpd_forbid_bare_newline", "maybe"),
    ("cleanup_service_name", "../../tmp/x"),
    ("smtpd_helo_required", "yes # as everybody"),
    ("postscreen_blacklist_action", "drop"),
    ("smtp_per_record_deadline", "yes"),
    ("", "x"),
    ("-x", "x"),
]


@pytest.mark.parametrize(("name", "value"), GOOD)
def test_what_postfix_takes_as_meant_is_accepted(name: str, value: str) -> None:
    """Values in every form that postconf(5) allows pass, and so do parameters that nobody knows."""
    assert problems_of_parameters({name: value}) == []


@pytest.mark.parametrize(("name", "value"), BAD)
def test_what_postfix_dies_of_or_ignores_is_one_problem(name: str, value: str) -> None:
    """A bad name or value is reported once, under the parameter's name."""
    assert [problem.path for problem in problems_of_parameters({name: value})] == [name]


@pytest.mark.parametrize(
    ("misspelt", "meant"),
    [
        ("smtpd_tls_sercurity_level", "smtpd_tls_security_level"),
        ("smtpd_tls_cafile", "smtpd_tls_CAfile"),
        ("SMTPD_TLS_LOGLEVEL", "smtpd_tls_loglevel"),
        ("stmpd_tls_CAfile", "smtpd_tls_CAfile"),
        ("relay_clientcert", "relay_clientcerts"),
        ("relay_client_certs", "relay_clientcerts"),
        ("smtp_tsl_security_level", "smtp_tls_security_level"),
    ],
)
def test_a_misspelt_name_is_reported_with_the_nearest_one(misspelt: str, meant: str) -> None:
    """Postfix ignores a misspelt parameter, so the message says what was probably meant."""
    (problem,) = problems_of_parameters({misspelt: "may"})
    assert problem.message.endswith(f"did you mean {meant}?")


@pytest.mark.parametrize(
    ("name", "version", "is_known"),
    [
        ("smtpd_tls_enable_rpk", PostfixVersion(3, 8), False),
        ("smtpd_tls_enable_rpk", PostfixVersion(3, 9), True),
        ("requiretls_enable", PostfixVersion(3, 7), False),
        ("requiretls_enable", None, True),
        ("tls_legacy_public_key_fingerprints", PostfixVersion(3, 10), True),
        ("tls_legacy_public_key_fingerprints", PostfixVersion(3, 11), False),
    ],
)
def test_a_parameter_has_to_be_known_to_the_hosts_release(
    name: str, version: PostfixVersion | None, *, is_known: bool
) -> None:
    """What the host's Postfix does not know yet, or no longer, is a problem; without a version it is not."""
    assert (problems_of_parameters({name: "yes"}, postfix_version=version) == []) is is_known
    if version is not None:
        assert known_parameters()[name].is_known_to(version) is is_known


@pytest.mark.parametrize("name", ["message_size_limit", "smtpd_client_connection_count_limit", "smtpd_timeout"])
def test_a_number_of_many_digits_is_a_problem_and_no_error(name: str) -> None:
    """Python itself refuses to read so long a number."""
    assert [problem.path for problem in problems_of_parameters({name: "9" * 5000})] == [name]


def test_protocol_bounds_need_postfix_3_6() -> None:
    """Older releases take `>=TLSv1.2` for a broken list and turn TLS off."""
    parameters = {"smtpd_tls_protocols": ">=TLSv1.2"}
    assert len(problems_of_parameters(parameters, postfix_version=PostfixVersion(3, 5))) == 1
    assert problems_of_parameters(parameters, postfix_version=PostfixVersion(3, 6)) == []


@pytest.mark.parametrize("name", ["smtpd_tls_loglevel", "smtp_tls_loglevel", "tlsproxy_tls_loglevel"])
@pytest.mark.parametrize(
    ("level", "version", "is_known"),
    [
        ("1,peercert", PostfixVersion(3, 7), True),
        ("1,Trace", PostfixVersion(3, 11), False),
        ("1 trace", PostfixVersion(3, 12), True),
        ("trace", None, True),
    ],
)
def test_a_value_is_as_new_as_the_host(
    name: str, level: str, version: PostfixVersion | None, *, is_known: bool
) -> None:
    """Postfix logs nothing about TLS any more where it does not know one of the flags."""
    problems = problems_of_parameters({name: level}, postfix_version=version)
    assert [each.path for each in problems] == ([] if is_known else [name])


@pytest.mark.parametrize(
    ("parameters", "ignored"),
    [
        ({"smtpd_tls_chain_files": "/a.pem", "smtpd_tls_cert_file": "/b.pem"}, ["smtpd_tls_cert_file"]),
        ({"smtp_tls_chain_files": "/a.pem", "smtpd_tls_cert_file": "/b.pem"}, []),
        ({"smtpd_tls_chain_files": "", "smtpd_tls_cert_file": "/b.pem"}, []),
        ({"smtpd_tls_chain_files": "/a.pem", "smtpd_tls_cert_file": ""}, []),
        ({"smtpd_tls_req_ccert": "yes", "smtpd_tls_security_level": "may"}, ["smtpd_tls_req_ccert"]),
        ({"smtpd_tls_req_ccert": "yes", "smtpd_tls_security_level": "encrypt"}, []),
    ],
)
def test_parameters_that_rule_each_other_out_are_found(parameters: dict[str, str], ignored: list[str]) -> None:
    """A parameter that Postfix ignores because of another one is a problem of the ignored one."""
    assert [problem.path for problem in problems_of_parameters(parameters)] == ignored


@given(st.text(), st.text())
def test_what_may_be_written_stays_on_one_line(name: str, value: str) -> None:
    """No accepted name or value can begin another line of main.cf, whatever it is made of."""
    if not problems_of_text({name: value}):
        assert "\n" not in name + value
        assert "=" not in name


def test_all_problems_are_reported_at_once() -> None:
    """Two bad parameters are two problems, in the order of declaration."""
    parameters = {"smtpd_tls_auth_only": "maybe", "myhostname": "mx1", "smtpd_tls_loglevel": "loud"}
    assert [problem.path for problem in problems_of_parameters(parameters)] == [
        "smtpd_tls_auth_only",
        "smtpd_tls_loglevel",
    ]


def test_every_row_of_the_table_has_a_check() -> None:
    """Each kind in the packaged table is one that can be checked, and obsolete rows name a successor that exists."""
    table = known_parameters()
    assert {parameter.kind for parameter in table.values()} == set(CHECKS)
    assert {parameter.instead for parameter in table.values() if parameter.instead} <= set(table)


def test_a_parameter_of_a_service_is_known_by_its_end() -> None:
    """In front of it stands the name of a service, of any one where nobody knows which there are."""
    limit = parameter_named("to-hub_destination_concurrency_limit")
    assert limit is not None
    assert limit.kind == "integer"
    assert parameter_named("to-hub_destination_concurrency_limit", services={"smtp"}) is None
    assert parameter_named("smtp_destination_concurrency_limit", services={"smtp"}) == limit
    assert parameter_named("_destination_concurrency_limit", services=set()) is None
    assert parameter_named("TRANSPORT_destination_concurrency_limit", services={"smtp"}) is None


def test_a_table_is_read_from_text() -> None:
    """Remarks and the header are skipped, empty fields mean nothing."""
    header = "parameter\tclass\tkind\tallowed\tsince\tremoved\tinstead\tkey"
    table = parse_table(f"# remark\n{header}\na\ttrust\tenum\tx|y@3.11\t3.4\t3.11\t\t\n")
    assert table["a"].allowed == ("x", "y")
    assert table["a"].later == {"y": PostfixVersion(3, 11)}
    assert (table["a"].since, table["a"].removed, table["a"].instead, table["a"].key) == ((3, 4), (3, 11), "", "")
    assert table["a"].decides is ParameterClass.TRUST


@pytest.mark.parametrize(
    ("value", "items"),
    [
        ("a, b  c", ["a", "b", "c"]),
        ("inline:{ a=b, c = d } x", ["inline:{ a=b, c = d }", "x"]),
        (" ,, ", []),
        ("{ a { b } c } d", ["{ a { b } c }", "d"]),
    ],
)
def test_lists_are_split_as_postfix_splits_them(value: str, items: list[str]) -> None:
    """Blanks and commas separate, braces hold together."""
    assert split_list(value) == items


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("smtpd_tls_chain_files", True),
        ("smtpd_relay_restrictions", True),
        ("mynetworks", True),
        ("smtpd_banner", False),
        *((f"x_{ending}", True) for ending in ("restrictions", "maps", "networks", "domains", "options")),
        ("x_destination", True),
        ("x_destinations", True),
        ("maps", False),
        ("x_maps_2", False),
    ],
)
def test_lists_are_told_from_texts(name: str, *, expected: bool) -> None:
    """Only in lists does Postfix not care about line breaks; a name of somebody's own is told by its ending."""
    assert is_list(name) is expected


def test_problems_show_as_parameter_and_sentence() -> None:
    """A problem reads as one line a user can act on."""
    (problem,) = problems_of_parameters({"smtpd_tls_auth_only": "on"})
    assert problem == Problem(
        "smtpd_tls_auth_only", "'on' is not yes or no; the Postfix process that reads it dies at start"
    )
