"""What a host does with mail to somebody elsewhere, by visitor; what is not known is asked, and never guessed."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postfix.effective.captures import HostConfiguration, MasterService
from postfix.effective.matching import address_in, any_of, domain_in
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
    "smtpd_tls_ask_ccert": "yes",
    "smtpd_tls_chain_files": CHAIN_FILE,
    "smtpd_sasl_auth_enable": "yes",
    "smtpd_tls_auth_only": "yes",
}
TYPES = frozenset({"hash", "texthash", "static"})
LOADS = Question(Asked.LOADS, CHAIN_FILE, CHAIN)
GOOD = {LOADS: Answer.YES, Question(Asked.LOOKUP, ROWS, f"{LISTED} cert"): Answer.YES}


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
    ({"mynetworks": "/etc/nets"}, set(), set(Kind)),
    ({"mynetworks": "2001:db8::/32"}, set(), set(Kind)),
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
    ({"smtpd_relay_restrictions": f"{PERMITS} REJECT"}, set(), {LISTED, USER}),
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
    ({"smtpd_sasl_security_options": "noplaintext"}, set(), {LISTED, USER}),
    ({"smtpd_sender_restrictions": "reject_plaintext_session"}, {LISTED, USER}, set()),
    ({"smtpd_sender_restrictions": "reject_sender_login_mismatch"}, set(), {LISTED, USER}),
    ({"smtpd_sender_restrictions": "check_sasl_access hash:/a"}, {LISTED}, {USER}),
    ({"smtpd_sender_restrictions": "check_ccert_access hash:/a"}, {USER}, {LISTED}),
    ({"smtpd_sender_restrictions": "check_sender_access static:permit_mynetworks"}, set(), {LISTED, USER}),
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


def test_an_option_of_smtpd_about_domains_is_not_sure_to_count() -> None:
    """Domains are looked up by another program, with options of its own."""
    found = settled(host({}, relay_domains=DOMAIN))
    assert permitted(found, CANNOT_TELL) == {UNLISTED, FOREIGN, NO_CERTIFICATE, PLAIN}


def test_routes_are_looked_up_by_another_program() -> None:
    """A table that cannot be opened refuses mail by main.cf, and not by an option of smtpd."""
    assert permitted(settled(host({}, transport_maps="mysql:/t"))) == {LISTED, USER}
    assert permitted(settled(host({"transport_maps": "mysql:/t"}))) == set()
    assert permitted(settled(host({}, relay_domains="mysql:/t")), CANNOT_TELL) == set(Kind)


def test_questions_come_in_few_rounds_and_each_answer_counts() -> None:
    """Rows that cannot be opened refuse those who are looked up in them, and no user."""
    _, missing = judged(host({}), VISITORS, {})
    assert LOADS in missing
    assert Question(Asked.LOOKUP, ROWS, f"{LISTED} cert") in missing
    found = settled(host({}), {LOADS: Answer.YES}, Answer.BROKEN)
    assert permitted(found) == {USER}
    assert permitted(settled(host({"smtpd_client_restrictions": "hash:/a"}), GOOD, Answer.BROKEN)) == set()


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
        ("192.0.2.1 10.0.0.1/8", "192.0.2.1", Answer.UNKNOWN),
        ("localhost", "192.0.2.1", Answer.UNKNOWN),
        ("[::1", "::1", Answer.YES),
        ("", "::1", Answer.NO),
    ],
)
def test_networks_match_as_far_as_they_are_numbers(pattern: str, address: str, expected: Answer) -> None:
    """IPv4 and IPv6 alike."""
    assert address_in(pattern.split(), address) is expected


def test_domains_match_with_those_above_them() -> None:
    """And tables by what the host says."""
    answers = Answers({Question(Asked.LOOKUP, "hash:/d", "a.b"): Answer.YES}, frozenset({"hash"}))
    matches = {"b": Answer.YES, ".b": Answer.YES, "c": Answer.NO, "hash:/d": Answer.YES, "/f": Answer.UNKNOWN}
    assert {word: domain_in([word], "a.b", answers) for word in matches} == matches
    assert domain_in(["ldap:/d"], "a.b", answers) is Answer.BROKEN
    assert not answers.missing
    assert answers.lookup("hash:/d", NOBODY) is Answer.UNKNOWN
    assert len(answers.missing) == 1


@given(st.lists(st.sampled_from(Answer), max_size=5))
def test_answers_are_certain_only_where_the_first_that_is_not_no_is(answers: list[Answer]) -> None:
    """A broken table behind a match does not matter, one in front of it does."""
    telling = [each for each in answers if each is not Answer.NO]
    found = any_of(answers)
    assert (found is Answer.NO) == (not telling)
    if telling and telling[0] is not Answer.BROKEN:
        assert found is telling[0]
