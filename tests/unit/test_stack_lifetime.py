"""Lifetimes in the stack file: durations, and what the general and the special policies come to."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pki.lifetime import LifetimePolicy
from postseal.stack.config import load_stack
from tests.support.stack_files import problems_of, stack

UNITS = {"h": 1, "d": 24, "w": 168}


def alice(own: Any = None, **lifetime: Any) -> dict[str, Any]:
    """Return a stack with one client, the lifetime of that client, and stack-wide lifetimes."""
    return stack(clients={"alice": {"email": "alice@example.org", "lifetime": own}}, hosts=None, lifetime=lifetime)


def policy_of(own: Any = None, **lifetime: Any) -> LifetimePolicy:
    """Return the policy of that client."""
    return load_stack(alice(own, **lifetime), [], stack_name="dev").clients["alice"].lifetime


@given(number=st.integers(2, 2000), unit=st.sampled_from(sorted(UNITS)))
def test_a_duration_is_a_number_with_a_unit_or_a_number_of_hours(number: int, unit: str) -> None:
    """`10d`, `240h` and 240 are the same overlap."""
    hours = number * UNITS[unit]
    assert (
        policy_of({"overlap": f"{number}{unit}"})
        == policy_of({"overlap": hours})
        == LifetimePolicy(overlap_hours=hours)
    )


@pytest.mark.parametrize(
    "duration", ["", "d", "10", "10y", "-1d", "1.5d", " 1d", 0, -1, 1.5, True, [], 10**7, "9999999d"]
)
def test_what_is_no_duration_is_refused(duration: Any) -> None:
    """Months and years have no fixed length, and a bare number in quotes could mean anything."""
    problems = problems_of(alice({"overlap": duration}))
    assert [problem.path for problem in problems] == ["clients.alice.lifetime.overlap"]
    assert "write 36h, 365d" in problems[0].message


@pytest.mark.parametrize("fraction", ["", "two thirds", "2/0x", "1e9", -1, 12, True, "1/2/3"])
def test_what_is_no_fraction_is_refused(fraction: Any) -> None:
    """Only forms that read as a part of the lifetime are."""
    problems = problems_of(alice({"renew_fraction": fraction}))
    assert [problem.path for problem in problems] == ["clients.alice.lifetime.renew_fraction"]
    assert "write 2/3" in problems[0].message


@pytest.mark.parametrize(("word", "every"), [("always", 1), ("never", 0), (1, 1), (5, 5)])
def test_the_key_is_renewed_always_never_or_every_so_often(word: Any, every: int) -> None:
    """Words and numbers mean renewals between two keys."""
    assert policy_of({"renew_key": word}).renew_key_every == every


@pytest.mark.parametrize("word", ["sometimes", 0, -2, True, 1.5])
def test_what_is_no_rule_for_keys_is_refused(word: Any) -> None:
    """0 would read as `at no renewal` to some and as `at all` to others."""
    assert [problem.path for problem in problems_of(alice({"renew_key": word}))] == ["clients.alice.lifetime.renew_key"]


def test_the_more_special_policy_wins_field_by_field() -> None:
    """Own before kind before group before default; what nobody says is the built-in default."""
    policy = policy_of(
        {"validity": "10d"},
        client={"overlap": "1d", "validity": "20d"},
        leaf={"renew_fraction": "1/2", "overlap": "2d"},
        default={"renew_key": "never", "renew_fraction": "3/4"},
        server={"validity": "99d"},
        authority={"validity": "99d"},
    )
    assert policy == policy_of({"validity": "10d", "overlap": "1d", "renew_fraction": "1/2", "renew_key": "never"})
    assert (policy.validity_hours, policy.overlap_hours, policy.renew_key_every) == (240, 24, 0)


def test_a_special_fraction_replaces_a_general_renewal_point_and_the_other_way_round() -> None:
    """There are two ways to say when to renew; the more special one counts alone."""
    assert policy_of({"renew_fraction": "1/2"}, leaf={"renew_before": "30d"}).renew_before_hours is None
    assert policy_of({"renew_before": "30d"}, leaf={"renew_fraction": "1/2"}) == policy_of({"renew_before": "30d"})


def test_an_authority_keeps_its_key_whatever_the_default_says() -> None:
    """`default` may speak of keys, because it speaks to leaves as well."""
    config = load_stack(alice(default={"renew_key": "always"}), [], stack_name="dev")
    assert config.authorities["authority"].lifetime.renew_key_every == 0


BROKEN: list[tuple[dict[str, Any], str, str]] = [
    (alice({"renew_fraction": "2/3", "renew_before": "30d"}), "clients.alice.lifetime.renew_before", "one of the two"),
    (alice(leaf={"renew_fraction": "2/3", "renew_before": "30d"}), "lifetime.leaf.renew_before", "one of the two"),
    (alice({"renew_fraction": 0}), "clients.alice.lifetime.renew_fraction", "every run"),
    (alice({"renew_fraction": "3/3"}), "clients.alice.lifetime.renew_fraction", "never in time"),
    (alice(leaf={"renew_before": "365d"}), "lifetime.leaf.renew_before", "every run"),
    (alice({"validity": "1h"}), "clients.alice.lifetime.validity", "at least 3 hours"),
    (alice(client={"validity": "900d"}), "lifetime.client.validity", "at most 825 d"),
    (alice(root={"validity": "30d"}), "lifetime.client.validity", "lives only 30 d"),
    (alice({"validity": "60d"}, root={"validity": "30d"}), "clients.alice.lifetime.validity", "lives only 30 d"),
    (alice(authority={"renew_key": "always"}), "lifetime.authority.renew_key", "keeps its key"),
    (alice(root={"renew_key": 2}), "lifetime.root.renew_key", "keeps its key"),
    (alice(leafs={}), "lifetime.leafs", "did you mean leaf?"),
    (alice({"overlaps": "1d"}), "clients.alice.lifetime.overlaps", "did you mean overlap?"),
    (
        {"authority": {"common_name": "CA", "lifetime": {"renew_key": "never"}}},
        "authority.lifetime.renew_key",
        "keeps its key",
    ),
]


@pytest.mark.parametrize(("raw", "path", "words"), BROKEN, ids=[f"{path}:{words}" for _, path, words in BROKEN])
def test_a_policy_that_cannot_work_is_told_where_it_was_declared(raw: dict[str, Any], path: str, words: str) -> None:
    """Also where it was inherited: the place to correct is the declaration, told once however many inherit it."""
    problems = problems_of(raw)
    assert [problem.path for problem in problems] == [path]
    assert words in problems[0].message


def test_one_inherited_mistake_is_told_once_for_all_who_inherit_it() -> None:
    """A hundred clients of one short-lived authority are one problem."""
    clients = {f"c{number}": {"email": f"c{number}@example.org"} for number in range(100)}
    raw = stack(clients=clients, hosts=None, lifetime={"root": {"validity": "30d"}})
    assert [problem.path for problem in problems_of(raw)] == ["lifetime.client.validity"]
