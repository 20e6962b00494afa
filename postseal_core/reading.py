"""The one reader of what people write: a mapping becomes a section, and all that is wrong with it problems with paths.

Sections are pydantic models. They read stack files, rows of rosters and arguments of components; the plugin, which
must start quickly, reads its inputs with `postseal_core.records` instead.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar, get_args, get_origin

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails

from postseal_core.errors import Problem
from postseal_core.values import MUST_BE_KNOWN, is_deferred
from postseal_core.wording import found, nearest_hint

__all__ = ["Raw", "Reading", "Section", "join_path", "read_section", "without_consequences"]

_SCALARS: Final = (str, int)
S = TypeVar("S", bound="Section")

Raw = Mapping[str, object]
"""What somebody wrote, by its keys, before it is read: only readers look into it."""


class Section(BaseModel):
    """A mapping that somebody writes: its keys are the fields, any other key is an error, nothing changes later.

    Every field needs a default: a section in which something is wrong is read without it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


@dataclass(frozen=True, slots=True)
class Reading(Generic[S]):
    """A section without the fields that could not be read, what is wrong with these, and their paths."""

    section: S
    problems: tuple[Problem, ...] = ()
    unread: frozenset[str] = frozenset()


def read_section(value: object, section: type[S], path: str = "") -> Reading[S]:
    """Return what could be read of a mapping; None stands for an empty one.

    `path`: where the mapping stands, in front of the paths of problems. An output of a Pulumi program is refused with
    the sentence that it must be known.
    """
    if is_deferred(value):
        return Reading(section.model_validate({}), (Problem(path, MUST_BE_KNOWN),), frozenset({path}))
    given = {} if value is None else value
    deferred = [name for name, each in given.items() if _holds_deferred(each)] if isinstance(given, Mapping) else []
    if isinstance(given, Mapping) and deferred:
        given = {name: each for name, each in given.items() if name not in deferred}
    problems = [Problem(join_path((path, name)), MUST_BE_KNOWN) for name in deferred]
    unread = {problem.path for problem in problems}
    try:
        return Reading(section.model_validate(given), tuple(problems), frozenset(unread))
    except ValidationError as error:
        problems += _problems_of_validation(error, section, path)
        wrong = {each["loc"][0] for each in error.errors(include_url=False, include_input=False) if each["loc"]}
        unread |= {join_path((path, step)) for step in wrong} or {path}
        rest = {name: each for name, each in given.items() if name not in wrong} if isinstance(given, Mapping) else {}
        return Reading(section.model_validate(rest if wrong else {}), tuple(problems), frozenset(unread))


def join_path(steps: Iterable[str | int]) -> str:
    """Return the path of a value, as `pulumi config set --path` takes it: `hosts.mx1.relay_clients[0]`."""
    path = ""
    for step in steps:
        path += f"[{step}]" if isinstance(step, int) else f".{step}" if path else step
    return path


def without_consequences(problems: Iterable[Problem], unread: Collection[str]) -> list[Problem]:
    """Leave out what is said about values that could not be read at all, and what is said twice."""
    return list(dict.fromkeys(problem for problem in problems if not _is_below(problem.path, unread)))


def _holds_deferred(value: object, above: tuple[int, ...] = ()) -> bool:
    """Return whether an output stands in a value; `above`: what it stands in, for YAML lets a value hold itself."""
    if isinstance(value, _SCALARS) or id(value) in above:
        return False
    within = (*above, id(value))
    if isinstance(value, list | tuple):
        return any(_holds_deferred(item, within) for item in value)
    if isinstance(value, Mapping):
        return any(_holds_deferred(member, within) for member in value.values())
    return is_deferred(value)


def _is_below(path: str, roots: Collection[str]) -> bool:
    return any(path == root or path.startswith((f"{root}.", f"{root}[")) for root in roots)


def _problems_of_validation(error: ValidationError, section: type[Section], path: str) -> list[Problem]:
    return [
        Problem(join_path((path, *details["loc"])), _sentence(details, section))
        for details in error.errors(include_url=False)
    ]


def _sentence(details: ErrorDetails, section: type[Section]) -> str:
    kind = details["type"]
    if kind == "value_error":
        return str(details["ctx"]["error"])
    if kind == "extra_forbidden":
        return _unknown_key(details["loc"], section)
    if kind == "missing":
        return "missing; add it"
    if kind == "invalid_key":
        return f"got {found(details['input'])} as a key, expected text; put it into quotes"
    expected = _EXPECTED.get(kind) or f"one of {details['ctx'].get('expected', '')}"
    return f"got {found(details['input'])}, expected {expected}"


_EXPECTED: Final = {
    "bool_type": "true or false",
    "dict_type": "a mapping, as {key: value}",
    "int_type": "a whole number",
    "model_type": "a mapping, as {key: value}",
    "string_type": "text; put it into quotes",
    "tuple_type": "a list, as [first, second]",
}


def _unknown_key(location: Sequence[str | int], section: type[Section]) -> str:
    known = _section_at(section, location[:-1]).model_fields
    return f"unknown key; {nearest_hint(str(location[-1]), known)}"


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
