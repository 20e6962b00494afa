"""What a change does by the way is refused or shown, each with the rule, the place and the step that does it."""

from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postfix.effective.captures import HostConfiguration, MasterService
from postfix.effective.comparison import Finding, Rule, View, compared
from postfix.effective.expansion import Values
from postfix.effective.sending import asked_first
from postfix.effective.soundness import Fault, Harm
from postfix.effective.verdicts import judged
from postfix.effective.visitors import Answer, Asked, Kind, Question, Visitor
from postfix.parameter_readers import EVERY_PROGRAM

pytestmark = pytest.mark.usefixtures("only_names_of_postfix")

VISITORS = tuple(
    Visitor(
        kind=kind,
        address="203.0.113.7",
        domain="elsewhere.invalid",
        prints={"sha256": (f"{kind}",), "sha1": (f"{kind} by sha1",)},
    )
    for kind in Kind
)
DEFAULTS = {
    "smtpd_relay_restrictions": "permit_mynetworks, permit_sasl_authenticated, defer_unauth_destination",
    "mynetworks": "127.0.0.0/8",
    "smtpd_tls_fingerprint_digest": "sha256",
    "smtpd_sasl_auth_enable": "no",
    "smtpd_tls_ciphers": "medium",
    "smtpd_tls_mandatory_ciphers": "medium",
}
CHAIN, ROWS = "/tls/chain.pem", "texthash:/tls/rows"
MERGED = {
    "smtpd_tls_chain_files": CHAIN,
    "smtpd_tls_security_level": "may",
    "smtpd_tls_ask_ccert": "yes",
    "smtpd_tls_fingerprint_digest": "sha256",
    "relay_clientcerts": ROWS,
    "smtpd_tls_CAfile": "/tls/ca.pem",
    "smtpd_relay_restrictions": (
        "permit_mynetworks, permit_sasl_authenticated, permit_tls_clientcerts, reject_unauth_destination"
    ),
}
SMTP = MasterService(name="smtp", type="inet", command="smtpd")


def view(written: Mapping[str, str], *services: MasterService) -> View:
    """Return a host and the judgements on it, all questions answered: files load, our row is there."""
    found = HostConfiguration(
        parameters={**DEFAULTS, **written},
        written=written,
        services=services or (SMTP,),
        map_types=frozenset({"hash", "texthash", "static"}),
    )
    known: dict[Question, Answer] = {}
    for _ in range(20):
        judgements, missing = judged(found, VISITORS, known)
        if not missing:
            return View(found, judgements)
        for each in missing:
            is_row = each.where == ROWS and each.key == Kind.LISTED
            is_yes = (
                is_row
                or each.asked in (Asked.LOADS, Asked.LOGIN)
                or (each.where, each.key) == ("static:all", "elsewhere.invalid")
            )
            known[each] = Answer.YES if is_yes else Answer.NO
    raise AssertionError("the questions never end")


def merged(
    written: Mapping[str, str], *services: MasterService, merge: Mapping[str, str] = MERGED, admitting: str = ""
) -> tuple[Finding, ...]:
    """Return the findings about a merge of ours into a host."""
    return compared(
        view(written, *services),
        view({**written, **merge}, *services),
        frozenset(merge),
        admitting=frozenset(filter(None, [admitting])),
    )


def submission(**options: str) -> tuple[MasterService, ...]:
    """Return port 25 and a submission service with options of its own."""
    return SMTP, MasterService(name="submission", type="inet", command="smtpd", options=options)


