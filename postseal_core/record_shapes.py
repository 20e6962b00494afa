"""The shape of a record, made from the type hints of its class; see `postseal_core.records`."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass, replace
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Literal, Union, cast, get_args, get_origin, get_type_hints

from postseal_core.bounds import LONGEST_HOURS
from postseal_core.errors import Problem
from postseal_core.marks import INLINE, SECRET, Wire
from postseal_core.scalars import SCALARS, word_shape
from postseal_core.shapes import Items, ItemsOr, Members, Optional, Perhaps, Ruled, Scalar, Shape, put_below, refuse
from postseal_core.values import Unknown, is_deferred, is_unknown
from postseal_core.wording import nearest_hint

__all__ = ["Plain", "RecordShape", "shape_of_record"]

Plain = Mapping[str, object]
"""A record as plain values: texts, numbers, booleans, lists and mappings by the fields' names on the wire."""

_NAMES_A_DURATION: Final = "_hours"


@dataclass(frozen=True, slots=True)
class _Member:
    """One field of a record; `inlined` is the shape of a record whose members stand among its own.

    `is_plain`: its values are written as they are.
    """

    name: str
    wire: str
    shape: Shape
    inlined: "RecordShape | None"
    default: Any
    is_required: bool
    is_left_out_by_default: bool
    is_plain: bool


class RecordShape:
    """The shape of a dataclass: a mapping with a member for each field, or several for one that is inlined."""

    expected = "a mapping"

    def __init__(self, kind: type[Any]) -> None:
        self._kind = kind
        is_complete: bool = getattr(kind, "IS_COMPLETE", False)
        hints = get_type_hints(kind, include_extras=True)
        self._members = tuple(_member(each, hints[each.name], is_complete=is_complete) for each in fields(kind))
        needs_none = not any(each.inlined or each.is_required for each in self._members)
        self._optional = {each.wire: each for each in self._members} if needs_none else None
        wires = [name for each in self._members for name in (each.inlined.names if each.inlined else (each.wire,))]
        if len(set(wires)) < len(wires):
            twice = ", ".join(sorted({name for name in wires if wires.count(name) > 1}))
            raise TypeError(f"{kind.__name__} has two fields for one name on the wire: {twice}")
        self.names: frozenset[str] = frozenset(wires)
        self.secret_names = frozenset(name for each in self._members for name in _secret_names(each))

    @property
    def holds_secret(self) -> bool:
        """Whether any field is secret, or holds something that is."""
        return bool(self.secret_names)

    def read(self, value: Any, found: list[Problem]) -> Any:
        """Return the record, or None where something is wrong with it."""
        if type(value) is not dict and not isinstance(value, Mapping):
            return refuse(value, self.expected, found)
        start = len(found)
        if not value.keys() <= self.names:
            unknown = [name for name in value if name not in self.names]
            found += [Problem(name, f"unknown key; {nearest_hint(name, self.names)}") for name in unknown]
        record = self._made(value, found)
        return None if len(found) > start else record

    def _made(self, value: Plain, found: list[Problem]) -> Any:
        """Build the record and ignore other members; None if a field is wrong."""
        members: dict[str, Any] = {}
        start = len(found)
        for member in self._members if self._optional is None else self._given(value):
            if member.inlined is not None:
                members[member.name] = member.inlined._made(value, found)  # noqa: SLF001 - the same class
            elif (given := value.get(member.wire)) is not None:
                before = len(found)
                members[member.name] = member.shape.read(given, found)
                if len(found) > before:
                    put_below(found, before, member.wire)
            elif member.is_required:
                found.append(Problem(member.wire, "missing; add it"))
        return self._kind(**members) if len(found) == start else None

    def _given(self, value: Plain) -> list[_Member]:
        """Return only the given fields of a record whose fields are all optional; usually a few of many."""
        optional = cast("Mapping[str, _Member]", self._optional)
        return [optional[name] for name in value if name in optional]

    def plain(self, record: Any, only: Collection[str] | None = None) -> dict[str, object]:
        """Return a record as plain values; with `only`, the fields of these names on the wire and no others."""
        plain: dict[str, object] = {}
        self._write(record, only, plain)
        return plain

    def _write(self, record: Any, only: Collection[str] | None, plain: dict[str, object]) -> None:
        for member in self._members:
            if member.inlined is not None:
                member.inlined._write(getattr(record, member.name), only, plain)  # noqa: SLF001 - the same class
            elif only is None or member.wire in only:
                value = getattr(record, member.name)
                if only is None and member.is_left_out_by_default and _is_default(value, member.default):
                    continue
                written = value if member.is_plain or is_deferred(value) else member.shape.plain(value)
                if written is not None:
                    plain[member.wire] = written


def _is_default(value: object, default: object) -> bool:
    return value is default or (not is_unknown(value) and value == default)


_RECORD_SHAPES: Final[dict[type[Any], RecordShape]] = {}


def shape_of_record(kind: type[Any]) -> RecordShape:
    """Return the shape of a dataclass, made once for each; raise TypeError for a class that cannot be a record."""
    shape = _RECORD_SHAPES.get(kind)
    if shape is None:
        if not is_dataclass(kind):
            raise TypeError(f"{kind} is no record")
        shape = _RECORD_SHAPES[kind] = RecordShape(kind)
    return shape


