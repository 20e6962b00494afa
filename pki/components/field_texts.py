"""Complete docstrings with the descriptions of certificate fields, which are written once in `pki.arguments`."""

import ast
import inspect
import re
import textwrap
from collections.abc import Callable, Iterator
from functools import cache
from itertools import pairwise
from typing import Final, TypeVar

from pki import arguments

__all__ = ["describes_fields"]

_Kind = TypeVar("_Kind", bound=type)
_PLACE: Final = re.compile(r"^(?P<indent> *)\*\*fields:.*$", re.MULTILINE)
_WIDTH: Final = 120


def describes_fields(fields: type) -> Callable[[_Kind], _Kind]:
    """Return a decorator: in the docstring, the line of `**fields` becomes one entry for each field of `fields`.

    Done when somebody reads the docstring, as `help()` does, so that it costs a program nothing.
    """

    def describe(kind: _Kind) -> _Kind:
        if kind.__doc__:  # none under `python -OO`
            kind.__doc__ = _Docstring(kind.__doc__, fields)  # type: ignore[assignment]
        return kind

    return describe


class _Docstring:
    """A docstring that is completed when it is read."""

    def __init__(self, written: str, fields: type) -> None:
        self._written = written
        self._fields = fields

    def __get__(self, instance: object, owner: type | None = None) -> str:
        return _PLACE.sub(lambda place: "\n".join(_entries(self._fields, place["indent"])), self._written)


def _entries(fields: type, indent: str) -> Iterator[str]:
    texts = _texts_by_class()
    for name in fields.__annotations__:
        said = next(texts[each][name] for each in _lineage(fields.__name__) if name in texts[each])
        yield textwrap.fill(
            f"{name}: {said}",
            _WIDTH,
            initial_indent=indent,
            subsequent_indent=f"{indent}    ",
            break_long_words=False,
            break_on_hyphens=False,
        )


def _lineage(name: str) -> Iterator[str]:
    """Yield the names of a class and its bases from the source; at run time a TypedDict has lost its bases."""
    yield name
    for base in _classes()[name].bases:
        if isinstance(base, ast.Name) and base.id in _classes():
            yield from _lineage(base.id)


@cache
def _classes() -> dict[str, ast.ClassDef]:
    tree = ast.parse(inspect.getsource(arguments))
    return {each.name: each for each in tree.body if isinstance(each, ast.ClassDef)}


@cache
def _texts_by_class() -> dict[str, dict[str, str]]:
    """Return the text below each field, by class and field."""
    return {
        name: {
            field.target.id: " ".join(below.value.value.split())
            for field, below in pairwise(each.body)
            if isinstance(field, ast.AnnAssign)
            and isinstance(field.target, ast.Name)
            and isinstance(below, ast.Expr)
            and isinstance(below.value, ast.Constant)
            and isinstance(below.value.value, str)
        }
        for name, each in _classes().items()
    }