TO_OTHERS = "reject_unauth_destination"
GREET = {
    "smtpd_restriction_classes": "greet",
    "greet": "check_policy_service unix:x",
    "smtpd_recipient_restrictions": f"greet, permit_tls_clientcerts, {TO_OTHERS}",
}
SUB = "submission/inet"
# Compared by the test, not when this file is loaded: what runs then is not counted as tested by it.
CASES: dict[str, tuple[Callable[[], tuple[Finding, ...]], list[tuple[str, str, str]]]] = {
    "a plain host": (
        lambda: merged({}),
        [("S3", "smtp/inet", "TLS would be offered"), ("S3", "smtp/inet", "client certificate")],
    ),
    "trust that follows ours": (
        lambda: merged({**MERGED, "smtpd_tls_CAfile": "/old.pem", "smtp_tls_CAfile": "$smtpd_tls_CAfile"}),
        [("R5", "smtp_tls_CAfile", "/old.pem -> /tls/ca.pem")],
    ),
    "a list of the host's own": (
        lambda: merged({"smtpd_recipient_restrictions": TO_OTHERS}),
        [("R2", "smtp/inet", f"smtpd_recipient_restrictions: {TO_OTHERS}"), ("S3", "", ""), ("S3", "", "")],
    ),
    "submission for users": (
        lambda: merged(
            MERGED,
            *submission(
                smtpd_client_restrictions="permit_sasl_authenticated,reject", smtpd_tls_security_level="encrypt"
            ),
            admitting=SUB,
        ),
        [("R2", SUB, "smtpd_client_restrictions: reject"), ("S2", SUB, "smtpd_tls_security_level = encrypt")],
    ),
    "another digest on one listener": (
        lambda: merged(MERGED, *submission(smtpd_tls_fingerprint_digest="sha1"), admitting=SUB),
        [
            ("R2", SUB, "smtpd_relay_restrictions: reject_unauth_destination"),
            ("S2", SUB, "smtpd_tls_fingerprint_digest = sha1"),
        ],
    ),
    "domains of everybody": (
        lambda: merged(MERGED, merge={"relay_domains": "static:all"}),
        [("R1", "smtp/inet", "refuse -> permit")] * 4,
    ),
    "TLS becomes less": (
        lambda: merged(
            MERGED | {"smtpd_tls_security_level": "encrypt", "smtpd_sasl_auth_enable": "yes"},
            merge={"smtpd_tls_security_level": "may"},
        ),
        [("R3", "smtp/inet", "encrypt -> may"), ("R3", "smtp/inet", "in clear")],
    ),
    "mail that leaves with less TLS": (
        lambda: merged(MERGED | {"smtp_tls_security_level": "Secure"}, merge={"smtp_tls_security_level": "may"}),
        [("R3", "smtp_tls_security_level", "mail of this host would leave with less TLS: secure -> may")],
    ),
    "an old spelling that counts no longer": (
        lambda: merged(MERGED | {"smtp_enforce_tls": "yes"}, merge={"smtp_tls_security_level": "may"}),
        [("R3", "smtp_tls_security_level", "encrypt -> may")],
    ),
    "ways of the host's own for mail that leaves": (
        lambda: merged(
            {
                **MERGED,
                "transport_maps": "hash:/routes",
                "smtp_tls_policy_maps": "hash:/levels",
                "default_transport": "",
            },
            merge={"relayhost": "[mx.example.net]", "smtp_tls_security_level": "secure"},
        ),
        [
            ("S2", "smtp_tls_policy_maps", "hash:/levels of the host's own counts before the declared smtp_tls_sec"),
            ("S2", "transport_maps", "hash:/routes of the host's own counts before the declared relayhost"),
        ],
    ),
    "certificates of the host's own by name": (
        lambda: merged(MERGED | {"tls_server_sni_maps": "hash:/names"}),
        [
            (
                "S2",
                "tls_server_sni_maps",
                "hash:/names of the host's own counts before the declared smtpd_tls_chain_files",
            )
        ],
    ),
    "a client with options of its own": (
        lambda: merged(
            {**MERGED, "default_transport": "smtp:"},
            SMTP,
            MasterService(name="smtp", type="unix", command="smtp", options={"smtp_tls_security_level": "none"}),
            MasterService(name="ours", type="unix", command="smtp", options={"smtp_tls_security_level": "verify"}),
            merge={"smtp_tls_security_level": "secure"},
        ),
        [("S2", "smtp/unix", "master.cf says smtp_tls_security_level = none, which counts here")],
    ),
    "other TLS for mail that leaves": (
        lambda: merged(MERGED | {"smtp_tls_security_level": "dane-only"}, merge={"smtp_tls_security_level": "verify"}),
        [],
    ),
    "listed clients on one listener of two": (
        lambda: merged(MERGED, *submission(smtpd_recipient_restrictions="permit_sasl_authenticated,reject")),
        [("S8", SUB, "listed clients are refused here, and let in elsewhere, by smtpd_recipient_restrictions: reject")],
    ),
    "rows of the host's own": (
        lambda: merged(MERGED | {"relay_clientcerts": "hash:/own"}),
        [("R6", "smtp/inet", "hash:/own")],
    ),
    "a policy server in a class": (
        lambda: merged(MERGED | GREET, merge={"smtpd_tls_ask_ccert": "yes"}),
        [("S4", "smtp/inet", "smtpd_recipient_restrictions: greet/check_policy_service unix:x")],
    ),
    "networks that follow ours": (
        lambda: merged({**MERGED, "nets": "", "mynetworks": "127.0.0.0/8, $nets"}, merge={"nets": "0.0.0.0/0"}),
        [("R1", "smtp/inet", "permit_mynetworks")] * 4 + [("R5", "mynetworks", "0.0.0.0/0")],
    ),
    "an open relay already": (
        lambda: merged(MERGED | {"mynetworks": "0.0.0.0/0"}),
        [("S5", "smtp/inet", "permit_mynetworks")] * 4,
    ),
    "users lose": (
        lambda: merged(
            MERGED | {"smtpd_sasl_auth_enable": "yes", "smtpd_tls_auth_only": "yes"},
            merge={"smtpd_sasl_auth_enable": "no"},
        ),
        [("R4", "smtp/inet", "permit -> refuse")],
    ),
    "an open relay that is closed": (
        lambda: merged(MERGED | {"mynetworks": "0.0.0.0/0"}, merge={"mynetworks": "127.0.0.0/8"}),
        [("S9", "smtp/inet", "whoever comes may relay now, and no longer")],
    ),
    "an open relay that is closed, with users who log in": (
        lambda: merged(
            MERGED | {"smtpd_sasl_auth_enable": "yes", "smtpd_tls_auth_only": "yes", "mynetworks": "0.0.0.0/0"},
            merge={"mynetworks": "127.0.0.0/8", "smtpd_relay_restrictions": f"permit_tls_clientcerts, {TO_OTHERS}"},
        ),
        [("S9", "smtp/inet", "users who log in among them: permit -> refuse")],
    ),
    "a value that kills": (
        lambda: merged(MERGED, merge={"smtpd_tls_ask_ccert": "maybe"}),
        [("R2", "smtp/inet", "is not yes or no"), ("R4", "smtp/inet", "is not yes or no")],
    ),
    "certificates required": (
        lambda: merged(MERGED | {"smtpd_tls_security_level": "encrypt"}, merge={"smtpd_tls_req_ccert": "yes"}),
        [("R6", "smtp/inet", "without a certificate")],
    ),
    "a level of defaults": (
        lambda: compared(
            view(MERGED | {"append_dot_mydomain": "no"}),
            view(MERGED | {"append_dot_mydomain": "no", "smtputf8_enable": "yes"}),
            frozenset({"compatibility_level"}),
        ),
        [("S1", "smtputf8_enable", "empty -> yes")],
    ),
    "a listener that goes": (
        lambda: compared(view(MERGED, *submission()), view(MERGED), frozenset(), admitting=frozenset({SUB})),
        [("R2", SUB, "no such listener"), ("R6", SUB, "gone")],
    ),
    "a new open listener": (
        lambda: compared(
            view(MERGED),
            view(MERGED, *submission(smtpd_relay_restrictions=f"check_client_access static:ok,{TO_OTHERS}")),
            frozenset(),
        ),
        [("R1", SUB, "refuse -> permit")] * 4,
    ),
    "nothing known": (
        lambda: compared(View(HostConfiguration(cannot_tell="postconf: no")), view({}), frozenset()),
        [("R0", "", "postconf: no")],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_each_change_is_told_by_rule_place_and_cause(case: str) -> None:
    """All findings of it, and no others."""
    act, expected = CASES[case]
    found = act()
    assert [each.rule.value for each in found] == [rule for rule, _, _ in expected], found
    for each, (_, place, words) in zip(found, expected, strict=True):
        assert place in each.place
        assert words in each.message
        assert each.is_refused == each.rule.startswith("R")


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("smtpd_tls_wrappermode", "smtpd_enforce_tls", "encrypt -> encrypt, no longer from the first byte"),
        ("smtpd_tls_wrappermode", "smtpd_use_tls", "encrypt -> may, no longer from the first byte"),
        ("smtpd_enforce_tls", "smtpd_use_tls", "encrypt -> may"),
        ("smtpd_use_tls", "", "may -> none"),
        ("smtpd_use_tls", "smtpd_use_tls", ""),
        ("smtpd_use_tls", "smtpd_enforce_tls", ""),
        ("smtpd_enforce_tls", "smtpd_tls_wrappermode", ""),
        ("smtpd_tls_wrappermode", "smtpd_tls_wrappermode", ""),
        ("", "smtpd_use_tls", ""),
    ],
)
def test_less_tls_is_told_with_what_it_was_and_would_be(before: str, after: str, message: str) -> None:
    """Also where the level stays, and no longer holds from the first byte; more of it is no loss."""
    base = {**MERGED, "smtpd_tls_security_level": ""}
    names = ("smtpd_use_tls", "smtpd_enforce_tls", "smtpd_tls_wrappermode")
    old, new = (base | {name: "yes" if name == each else "no" for name in names} for each in (before, after))
    found = compared(view(old), view(new), frozenset(names))
    told = [each.message for each in found if each.rule is Rule.TLS_WEAKER]
    assert told == ([f"TLS would become less: {message}"] if message else [])


