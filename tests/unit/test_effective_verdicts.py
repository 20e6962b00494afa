"""What a host does with mail to somebody elsewhere, by visitor; what is not known is asked, and never guessed."""

from collections.abc import Mapping
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postfix.effective.captures import HostConfiguration, MasterService
from postfix.effective.matching import Below, address_in, any_of, domain_in
from postfix.effective.verdicts import Judgement, judged
from postfix.effective.visitors import (
    AUTHORITIES,
    CHAIN,
    NOBODY,
    PAIR,
    Answer,
    Answers,
    Asked,
    Kind,
    Question,
    Visitor,
)
from postfix.restriction_walk import Verdict

pytestmark = pytest.mark.usefixtures("only_names_of_postfix")

PERMIT, REFUSE, CANNOT_TELL = Verdict.PERMIT, Verdict.REFUSE, Verdict.CANNOT_TELL
LISTED, UNLISTED, FOREIGN, USER, NO_CERTIFICATE, PLAIN = Kind
DOMAIN = "elsewhere.invalid"
VISITORS = tuple(
    Visitor(kind=kind, address="203.0.113.7", domain=DOMAIN, prints={"sha256": (f"{kind} cert", f"{kind} key")})
    for kind in Kind
)
ROWS, CHAIN_FILE = "hash:/etc/postfix/rows", "/etc/postfix/chain.pem"
PERMITS = "permit_mynetworks permit_sasl_authenticated permit_tls_clientcerts"
BASE = {
    "smtpd_relay_restrictions": f"{PERMITS} reject_unauth_destination",
    "mynetworks": "127.0.0.0/8 [::1]/128",
    "relay_clientcerts": ROWS,
    "smtpd_tls_fingerprint_digest": "sha256",
    "smtpd_tls_security_level": "may",
    "smtpd_tls_ciphers": "medium",
    "smtpd_tls_mandatory_ciphers": "medium",
    "smtpd_tls_ask_ccert": "yes",
    "smtpd_tls_chain_files": CHAIN_FILE,
    "smtpd_sasl_auth_enable": "yes",
    "smtpd_tls_auth_only": "yes",
}
TYPES = frozenset({"hash", "texthash", "static"})
LOADS = Question(Asked.LOADS, CHAIN_FILE, CHAIN)
# As the type of a server for passwords is not written here.
LOGIN = Question(Asked.LOGIN, "")
GOOD = {LOADS: Answer.YES, LOGIN: Answer.YES, Question(Asked.LOOKUP, ROWS, f"{LISTED} cert"): Answer.YES}


def host(parameters: Mapping[str, str], **options: str) -> HostConfiguration:
    """Return a host with one listener."""
    service = MasterService(name="smtp", type="inet", command="smtpd", options=options)
    return HostConfiguration(parameters={**BASE, **parameters}, services=(service,), map_types=TYPES)


def settled(
    configuration: HostConfiguration, answers: Mapping[Question, Answer] = GOOD, other: Answer = Answer.NO
) -> dict[Kind, Judgement]:
    """Ask until nothing is missing; what `answers` lacks is answered by `other`."""
    known = dict(answers)
    for _ in range(20):
        found, missing = judged(configuration, VISITORS, known)
        if not missing:
            return {each.visitor: each for each in found}
        known |= dict.fromkeys(missing, other)
    raise AssertionError("the questions never end")


def permitted(found: Mapping[Kind, Judgement], verdict: Verdict = PERMIT) -> set[Kind]:
    """Return who has a verdict."""
    return {kind for kind, each in found.items() if each.verdict is verdict}


