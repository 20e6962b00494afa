"""Who keeps a slot of an authority from being withdrawn."""

from collections.abc import Iterable
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pki.generations import AcceptedGeneration
from pki.model import SlotId
from pki.records import NOT_ISSUED, Dependent, IssuedGeneration, Withdrawal
from pki.withdrawal import roster_withdrawal_problems, withdrawal_problems
from postseal_core.errors import Problem
from postseal_core.values import UNKNOWN
from tests.support.specimens import NOW

FIRST, SECOND, THIRD = (SlotId("mail-ca", number) for number in (1, 2, 3))
NUMBERS = st.integers(1, 5)


def entry(issuer: SlotId | None, generation: int = 1, day: int = 158) -> AcceptedGeneration:
    """Return an accepted generation that retires so many days from now."""
    return AcceptedGeneration(
        generation=generation,
        not_before=NOW,
        not_after=NOW + timedelta(days=365),
        retire_at=NOW + timedelta(days=day),
        issuer=issuer,
    )


def withdrawal(declared: Iterable[SlotId], dependents: dict[str, list[SlotId | None]] | None = None) -> Withdrawal:
    """Return what is declared of our authority, with certificates whose earlier generations these slots signed."""
    return Withdrawal(
        issuers=tuple(declared),
        authorities=("mail-ca",),
        dependents={
            name: Dependent(
                previous=tuple(
                    IssuedGeneration(schedule=entry(slot, generation), identity=NOT_ISSUED)
                    for generation, slot in enumerate(signed_by, 1)
                )
            )
            for name, signed_by in (dependents or {}).items()
        },
    )


def ours(numbers: Iterable[int]) -> list[SlotId]:
    """Return slots of our authority."""
    return [SlotId("mail-ca", number) for number in numbers]


def test_a_withdrawal_is_refused_with_the_name_the_generation_and_the_day() -> None:
    """One sentence for each accepted generation, with what to do until then."""
    assert withdrawal_problems(withdrawal([SECOND], {"alice": [FIRST], "bob": [SECOND]})) == [
        Problem(
            "alice",
            "generation 1 is accepted until 2026-11-06T12:00:00Z and was signed by mail-ca, which is to be withdrawn: "
            "keep it as retiring until then",
        )
    ]


def test_where_nothing_is_said_about_slots_nothing_is_refused() -> None:
    """A roster or host whose authority has one slot for ever passes."""
    assert withdrawal_problems(None) == roster_withdrawal_problems(None, [("alice", entry(FIRST))]) == []


def test_what_a_preview_does_not_know_yet_is_left_to_up() -> None:
    """Earlier generations that are unknown are no reason to refuse."""
    unknown = Withdrawal(issuers=(), authorities=("mail-ca",), dependents={"alice": Dependent(previous=UNKNOWN)})
    assert withdrawal_problems(unknown) == []


@pytest.mark.parametrize(
    ("issuer", "is_ours"),
    [
        (FIRST, True),
        (SECOND, True),
        (SlotId("mail-ca", 12), True),
        (SlotId("mail-ca-2"), False),
        (SlotId("mail-ca-old"), False),
        (SlotId("mail"), False),
        (SlotId("mail", 2), False),
        (SlotId("other-ca", 2), False),
        (None, False),
    ],
)
def test_what_another_authority_signed_does_not_count(issuer: SlotId | None, *, is_ours: bool) -> None:
    """A name that only begins like ours is somebody else's, and one that looks like a slot of ours as well."""
    assert bool(withdrawal_problems(withdrawal([THIRD], {"alice": [issuer]}))) == is_ours
    assert bool(roster_withdrawal_problems(withdrawal([THIRD]), [("alice", entry(issuer))])) == is_ours


@given(
    declared=st.sets(NUMBERS, min_size=1),
    signed=st.dictionaries(st.sampled_from(["alice", "bob", "office-ca"]), st.lists(NUMBERS, max_size=4)),
)
def test_a_withdrawal_is_refused_exactly_for_what_is_not_declared_any_more(
    declared: set[int], signed: dict[str, list[int]]
) -> None:
    """Every accepted generation of a slot that is gone is named once, and nothing else."""
    dependents: dict[str, list[SlotId | None]] = {name: [*ours(numbers)] for name, numbers in signed.items()}
    problems = withdrawal_problems(withdrawal(ours(declared), dependents))
    expected = [name for name, numbers in signed.items() for number in numbers if number not in declared]
    assert [problem.path for problem in problems] == expected


@given(signed=st.lists(NUMBERS), declared=st.sets(NUMBERS), more=NUMBERS)
def test_keeping_one_more_slot_never_makes_a_withdrawal_worse(signed: list[int], declared: set[int], more: int) -> None:
    """Whoever keeps a slot as retiring has at most the problems that were there before."""

    def problems(numbers: set[int]) -> list[Problem]:
        return withdrawal_problems(withdrawal(ours(numbers), {"alice": [*ours(signed)]}))

    assert set(problems(declared | {more})) <= set(problems(declared))


def test_a_roster_has_one_sentence_for_each_slot_with_the_last_client_to_wait_for() -> None:
    """However many clients there are, a reviewer reads how many, until when, and one of them by name."""
    accepted = [
        ("alice", entry(FIRST, 1, day=3)),
        ("bob", entry(FIRST, 2, day=5)),
        ("carol", entry(SECOND, 4, day=4)),
        ("dora", entry(THIRD, 1, day=9)),
        ("erna", entry(SlotId("mail-ca-old"), 1, day=9)),
    ]
    assert roster_withdrawal_problems(withdrawal([THIRD], {"office-ca": [FIRST]}), accepted) == [
        Problem(
            "clients",
            "earlier certificates are accepted until 2026-06-06T12:00:00Z (bob, generation 2; 2 in all) and were "
            "signed by mail-ca, which is to be withdrawn: keep it as retiring until then",
        ),
        Problem(
            "clients",
            "earlier certificates are accepted until 2026-06-05T12:00:00Z (carol, generation 4; 1 in all) and were "
            "signed by mail-ca-2, which is to be withdrawn: keep it as retiring until then",
        ),
        *withdrawal_problems(withdrawal([THIRD], {"office-ca": [FIRST]})),
    ]


@given(signed=st.lists(NUMBERS), declared=st.sets(NUMBERS))
def test_a_roster_is_refused_exactly_when_a_single_certificate_would_be(signed: list[int], declared: set[int]) -> None:
    """The same generations as single certificates name the same slots."""
    signers = ours(signed)
    in_roster = roster_withdrawal_problems(withdrawal(ours(declared)), [("alice", entry(signer)) for signer in signers])
    single = withdrawal_problems(withdrawal(ours(declared), {"alice": [*signers]}))
    assert len(in_roster) == len(set(signers) - set(ours(declared)))
    assert bool(in_roster) == bool(single)


def test_without_facts_nothing_is_withdrawn_and_nobody_depends_on_it() -> None:
    """A record of no facts is what a certificate without an authority has."""
    assert Withdrawal() == Withdrawal(issuers=(), authorities=(), dependents={})
    assert withdrawal_problems(Withdrawal()) == withdrawal_problems(None) == []
    assert roster_withdrawal_problems(Withdrawal(), [("alice", entry(FIRST))]) == []
