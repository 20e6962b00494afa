"""Numbers that nobody means are refused with a sentence wherever they are read, and never computed with."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

import pki
from pki.fields import DeclaredCertificate
from pki.lifetime import LONGEST_HOURS, LifetimePolicy, parse_fraction
from pki.records import IssuedCertificate
from pki.roster.reading import parse_csv, parse_yaml, rows_of_mapping
from pki.roster.rows import rows_of
from postseal_core import bounds
from postseal_core.errors import ConfigError, StateError
from postseal_core.records import decode, decode_stored
from tests.support.stack_files import client, problems_of, roster, stack

HUGE = 10**18
DIGITS = "9" * 5000
FRACTIONS = ["1e999999999", "1/" + "9" * 40, "0." + "3" * 5000, DIGITS, "1e-999999999", "nan", "inf", "٣/٤", "1_0/20"]


@pytest.mark.parametrize("text", FRACTIONS)
def test_a_fraction_is_short_before_it_is_computed(text: str) -> None:
    """`1e999999999` has a billion digits: nobody waits for them, in a file, an argument or the state."""
    with pytest.raises(ValueError, match="fraction"):
        parse_fraction(text)
    with pytest.raises(ConfigError):
        decode(DeclaredCertificate, {"renew_fraction": text})
    readers: list[Callable[[], object]] = [
        lambda: rows_of_mapping({"a": {"renew_fraction": text}}),
        lambda: parse_csv(f"name,renew_fraction\na,{text}\n"),
        lambda: parse_yaml(f'a: {{renew_fraction: "{text}"}}\n'),
        lambda: parse_yaml(f"a: {{renew_fraction: {text}}}\n"),
    ]
    for read in readers:
        with pytest.raises(ConfigError) as caught:
            read()
        assert max(len(str(each)) for each in caught.value.problems) < 400


@pytest.mark.parametrize("value", ["999999w", "87600000h", "36501d", 87_600_000, 876_001, HUGE])
@pytest.mark.parametrize("word", ["validity", "renew_before", "overlap"])
def test_a_duration_has_at_most_a_hundred_years(word: str, value: Any) -> None:
    """An overlap of 10,000 years passed, and stopped the renewal a year later."""
    found = problems_of(client(lifetime={word: value}))
    assert [each.path for each in found] == [f"clients.alice.lifetime.{word}"]
    assert problems_of(stack(lifetime={"default": {word: value}})) != []


@pytest.mark.parametrize("name", ["validity_hours", "renew_before_hours", "overlap_hours"])
def test_hours_of_a_row_and_of_a_program_have_the_same_bound(name: str) -> None:
    """Whoever declares them; and what is at the bound can be computed with."""
    for value in (LONGEST_HOURS + 1, 87_600_000, 2**53 - 1, 10**5000):
        with pytest.raises(ConfigError):
            rows_of_mapping({"a": {name: value}})
        changes: Any = {name: value}
        assert [each.path for each in replace(LifetimePolicy(), **changes).problems()][:1] == [name]
    rows_of_mapping({"a": {name: LONGEST_HOURS}})
    assert timedelta(hours=LONGEST_HOURS) < timedelta(days=36525)


def test_other_hours_are_bounded_too() -> None:
    """Of revocation lists and of slots."""
    base = {"authority": {"common_name": "CA", "crl": {"lifetime": "999999w"}}}
    assert [each.path for each in problems_of(stack(**base))] == ["authority.crl.lifetime"]
    base = {"authority": {"common_name": "CA", "slots": {"active": 1, "standby": 2, "standby_for": "999999w"}}}
    assert [each.path for each in problems_of(stack(**base))] == ["authority.slots.standby_for"]
    assert [each.path for each in pki.Slots(standby_hours=LONGEST_HOURS + 1).problems()] == ["standby_hours"]
    assert [*pki.Slots(standby_hours=LONGEST_HOURS).problems()] == []


@pytest.mark.parametrize(
    ("fraction", "is_told"),
    [
        (Fraction(999_999_998, 999_999_999), False),
        (Fraction(999_999_999, 10**9), True),
        (Fraction(10**9, 999_999_999), True),
        (Fraction(-(10**9), 7), True),
    ],
)
def test_a_fraction_of_a_program_has_at_most_nine_digits(fraction: Fraction, *, is_told: bool) -> None:
    """Whatever else is wrong with it: it is multiplied with dates."""
    told = [each.message for each in replace(LifetimePolicy(), renew_fraction=fraction).problems()]
    assert any("at most 9 digits" in message for message in told) is is_told


@pytest.mark.parametrize(
    "value", [10**9, 2**53 - 1, -(10**9), 10**5000], ids=["large", "53 bits", "small", "5001 digits"]
)
def test_counts_are_bounded(value: int) -> None:
    """Slots, path lengths, confirmed generations: no list is that long."""
    assert problems_of(stack(authority={"common_name": "CA", "slots": {"active": value}})) != []
    assert problems_of(stack(authority={"common_name": "CA", "path_length": value})) != []
    assert problems_of(client(confirm=True, confirmed_generation=value)) != []
    assert problems_of(client(lifetime={"renew_key": value})) != []
    assert problems_of(roster(lifetime={"renew_key": value})) != []


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf"), 1e300])
def test_what_is_no_number_is_no_number(value: float) -> None:
    """In a stack file and on the wire."""
    assert problems_of(client(confirm=True, confirmed_generation=value)) != []
    with pytest.raises(ConfigError):
        rows_of_mapping({"a": {"renew_fraction": value}})
    with pytest.raises(ConfigError):
        decode(DeclaredCertificate, {"validity_hours": value})
    with pytest.raises(ConfigError):
        decode(DeclaredCertificate, {"renew_fraction": value})


@pytest.mark.parametrize("generation", [2**53, 2**53 - 1, -(2**53), 2**52 + 1])
def test_a_stored_number_that_nothing_can_count_on_from_is_refused(generation: int) -> None:
    """The next generation could not be written: the codec ended in a TypeError."""
    with pytest.raises((ConfigError, StateError)) as caught:
        decode_stored(IssuedCertificate, {"generation": generation})
    assert any(each.path == "generation" for each in caught.value.problems)  # type: ignore[attr-defined]


def test_stored_hours_stay_within_the_calendar() -> None:
    """What is stored is computed with; no broken state may end in an overflow."""
    with pytest.raises(ConfigError, match="overlap_hours"):
        decode(DeclaredCertificate, {"overlap_hours": 10**10})
    assert decode(DeclaredCertificate, {"overlap_hours": LONGEST_HOURS}).overlap_hours == LONGEST_HOURS


def test_a_fraction_of_a_program_is_one_that_can_be_stored() -> None:
    """What a program may say, the plugin can read back."""
    assert [each.path for each in LifetimePolicy(renew_fraction=Fraction(1, 10**12)).problems()] == ["renew_fraction"]
    for fraction in (Fraction(2, 3), Fraction(999, 1000), parse_fraction("0.123456")):
        assert decode(DeclaredCertificate, {"renew_fraction": str(fraction)}).renew_fraction == fraction


def test_a_number_of_5000_digits_is_a_sentence_wherever_it_stands() -> None:
    """Python refuses to convert it, and said so with a traceback."""
    for text in (f"a: {{validity_hours: {DIGITS}}}\n", f"{DIGITS}: {{}}\n", f"- {{name: {DIGITS}}}\n"):
        with pytest.raises(ConfigError) as caught:
            parse_yaml(text)
        assert len(str(caught.value)) < 400
    with pytest.raises(ConfigError):
        parse_csv(f"name,validity_hours\na,{DIGITS}\n")
    line = json.dumps({"name": "a"})[:-1] + f', "validity_hours": {DIGITS}}}'
    with pytest.raises(ConfigError):
        rows_of(line)


def test_a_common_name_is_measured_in_characters() -> None:
    """64 letters with dots above are 128 octets, and as good as 64 others; with the number of a slot they are more."""
    assert problems_of(stack(authority={"common_name": "ä" * 64})) == []
    found = problems_of(stack(authority={"common_name": "ä" * 65}))
    assert [(each.path, each.message[:18]) for each in found] == [("authority.common_name", "got 65 characters,")]
    rolled = {"common_name": "ä" * 63, "slots": {"active": 1, "standby": 2}}
    found = problems_of(stack(authority=rolled))
    assert [(each.path, each.message[:16]) for each in found] == [("authority.common_name", "slot 2 is called")]
    assert problems_of(stack(authority=rolled | {"common_name": "ä" * 62})) == []


def test_the_reference_lists_the_bounds() -> None:
    """As they are in the code, so that nobody has to try."""
    page = (Path(__file__).parents[2] / "docs/stack-file.md").read_text(encoding="utf-8")
    numbers = [f"{bounds.LONGEST_HOURS:,}", f"{bounds.LARGEST_COUNT:,}", f"{bounds.LARGEST_STORED_NUMBER:,}"]
    numbers += [f"{bounds.MOST_ROWS:,}", f"| {bounds.MOST_COLUMNS} |", f"| {bounds.DEEPEST} |"]
    numbers += [f"{bounds.MOST_CERTIFICATES} in one chain", f"{bounds.LARGEST_KEY_BYTES // 2**10} KiB"]
    numbers += [f"{size // 2**20} MiB" for size in (bounds.LARGEST_FILE_BYTES, bounds.LARGEST_CHAIN_BYTES)]
    assert [number for number in numbers if number not in page] == []