def test_our_own_rows_may_be_replaced_by_us() -> None:
    """A table of an earlier change of ours is no foreign one."""
    before, after = view(MERGED | {"relay_clientcerts": "hash:/earlier"}), view(MERGED)
    ours = frozenset({"relay_clientcerts"})
    assert Rule.TAKEN_AWAY in {each.rule for each in compared(before, after, ours)}
    assert not compared(before, after, ours, ours_before=ours)


def test_a_level_of_ours_is_lowered_without_a_question() -> None:
    """It was declared before and is declared otherwise now; a level of the host's own is kept from defaults."""
    before, after = (view(MERGED | {"smtp_tls_security_level": level}) for level in ("secure", "may"))
    level = frozenset({"smtp_tls_security_level"})
    assert [each.rule for each in compared(before, after, level)] == [Rule.TLS_WEAKER]
    assert [each.rule for each in compared(before, after, level, ours_before=level)] == [Rule.VALUE_CHANGES]


def test_a_refusal_that_was_there_before_our_next_change_is_only_shown() -> None:
    """Rows may go from a host that admits nobody; the first change of ours there is refused all the same."""
    host, ours = view(MERGED | {"smtpd_recipient_restrictions": TO_OTHERS}), frozenset(MERGED)
    assert [each.rule for each in compared(host, host, ours, ours_before=ours)] == [Rule.SO_BEFORE]
    assert [each.rule for each in compared(host, host, ours)] == [Rule.LISTED_REFUSED]
    admitted = compared(view(MERGED), host, ours, ours_before=ours)
    assert [each.rule for each in admitted] == [Rule.LISTED_REFUSED]


