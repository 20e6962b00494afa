"""What a target says about edits of others and about earlier states, in the stack file and in programs."""

from typing import Any

import pytest

from postfix.target import KEPT_GENERATIONS, Directory, Drift, Local, TargetKind, target_of
from postseal.stack.config import load_stack
from tests.support.stack_files import host, problems_of


def target(**fields: Any) -> Any:
    """Return the target of a host that says this."""
    return load_stack(host(target=fields), [], stack_name="dev").hosts["mx1"].target


def test_a_target_says_what_to_do_about_edits_and_how_much_to_keep() -> None:
    """For a directory the first, for a Postfix both; by default edits are undone and three states stay."""
    assert target(local="/etc/postfix", drift="stop", kept_generations=0) == Local(drift=Drift.STOP, kept_generations=0)
    assert target(local="/etc/postfix", kept_generations=100).kept_generations == 100
    assert target(local="/etc/postfix").record.kept_generations == KEPT_GENERATIONS
    assert target(directory="srv", drift="stop") == Directory("srv", drift=Drift.STOP)
    assert target(drift="stop").record.drift is Drift.STOP
    assert target(local="/etc/postfix").record.drift is Drift.REPAIR


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"local": "/etc/postfix", "drift": "ignore"}, "hosts.mx1.target.drift"),
        ({"local": "/etc/postfix", "kept_generations": -1}, "hosts.mx1.target.kept_generations"),
        ({"local": "/etc/postfix", "kept_generations": 101}, "hosts.mx1.target.kept_generations"),
        ({"local": "/etc/postfix", "kept_generations": "3"}, "hosts.mx1.target.kept_generations"),
        ({"local": "/etc/postfix", "kept_generations": True}, "hosts.mx1.target.kept_generations"),
        ({"directory": "srv", "kept_generations": 3}, "hosts.mx1.target.kept_generations"),
        ({"kept_generations": 3}, "hosts.mx1.target.kept_generations"),
    ],
)
def test_what_no_target_has_is_told_when_the_file_is_read(fields: dict[str, Any], told: str) -> None:
    """Once, with its place."""
    assert [problem.path for problem in problems_of(host(target=fields))] == [told]


def test_what_a_kind_cannot_have_is_left_to_the_check() -> None:
    """The target is one that can be looked at further."""
    assert target_of(TargetKind.LOCAL, "/etc/postfix", None, kept_generations=-1) == Local()
    assert target_of(TargetKind.DIRECTORY, "srv", None, kept_generations=5) == Directory("srv")
