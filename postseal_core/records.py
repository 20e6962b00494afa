"""Typed records, and the plain values they are on the wire and in the state: the one place that translates.

A record is a frozen dataclass; its type hints are the schema. What a field may be:

    str, int, bool              as they are
    datetime, Fraction          text: RFC 3339, `2/3`
    a StrEnum                   one of its words
    a Literal of texts          any text; which words are right is checked where they are used
    a class with `from_text`    the text that `str()` of it gives
    T | None                    left out, so None is its default; in a complete record empty text
    Maybe[T]                    T, or UNKNOWN: what a preview cannot know yet
    int | tuple[T, ...]         a number, or a list
    tuple[T, ...], Mapping[str, T], another record

Hints carry marks: `Annotated[str, SECRET]` is stored encrypted, `Annotated[Validity, INLINE]` has its members among
those of the record it stands in, `Annotated[T, Wire("accepted")]` has that name on the wire. A mark with a method
`fault` (see `Rule`) refuses values of the right type.

Whole numbers have at most 52 bits on the wire, so that one more can be counted: longer ones are a class with a text of
its own. Fields whose names end in `_hours` hold at most a hundred years. A class that could not be read back as it was
written is refused with a TypeError, at its first use.

A field at its default is left out, so that states and previews stay short. A record whose class says
`IS_COMPLETE = True` has every field: the SDK takes an output that is missing in a preview for unknown.

A validation library would do the reading as well; loading one costs the plugin as much processor time as everything
else in it together, at each command of the engine.
"""

from collections.abc import Callable, Collection
from typing import Any, Final, TypeVar, cast

from postseal_core.errors import ConfigError, PostsealError, Problem, StateError, lines_of_problems
from postseal_core.marks import INLINE, SECRET, Rule, Wire
from postseal_core.record_shapes import Plain, shape_of_record
from postseal_core.wording import shown

__all__ = [
    "INLINE",
    "SECRET",
    "Plain",
    "Rule",
    "Upgrade",
    "Wire",
    "decode",
    "decode_some",
    "decode_stored",
    "encode",
    "encode_some",
    "is_current",
    "secret_names",
    "wire_names",
]

Upgrade = Callable[[Plain], Plain]
"""Turns the plain values of one version of a record into those of the next."""

R = TypeVar("R")

_VERSION_NAME: Final = "record_version"


def decode(kind: type[R], values: Plain, path: str = "") -> R:
    """Return a record from plain values that a program has handed in.

    `path` is put in front of the paths of problems.

    Raises:
        ConfigError: everything that is missing, unknown, of another type or not known yet.
    """
    found: list[Problem] = []
    record = shape_of_record(kind).read(values, found)
    if found:
        raise ConfigError(problem.below(path) if path else problem for problem in found)
    return cast("R", record)


def decode_some(kind: type[R], values: Plain, path: str = "") -> tuple[R, frozenset[str]]:
    """Return a record from some of its fields, all others at their default, and which fields were given.

    Raises:
        ConfigError: as `decode`.
    """
    return decode(kind, values, path), shape_of_record(kind).names & values.keys()


def decode_stored(kind: type[R], values: Plain, path: str = "") -> R:
    """Return a record from the state, where an older version of this package may have written it.

    A class lists in `UPGRADES` how the plain values of each earlier version become those of the next.

    Raises:
        PostsealError: a newer version wrote it.
        StateError: it is damaged.
    """
    upgrades: tuple[Upgrade, ...] = getattr(kind, "UPGRADES", ())
    plain = dict(values)
    version = plain.pop(_VERSION_NAME, 1)
    if type(version) is not int or not 1 <= version <= len(upgrades) + 1:
        raise PostsealError(
            f"{path or kind.__name__} was written by version {shown(version)} of this record, and this plugin knows "
            f"{len(upgrades) + 1}: use the plugin that wrote it, or a newer one"
        )
    for upgrade in upgrades[version - 1 :]:
        plain = dict(upgrade(plain))
    try:
        return decode(kind, plain, path)
    except ConfigError as error:
        said = "; ".join(lines_of_problems(error.problems))
        raise StateError(
            f"what is stored as {kind.__name__} cannot be read ({said}): put the state back as this plugin wrote it",
            error.problems,
        ) from None


def is_current(kind: type[Any], values: Plain) -> bool:
    """Return whether this version of the record is the one that was written."""
    return values.get(_VERSION_NAME, 1) == len(getattr(kind, "UPGRADES", ())) + 1


def encode(record: object) -> dict[str, object]:
    """Return a record as plain values; UNKNOWN stays what it is."""
    shape = shape_of_record(type(record))
    plain = shape.plain(record)
    version = len(getattr(type(record), "UPGRADES", ())) + 1
    return plain if version == 1 else {**plain, _VERSION_NAME: version}  # last: the first member of a row is its name


def encode_some(record: object, names: Collection[str]) -> dict[str, object]:
    """Return the named fields of a record as plain values, also those at their default."""
    return shape_of_record(type(record)).plain(record, only=names)


def secret_names(kind: type[Any]) -> frozenset[str]:
    """Return the names on the wire of the fields that are marked SECRET, or hold something that is."""
    return shape_of_record(kind).secret_names


def wire_names(kind: type[Any]) -> frozenset[str]:
    """Return the names that a record of this class has on the wire, those of its inlined records included."""
    return shape_of_record(kind).names