def _member(declared: "Field[Any]", hint: Any, *, is_complete: bool) -> _Member:
    kind, marks = _unmarked(hint)
    names = [mark.name for mark in marks if isinstance(mark, Wire)]
    shape = _shape_of(hint, is_complete=is_complete, is_secret=False)
    if declared.name.endswith(_NAMES_A_DURATION):
        shape = _of_hours(shape)
    is_required = declared.default is MISSING and declared.default_factory is MISSING
    default = None if is_required else _default_of(declared)
    if _may_be_none(shape) and not is_complete and (is_required or default is not None):
        raise TypeError(f"{declared.name} is left out where it is None, so None must be its default")
    return _Member(
        name=declared.name,
        wire=names[0] if names else declared.name,
        shape=shape,
        inlined=shape_of_record(kind) if INLINE in marks else None,
        default=default,
        is_required=is_required,
        is_left_out_by_default=not (is_complete or is_required),
        is_plain=_is_plain(shape),
    )


def _of_hours(shape: Shape) -> Shape:
    """Return the shape of a number of hours, with which dates are computed."""
    if isinstance(shape, Scalar):
        return replace(shape, largest=LONGEST_HOURS)
    return replace(shape, inner=_of_hours(shape.inner)) if isinstance(shape, Optional | Perhaps | Ruled) else shape


def _may_be_none(shape: Shape) -> bool:
    return isinstance(shape, Optional) or (isinstance(shape, Perhaps | Ruled) and _may_be_none(shape.inner))


def _is_plain(shape: Shape) -> bool:
    scalar = shape.inner if isinstance(shape, Perhaps) else shape
    return isinstance(scalar, Scalar) and scalar.write is None


def _default_of(declared: "Field[Any]") -> Any:
    return declared.default if declared.default_factory is MISSING else declared.default_factory()


def _secret_names(member: _Member) -> Iterable[str]:
    """Return the wire names to wrap as secret; an outer field is wrapped whole if a member is secret."""
    if member.inlined is not None:
        return member.inlined.secret_names
    return (member.wire,) if member.shape.holds_secret else ()


def _unmarked(hint: Any) -> tuple[Any, tuple[Any, ...]]:
    if get_origin(hint) is Annotated:
        kind, *marks = get_args(hint)
        return kind, tuple(marks)
    return hint, ()


def _shape_of(hint: Any, *, is_complete: bool, is_secret: bool) -> Shape:
    kind, marks = _unmarked(hint)
    is_secret = is_secret or SECRET in marks
    rules = tuple(mark for mark in marks if hasattr(mark, "fault"))
    if rules and is_secret:
        raise TypeError(f"a secret has no rules, their faults would quote it: {hint}")
    shape = _plain_shape_of(kind, is_complete=is_complete, is_secret=is_secret)
    return Ruled(shape, rules, shape.holds_secret) if rules else shape


def _plain_shape_of(kind: Any, *, is_complete: bool, is_secret: bool) -> Shape:
    scalar = SCALARS.get(kind) or word_shape(kind)
    if scalar is not None:
        return replace(scalar, holds_secret=is_secret)
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (UnionType, Union):
        return _union(arguments, is_complete=is_complete, is_secret=is_secret)
    if origin is Literal:
        # The words are for type checkers; whoever reads the record says which are right, in a sentence of its own.
        return replace(SCALARS[str], holds_secret=is_secret)
    if origin is tuple and arguments[1:] == (Ellipsis,):
        return Items(_shape_of(arguments[0], is_complete=False, is_secret=is_secret))
    if origin is not None and issubclass(origin, Mapping):
        return Members(_shape_of(arguments[1], is_complete=False, is_secret=is_secret))
    if is_dataclass(kind) and not is_secret:
        return shape_of_record(cast("type[Any]", kind))
    raise TypeError(f"no record can hold a {'secret ' if is_secret else ''}{kind}")


def _union(arguments: tuple[Any, ...], *, is_complete: bool, is_secret: bool) -> Shape:
    kinds = [each for each in arguments if each not in (NoneType, Unknown)]
    if _is_number_or_list(kinds):
        number, items = (_shape_of(each, is_complete=is_complete, is_secret=is_secret) for each in kinds)
        return ItemsOr(number, items)
    if len(kinds) != 1:
        raise TypeError(f"a field is one type, perhaps None or unknown, not {kinds}")
    shape = _shape_of(kinds[0], is_complete=is_complete, is_secret=is_secret)
    if NoneType in arguments:
        is_text = kinds[0] is str
        if is_text and is_complete:
            raise TypeError("in a complete record None is the same as an empty text: let its default be empty text")
        shape = Optional(shape, is_complete, is_text)
    return Perhaps(shape) if Unknown in arguments else shape


def _is_number_or_list(kinds: list[Any]) -> bool:
    return len(kinds) == 2 and kinds[0] is int and get_origin(kinds[1]) is tuple  # noqa: PLR2004 - both of them
