"""What restriction lists decide about a client's mail to somebody elsewhere; a booted Postfix agrees elsewhere."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postfix.receiving import LookupTable, Restrictions
from postfix.restriction_names import INSTEAD, RESTRICTIONS, Argument, Client, Effect
from postfix.restriction_steps import Vocabulary
from postfix.restriction_verdicts import Verdict, first_that_may, verdict

KNOWN = Vocabulary(
    Restrictions(
        classes={
            "open": ("permit",),
            "closed": ("reject",),
            "circle": ("circle",),
            "careful": ("reject_non_fqdn_sender", "permit_mynetworks"),
        },
        tables={
            "unknown": LookupTable(unknown_table="hash:/etc/postfix/access"),
            "welcome": LookupTable({"a.example": "OK"}),
            "blocked": LookupTable({"a.example": "550 5.7.1 no"}),
            "mixed": LookupTable({"a.example": "DUNNO", "b.example": "DEFER_IF_PERMIT later"}),
            "classes": LookupTable({"a.example": "open", "b.example": "closed"}),
        },
    )
)
REFUSING = "reject_unauth_destination"
ARGUMENTS = {
    Argument.NONE: "",
    Argument.TABLE: " unknown",
    Argument.LIST_DOMAIN: " zen.example.org",
    Argument.POLICY: " inet:127.0.0.1:10023",
    Argument.SECONDS: " 1",
}
ITEMS = [f"{name}{ARGUMENTS[each.argument]}" for name, each in RESTRICTIONS.items()] + [*KNOWN.classes]
PERMIT, REFUSE, CANNOT_TELL = Verdict.PERMIT, Verdict.REFUSE, Verdict.CANNOT_TELL
CASES: list[tuple[str, Client, Verdict]] = [
    ("", Client.STRANGER, PERMIT),
    (f"permit_mynetworks, {REFUSING}", Client.STRANGER, REFUSE),
    (f"permit_mynetworks, {REFUSING}", Client.NETWORK, PERMIT),
    (f"permit_sasl_authenticated, {REFUSING}", Client.USER, PERMIT),
    (f"permit_tls_clientcerts, {REFUSING}", Client.LISTED, PERMIT),
    (f"permit_tls_clientcerts, {REFUSING}", Client.USER, REFUSE),
    ("reject_rbl_client zen.example.org", Client.STRANGER, CANNOT_TELL),
    ("reject_plaintext_session, permit", Client.STRANGER, CANNOT_TELL),
    ("reject_rbl_client zen.example.org, reject", Client.STRANGER, REFUSE),
    ("warn_if_reject reject, permit", Client.STRANGER, PERMIT),
    ("warn_if_reject reject, reject", Client.STRANGER, REFUSE),
    ("defer_if_permit", Client.STRANGER, REFUSE),
    ("defer_if_permit, permit", Client.STRANGER, REFUSE),
    ("warn_if_reject defer_if_permit", Client.STRANGER, PERMIT),
    ("reject_unknown_sender_domain", Client.STRANGER, CANNOT_TELL),
    ("check_sender_access mixed", Client.STRANGER, CANNOT_TELL),
    ("check_sender_access blocked, permit", Client.STRANGER, CANNOT_TELL),
    ("check_sender_access blocked, reject", Client.STRANGER, REFUSE),
    ("check_sender_access welcome, permit", Client.STRANGER, PERMIT),
    ("check_sender_access unknown, permit", Client.STRANGER, CANNOT_TELL),
    ("check_sender_access unknown, reject", Client.STRANGER, CANNOT_TELL),
    ("check_sender_access nonesuch, reject", Client.STRANGER, CANNOT_TELL),
    (f"check_sender_access welcome, {REFUSING}", Client.STRANGER, CANNOT_TELL),
    (f"check_sender_mx_access welcome, {REFUSING}", Client.STRANGER, REFUSE),
    (f"check_sender_ns_access unknown, {REFUSING}", Client.STRANGER, REFUSE),
    (f"check_sasl_access welcome, {REFUSING}", Client.STRANGER, REFUSE),
    (f"check_sasl_access welcome, {REFUSING}", Client.USER, CANNOT_TELL),
    (f"check_ccert_access welcome, {REFUSING}", Client.STRANGER, CANNOT_TELL),
    (f"check_sender_access classes, {REFUSING}", Client.STRANGER, CANNOT_TELL),
    ("circle, permit", Client.STRANGER, REFUSE),
    (f"careful, {REFUSING}", Client.NETWORK, PERMIT),
    (f"careful, {REFUSING}", Client.STRANGER, REFUSE),
    (f"check_policy_service inet:127.0.0.1:1, {REFUSING}", Client.LISTED, CANNOT_TELL),
]


def items_of(text: str) -> tuple[str, ...]:
    """Return a list as it is declared."""
    return tuple(filter(None, text.split(", ")))


@pytest.mark.parametrize(
    ("text", "client", "expected"), CASES, ids=[f"{text or 'nothing'}-{client}" for text, client, _ in CASES]
)
def test_a_list_decides_by_all_that_may_happen(text: str, client: Client, expected: Verdict) -> None:
    """Certain where every answer leads there; else it cannot be told."""
    assert verdict(items_of(text), client, KNOWN) is expected


@given(st.lists(st.sampled_from(ITEMS), max_size=6), st.sampled_from(Client))
def test_what_stands_behind_a_refusal_opens_nothing(items: list[str], client: Client) -> None:
    """Refusing first, a list refuses everybody; with `permit` first, it lets everybody pass."""
    assert verdict([REFUSING, *items], client, KNOWN) is REFUSE
    assert verdict(["permit", *items], client, KNOWN) is PERMIT


@given(st.lists(st.sampled_from(ITEMS), max_size=6), st.sampled_from(Client))
def test_what_may_permit_or_refuse_is_named(items: list[str], client: Client) -> None:
    """A certain refusal has a cause, and a list that refuses nobody has none."""
    found = verdict(items, client, KNOWN)
    cause = first_that_may(Effect.REFUSE, items, client, KNOWN)
    assert (cause is not None) if found is REFUSE else (found is CANNOT_TELL or cause is None)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("permit_naked_ip_address", "permit_mynetworks"),
        ("reject_invalid_hostname", "reject_invalid_helo_hostname"),
        ("reject_maps_rbl", "reject_rbl_client"),
        ("reject_non_fqdn_hostname", "reject_non_fqdn_helo_hostname"),
        ("reject_unknown_address", "reject_unknown_sender_domain"),
        ("reject_unknown_client", "reject_unknown_client_hostname"),
        ("reject_unknown_hostname", "reject_unknown_helo_hostname"),
    ],
)
def test_a_name_of_old_files_is_told_with_that_of_today(old: str, new: str) -> None:
    """As postconf(5) has them; the name of today is one that is known."""
    assert INSTEAD[old] == new
    assert new in RESTRICTIONS