@pytest.mark.parametrize(
    ("files", "question"),
    [
        ({"smtpd_tls_chain_files": "/a.key, /a.pem"}, Question(Asked.LOADS, "/a.key /a.pem", CHAIN)),
        (
            {"smtpd_tls_chain_files": "", "smtpd_tls_cert_file": "/a.pem", "smtpd_tls_key_file": "/a.key"},
            Question(Asked.LOADS, "/a.pem", PAIR, "/a.key"),
        ),
        (
            {"smtpd_tls_chain_files": "", "smtpd_tls_eccert_file": "/e.pem", "smtpd_tls_eckey_file": "/e.pem"},
            Question(Asked.LOADS, "/e.pem", PAIR, "/e.pem"),
        ),
    ],
)
def test_what_is_served_is_asked_as_it_is_loaded(files: dict[str, str], question: Question) -> None:
    """A chain from files in their order, or each certificate with its key; one that does not load is no TLS."""
    known = {**GOOD, question: Answer.YES}
    assert permitted(settled(host(files), known)) == {LISTED, USER}
    assert permitted(settled(host(files), known | {question: Answer.NO})) == set()


def test_a_listed_client_and_a_user_relay_and_nobody_else() -> None:
    """The plain case, with the steps that decide."""
    found = settled(host({}))
    assert permitted(found) == {LISTED, USER}
    assert permitted(found, REFUSE) == {UNLISTED, FOREIGN, NO_CERTIFICATE, PLAIN}
    assert found[LISTED].causes == ("smtpd_relay_restrictions: permit_tls_clientcerts",)
    assert found[PLAIN].causes == ("smtpd_relay_restrictions: reject_unauth_destination",)


