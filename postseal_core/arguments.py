"""Check the arguments that a program passes to a class and report all mistakes at once."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any, Final, TypeVar

import pulumi

from postseal_core.errors import ConfigError, Problem
from postseal_core.plain_names import LOST_NAME, is_lost_in_yaml
from postseal_core.program import refuse
from postseal_core.reading import Raw, Section, join_path, read_section
from postseal_core.records import decode
from postseal_core.values import MUST_BE_KNOWN, UNKNOWN, is_deferred
from postseal_core.wording import found
from postseal_core.writable import faults_in, is_text

__all__ = ["Arguments"]

T = TypeVar("T")
S = TypeVar("S", bound=Section)

_A_LIST: Final = "a list, as [first, second]"


class Arguments:
    """The arguments of one call; collects problems until `refuse` raises them together.

    `path`: the kind of thing, in the words of a stack file (`clients`). Methods that read return something of the right
    type in any case; it is only to be used after `refuse`.
    """

    def __init__(self, kind: str, name: object, opts: object = None) -> None:
        self.path = f"{kind}.{name}"
        self._problems: list[Problem] = []
        if not isinstance(name, str) or not name or not is_text(name):
            self._problems.append(Problem(kind, f"got {found(name)} as the name, expected a text"))
        elif is_lost_in_yaml(name):
            self._problems.append(Problem(self.path, LOST_NAME))
        self.expect("opts", opts, (pulumi.ResourceOptions, type(None)), "pulumi.ResourceOptions(...)")

    @property
    def count(self) -> int:
        """How many problems there are so far."""
        return len(self._problems)

    def add(self, problems: Iterable[Problem]) -> None:
        """Add problems whose paths are those of single arguments."""
        self._problems += [problem.below(self.path) for problem in problems]

    def read(self, reader: Callable[[], T], instead: T) -> T:
        """Call a reader and return its result; if it refuses, keep its problems with their paths."""
        try:
            return reader()
        except ConfigError as error:
            self._problems += error.problems
            return instead

    def section(self, given: Raw, section: type[S]) -> S:
        """Read plain arguments as a section of a stack file; None means that an argument was not given."""
        reading = read_section({name: each for name, each in given.items() if each is not None}, section, self.path)
        self._problems += reading.problems
        return reading.section

    def record(self, argument: str, value: T, kinds: type | tuple[type, ...], words: str) -> T:
        """Check the types inside an argument that is a dataclass, and return it; None if it is wrong or missing.

        `argument` is empty for one whose fields the program has given as arguments of their own.
        """
        if value is None or not self.expect(argument, value, kinds, words):
            return value
        path = f"{self.path}.{argument}" if argument else self.path
        # The codec tells of outputs by itself: some fields may be unknown.
        faults = [(steps, message) for steps, message in faults_in(value) if message != MUST_BE_KNOWN]
        self._problems += [Problem(join_path((path, *steps)), message) for steps, message in faults]
        if faults:
            return value
        return self.read(lambda: decode(type(value), _plain(value), path), value)

    def expect(self, argument: str, value: object, kinds: type | tuple[type, ...], words: str) -> bool:
        """Add a problem if a value has none of these classes; `words` shows a right one."""
        if isinstance(value, kinds) and not (isinstance(value, bool) and bool not in _each(kinds)):
            return True
        sentence = MUST_BE_KNOWN if is_deferred(value) else f"got {found(value)}, expected {words}"
        self.add([Problem(argument, sentence)])
        return False

    def expect_each(self, argument: str, values: object, kinds: type | tuple[type, ...], words: str) -> bool:
        """Add a problem if a value is no list, and one for each item that has none of these classes."""
        if isinstance(values, str) or not isinstance(values, Sequence):
            return self.expect(argument, values, list, _A_LIST)
        are_right = [self.expect(f"{argument}[{index}]", each, kinds, words) for index, each in enumerate(values)]
        return all(are_right)

    def refuse(self) -> None:
        """Raise ArgumentError if anything is wrong."""
        refuse(self._problems)


def _each(kinds: type | tuple[type, ...]) -> tuple[type, ...]:
    return kinds if isinstance(kinds, tuple) else (kinds,)


def _plain(value: object) -> Any:
    """Convert a dataclass to plain values for the codec; other values stay as they are."""
    if is_deferred(value):
        return UNKNOWN
    if isinstance(value, Enum):
        return value.value
    if hasattr(type(value), "from_text"):
        return value
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    members = {each.name: getattr(value, each.name) for each in fields(value)} if is_dataclass(value) else value
    return {name: _plain(each) for name, each in members.items()} if isinstance(members, Mapping) else members
