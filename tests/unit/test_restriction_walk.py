"""A list is followed to all its ends, whatever its steps mean; the steps that may have done it are named."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postfix.restriction_names import Effect
from postfix.restriction_steps import Step
from postfix.restriction_walk import Ends, Meaning, SubList, Verdict, walked


def steps(text: str) -> tuple[Step, ...]:
    """Return steps by name."""
    return tuple(Step(name) for name in text.split())


MEANINGS = {
    "permit": Meaning(frozenset({Effect.PERMIT})),
    "reject": Meaning(frozenset({Effect.REFUSE})),
    "defer": Meaning(frozenset({Effect.DEFER_IF_PERMIT})),
    "pass": Meaning(frozenset({Effect.PASS})),
    "any": Meaning(frozenset(Effect)),
    "listed": Meaning(frozenset({Effect.PASS, Effect.REFUSE})),
    "warn": Meaning(softens_next=True),
    "unknown": Meaning(is_unknown=True),
    "broken": Meaning(is_broken=True),
    "circle": Meaning(lists=(SubList(steps("pass circle"), "circle"),)),
    "class": Meaning(lists=(SubList(steps("listed reject"), "class"),)),
    "rows": Meaning(frozenset({Effect.PASS}), (SubList(steps("permit")), SubList(steps("reject")))),
    "wide": Meaning(lists=(SubList(steps("wide_1 wide_1"), "wide"),)),
    **{f"wide_{n}": Meaning(lists=(SubList(steps(f"wide_{n + 1} " * 2), f"wide_{n}"),)) for n in range(1, 40)},
    "wide_40": Meaning(frozenset({Effect.PASS})),
}
NAMES = [name for name in MEANINGS if not name.startswith("wide")]
PERMIT, REFUSE, CANNOT_TELL = Verdict.PERMIT, Verdict.REFUSE, Verdict.CANNOT_TELL


def ends_of(text: str) -> Ends:
    """Return the ends of a list of names."""
    return walked(steps(text), lambda step: MEANINGS[step.name])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", PERMIT),
        ("permit reject", PERMIT),
        ("reject permit", REFUSE),
        ("defer permit", REFUSE),
        ("defer", REFUSE),
        ("listed reject", REFUSE),
        ("listed permit", CANNOT_TELL),
        ("any reject", CANNOT_TELL),
        ("warn reject permit", PERMIT),
        ("warn unknown permit", REFUSE),
        ("broken permit", REFUSE),
        ("warn broken reject", CANNOT_TELL),
        ("warn broken permit", CANNOT_TELL),
        ("circle permit", REFUSE),
        ("warn circle permit", REFUSE),
        ("warn class permit", PERMIT),
        ("rows reject", CANNOT_TELL),
        ("wide permit", CANNOT_TELL),
    ],
)
def test_a_list_ends_in_all_ways_that_its_steps_allow(text: str, expected: Verdict) -> None:
    """A class that doubles at each level is given up, and then nothing is certain."""
    assert ends_of(text).verdict is expected


def test_a_list_is_followed_for_twenty_thousand_steps() -> None:
    """What comes then may do anything, and is not taken for a refusal."""
    assert ends_of("pass " * 19_999 + "reject").verdict is REFUSE
    assert ends_of("pass " * 20_000 + "reject").verdict is CANNOT_TELL


def test_causes_are_named_with_the_class_they_stand_in() -> None:
    """So that a reader finds the line."""
    found = walked((Step("class"), Step("permit", "x")), lambda step: MEANINGS[step.name])
    assert found.refuses == {"class/listed", "class/reject"}
    assert not found.permits
    assert ends_of("rows reject").permits == {"permit"}


@given(st.lists(st.sampled_from(NAMES), max_size=6))
def test_each_end_has_a_cause(names: list[str]) -> None:
    """What may permit inside the list, or refuse, is always named."""
    found = ends_of(" ".join(names))
    assert bool(found.permits) >= bool(found.permitted)
    assert bool(found.refuses) >= (found.is_refused or True in found.outcomes)


@given(st.lists(st.sampled_from(NAMES), max_size=5), st.sampled_from(NAMES))
def test_a_step_that_may_do_more_never_makes_a_verdict_more_certain(names: list[str], wider: str) -> None:
    """Replacing a step by one that may do anything keeps every end it had."""
    for place, name in enumerate(names):
        if name == "warn" or (place and names[place - 1] == "warn"):
            continue
        changed = [*names[:place], "any", *names[place + 1 :], wider]
        before, after = ends_of(" ".join([*names, wider])), ends_of(" ".join(changed))
        assert before.outcomes <= after.outcomes
        assert before.is_refused <= after.is_refused