TO_OTHERS = "reject_unauth_destination"
CASES: list[tuple[dict[str, str], set[Kind], set[Kind]]] = [
    ({"smtpd_tls_ask_ccert": "no"}, {USER}, set()),
    ({"smtpd_tls_chain_files": ""}, set(), set()),
    ({"smtpd_tls_security_level": "encrypt", "smtpd_tls_req_ccert": "yes"}, {LISTED}, set()),
    ({"smtpd_recipient_restrictions": TO_OTHERS}, set(), set()),
    ({"smtpd_client_restrictions": "permit_sasl_authenticated, reject"}, {USER}, set()),
    ({"smtpd_sender_restrictions": "warn_if_reject reject"}, {LISTED, USER}, set()),
    ({"smtpd_helo_restrictions": "reject_rbl_client x.example"}, set(), {LISTED, USER}),
    ({"smtpd_client_restrictions": "no_such_name"}, set(), set()),
    ({"smtpd_tls_fingerprint_digest": "sha1"}, {USER}, {LISTED, UNLISTED, FOREIGN}),
    ({"relay_clientcerts": ""}, {USER}, set()),
    ({"relay_clientcerts": "mysql:/x"}, {USER}, set()),
    ({"mynetworks": "203.0.113.0/24"}, set(Kind), set()),
    ({"mynetworks": "!203.0.113.7 203.0.113.0/24"}, {LISTED, USER}, set()),
    ({"mynetworks": "10.0.0.0/255.0.0.0"}, set(), set()),
    ({"mynetworks": "10.0.0.1/8"}, set(), set()),
    ({"mynetworks": "/etc/nets"}, set(), set()),
    ({"mynetworks": "2001:db8::/32"}, set(), set()),
    ({"mynetworks": "host.example.test"}, {LISTED, USER}, {UNLISTED, FOREIGN, NO_CERTIFICATE, PLAIN}),
    ({"relay_domains": "static:all"}, {LISTED, USER}, set()),
    ({"relay_domains": DOMAIN}, set(Kind), set()),
    ({"relay_domains": "*"}, {LISTED, USER}, set()),
    ({"virtual_alias_maps": "mysql:/x"}, set(), set()),
    (
        {"virtual_alias_maps": "mysql:/x", "receive_override_options": "no_unknown_recipient_checks"},
        {LISTED, USER},
        set(),
    ),
    ({"smtpd_milters": "inet:127.0.0.1:1"}, set(), {LISTED, USER}),
    ({"smtpd_client_connection_rate_limit": "1"}, set(), {LISTED, USER}),
    ({"smtpd_client_connection_rate_limit": "0"}, {LISTED, USER}, set()),
    ({"smtpd_authorized_xclient_hosts": "203.0.113.7"}, {LISTED, USER}, set(Kind) - {LISTED, USER}),
    ({"smtpd_relay_restrictions": "permit_tls_clientcerts"}, set(), set()),
    ({"smtpd_relay_restrictions": f"{PERMITS} REJECT"}, {LISTED, USER}, set()),
    ({"smtpd_relay_restrictions": "permit reject"}, set(), set()),
    ({"smtpd_relay_restrictions": f"permit_tls_clientcerts {TO_OTHERS}, permit"}, {LISTED}, set()),
    ({"smtpd_relay_restrictions": f"greet {TO_OTHERS}"}, set(), set()),
    (
        {
            "smtpd_relay_restrictions": f"greet {TO_OTHERS}",
            "smtpd_restriction_classes": "greet",
            "greet": "check_policy_service unix:x permit_tls_clientcerts",
        },
        set(),
        set(Kind),
    ),
    ({"smtpd_restriction_classes": "greet"}, set(), set()),
    ({"relay_clientcerts": "proxy:hash:/x"}, set(), set()),
    ({"smtpd_delay_reject": "no", "smtpd_client_restrictions": "permit_tls_clientcerts reject"}, set(), set()),
    ({"smtpd_delay_reject": "no", "smtpd_sender_restrictions": TO_OTHERS}, {LISTED, USER}, set()),
    ({"smtpd_client_restrictions": "check_client_access static:reject"}, set(), set()),
    ({"smtpd_client_restrictions": "static:ok reject"}, {LISTED, USER}, set()),
    ({"smtpd_client_restrictions": "hash:/etc/access"}, set(), {LISTED, USER}),
    ({"smtpd_sasl_exceptions_networks": "203.0.113.0/24"}, {LISTED}, set()),
    ({"mynetworks": "$mynetworks x"}, set(), set(Kind)),
    ({"smtpd_sasl_security_options": "noplaintext"}, {LISTED, USER}, set()),
    ({"smtpd_sasl_tls_security_options": "noplaintext"}, set(), {LISTED, USER}),
    ({"smtpd_sasl_security_options": "noplaintext", "smtpd_tls_auth_only": "no"}, set(), {LISTED, USER}),
    ({"smtpd_sender_restrictions": "reject_plaintext_session"}, {LISTED, USER}, set()),
    ({"smtpd_sender_restrictions": "reject_sender_login_mismatch"}, {LISTED}, set()),
    ({"smtpd_sender_restrictions": "reject_authenticated_sender_login_mismatch"}, {LISTED}, set()),
    ({"smtpd_sender_restrictions": "reject_known_sender_login_mismatch"}, {LISTED, USER}, set()),
    ({"smtpd_sender_restrictions": "reject_unauthenticated_sender_login_mismatch"}, {LISTED, USER}, set()),
    (
        {
            "smtpd_sender_restrictions": "reject_unauthenticated_sender_login_mismatch",
            "smtpd_sender_login_maps": "hash:/l",
        },
        {USER},
        {LISTED},
    ),
    (
        {
            "smtpd_sender_restrictions": "reject_authenticated_sender_login_mismatch",
            "smtpd_sender_login_maps": "hash:/l",
        },
        {LISTED},
        {USER},
    ),
    ({"smtpd_discard_ehlo_keywords": "STARTTLS"}, set(), set()),
    ({"smtpd_discard_ehlo_keywords": "STARTTLS", "smtpd_tls_wrappermode": "yes"}, {LISTED, USER}, set()),
    ({"smtpd_discard_ehlo_keywords": "auth"}, {LISTED}, set()),
    ({"smtpd_discard_ehlo_keyword_address_maps": "hash:/k"}, {LISTED, USER}, set()),
    ({"smtpd_tls_protocols": ">=TLS1.2"}, set(), set()),
    ({"smtpd_tls_mandatory_protocols": ">=TLS1.2"}, {LISTED, USER}, set()),
    ({"smtpd_tls_mandatory_protocols": ">=TLS1.2", "smtpd_tls_security_level": "encrypt"}, set(), set()),
    ({"smtpd_tls_protocols": "<=TLSv1.1"}, set(), {LISTED, USER}),
    ({"smtpd_tls_protocols": ">=TLSv1, !TLSv1.1"}, {LISTED, USER}, set()),
    ({"smtpd_tls_protocols": "!TLSv1.2 !TLSv1.3"}, set(), {LISTED, USER}),
    ({"smtpd_tls_protocols": "TLSv1.2, TLSv1.3"}, {LISTED, USER}, set()),
    ({"smtpd_tls_protocols": "TLSv1.3"}, {LISTED, USER}, set()),
    ({"smtpd_tls_protocols": "TLSv1:TLSv1.1"}, set(), {LISTED, USER}),
    ({"smtpd_tls_protocols": ">=TLSv1.3"}, {LISTED, USER}, set()),
    ({"smtpd_tls_protocols": ">=0x0304"}, {LISTED, USER}, set()),
    ({"smtpd_tls_protocols": ">=0x0305"}, {LISTED, USER}, set()),
    ({"smtpd_tls_protocols": "<=0x0303"}, {LISTED, USER}, set()),
    ({"smtpd_tls_protocols": "<=0x0302"}, set(), {LISTED, USER}),
    ({"smtpd_tls_protocols": "<=302"}, set(), {LISTED, USER}),
    ({"smtpd_tls_protocols": "<=0x0302, <=0305"}, set(), {LISTED, USER}),
    ({"smtpd_tls_protocols": ">=$$x"}, set(), {LISTED, USER}),
    ({"smtpd_tls_protocols": ">=SSLv2 <=TLSv1.2 !TLSv1.2"}, set(), {LISTED, USER}),
    ({"smtpd_tls_ciphers": "strong"}, set(), set()),
    ({"smtpd_tls_ciphers": "high", "tls_high_cipherlist": "NONE"}, set(), set()),
    ({"smtpd_tls_ciphers": "low", "tls_medium_cipherlist": "NONE"}, set(), set()),
    ({"tls_config_file": "/none"}, set(), set()),
    ({"tls_config_file": "default"}, {LISTED, USER}, set()),
    ({"smtpd_tls_fingerprint_digest": "sha257"}, set(), {LISTED, UNLISTED, FOREIGN, USER}),
    ({"relay_clientcerts": "/etc/rows"}, set(), set()),
    ({"relay_clientcerts": "hash:/none, hash:/etc/postfix/rows"}, {LISTED, USER}, set()),
    ({"smtpd_relay_restrictions": "a", "smtpd_restriction_classes": "a b", "a": "b", "b": "a"}, set(), set()),
    (
        {"smtpd_relay_restrictions": f"{PERMITS} reject a", "smtpd_restriction_classes": "a", "a": "a"},
        {LISTED, USER},
        set(),
    ),
    ({"smtpd_sender_restrictions": "check_sasl_access hash:/a"}, {LISTED}, {USER}),
    ({"smtpd_sender_restrictions": "check_ccert_access hash:/a"}, {USER}, {LISTED}),
    ({"smtpd_sender_restrictions": "check_sender_access static:permit_mynetworks"}, {LISTED, USER}, set()),
    ({"smtpd_sender_restrictions": "check_sender_access static:123"}, {LISTED, USER}, set()),
    ({"smtpd_sender_restrictions": "check_sender_access static:{permit_tls_clientcerts, reject}"}, {LISTED}, set()),
    ({"smtpd_sender_restrictions": "check_sender_access { static:ok }"}, set(), set()),
    ({"smtpd_sender_restrictions": "check_ccert_access { static:reject, { search_order = x } }"}, {USER}, set()),
    ({"smtpd_sender_restrictions": "check_sender_mx_access static:ok"}, {LISTED, USER}, set()),
    ({"smtpd_sender_restrictions": "reject_maps_rbl"}, set(), {LISTED, USER}),
    ({"smtpd_sender_restrictions": "check_sender_access"}, set(), set()),
    ({"smtpd_sender_restrictions": "reject_rbl_client"}, set(), {LISTED, USER}),
    ({"smtpd_recipient_restrictions": f"permit_auth_destination {TO_OTHERS}"}, set(), set()),
    ({"smtpd_recipient_restrictions": "permit_auth_destination", "relay_domains": DOMAIN}, set(Kind), set()),
    ({"smtpd_recipient_restrictions": f"permit_mx_backup {TO_OTHERS}"}, set(), {LISTED, USER}),
    ({"default_transport": "error:no"}, set(), {LISTED, USER}),
    ({"transport_maps": "hash:/t"}, {LISTED, USER}, set()),
    ({"transport_maps": "mysql:/t"}, set(), set()),
    ({"smtpd_tls_security_level": "may", "smtpd_tls_CAfile": "/none.pem"}, set(), set()),
]


