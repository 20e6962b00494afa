"""How one value of each kind is read from a plain value and written as one; see `postseal_core.records`.

Reading adds what is wrong to `found`, each problem with its path below the value that was read.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

from postseal_core.errors import Problem
from postseal_core.marks import Rule
from postseal_core.values import MUST_BE_KNOWN, is_deferred, is_unknown
from postseal_core.wording import shown

__all__ = ["Items", "ItemsOr", "Members", "Optional", "Perhaps", "Ruled", "Scalar", "Shape", "put_below", "refuse"]


class Shape(Protocol):
    """How the values of one type hint are read and written; `holds_secret`: whether one of them may be secret."""

    @property
    def holds_secret(self) -> bool:
        """Whether the value, or anything in it, is marked SECRET."""

    def read(self, value: Any, found: list[Problem]) -> Any:
        """Parse a plain value; the result means nothing if a problem was added."""

    def plain(self, value: Any) -> Any:
        """Return a value as a plain one."""


@dataclass(frozen=True, slots=True)
class Scalar:
    """A value that is one text, number or boolean on the wire.

    `expected` is what messages say is expected, `kind` the value's type in a record, `largest` the largest whole
    number, and its negative the smallest; 0 for other types.
    """

    wire_type: type
    expected: str
    kind: Any
    parse: Callable[[Any], Any] | None = None
    write: Callable[[Any], Any] | None = None
    holds_secret: bool = False
    largest: int = 0

    def read(self, value: Any, found: list[Problem]) -> Any:
        """Parse a text or number, or accept an already parsed value; secrets are not quoted in problems."""
        if type(value) is not self.wire_type:
            is_read = self.parse is not None and isinstance(value, self.kind)
            return value if is_read else refuse(value, self.expected, found)
        if self.largest and not self._is_bounded(value):
            return self._refuse(value, f"{self.expected} of at most {self.largest:,}", found)
        if self.parse is None:
            return value
        try:
            return self.parse(value)
        except (ValueError, LookupError, ArithmeticError):
            return self._refuse(value, self.expected, found)

    def _is_bounded(self, value: Any) -> bool:
        return bool(-self.largest <= value <= self.largest)

    def _refuse(self, value: Any, expected: str, found: list[Problem]) -> None:
        got = _name_of_type(value) if self.holds_secret else shown(value)
        found.append(Problem("", f"got {got}, expected {expected}"))

    def plain(self, value: Any) -> Any:
        """Return the value as text or number; an output of a program stays what it is."""
        if self.write is None or (type(value) is not self.kind and is_deferred(value)):
            return value
        return self.write(value)


@dataclass(frozen=True, slots=True)
class Optional:
    """A value that may be None: left out, or empty text where a complete record must have it.

    `is_text`: then empty text is a value as any other.
    """

    inner: Shape
    is_complete: bool
    is_text: bool

    @property
    def holds_secret(self) -> bool:
        """As the value itself."""
        return self.inner.holds_secret

    def read(self, value: Any, found: list[Problem]) -> Any:
        """Return None for null and for the empty text of a complete record."""
        if value is None or (value == "" and not self.is_text):
            return None
        return self.inner.read(value, found)

    def plain(self, value: Any) -> Any:
        """Return None where the field is to be left out."""
        if value is None:
            return "" if self.is_complete else None
        return self.inner.plain(value)


@dataclass(frozen=True, slots=True)
class Perhaps:
    """A value that may be unknown."""

    inner: Shape

    @property
    def holds_secret(self) -> bool:
        """As the value itself."""
        return self.inner.holds_secret

    def read(self, value: Any, found: list[Problem]) -> Any:
        """Return UNKNOWN as it is."""
        return value if is_unknown(value) else self.inner.read(value, found)

    def plain(self, value: Any) -> Any:
        """Return UNKNOWN as it is."""
        return value if is_unknown(value) else self.inner.plain(value)


@dataclass(frozen=True, slots=True)
class Items:
    """A list of any length."""

    inner: Shape
    expected: str = "a list"

    @property
    def holds_secret(self) -> bool:
        """As its items."""
        return self.inner.holds_secret

    def read(self, value: Any, found: list[Problem]) -> Any:
        """Return a tuple; a single text is no list of its letters."""
        if not isinstance(value, list | tuple):
            return refuse(value, self.expected, found)
        items = []
        for index, item in enumerate(value):
            start = len(found)
            items.append(self.inner.read(item, found))
            if len(found) > start:
                put_below(found, start, f"[{index}]")
        return tuple(items)

    def plain(self, value: Any) -> Any:
        """Return a list; items that are outputs of a program stay what they are."""
        return [item if is_deferred(item) else self.inner.plain(item) for item in value]


@dataclass(frozen=True, slots=True)
class ItemsOr:
    """A list, or something else that is none."""

    other: Shape
    items: Shape

    @property
    def holds_secret(self) -> bool:
        """As either of them."""
        return self.other.holds_secret or self.items.holds_secret

    def read(self, value: Any, found: list[Problem]) -> Any:
        """Read a list as a list, and anything else as the other."""
        return (self.items if isinstance(value, list | tuple) else self.other).read(value, found)

    def plain(self, value: Any) -> Any:
        """Write as it is read."""
        return (self.items if isinstance(value, list | tuple) else self.other).plain(value)


@dataclass(frozen=True, slots=True)
class Members:
    """A mapping from any names."""

    inner: Shape
    expected: str = "a mapping"

    @property
    def holds_secret(self) -> bool:
        """As its members."""
        return self.inner.holds_secret

    def read(self, value: Any, found: list[Problem]) -> Any:
        """Return a dictionary in the order of what was given."""
        if not isinstance(value, Mapping):
            return refuse(value, self.expected, found)
        members = {}
        for name, member in value.items():
            start = len(found)
            members[name] = self.inner.read(member, found)
            if len(found) > start:
                put_below(found, start, name)
        return members

    def plain(self, value: Any) -> Any:
        """Return a dictionary; members that are outputs of a program stay what they are."""
        return {name: member if is_deferred(member) else self.inner.plain(member) for name, member in value.items()}


@dataclass(frozen=True, slots=True)
class Ruled:
    """A value with rules, which are asked where its type is right."""

    inner: Shape
    rules: tuple[Rule, ...]
    holds_secret: bool = False

    def read(self, value: Any, found: list[Problem]) -> Any:
        """Return the value and add a problem for each rule that refuses it."""
        start = len(found)
        read = self.inner.read(value, found)
        if len(found) == start and not is_unknown(read) and read is not None:
            found += [Problem("", fault) for rule in self.rules if (fault := rule.fault(read))]
        return read

    def plain(self, value: Any) -> Any:
        """Return the value as its type is written."""
        return self.inner.plain(value)


def refuse(value: object, expected: str, found: list[Problem]) -> None:
    """Add the problem of a value of another type; it is not quoted, as somebody may have put a secret there."""
    said = MUST_BE_KNOWN if is_unknown(value) else f"got {_name_of_type(value)}, expected {expected}"
    found.append(Problem("", said))


def put_below(found: list[Problem], start: int, step: str) -> None:
    """Put a step in front of the paths of the problems from `start` on."""
    found[start:] = [problem.below(step) for problem in found[start:]]


_NAMES_OF_TYPES: Final = (
    (bool, "true or false"),
    (int, "a whole number"),
    (float, "a number that is not whole, or too large"),
    (str, "a text"),
    (Mapping, "a mapping"),
    (list, "a list"),
    (tuple, "a list"),
)


def _name_of_type(value: object) -> str:
    if value is None:
        return "nothing"
    return next((name for kind, name in _NAMES_OF_TYPES if isinstance(value, kind)), f"a {type(value).__name__}")
