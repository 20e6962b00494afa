"""What each restriction of smtpd(8) can do to somebody who may relay, when it knows it, and what it is given.

The names and kinds are those of postconf(5): a `reject_` that looks something up may refuse anybody or defer, one that
looks at what the client has written refuses whom nobody has to let in, so it may always pass.
"""

import pytest

from postfix.receiving import LookupTable, Restrictions
from postfix.restriction_names import LISTS, RESTRICTIONS, Argument, Client, Effect, Stage
from postfix.restriction_steps import Vocabulary, faults_of_item

ENDS = {
    "permit": {Effect.PERMIT},
    "permit_inet_interfaces": {Effect.PERMIT, Effect.PASS},
    "defer": {Effect.REFUSE},
    "reject": {Effect.REFUSE},
    "reject_unauth_destination": {Effect.REFUSE},
    "defer_unauth_destination": {Effect.REFUSE},
    "defer_if_permit": {Effect.DEFER_IF_PERMIT},
    "check_policy_service": set(Effect),
    "check_ccert_access": set(Effect),
    "check_sasl_access": set(Effect),
    "check_etrn_access": set(Effect),
    **{f"check_{subject}_access": set(Effect) for subject in ("client", "reverse_client_hostname", "helo")},
    **{f"check_{subject}_access": set(Effect) for subject in ("sender", "recipient")},
}
MAY_REFUSE = {
    *("reject_plaintext_session", "reject_unlisted_sender", "reject_sender_login_mismatch"),
    *(f"reject_{who}_sender_login_mismatch" for who in ("known", "authenticated", "unauthenticated")),
    *("reject_rbl_client", "reject_rhsbl_client", "reject_rhsbl_reverse_client", "reject_rhsbl_helo"),
    *("reject_rhsbl_sender", "reject_rhsbl_recipient"),
}
LOOKS_UP = {
    *("reject_unknown_client_hostname", "reject_unknown_reverse_client_hostname", "reject_unknown_helo_hostname"),
    *("reject_unknown_sender_domain", "reject_unknown_recipient_domain"),
    *("reject_unverified_sender", "reject_unverified_recipient"),
}
KNOWN = Vocabulary(Restrictions(tables={"known": LookupTable(rows={"a": "OK"})}))
ARGUMENTS = {
    Argument.NONE: "",
    Argument.TABLE: " known",
    Argument.LIST_DOMAIN: " zen.example.org",
    Argument.POLICY: " inet:127.0.0.1:10023",
    Argument.SECONDS: " 3",
}


@pytest.mark.parametrize("name", RESTRICTIONS)
def test_a_restriction_does_what_postconf_says_of_its_name(name: str) -> None:
    """Nothing more, so that no list looks open, and nothing less, so that none looks closed."""
    effects = RESTRICTIONS[name].effects
    if name in ENDS:
        assert effects == ENDS[name]
    elif name in MAY_REFUSE:
        assert effects == {Effect.PASS, Effect.REFUSE}
    elif name in LOOKS_UP or name.endswith(("_a_access", "_mx_access", "_ns_access")):
        assert effects == {Effect.PASS, Effect.REFUSE, Effect.DEFER_IF_PERMIT}
    else:
        assert effects == {Effect.PASS}


@pytest.mark.parametrize(("name", "client"), [("mynetworks", "network"), ("sasl_authenticated", "user")])
def test_a_client_with_a_reason_is_let_in_by_the_restriction_for_it(name: str, client: str) -> None:
    """And by no other, whatever the name of the restriction promises; a listed certificate has a third one."""
    permits = {name: each.permits for name, each in RESTRICTIONS.items() if each.permits}
    assert permits[f"permit_{name}"] == {Client(client)}
    assert permits["permit_tls_clientcerts"] == {Client.LISTED}
    assert len(permits) == 3