@pytest.mark.parametrize(("parameters", "permits", "unsure"), CASES, ids=[str(case[0]) for case in CASES])
def test_each_matter_decides_as_postfix_does(parameters: dict[str, str], permits: set[Kind], unsure: set[Kind]) -> None:
    """In main.cf and as options of the service; all others are refused. Each verdict but a permission has a cause."""
    found = settled(host(parameters))
    assert (permitted(found), permitted(found, CANNOT_TELL)) == (permits, unsure)
    assert all(each.causes for each in found.values() if each.verdict is not PERMIT)


def test_an_option_of_smtpd_about_domains_does_not_count() -> None:
    """Domains are looked up by another program, with options of its own."""
    assert permitted(settled(host({}, relay_domains=DOMAIN))) == {LISTED, USER}
    rewrite = MasterService(name="rewrite", type="unix", command="trivial-rewrite", options={"relay_domains": DOMAIN})
    configuration = host({})
    found = settled(replace(configuration, services=(*configuration.services, rewrite)))
    assert permitted(found) == set(Kind)


def test_routes_are_looked_up_by_another_program() -> None:
    """A table that cannot be opened refuses mail by main.cf, and not by an option of smtpd."""
    assert permitted(settled(host({}, transport_maps="mysql:/t"))) == {LISTED, USER}
    assert permitted(settled(host({"transport_maps": "mysql:/t"}))) == set()
    assert permitted(settled(host({}, relay_domains="mysql:/t"))) == {LISTED, USER}
    assert permitted(settled(host({}, mydestination="mysql:/t"))) == set()