def test_what_is_refused_already_is_told_with_what_refuses_now() -> None:
    """And not with what would refuse as well after the change, which is none of the host's own."""
    own, ours = {"smtpd_recipient_restrictions": TO_OTHERS}, frozenset(MERGED)
    found = compared(view(MERGED | own), view(MERGED | own | {"smtpd_helo_required": "maybe"}), ours, ours_before=ours)
    (told,) = [each for each in found if each.rule is Rule.SO_BEFORE]
    assert told.message == f"listed clients are refused already, by smtpd_recipient_restrictions: {TO_OTHERS}"


def test_who_is_refused_at_one_of_two_ports_is_told_why_or_keeps_what_was_there() -> None:
    """Submission that users alone are meant for is no mistake; that it no longer lets clients in is one."""
    for_users = submission(smtpd_client_restrictions="permit_sasl_authenticated, reject")
    host, ours = view(MERGED, *for_users), frozenset(MERGED)
    found = [each for each in compared(host, host, ours, ours_before=ours) if each.rule is not Rule.OVERRIDDEN]
    assert [(each.rule, each.place) for each in found] == [(Rule.REFUSED_HERE, SUB)]
    assert "let in elsewhere, by smtpd_client_restrictions: reject" in found[0].message
    admitting = view(MERGED, *submission())
    lost = [each.place for each in compared(admitting, host, ours, ours_before=ours) if each.is_refused]
    assert lost == [SUB]


