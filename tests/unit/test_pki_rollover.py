"""What is wrong with slots, what slots are called, and what fits below a cross-signed root."""

from typing import Any

import pytest
from cryptography import x509
from hypothesis import given
from hypothesis import strategies as st

from pki.issuing import issue
from pki.model import FIRST_SLOT, KeyAlgorithm, Profile, SlotId, Subject
from pki.rollover import (
    STANDBY_HOURS,
    Slots,
    problems_below_cross_certificate,
    problems_of_cross_signing,
    room_below,
)
from postseal_core.errors import Problem
from tests.support.specimens import VALIDITY, declare, key_of, make_authority, problems_under_issuer

NUMBERS = st.integers(-2, 9)
NAMES = st.from_regex(r"[a-z][a-z0-9]{0,5}(-[a-z][a-z0-9]{0,5})?", fullmatch=True)
SLOTS = st.builds(
    Slots,
    active=NUMBERS,
    standby=st.none() | NUMBERS,
    retiring=st.none() | NUMBERS,
    standby_hours=st.integers(-1, 1000),
    cross_sign=st.booleans(),
)


def test_an_authority_begins_with_one_slot_and_a_standby_time_of_two_weeks() -> None:
    """Who declares nothing has slot 1, and nothing is wrong with it."""
    slots = Slots()
    assert (slots.numbers, slots.standby_hours) == ((FIRST_SLOT,), STANDBY_HOURS)
    assert STANDBY_HOURS == 14 * 24
    assert list(slots.problems()) == []


@pytest.mark.parametrize(
    ("slots", "numbers"),
    [
        (Slots(1, standby=2), (1, 2)),
        (Slots(2, retiring=1), (2, 1)),
        (Slots(7, standby=9, retiring=3), (7, 9, 3)),
        (Slots(2, retiring=1, standby_hours=0, cross_sign=True), (2, 1)),
    ],
)
def test_the_steps_of_a_rollover_are_accepted_with_the_active_slot_first(
    slots: Slots, numbers: tuple[int, ...]
) -> None:
    """Numbers need not be next to each other, and all three roles may be taken at once."""
    assert list(slots.problems()) == []
    assert slots.numbers == numbers


def test_a_list_goes_on_when_a_rollover_is_taken_back() -> None:
    """What was active stands by again, and has signed: its list keeps its number and its entries."""
    steps = (Slots(1, standby=2), Slots(2, retiring=1), Slots(1, standby=2))
    assert [set(slots.listing) for slots in steps] == [{1, 2}] * 3
    assert Slots(2).listing == (2,)


@pytest.mark.parametrize(
    ("slots", "problems"),
    [
        (Slots(0), [Problem("active", "got 0, expected a number from 1 up")]),
        (Slots(2, standby=2), [Problem("standby", "got 2, expected a number above the active slot 2")]),
        (Slots(3, standby=1), [Problem("standby", "got 1, expected a number above the active slot 3")]),
        (Slots(1, retiring=1), [Problem("retiring", "got 1, expected a number below the active slot 1")]),
        (Slots(1, retiring=2), [Problem("retiring", "got 2, expected a number below the active slot 1")]),
        (Slots(1, standby_hours=-1), [Problem("standby_hours", "got -1, expected 0 or more")]),
        (
            Slots(1, cross_sign=True),
            [Problem("cross_sign", "there is no retiring slot that could certify the active one; name it")],
        ),
    ],
)
def test_slots_that_contradict_themselves_are_named_with_what_was_expected(
    slots: Slots, problems: list[Problem]
) -> None:
    """Each sentence says what stands there and what should."""
    assert list(slots.problems()) == problems


def test_everything_that_is_wrong_with_slots_is_said_at_once() -> None:
    """Whoever corrects a declaration sees all of it, in the order of the rules."""
    paths = [problem.path for problem in Slots(-1, standby=-2, retiring=0, standby_hours=-5).problems()]
    assert paths == ["active", "standby", "retiring", "standby", "retiring", "standby_hours"]


@given(SLOTS)
def test_slots_without_a_problem_are_in_the_order_in_which_they_came(slots: Slots) -> None:
    """Retiring below active below standby, each number once, none below the first; and all such slots are accepted."""
    roles = [number for number in (slots.retiring, slots.active, slots.standby) if number is not None]
    is_in_order = roles == sorted(set(roles)) and roles[0] >= FIRST_SLOT
    is_sound = is_in_order and slots.standby_hours >= 0 and (slots.retiring is not None or not slots.cross_sign)
    assert (list(slots.problems()) == []) == is_sound
    assert sorted(slots.numbers) == sorted(roles)


@pytest.mark.parametrize(("number", "name"), [(1, "mail-ca"), (2, "mail-ca-2"), (10, "mail-ca-10")])
def test_the_first_slot_has_the_authoritys_own_name(number: int, name: str) -> None:
    """An authority that is never rolled over shows no number anywhere."""
    assert SlotId("mail-ca", number).name == name


@given(st.builds(SlotId, NAMES, st.integers(1, 99)))
def test_a_slot_is_read_back_from_its_text(slot: SlotId) -> None:
    """Its text tells authority and number apart, whatever the authority is called."""
    assert SlotId.from_text(str(slot)) == slot


