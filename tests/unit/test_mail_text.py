"""The text that goes with an archive: complete, short, and the same as long as the certificate is."""

import os
import re
from dataclasses import fields, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pki.hand_out.mail_text import mail_text
from pki.hand_out.records import MailFacts
from postfix.parameters import known_parameters
from postseal_core.values import UNKNOWN

FACTS = MailFacts(
    name="alice",
    relays=("mx1.example.org:587", "mx1.example.org:465", "mx2.example.org:25"),
    not_after=datetime(2027, 11, 26, 1, 30, tzinfo=UTC),
    renew_at=datetime(2027, 7, 27, 9, tzinfo=UTC),
    fingerprint_sha256=":".join(f"{octet:02X}" for octet in range(32)),
)
GOLDEN = Path(__file__).parents[1] / "golden" / "alice.txt"


def test_the_text_is_the_golden_one() -> None:
    """Its words change only where somebody means them to; `UPDATE_GOLDEN=1` writes them anew for review."""
    text = mail_text(FACTS)
    if os.environ.get("UPDATE_GOLDEN") == "1":
        GOLDEN.write_text(text, encoding="utf-8")
    assert text == GOLDEN.read_text(encoding="utf-8")


def test_it_fits_a_mail() -> None:
    """Plain text that no program breaks (RFC 5322 section 2.1.1 asks for 78), on two screens."""
    lines = mail_text(FACTS).splitlines()
    assert max(map(len, lines)) <= 78
    assert len(lines) < 80


def test_it_says_until_when_it_is_valid_and_when_the_next_one_comes() -> None:
    """By the certificate's dates, whatever day it is."""
    text = mail_text(FACTS)
    assert "valid until    2027-11-26 01:30 (UTC)" in text
    assert "is made from 2027-07-27 on" in text
    assert "  mx1.example.org:587\n  mx1.example.org:465\n  mx2.example.org:25\n" in text


@pytest.mark.parametrize(
    ("relays", "hop", "is_wrapped"),
    [
        (("a.example:465", "b.example:587", "c.example:25"), "[c.example]:25", False),
        (("a.example:465", "b.example:587"), "[b.example]:587", False),
        (("a.example:465",), "[a.example]:465", True),
        (("a.example",), "[a.example]:25", False),
    ],
)
def test_another_postfix_sends_to_the_port_of_smtp_if_it_can(
    relays: tuple[str, ...], hop: str, *, is_wrapped: bool
) -> None:
    """With TLS from the first byte where nothing else is there (smtp_tls_wrappermode of postconf(5))."""
    text = mail_text(replace(FACTS, relays=relays))
    assert f"     relayhost = {hop}\n" in text
    assert ("     smtp_tls_wrappermode = yes\n" in text) is is_wrapped


def test_without_a_known_host_none_is_made_up() -> None:
    """The administrator tells it."""
    text = mail_text(replace(FACTS, relays=()))
    assert "example.org" not in text
    assert "the mail server of which your administrator tells you." in text
    assert "relayhost = [the server's name]:25" in text


def test_an_old_encryption_asks_for_more_care() -> None:
    """And only that."""
    assert "encrypted in an old way" in mail_text(replace(FACTS, is_legacy=True))
    assert "encrypted in an old way" not in mail_text(FACTS)


def test_what_another_postfix_sets_are_parameters_that_postfix_has() -> None:
    """In the notation of main.cf."""
    names = re.findall(r"^ +(\w+) = ", mail_text(FACTS), re.MULTILINE)
    assert names == ["relayhost", "smtp_tls_security_level", "smtp_tls_CAfile", "smtp_tls_chain_files"]
    assert set(names) <= {*known_parameters()}


def test_nothing_secret_could_stand_in_it() -> None:
    """It is made of these facts, and no key or passphrase is among them."""
    assert {each.name for each in fields(MailFacts)} == {
        "name",
        "is_legacy",
        "relays",
        "not_after",
        "renew_at",
        "fingerprint_sha256",
    }


@pytest.mark.parametrize("unknown", ["not_after", "renew_at", "fingerprint_sha256"])
def test_a_text_waits_for_each_fact_that_a_preview_does_not_know(unknown: str) -> None:
    """No text is made with a gap in it."""
    assert FACTS.is_known
    assert not replace(FACTS, **{unknown: UNKNOWN}).is_known  # type: ignore[arg-type]


@given(st.text(max_size=80), st.lists(st.text(max_size=80), max_size=3))
def test_any_name_stands_in_it_as_it_is(name: str, relays: list[str]) -> None:
    """A brace in a name is no place for another value."""
    text = mail_text(replace(FACTS, name=name, relays=tuple(relays)))
    assert text.startswith(f"Your mail certificate: {name}\n")
    assert all(f"\n  {relay}\n" in text for relay in relays)