def test_a_service_that_did_not_start_before_is_only_shown() -> None:
    """It is not this change that ends it."""
    dead = view(MERGED | {"smtpd_helo_required": "yess"})
    found = {each.rule for each in compared(dead, dead, frozenset(), ours_before=frozenset(MERGED))}
    assert found == {Rule.SO_BEFORE}


def test_a_fault_that_a_change_brings_is_refused_and_one_that_was_there_is_shown() -> None:
    """And what Postfix does without is shown only."""
    old = Fault(Harm.REFUSES, "cleanup", "main.cf", "canonical_maps: hash:/c cannot be opened")
    new = Fault(Harm.ENDS, EVERY_PROGRAM, "main.cf", "line_length_limit: many is no number")
    small = Fault(Harm.IGNORED, "smtpd", "smtp/inet", "smtpd_tls_CApath: not there")
    host = view(MERGED)
    before, after = replace(host, faults=(old,)), replace(host, faults=(new, old, small))
    assert [(each.rule, each.place, each.message) for each in compared(before, after, frozenset())] == [
        (Rule.SERVICE_LOST, "main.cf", "Postfix ends: line_length_limit: many is no number"),
        (Rule.SO_BEFORE, "main.cf", "cleanup refuses mail for now: canonical_maps: hash:/c cannot be opened"),
        (Rule.IGNORED, "smtp/inet", "smtpd does without it: smtpd_tls_CApath: not there"),
    ]


def test_each_rule_has_a_word_that_stays() -> None:
    """Stack files hold them."""
    assert [each.word for each in Rule if each.startswith("R")] == [
        *("unknown", "strangers_gain", "listed_refused", "tls_weaker", "service_lost", "value_follows", "taken_away"),
    ]


def test_a_value_without_an_end_is_never_taken_for_unchanged() -> None:
    """Nobody can tell what it is."""
    found = merged(MERGED | {"mydestination": "$mydestination"}, merge={"smtpd_tls_ask_ccert": "yes"})
    assert "mydestination" in {each.place for each in found}


def test_blanks_and_commas_in_a_list_are_no_difference() -> None:
    """As Postfix splits lists; and a name of somebody's own counts only where it is used."""
    before = view(MERGED | {"mydestination": "a, b", "own": "x"})
    assert not compared(before, view(MERGED | {"mydestination": "a  b", "own": "y"}), frozenset())


@given(
    st.dictionaries(
        st.sampled_from([*MERGED, "mydestination", "own"]), st.sampled_from(["", "no", "yes", "a b", "$own"])
    )
)
def test_no_change_is_refused_for_nothing(written: dict[str, str]) -> None:
    """A host compared with itself: only what was there already is shown, or that nobody is let in."""
    host = view(written)
    rules = {each.rule for each in compared(host, host, frozenset())}
    assert rules <= {Rule.OPEN_ALREADY, Rule.CANNOT_TELL, Rule.LISTED_REFUSED, Rule.SO_BEFORE} | {
        *(Rule.VALUE_FOLLOWS, Rule.VALUE_CHANGES),
    }
    if "$own" not in written.get("own", ""):
        assert not rules & {Rule.VALUE_FOLLOWS, Rule.VALUE_CHANGES}


def test_what_is_asked_first_is_told_of_what_is_declared_alone() -> None:
    """And only where something is declared: an empty relayhost hands over to nobody."""
    values, written = Values({"transport_maps": "hash:/t", "relayhost": "mx"}), {"transport_maps"}
    assert [*asked_first(values, written, {"relayhost"})] == [("transport_maps", "relayhost")]
    assert [*asked_first(values, written, set())] == []
    assert [*asked_first(Values({"transport_maps": "hash:/t"}), written, {"relayhost"})] == []
    assert [*asked_first(values, written, {"relayhost", "transport_maps"})] == []