def test_questions_come_in_few_rounds_and_each_answer_counts() -> None:
    """Rows that cannot be opened refuse those who are looked up in them, and no user."""
    _, missing = judged(host({}), VISITORS, {})
    assert LOADS in missing
    assert Question(Asked.LOOKUP, ROWS, f"{LISTED} cert") in missing
    found = settled(host({}), {LOADS: Answer.YES, LOGIN: Answer.YES}, Answer.BROKEN)
    assert permitted(found) == {USER}
    assert permitted(settled(host({"smtpd_client_restrictions": "hash:/a"}), GOOD, Answer.BROKEN)) == set()


@pytest.mark.parametrize(
    ("table", "opens", "expected"),
    [
        ("hash:/r", Answer.YES, Answer.YES),
        ("hash:/r", Answer.NO, Answer.BROKEN),
        ("hash:/r", Answer.BROKEN, Answer.BROKEN),
        ("hash:/r", Answer.UNKNOWN, Answer.UNKNOWN),
        ("texthash:/r", Answer.YES, Answer.UNKNOWN),
        ("inline:{a=b}", Answer.UNKNOWN, Answer.UNKNOWN),
    ],
)
def test_a_table_behind_proxymap_is_asked_for_itself_and_for_its_account(
    table: str, opens: Answer, expected: Answer
) -> None:
    """proxymap(8) of a staged copy does not run; it opens tables as another account, and does not fold case of rows."""
    file = "/r.db" if table.startswith("hash") else "/r"
    known = {Question(Asked.LOOKUP, table, "a"): Answer.YES, Question(Asked.READABLE, file, "owner"): opens}
    answers = Answers(known, frozenset({"hash", "texthash", "inline", "proxy"}), "owner")
    assert answers.lookup(f"proxy:{table}", "a") is expected


def test_a_table_that_knows_a_domain_of_nobody_is_an_open_relay() -> None:
    """So a pattern or a database that answers always is found."""
    knows = {Question(Asked.LOOKUP, "static:all", DOMAIN): Answer.YES}
    assert permitted(settled(host({"relay_domains": "static:all"}), GOOD | knows)) == set(Kind)


