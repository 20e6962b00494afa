"""The reader of user input: turns a mapping into a typed section and collects problems with paths.

Sections are pydantic models. They read stack files, rows of rosters and arguments of components; the plugin, which
must start quickly, reads its inputs with `postseal_core.records` instead.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar, Final, Generic, TypeVar, get_args, get_origin

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails

from postseal_core.errors import Problem
from postseal_core.values import MUST_BE_KNOWN, is_deferred
from postseal_core.wording import found, nearest_hint
from postseal_core.writable import faults_in

__all__ = ["Raw", "Reading", "Section", "join_path", "read_section", "without_consequences"]

S = TypeVar("S", bound="Section")

Raw = Mapping[str, object]
"""What somebody wrote, by its keys, before it is read: only readers look into it."""


class Section(BaseModel):
    """A mapping that somebody writes: its keys are the fields, any other key is an error, nothing changes later.

    Every field needs a default: a section in which something is wrong is read without it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    OTHER_WORDS: ClassVar[Mapping[str, Sequence[str]]] = MappingProxyType({})
    """What others call keys of this section and of those below, and what they mean by it; see `nearest_hint`."""


@dataclass(frozen=True, slots=True)
class Reading(Generic[S]):
    """The result of reading: a section without unreadable fields, their problems and their paths."""

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
    faults = _faults_by_key(given, path) if isinstance(given, Mapping) else {}
    if isinstance(given, Mapping) and faults:
        given = {name: each for name, each in given.items() if name not in faults}
    problems = [problem for each in faults.values() for problem in each]
    unread = {join_path((path, name)) for name in faults if isinstance(name, str)}
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
    """Drop repeated problems and those about values that could not be read."""
    return list(dict.fromkeys(problem for problem in problems if not _is_below(problem.path, unread)))


def _faults_by_key(given: Mapping[object, object], path: str) -> dict[object, list[Problem]]:
    """Return faults of implausible keys and values, by key."""
    odd = {
        name: each
        for name, each in given.items()
        if isinstance(name, bool) or not (_is_plain(name) and _is_plain(each))
    }
    faults = {name: [*faults_in({name: each})] for name, each in odd.items()}
    return {
        name: [Problem(join_path((path, *steps)), message) for steps, message in each]
        for name, each in faults.items()
        if each
    }


def _is_plain(value: object) -> bool:
    """Return whether a value is an ASCII text or a flag and needs no closer look; most are."""
    return (type(value) is str and value.isascii()) or type(value) is bool


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
    expected = _EXPECTED.get(kind) or f"one of {details.get('ctx', {}).get('expected', 'what the reference names')}"
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
    return f"unknown key; {nearest_hint(str(location[-1]), known, section.OTHER_WORDS)}"


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
