"""Values that end a program of Postfix, refuse mail, leave no TLS or are ignored: each with program and place."""

from collections.abc import Mapping

import pytest

from postfix.effective.captures import HostConfiguration, MasterService
from postfix.effective.soundness import Fault, Harm, HostFacts, faults_of
from postfix.effective.visitors import NOBODY, Answer, Asked, Question
from postfix.parameter_readers import EVERY_PROGRAM, fault_of_value, known_readers, names_read_by
from postfix.parameters import PostfixVersion, known_parameters

pytestmark = pytest.mark.usefixtures("only_names_of_postfix")

ENDS, REFUSES, NO_TLS, IGNORED = Harm
ALL, MAIN = EVERY_PROGRAM, "main.cf"
BASE = {
    "smtpd_relay_restrictions": "permit_mynetworks, reject_unauth_destination",
    "smtpd_tls_security_level": "may",
    "smtpd_tls_ciphers": "medium",
    "smtpd_tls_mandatory_ciphers": "medium",
    "smtpd_tls_chain_files": "/tls/chain.pem",
    "queue_directory": "/var/spool/postfix",
    "inet_interfaces": "all",
    "daemon_directory": "/lib",
    "lmdb_map_size": "1000",
    "proxy_read_maps": "proxy:hash:/allowed",
}
SMTP, CLEANUP, REWRITE = (
    MasterService(name="smtp", type="inet", command="smtpd"),
    MasterService(name="cleanup", type="unix", command="cleanup", is_chrooted=False),
    MasterService(name="rewrite", type="unix", command="trivial-rewrite"),
)
FACTS = HostFacts(
    addresses=frozenset({"192.0.2.1", "::1"}), table_bytes={"lmdb:/big": 1001}, version=PostfixVersion(3, 7)
)


def faults(
    written: Mapping[str, str], no: Mapping[Question, Answer] | None = None, **options: str
) -> tuple[Fault, ...]:
    """Return the faults of a host where all is well but what is written, and what `no` says."""
    smtp = MasterService(name="smtp", type="inet", command="smtpd", options=options)
    configuration = HostConfiguration(
        parameters={**BASE, **written},
        written=written,
        services=(smtp, CLEANUP, REWRITE),
        map_types=frozenset({"hash", "lmdb", "proxy", "static", "cidr"}),
    )
    known = dict(no or {})
    for _ in range(9):
        found, missing = faults_of(configuration, known, FACTS)
        if not missing:
            return found
        known |= dict.fromkeys(missing, Answer.YES)
    raise AssertionError("the questions never end")


def test_a_host_without_a_fault_has_none() -> None:
    """With tables that open, and what is not known taken for well."""
    written = {
        "smtpd_client_restrictions": "check_client_access hash:/a, reject_rbl_client x.example, hash:/b",
        "canonical_maps": "hash:/c, proxy:hash:/allowed",
        "inet_interfaces": "192.0.2.1, [::1], localhost",
        "smtpd_tls_session_cache_database": "btree:/nonexistent/cache",
        "smtpd_helo_required": "YES",
        "smtpd_timeout": "5m",
        "own": "x",
        "lmdb_map_size": "2000",
    }
    assert faults(written) == ()
    configuration = HostConfiguration(parameters=BASE, services=(SMTP, CLEANUP))
    assert faults_of(configuration, {})[0] == ()


