"""Turn what pydantic finds into problems a reader can act on; a path is one that `pulumi config set --path` takes."""

import difflib
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, get_args, get_origin

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from postseal.stack.field_types import Section
from postseal_core.errors import Problem

__all__ = ["join_path", "nearest_hint", "problems_of_validation", "unknown_name", "without_consequences"]

_MAX_SHOWN = 60
_MANY = 8


def join_path(steps: Iterable[str | int]) -> str:
    """Return the path of a value: `hosts.mx1.relay_clients[0]`."""
    path = ""
    for step in steps:
        path += f"[{step}]" if isinstance(step, int) else f".{step}" if path else step
    return path


def nearest_hint(word: str, known: Collection[str]) -> str:
    """Return `did you mean alice?` where a known word is near, else what the known words are."""
    spellings = {each.lower(): each for each in known}
    found = difflib.get_close_matches(word.lower(), spellings, n=1)
    if found:
        return f"did you mean {spellings[found[0]]}?"
    words = sorted(known)
    listed = ", ".join(words[:_MANY]) + (", ..." if len(words) > _MANY else "")
    return f"expected one of: {listed}" if words else "none is declared"


def unknown_name(path: str, what: str, name: str, known: Collection[str]) -> Problem:
    """Return the problem of a reference to something that is not declared; `what` is its kind (`client`)."""
    return Problem(path, f"there is no {what} {name!r}; {nearest_hint(name, known)}")


def problems_of_validation(error: ValidationError, section: type[Section], path: str) -> list[Problem]:
    """Return one problem for each finding of pydantic in the mapping at `path`, read as a `section`."""
    return [
        Problem(join_path((path, *details["loc"])), _sentence(details, section))
        for details in error.errors(include_url=False)
    ]


def without_consequences(problems: Iterable[Problem], unread: Collection[str]) -> list[Problem]:
    """Leave out what is said about values that could not be read at all, and what is said twice."""
    return list(dict.fromkeys(problem for problem in problems if not _is_below(problem.path, unread)))


def _is_below(path: str, roots: Collection[str]) -> bool:
    return any(path == root or path.startswith((f"{root}.", f"{root}[")) for root in roots)


def _sentence(details: ErrorDetails, section: type[Section]) -> str:
    kind = details["type"]
    if kind == "value_error":
        return str(details["ctx"]["error"])
    if kind == "extra_forbidden":
        return _unknown_key(details["loc"], section)
    if kind == "missing":
        return "missing; add it"
    expected = _EXPECTED.get(kind) or f"one of {details['ctx'].get('expected', '')}"
    return f"got {_found(details['input'])}, expected {expected}"


_EXPECTED = {
    "bool_type": "true or false",
    "dict_type": "a mapping, as {key: value}",
    "int_type": "a whole number",
    "model_type": "a mapping, as {key: value}",
    "string_type": "text; put it into quotes",
    "tuple_type": "a list, as [first, second]",
}
_KINDS: tuple[tuple[Callable[[Any], bool], Callable[[Any], str]], ...] = (
    (lambda value: value is None, lambda _: "nothing"),
    (lambda value: isinstance(value, bool), lambda value: str(value).lower()),
    (lambda value: isinstance(value, int | float), str),
    (lambda value: isinstance(value, str), lambda value: _short(repr(value))),
    (lambda value: isinstance(value, Mapping), lambda _: "a mapping"),
    (lambda _: True, lambda _: "a list"),
)


def _found(value: object) -> str:
    return next(describe(value) for fits, describe in _KINDS if fits(value))


def _short(text: str) -> str:
    return text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}..."


def _unknown_key(location: Sequence[str | int], section: type[Section]) -> str:
    fields = _section_at(section, location[:-1]).model_fields
    return f"unknown key; {nearest_hint(str(location[-1]), fields)}"


def _section_at(section: type[Section], location: Sequence[str | int]) -> type[Section]:
    """Return the section a location leads to; the step into a list or a mapping of sections is no field."""
    if not location:
        return section
    annotation = section.model_fields[str(location[0])].annotation
    steps = 2 if _is_container(annotation) else 1
    return _section_at(_section_in(annotation) or section, location[steps:])


def _is_container(annotation: Any) -> bool:
    return any(get_origin(part) in (tuple, dict, Mapping) for part in (annotation, *get_args(annotation)))


def _section_in(annotation: Any) -> type[Section] | None:
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return annotation
    return next(filter(None, map(_section_in, get_args(annotation))), None)