def test_trust_alone_permits_where_the_list_says_so() -> None:
    """Any certificate of a trusted authority."""
    parameters = {
        "smtpd_relay_restrictions": "permit_tls_all_clientcerts reject_unauth_destination",
        "smtpd_tls_CAfile": "/ca.pem",
    }
    loads = {Question(Asked.LOADS, "/ca.pem", AUTHORITIES): Answer.YES}
    trusted = {Question(Asked.TRUSTED, "/ca.pem", UNLISTED): Answer.YES}
    assert permitted(settled(host(parameters), GOOD | loads | trusted)) == {LISTED, UNLISTED}
    assert permitted(settled(host(parameters), GOOD | trusted)) == set()
    parameters["tls_append_default_CA"] = "yes"
    assert permitted(settled(host(parameters), GOOD | loads | trusted), CANNOT_TELL) == {FOREIGN}


def test_postscreen_with_an_action_may_refuse() -> None:
    """What postscreen does depends on the client, so that a permission is not certain."""
    services = (
        MasterService(name="smtp", type="inet", command="postscreen"),
        MasterService(name="smtpd", type="pass", command="smtpd"),
    )
    for action, permits in {"enforce": set[Kind](), "ignore": {LISTED, USER}}.items():
        parameters = BASE | {"smtpd_service_name": "smtpd", "postscreen_greet_action": action}
        found = settled(HostConfiguration(parameters=parameters, services=services, map_types=TYPES))
        assert permitted(found) == permits


def test_a_service_that_smtpd_asks_and_nobody_can_read_leaves_all_untold() -> None:
    """With a log service that does not start, no server greets."""
    smtp = MasterService(name="smtp", type="inet", command="smtpd")
    for name, kind, expected in (("postlog", "unix-dgram", set(Kind)), ("spare", "unix", set[Kind]())):
        other = MasterService(name=name, type=kind, command="postlogd", is_readable=False)
        found = settled(HostConfiguration(parameters=BASE, services=(smtp, other), map_types=TYPES))
        assert permitted(found, CANNOT_TELL) == expected


def test_a_table_that_proxymap_may_read_by_its_own_options_ends_nobody() -> None:
    """What main.cf says of proxy_read_maps counts where the service says nothing."""
    configuration = host({"relay_domains": "proxy:hash:/mine"})
    fault = "relay_domains: proxy:hash:/mine is not in proxy_read_maps"
    assert settled(configuration)[PLAIN].causes == (fault,)
    options = {"proxy_read_maps": "proxy:hash:/mine"}
    proxymap = MasterService(name="proxymap", type="unix", command="proxymap", options=options)
    found = settled(replace(configuration, services=(*configuration.services, proxymap)))
    assert found[PLAIN].causes == ("smtpd_relay_restrictions: reject_unauth_destination",)


@pytest.mark.parametrize("level", ["none", "may"])
def test_a_login_that_is_offered_within_tls_alone_ends_everybody(level: str) -> None:
    """smtpd(8) asks for the ways to log in before STARTTLS, wherever there is TLS; without TLS it never asks."""
    found = settled(host({"smtpd_tls_security_level": level}), {**GOOD, LOGIN: Answer.NO})
    is_dead = "smtpd_sasl_path: nobody may offer a way to log in there" in found[PLAIN].causes
    assert is_dead is (level == "may"), found[PLAIN].causes


def test_a_listener_that_cannot_be_read_is_not_judged() -> None:
    """Cannot tell is never no."""
    service = MasterService(name="smtp", type="inet", command="smtpd", is_readable=False)
    found = settled(HostConfiguration(parameters=BASE, services=(service,), map_types=TYPES))
    assert permitted(found, CANNOT_TELL) == set(Kind)


WORDS = [
    "permit",
    "reject",
    TO_OTHERS,
    *PERMITS.split(),
    "hash:/a",
    "warn_if_reject",
    "reject_rbl_client",
    "x",
    "greet",
]
LISTS = st.lists(st.sampled_from(WORDS), max_size=5).map(" ".join)
NAMES = ["client", "helo", "sender", "relay", "recipient"]