CASES: list[tuple[dict[str, str], list[tuple[Harm, str, str, str]]]] = [
    ({"smtpd_helo_required": "yess"}, [(ENDS, "smtpd", MAIN, "'yess' is not yes or no")]),
    ({"smtpd_hard_error_limit": "many"}, [(ENDS, "smtpd", MAIN, "smtpd_hard_error_limit")]),
    ({"smtpd_hard_error_limit": "0"}, [(ENDS, "smtpd", MAIN, "smtpd_hard_error_limit")]),
    ({"smtpd_hard_error_limit": "+9"}, []),
    ({"smtpd_tls_ccert_verifydepth": "-1"}, []),
    ({"smtpd_tls_ccert_verifydepth": "-x"}, [(ENDS, "smtpd", MAIN, "smtpd_tls_ccert_verifydepth")]),
    ({"smtpd_timeout": "5x"}, [(ENDS, "smtpd", MAIN, "'5x' is not a time")]),
    ({"smtpd_banner": ""}, [(ENDS, "smtpd", MAIN, "smtpd_banner is empty")]),
    ({"smtpd_tls_security_level": "dane"}, [(ENDS, "smtpd", MAIN, "'dane' is not one of")]),
    ({"smtpd_tls_security_level": "verify"}, []),
    ({"receive_override_options": "no_checks"}, [(ENDS, "smtpd", MAIN, "'no_checks'")]),
    ({"hopcount_limit": "many"}, [(ENDS, "cleanup", MAIN, "hopcount_limit")]),
    ({"swap_bangpath": "maybe"}, [(ENDS, "trivial-rewrite", MAIN, "swap_bangpath")]),
    ({"smtp_helo_timeout": "x"}, []),
    ({"line_length_limit": "many"}, [(ENDS, ALL, MAIN, "line_length_limit")]),
    ({"inet_protocols": "ipv5"}, [(ENDS, ALL, MAIN, "inet_protocols")]),
    ({"inet_interfaces": "203.0.113.1"}, [(ENDS, ALL, MAIN, "203.0.113.1 is no address of this host")]),
    ({"lmdb_map_size": "1000"}, [(REFUSES, ALL, MAIN, "lmdb:/big will have 1001 bytes")]),
    ({"lmdb_map_size": "1001"}, []),
    ({"smtp_tlsrpt_enable": "no"}, [(IGNORED, ALL, MAIN, "not known to Postfix 3.7")]),
    ({"smtpd_client_restrictions": "rejekt"}, [(REFUSES, "smtpd", "smtp/inet", "rejekt is no restriction")]),
    ({"smtpd_data_restrictions": "no_such"}, [(REFUSES, "smtpd", "smtp/inet", "no_such is no restriction")]),
    ({"smtpd_restriction_classes": "a", "a": "rejekt"}, [(REFUSES, "smtpd", "smtp/inet", "a: rejekt")]),
    ({"smtpd_restriction_classes": "a"}, [(ENDS, "smtpd", "smtp/inet", "a is defined nowhere")]),
    (
        {"smtpd_sender_restrictions": "check_sender_access mysql:/x"},
        [(REFUSES, "smtpd", "smtp/inet", "mysql:/x cannot be opened")],
    ),
    ({"smtpd_sender_restrictions": "mysql:/x"}, [(REFUSES, "smtpd", "smtp/inet", "mysql:/x cannot be opened")]),
    ({"smtpd_sender_restrictions": "check_sender_access"}, [(REFUSES, "smtpd", "smtp/inet", "not named")]),
    (
        {"canonical_maps": "mysql:/x"},
        [
            (REFUSES, "cleanup", MAIN, "of a type that this Postfix lacks"),
            (REFUSES, "smtpd", MAIN, "of a type that this Postfix lacks"),
        ],
    ),
    ({"sender_bcc_maps": "/etc/bcc"}, [(ENDS, "cleanup", MAIN, "/etc/bcc has no type in front")]),
    ({"transport_maps": "proxy:hash:/not"}, [(ENDS, "trivial-rewrite", MAIN, "not in proxy_read_maps")]),
    ({"smtpd_tls_protocols": ">=TLS1.2"}, [(NO_TLS, "smtpd", "smtp/inet", "no TLS protocol")]),
    ({"smtpd_tls_security_level": "none", "smtpd_tls_protocols": ">=TLS1.2"}, []),
]


def test_a_table_that_proxymap_may_open_harms_whoever_names_it_and_not_proxymap() -> None:
    """It stands in what may be asked for, and is opened when somebody asks."""
    proxymap = MasterService(name="proxymap", type="unix", command="proxymap", options={})
    written = {"canonical_maps": "hash:/c"}
    configuration = HostConfiguration(
        parameters={**BASE, **written}, written=written, services=(CLEANUP, proxymap), map_types=frozenset({"hash"})
    )
    found, _ = faults_of(configuration, {Question(Asked.LOOKUP, "hash:/c", NOBODY): Answer.BROKEN})
    assert [each.program for each in found] == ["cleanup"]


@pytest.mark.parametrize(("written", "expected"), CASES, ids=[str(case[0]) for case in CASES])
def test_each_value_is_told_with_who_is_harmed(
    written: dict[str, str], expected: list[tuple[Harm, str, str, str]]
) -> None:
    """The harm, the program, the place, and what it is."""
    # One table is said to be too large; it counts where its limit is tried.
    limit = {"lmdb_map_size": "2000"} if "lmdb_map_size" not in written else {}
    found = faults({**limit, **written})
    assert [(each.harm, each.program, each.place) for each in found] == [case[:3] for case in sorted(expected)]
    for each, (_, _, _, words) in zip(found, sorted(expected), strict=True):
        assert words in each.message


