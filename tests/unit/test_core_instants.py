"""Instants as text: whole seconds in UTC."""

from datetime import UTC, datetime

import pytest

from postseal_core.instants import parse_instant

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    "text", ["2026-11-22T12:00:00Z", "2026-11-22T13:00:00+01:00", "2026-11-22T12:00:00.999999Z", "2026-11-22 12:00Z"]
)
def test_an_instant_is_whole_seconds_in_utc(text: str) -> None:
    """Whatever offset and fraction it was written with."""
    assert parse_instant(text) == NOON
    assert parse_instant(text).tzinfo is UTC


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("2026-11-22T12:00:00", "has no UTC offset"),
        ("0001-01-01T00:00:00+01:00", "beyond the calendar"),
        ("9999-12-31T23:59:59-01:00", "beyond the calendar"),
        ("noon", "noon"),
    ],
)
def test_what_is_no_instant_is_a_value_error(text: str, words: str) -> None:
    """With what is wrong about it."""
    with pytest.raises(ValueError, match=words):
        parse_instant(text)
