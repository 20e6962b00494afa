"""Parameters that Postfix would die of, refuse or silently ignore are found before they are deployed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postfix.parameters import (
    PostfixVersion,
    is_list,
    known_parameters,
    parse_table,
    problems_of_parameters,
    problems_of_text,
)
from postfix.values import CHECKS, split_list
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
    ("", "x"),
    ("-x", "x"),
]


@pytest.mark.parametrize(("name", "value"), GOOD)
def test_what_postfix_takes_as_meant_is_accepted(name: str, value: str) -> None:
    """Values in every form that postconf(5) allows pass, and so does everything outside TLS."""
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


def test_protocol_bounds_need_postfix_3_6() -> None:
    """Older releases take `>=TLSv1.2` for a broken list and turn TLS off."""
    parameters = {"smtpd_tls_protocols": ">=TLSv1.2"}
    assert len(problems_of_parameters(parameters, postfix_version=PostfixVersion(3, 5))) == 1
    assert problems_of_parameters(parameters, postfix_version=PostfixVersion(3, 6)) == []


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


def test_a_table_is_read_from_text() -> None:
    """Remarks and the header are skipped, empty fields mean nothing."""
    table = parse_table("# remark\nparameter\tkind\tallowed\tsince\tremoved\tinstead\na\tenum\tx|y\t3.4\t3.11\t\n")
    assert table["a"].allowed == ("x", "y")
    assert (table["a"].since, table["a"].removed, table["a"].instead) == ((3, 4), (3, 11), "")


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
    ],
)
def test_lists_are_told_from_texts(name: str, *, expected: bool) -> None:
    """Only in lists does Postfix not care about line breaks."""
    assert is_list(name) is expected


def test_problems_show_as_parameter_and_sentence() -> None:
    """A problem reads as one line a user can act on."""
    (problem,) = problems_of_parameters({"smtpd_tls_auth_only": "on"})
    assert problem == Problem(
        "smtpd_tls_auth_only", "'on' is not yes or no; the Postfix process that reads it dies at start"
    )
