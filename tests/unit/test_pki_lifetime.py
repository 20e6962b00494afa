"""Lifetime policies: when renewal is due, and which policies are refused."""

from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pki.lifetime import LifetimePolicy, format_hours, parse_fraction
from pki.model import Validity
from postseal_core.bounds import LARGEST_COUNT, LONGEST_HOURS

START = datetime(2026, 1, 1, tzinfo=UTC)


def year() -> Validity:
    """Return a validity of 365 days."""
    return Validity(START, START + timedelta(days=365))


def test_a_year_is_due_after_two_thirds_by_default() -> None:
    """The default renewal point of 365 d is 243 d 8 h after not_before."""
    assert LifetimePolicy().renew_at(year()) == START + timedelta(days=243, hours=8)


def test_hours_before_expiry_win_over_the_fraction() -> None:
    """A policy with renew_before_hours is due that long before not_after."""
    assert LifetimePolicy(renew_before_hours=720).renew_at(year()) == START + timedelta(days=335)


@pytest.mark.parametrize(
    ("policy", "words"),
    [
        (LifetimePolicy(), "two thirds of 365 d have passed"),
        (LifetimePolicy(renew_fraction=Fraction(1, 2)), "half of 365 d have passed"),
        (LifetimePolicy(renew_fraction=Fraction(4, 5)), "4/5 of 365 d have passed"),
        (LifetimePolicy(renew_before_hours=720), "30 d before not_after"),
    ],
)
def test_the_reason_is_said_in_words(policy: LifetimePolicy, words: str) -> None:
    """A reviewer reads why renewal is due without looking up the policy."""
    assert policy.renewal_sentence(year()) == words


@pytest.mark.parametrize(
    ("policy", "path"),
    [
        (LifetimePolicy(validity_hours=0), "validity_hours"),
        (LifetimePolicy(validity_hours=-8760), "validity_hours"),
        (LifetimePolicy(renew_fraction=Fraction(0)), "renew_fraction"),
        (LifetimePolicy(renew_fraction=Fraction(1)), "renew_fraction"),
        (LifetimePolicy(renew_fraction=Fraction(3, 2)), "renew_fraction"),
        (LifetimePolicy(validity_hours=2, renew_fraction=Fraction(1, 100)), "renew_fraction"),
        (LifetimePolicy(renew_before_hours=0), "renew_before_hours"),
        (LifetimePolicy(renew_before_hours=8760), "renew_before_hours"),
        (LifetimePolicy(renew_before_hours=9000), "renew_before_hours"),
        (LifetimePolicy(overlap_hours=0), "overlap_hours"),
        (LifetimePolicy(renew_key_every=-1), "renew_key_every"),
        (LifetimePolicy(renew_key_every=LARGEST_COUNT + 1), "renew_key_every"),
        (LifetimePolicy(renew_key_every=-LARGEST_COUNT - 1), "renew_key_every"),
    ],
)
def test_a_policy_that_never_renews_or_always_renews_or_locks_out_is_refused(policy: LifetimePolicy, path: str) -> None:
    """Each unusable policy is a problem of the field that makes it so."""
    assert path in [problem.path for problem in policy.problems()]


@pytest.mark.parametrize(
    ("policy", "paths"),
    [
        (LifetimePolicy(renew_key_every=LARGEST_COUNT), []),
        (LifetimePolicy(renew_key_every=LARGEST_COUNT + 1), ["renew_key_every"]),
        (LifetimePolicy(renew_key_every=-LARGEST_COUNT - 1), ["renew_key_every"]),
        (LifetimePolicy(renew_key_every=10**5000), ["renew_key_every"]),
        (LifetimePolicy(validity_hours=LONGEST_HOURS), []),
        (LifetimePolicy(validity_hours=LONGEST_HOURS + 1), ["validity_hours"]),
        (LifetimePolicy(LONGEST_HOURS + 1, renew_key_every=LARGEST_COUNT + 1), ["validity_hours", "renew_key_every"]),
    ],
)
def test_numbers_that_no_date_can_be_computed_with_are_refused_alone(policy: LifetimePolicy, paths: list[str]) -> None:
    """Up to the bound they are taken; above it, nothing else is judged by them, and no number is printed at length."""
    problems = policy.problems()
    assert [problem.path for problem in problems] == paths
    assert all(len(problem.message) < 200 for problem in problems)


@given(st.integers(2, 400_000), st.fractions(Fraction(1, 1000), Fraction(999, 1000)), st.integers(1, 400_000))
def test_an_accepted_policy_renews_after_an_hour_and_before_expiry(
    validity_hours: int, fraction: Fraction, before_hours: int
) -> None:
    """Whatever is accepted has a renewal point inside the lifetime and not in the first hour."""
    validity = Validity(START, START + timedelta(hours=validity_hours))
    for policy in (
        LifetimePolicy(validity_hours=validity_hours, renew_fraction=fraction),
        LifetimePolicy(validity_hours=validity_hours, renew_before_hours=before_hours),
    ):
        if not policy.problems():
            assert START + timedelta(hours=1) <= policy.renew_at(validity) < validity.not_after


@pytest.mark.parametrize(
    ("text", "expected"), [("2/3", Fraction(2, 3)), (0.5, Fraction(1, 2)), ("0.75", Fraction(3, 4))]
)
def test_fractions_are_read_as_people_write_them(text: str | float, expected: Fraction) -> None:
    """A fraction may be written as 2/3 or as a decimal number."""
    assert parse_fraction(text) == expected


@pytest.mark.parametrize("text", ["two thirds", "2/0", "", "1/3/5"])
def test_what_is_no_fraction_is_refused(text: str) -> None:
    """Anything else is an error that shows how to write it."""
    with pytest.raises(ValueError, match="write it as 2/3"):
        parse_fraction(text)


@pytest.mark.parametrize(("hours", "text"), [(8760, "365 d"), (36, "36 h"), (24, "1 d"), (0, "0 h")])
def test_hours_are_shown_as_days_where_they_are_whole_days(hours: int, text: str) -> None:
    """Whole days read as days."""
    assert format_hours(hours) == text