@pytest.mark.parametrize("text", ["", "mail-ca", "mail-ca/", "mail-ca/one"])
def test_what_is_no_slot_is_refused(text: str) -> None:
    """A slot has a number."""
    with pytest.raises(ValueError, match="invalid literal"):
        SlotId.from_text(text)


@given(NAMES, st.integers(1, 99), st.integers(1, 99))
def test_two_slots_never_share_a_name(authority: str, one: int, other: int) -> None:
    """The name tells the number, as long as the authority's own does not end in one."""
    assert (SlotId(authority, one).name == SlotId(authority, other).name) == (one == other)


@pytest.mark.parametrize(
    ("path_length", "is_root", "words"),
    [
        (None, True, ""),
        (1, True, ""),
        (0, True, "has path_length 0 and allows no authority below it, not even the active root"),
        (None, False, "an intermediate is verified through the root above it"),
        (0, False, "an intermediate is verified through the root above it"),
    ],
)
def test_only_a_root_with_room_for_one_more_authority_cross_signs(
    path_length: int | None, *, is_root: bool, words: str
) -> None:
    """The sentence says which of the two is missing; without cross_sign nothing is asked."""
    slots = Slots(2, retiring=1, cross_sign=True)
    problems = list(problems_of_cross_signing(slots, path_length, is_root=is_root))
    assert [problem.path for problem in problems] == ["cross_sign"] * bool(words)
    assert all(words in problem.message for problem in problems)
    assert list(problems_of_cross_signing(Slots(2, retiring=1), path_length, is_root=is_root)) == []


@pytest.mark.parametrize(
    ("path_length", "room", "path", "words"),
    [
        (0, -1, "", "the cross certificate of root-ca leaves no room for an authority here: give root-ca a larger"),
        (None, -1, "", "the cross certificate of root-ca leaves no room"),
        (1, 0, "path_length", "got 1, expected at most 0, what the cross certificate of root-ca leaves: give root-ca"),
    ],
)
def test_an_authority_that_does_not_fit_below_a_cross_certificate_is_refused(
    path_length: int | None, room: int, path: str, words: str
) -> None:
    """The sentence says what would fit and what to do."""
    (problem,) = problems_below_cross_certificate(path_length, room, "root-ca")
    assert problem.path == path
    assert problem.message.startswith(words)


@pytest.mark.parametrize(("path_length", "room"), [(0, 0), (1, 2), (None, 0), (5, None), (None, None)])
def test_an_authority_that_fits_below_a_cross_certificate_is_accepted(
    path_length: int | None, room: int | None
) -> None:
    """No limit of its own is fine: the limit above holds for it."""
    assert list(problems_below_cross_certificate(path_length, room, "root-ca")) == []


@pytest.mark.parametrize(("path_length", "room"), [(None, None), (2, 1), (1, 0), (0, -1)])
def test_each_level_takes_one_of_the_room(path_length: int | None, room: int | None) -> None:
    """No limit stays no limit."""
    assert room_below(path_length) == room


def crossed_chain(path_length: int | None) -> list[x509.Certificate]:
    """Return the chain below which a cross-signed root's certificates stand: the new root, then its cross certificate.

    Made as a rollover makes them: two roots with one path_length, the cross certificate with what is left below it.
    """
    old = make_authority(path_length=path_length, subject=Subject("Root"))
    key = key_of(KeyAlgorithm.ECDSA_P256, "root 2")
    own = declare(Profile.ROOT, subject=Subject("Root 2"), path_length=path_length)
    by_old = declare(Profile.INTERMEDIATE, subject=Subject("Root 2"), path_length=room_below(path_length))
    shared: dict[str, Any] = {"public_key": key.public_key(), "validity": VALIDITY}
    new = issue(own, **shared, serial_number=1, issuer=None, signing_key=key)
    cross = issue(by_old, **shared, serial_number=2, issuer=old)
    return [new, cross, old.certificate]


@pytest.mark.parametrize("profile", [Profile.SERVER, Profile.CLIENT])
@pytest.mark.parametrize("path_length", [None, 1, 2])
def test_a_leaf_may_stand_below_a_cross_signed_root(path_length: int | None, profile: Profile) -> None:
    """The new root takes no place in the path length of its own cross certificate: it is the same authority."""
    assert problems_under_issuer(declare(profile), crossed_chain(path_length)) == []


@pytest.mark.parametrize("path_length", [None, 1, 2, 3])
@pytest.mark.parametrize("below", [None, 0, 1, 2])
def test_slots_refuse_an_intermediate_exactly_where_its_chain_would(path_length: int | None, below: int | None) -> None:
    """What is foreseen from the declarations agrees with what is judged from the certificates."""
    room = room_below(room_below(path_length))
    foreseen = list(problems_below_cross_certificate(below, room, "root-ca"))
    judged = problems_under_issuer(declare(Profile.INTERMEDIATE, path_length=below), crossed_chain(path_length))
    assert bool(foreseen) == bool(judged)