def test_a_table_of_records_in_dns_never_permits() -> None:
    """Whoever owns a domain chooses its MX hosts and name servers (`check_sender_mx_access` in postconf(5))."""
    never = {name for name, each in RESTRICTIONS.items() if each.is_never_permit}
    subjects = ("client", "reverse_client_hostname", "helo", "sender", "recipient")
    assert never == {f"check_{subject}_{record}_access" for subject in subjects for record in ("a", "mx", "ns")}
    assert {name: each.only_for for name, each in RESTRICTIONS.items() if each.only_for} == {
        "check_sasl_access": {Client.USER}
    }


def test_lists_are_tried_in_the_order_of_the_session() -> None:
    """As smtpd(8) hears of the client, its name, sender, recipient and message; ETRN is apart."""
    assert list(Stage) == sorted(Stage)
    assert [stage.name for stage in Stage] == ["CLIENT", "HELO", "SENDER", "RECIPIENT", "DATA", "ETRN"]
    assert LISTS == {
        "smtpd_client_restrictions": Stage.CLIENT,
        "smtpd_helo_restrictions": Stage.HELO,
        "smtpd_sender_restrictions": Stage.SENDER,
        "smtpd_recipient_restrictions": Stage.RECIPIENT,
        "smtpd_data_restrictions": Stage.DATA,
        "smtpd_end_of_data_restrictions": Stage.DATA,
        "smtpd_etrn_restrictions": Stage.ETRN,
    }


@pytest.mark.parametrize("name", RESTRICTIONS)
def test_at_etrn_there_is_a_client_that_has_said_its_name_and_no_mail(name: str) -> None:
    """What looks at sender or recipient is refused there, `check_etrn_access` everywhere else, all in a class."""
    restriction = RESTRICTIONS[name]
    item = name + ARGUMENTS[restriction.argument]
    is_for_mail = restriction.stage in (Stage.SENDER, Stage.RECIPIENT, Stage.DATA)
    at_etrn = [*faults_of_item(item, Stage.ETRN, KNOWN)]
    assert at_etrn == [f"{name} looks at sender or recipient, and at ETRN there is none"] * is_for_mail
    for stage in set(Stage) - {Stage.ETRN}:
        elsewhere = [*faults_of_item(item, stage, KNOWN)]
        assert elsewhere == [f"{name} is for smtpd_etrn_restrictions only"] * (name == "check_etrn_access")
    assert [*faults_of_item(item, None, KNOWN)] == []


@pytest.mark.parametrize(
    ("item", "words"),
    [
        ("check_client_access known", ""),
        ("check_client_access static:OK", "got 'static:OK', expected a name: declare it in restrictions.tables"),
        ("check_client_access hash:/etc/postfix/known", "expected a name: declare it in restrictions.tables"),
        ("check_client_access other", "'other' is not in restrictions.tables"),
        ("check_client_access", "is not in restrictions.tables"),
        ("reject known", "got 'known' behind reject, expected nothing"),
        ("sleep 999", ""),
        ("sleep 1000", "got '1000' behind sleep, expected a number of seconds"),
        ("sleep", "expected a number of seconds"),
        ("reject_rbl_client zen.example.org=127.0.0.[2;3]", ""),
        ("reject_rbl_client zen.example.org=x", "expected the domain of a DNS list"),
        ("check_policy_service unix:private/policy", ""),
        ("check_policy_service private/policy", "expected a policy server"),
        ("check_policy_service { inet:127.0.0.1:1, timeout = 10s }", ""),
        ("check_policy_service { inet:127.0.0.1:1, run = x }", "expected a policy server"),
        ("hash:/etc/postfix/known", "is a table alone"),
        ("{x}", "is a table alone"),
        ("REJECT_UNKNOWN_CLIENT", "is an old name; write reject_unknown_client_hostname"),
        ("permit_mx_backup", "lets everybody pass"),
        ("warn_if_reject reject", ""),
        ("warn_if_reject reject known", "got 'known' behind reject"),
        ("reject_everything", "is no restriction"),
        ("", "expected a restriction"),
    ],
)
def test_a_step_is_told_with_what_it_is_given(item: str, words: str) -> None:
    """One sentence for one fault, which says what was expected there."""
    faults = [*faults_of_item(item, Stage.RECIPIENT, KNOWN)]
    assert [words in each for each in faults] == [True] * bool(words)