@given(
    st.dictionaries(st.sampled_from([f"smtpd_{name}_restrictions" for name in NAMES]), LISTS),
    st.sampled_from([Answer.YES, Answer.NO, Answer.BROKEN]),
)
def test_an_answer_makes_a_verdict_certain_but_never_turns_it(parameters: dict[str, str], answer: Answer) -> None:
    """What was certain before all answers came is the same after them."""
    configuration = host(parameters)
    before, _ = judged(configuration, VISITORS, {})
    after = settled(configuration, {}, answer)
    assert all(each.verdict in (CANNOT_TELL, after[each.visitor].verdict) for each in before)


@given(st.dictionaries(st.sampled_from([f"smtpd_{name}_restrictions" for name in NAMES]), LISTS))
def test_a_refusal_in_front_of_any_list_refuses_everybody(parameters: dict[str, str]) -> None:
    """Whatever else the lists say."""
    for name in NAMES:
        key = f"smtpd_{name}_restrictions"
        found = settled(host({**parameters, key: f"reject {parameters.get(key, '')}"}))
        assert permitted(found, REFUSE) == set(Kind)


@pytest.mark.parametrize(
    ("pattern", "address", "expected"),
    [
        ("192.0.2.0/24", "192.0.2.1", Answer.YES),
        ("192.0.2.0/24", "198.51.100.1", Answer.NO),
        ("[2001:db8::]/32", "2001:db8::1", Answer.YES),
        ("[2001:db8::]/32", "192.0.2.1", Answer.NO),
        ("0.0.0.0/0", "2001:db8::1", Answer.NO),
        ("192.0.2.1/24", "192.0.2.1", Answer.BROKEN),
        ("192.0.2.1 10.0.0.1/8", "192.0.2.1", Answer.YES),
        ("10.0.0.1/8 192.0.2.1", "192.0.2.1", Answer.BROKEN),
        ("10.0.0.1/8", "2001:db8::1", Answer.NO),
        ("[2001:db8::1]/32", "192.0.2.1", Answer.NO),
        ("[2001:db8::1]/32", "2001:db8::1", Answer.BROKEN),
        ("!!192.0.2.1", "192.0.2.1", Answer.YES),
        ("!192.0.2.1 192.0.2.0/24", "192.0.2.1", Answer.NO),
        ("[192.0.2.1]", "192.0.2.1", Answer.YES),
        ("192.0.2", "192.0.2.1", Answer.NO),
        ("192.000.002.001", "192.0.2.1", Answer.NO),
        ("10.0.0.0/8;192.0.2.1", "192.0.2.1", Answer.NO),
        ("2001:db8::/32", "2001:db8::1", Answer.BROKEN),
        ("localhost", "192.0.2.1", Answer.UNKNOWN),
        ("/etc/nets", "192.0.2.1", Answer.UNKNOWN),
        ("hash:/nets", "192.0.2.1", Answer.UNKNOWN),
        ("[::1", "::1", Answer.BROKEN),
        ("", "::1", Answer.NO),
    ],
)
def test_networks_match_as_postfix_reads_them(pattern: str, address: str, expected: Answer) -> None:
    """From left to right; IPv4 and IPv6 each by their own patterns."""
    assert address_in(pattern.split(), address, Answers({}, frozenset({"hash"}))) is expected


@pytest.mark.parametrize(
    ("address", "name", "table", "expected"),
    [
        (Answer.YES, Answer.NO, "hash:/nets", Answer.YES),
        (Answer.NO, Answer.YES, "static:all", Answer.YES),
        (Answer.NO, Answer.NO, "hash:/nets", Answer.UNKNOWN),
        (Answer.NO, Answer.NO, "cidr:/nets", Answer.NO),
        (Answer.BROKEN, Answer.BROKEN, "hash:/nets", Answer.BROKEN),
    ],
)
def test_a_table_of_networks_is_asked_for_address_and_name(
    address: Answer, name: Answer, table: str, expected: Answer
) -> None:
    """Who comes has a name as well, and nobody knows it."""
    known = {
        Question(Asked.LOOKUP, table, "192.0.2.1"): address,
        Question(Asked.LOOKUP, table, NOBODY): name,
    }
    assert address_in([table], "192.0.2.1", Answers(known, frozenset({"hash", "cidr", "static"}))) is expected