@pytest.mark.parametrize(
    ("question", "written", "expected"),
    [
        (Question(Asked.LOOKUP, "hash:/c", NOBODY), {"canonical_maps": "hash:/c"}, {REFUSES}),
        (Question(Asked.READABLE, "/var/spool/postfix", "root"), {}, {ENDS}),
        (Question(Asked.READABLE, "/lib/cleanup", "root"), {}, {ENDS}),
        (Question(Asked.LOADS, "/tls/chain.pem", "chain"), {}, {NO_TLS}),
        (
            Question(Asked.LOGIN, "private/auth", "dovecot"),
            {
                "smtpd_sasl_auth_enable": "yes",
                "smtpd_sasl_path": "private/auth",
                "smtpd_sasl_type": "dovecot",
            },
            {ENDS},
        ),
        (Question(Asked.LOADS, "/ca.pem", "authorities"), {"smtpd_tls_CAfile": "/ca.pem"}, {NO_TLS}),
        (Question(Asked.READABLE, "/o.cnf", "root"), {"tls_config_file": "/o.cnf"}, {NO_TLS}),
        (Question(Asked.CIPHERS, "NONE"), {"tls_medium_cipherlist": "NONE"}, {NO_TLS}),
        (
            Question(Asked.READABLE, "/var/spool/postfix/ca", "postfix"),
            {"smtpd_tls_CApath": "/ca"},
            {IGNORED},
        ),
    ],
)
def test_what_the_host_says_no_to_is_a_fault(question: Question, written: dict[str, str], expected: set[Harm]) -> None:
    """And nothing is one that it says yes to."""
    quiet = {"lmdb_map_size": "2000", **written}
    says_no = Answer.NO if question.asked is Asked.LOGIN else Answer.BROKEN
    assert {each.harm for each in faults(quiet, {question: says_no})} == expected
    assert faults(quiet) == ()


@pytest.mark.parametrize(
    ("name", "is_fault"),
    [
        ("smtpd_tls_session_cache_database", False),
        ("postscreen_cache_map", False),
        ("smtp_sasl_auth_cache_name", False),
        ("address_verify_map", False),
        ("alias_database", False),
        ("alias_maps", True),
    ],
)
def test_a_cache_that_is_not_there_yet_is_no_fault(name: str, *, is_fault: bool) -> None:
    """Postfix makes it when it needs it; any other table has to be there. Each is read by a service of its own."""
    programs = ("smtpd", "postscreen", "smtp", "local", "verify", "tlsmgr")
    services = tuple(MasterService(name=each, type="unix", command=each) for each in programs)
    configuration = HostConfiguration(
        parameters={**BASE, name: "hash:/x"}, written={name: "hash:/x"}, services=services
    )
    broken = {Question(Asked.LOOKUP, "hash:/x", NOBODY): Answer.BROKEN}
    found, _ = faults_of(configuration, broken, FACTS)
    assert any(each.message.startswith(f"{name}: ") for each in found) is is_fault


def test_an_option_of_a_service_is_told_with_the_service() -> None:
    """In whatever program; a value that is well there hides one of main.cf."""
    quiet = {"lmdb_map_size": "2000"}
    assert [each.place for each in faults(quiet, line_length_limit="many")] == ["smtp/inet"]
    found = faults({**quiet, "smtpd_helo_required": "yess"}, smtpd_helo_required="yes")
    assert found == ()


def test_a_table_behind_proxymap_is_one_that_proxymap_may_read_by_its_own_options() -> None:
    """The service proxymap says it; what main.cf says counts where it says nothing."""
    written, no = {"canonical_maps": "proxy:hash:/mine", "lmdb_map_size": "2000"}, "is not in proxy_read_maps"
    assert any(no in each.message for each in faults(written))
    for options, is_fault in (({"proxy_read_maps": "proxy:hash:/mine"}, False), ({}, True)):
        proxymap = MasterService(name="proxymap", type="unix", command="proxymap", options=options)
        configuration = HostConfiguration(
            parameters={**BASE, **written}, written=written, services=(SMTP, CLEANUP, proxymap)
        )
        found, _ = faults_of(configuration, {}, FACTS)
        assert any(no in each.message for each in found) is is_fault


def test_the_table_of_readers_names_parameters_that_there_are() -> None:
    """A misspelt name would be checked by nobody."""
    assert known_readers().keys() <= known_parameters().keys()
    assert "smtpd_timeout" in names_read_by("smtpd")
    assert "line_length_limit" in names_read_by("anything")
    assert "smtpd_timeout" not in names_read_by("cleanup")
    assert fault_of_value("cleanup", "smtpd_timeout", "x") == ""
    assert fault_of_value("smtpd", "no_such_parameter", "x") == ""


def test_a_restriction_that_nobody_may_declare_here_is_one_all_the_same() -> None:
    """permit_tls_all_clientcerts on a host is no fault; a word that Postfix does not know is."""
    name = "smtpd_relay_restrictions"
    lists = ("permit_tls_all_clientcerts, reject_unauth_destination", "permit_tls_each_cert, reject_unauth_destination")
    told = [[fault.message for fault in faults({name: each}) if fault.place == SMTP.key] for each in lists]
    assert told == [[], [f"{name}: permit_tls_each_cert is no restriction, and no class in smtpd_restriction_classes"]]
