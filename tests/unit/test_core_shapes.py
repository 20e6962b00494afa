"""What a record may be made of, and when rules on its values are asked."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import pytest

from postseal_core.errors import ConfigError, Problem
from postseal_core.records import SECRET, decode, secret_names
from postseal_core.values import UNKNOWN, Maybe


@dataclass(frozen=True, slots=True)
class FewNames:
    """A rule that would trip over anything but a sequence of texts."""

    asked: list[object]

    def fault(self, names: Sequence[str]) -> str:
        """Refuse more than two names, and remember that it was asked."""
        self.asked.append(names)
        return "has more than two names" if len([name.upper() for name in names]) > 2 else ""


ASKED: list[object] = []


@dataclass(frozen=True, slots=True)
class Named:
    """A record with a rule on a list that may be unknown."""

    names: Annotated[Maybe[tuple[str, ...]], FewNames(ASKED)] = ()


@dataclass(frozen=True, slots=True)
class Part:
    """A record inside of another one."""

    text: str = ""


@dataclass(frozen=True, slots=True)
class HidesRecord:
    """Not possible: the engine wraps single values."""

    part: Annotated[Part, SECRET] = Part()


@dataclass(frozen=True, slots=True)
class HidesSet:
    """Not possible: there are no sets on the wire."""

    texts: Annotated[frozenset[str], SECRET] = frozenset()


@dataclass(frozen=True, slots=True)
class HasSet:
    """Not possible either."""

    texts: frozenset[str] = frozenset()


@pytest.fixture(autouse=True)
def forget() -> None:
    """Forget what the rule was asked before."""
    ASKED.clear()


@pytest.mark.parametrize(
    ("names", "asked", "problems"),
    [
        (["a", "b"], [["a", "b"]], []),
        (["a", "b", "c"], [["a", "b", "c"]], [Problem("names", "has more than two names")]),
        (["a", 2, "c"], [], [Problem("names[1]", "got a whole number, expected a text")]),
        ("a", [], [Problem("names", "got a text, expected a list")]),
        (UNKNOWN, [], []),
    ],
    ids=["right", "refused by the rule", "a wrong item", "no list", "unknown"],
)
def test_a_rule_is_asked_only_of_values_that_are_known_and_of_the_right_type(
    names: object, asked: list[list[str]], problems: list[Problem]
) -> None:
    """Whatever it refuses, nobody reads two complaints about one value."""
    try:
        decode(Named, {"names": names})
        found: list[Problem] = []
    except ConfigError as error:
        found = list(error.problems)
    assert found == problems
    assert [list(each) for each in ASKED if isinstance(each, Sequence)] == asked


@pytest.mark.parametrize(
    ("kind", "said"),
    [(HidesRecord, "secret <class"), (HidesSet, r"secret frozenset\[str\]"), (HasSet, r"hold a frozenset\[str\]")],
)
def test_what_cannot_be_written_is_no_field(kind: type[object], said: str) -> None:
    """The class is refused at its first use, by what it cannot hold, and whether as a secret."""
    with pytest.raises(TypeError, match=f"no record can hold a .*{said}|{said}"):
        secret_names(kind)