@pytest.mark.parametrize(
    ("opens", "expected"), [(Answer.YES, Answer.UNKNOWN), (Answer.BROKEN, Answer.BROKEN), (Answer.NO, Answer.BROKEN)]
)
def test_a_file_of_networks_that_is_not_there_is_broken(opens: Answer, expected: Answer) -> None:
    """What it holds is not known; smtpd(8) reads it as root."""
    answers = Answers({Question(Asked.READABLE, "/etc/nets", "root"): opens}, frozenset())
    assert address_in(["!/etc/nets"], "192.0.2.1", answers) is expected


@pytest.mark.parametrize(
    ("word", "exact", "by_name", "by_dot"),
    [
        ("a.b", Answer.YES, Answer.YES, Answer.YES),
        ("b", Answer.NO, Answer.YES, Answer.NO),
        (".b", Answer.NO, Answer.NO, Answer.YES),
        ("c", Answer.NO, Answer.NO, Answer.NO),
        ("!a.b", Answer.NO, Answer.NO, Answer.NO),
        ("/f", Answer.UNKNOWN, Answer.UNKNOWN, Answer.UNKNOWN),
        ("hash:/d", Answer.YES, Answer.YES, Answer.YES),
        ("hash:/above", Answer.NO, Answer.YES, Answer.NO),
        ("hash:/dot", Answer.NO, Answer.NO, Answer.YES),
        ("ldap:/d", Answer.BROKEN, Answer.BROKEN, Answer.BROKEN),
        *((f"{kind}:/above", Answer.NO, Answer.NO, Answer.NO) for kind in ("cidr", "pcre", "regexp")),
        ("*", Answer.NO, Answer.NO, Answer.NO),
    ],
)
def test_domains_match_with_those_above_them_where_the_list_says_so(
    word: str, exact: Answer, by_name: Answer, by_dot: Answer
) -> None:
    """Tables by what the host says; of patterns the name alone is asked, as they see to what is above by themselves."""
    patterns = frozenset({"cidr", "pcre", "regexp"})
    above = {(f"{kind}:/above", "b") for kind in (*patterns, "hash")}
    found = {("hash:/d", "a.b"), ("hash:/dot", ".b"), *above, *((table, f".{key}") for table, key in above)}
    known = {
        Question(Asked.LOOKUP, table, key): Answer.YES if (table, key) in found else Answer.NO
        for table in ("hash:/d", "hash:/above", "hash:/dot", *(f"{kind}:/above" for kind in patterns))
        for key in ("a.b", "b", ".b")
    } | {Question(Asked.LOOKUP, "hash:/above", ".b"): Answer.NO}
    answers = Answers(known, patterns | {"hash"})
    assert [domain_in([word], "a.b", answers, each) for each in Below] == [exact, by_name, by_dot]


@given(st.lists(st.sampled_from(Answer), max_size=5))
def test_answers_are_certain_only_where_the_first_that_is_not_no_is(answers: list[Answer]) -> None:
    """What is behind a match or a broken table does not matter."""
    telling = [each for each in answers if each is not Answer.NO]
    found = any_of(answers)
    assert (found is Answer.NO) == (not telling)
    assert found in telling[:1] or not telling


def test_a_transport_that_sends_mail_back_is_named() -> None:
    """For all domains, by its parameter or by a row."""
    for parameters, cause in (
        ({"default_transport": "error:no"}, "default_transport: error:no"),
        ({"transport_maps": "hash:/t"}, "transport_maps: a row for * in hash:/t"),
    ):
        known = {**GOOD, Question(Asked.LOOKUP, "hash:/t", "*"): Answer.YES}
        assert cause in settled(host(parameters), known)[LISTED].causes
