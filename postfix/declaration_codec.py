"""Read the declaration of a host back from the plain values that `dataclasses.asdict` and JSON made of it.

The type hints of the dataclasses are the only schema. A validation library would do the same; loading one costs the
plugin as much processor time as everything else in this package together, at each command of the engine.
"""

from collections.abc import Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from enum import StrEnum
from types import NoneType, UnionType
from typing import Any, get_args, get_origin

from postfix.host import HostDeclaration
from postseal_core.errors import ConfigError, Problem

__all__ = ["decode_host"]

_WORDS: Mapping[Any, str] = {str: "a text", int: "a whole number", bool: "true or false"}


def decode_host(declaration: Mapping[str, Any]) -> HostDeclaration:
    """Return the declaration that `dataclasses.asdict` made plain.

    NOT checked here: what the values mean; see `problems_of_host`.

    Raises:
        ConfigError: everything that is missing, unknown or of another type, with its path, never with its value.
    """
    problems: list[Problem] = []
    host = _decode(HostDeclaration, declaration, "", problems)
    if problems:
        raise ConfigError(problems)
    decoded: HostDeclaration = host
    return decoded


def _decode(kind: Any, value: object, path: str, problems: list[Problem]) -> Any:
    """Return a value as its type hint has it; where it does not fit, add a problem and return something."""
    if kind in _WORDS:
        return value if type(value) is kind else _refuse(path, _WORDS[kind], value, problems)
    origin = get_origin(kind)
    if origin is UnionType:
        (inner,) = (each for each in get_args(kind) if each is not NoneType)
        return None if value is None else _decode(inner, value, path, problems)
    if origin is tuple:
        return _decode_items(get_args(kind), value, path, problems)
    if origin is Mapping or is_dataclass(kind):
        if not isinstance(value, Mapping):
            return _refuse(path, "a mapping", value, problems)
        return _decode_members(kind, value, path, problems)
    return _decode_word(kind, value, path, problems)


def _decode_items(kinds: tuple[Any, ...], value: object, path: str, problems: list[Problem]) -> Any:
    if not isinstance(value, list | tuple):
        return _refuse(path, "a list", value, problems)
    if kinds[-1] is Ellipsis:
        kinds = kinds[:1] * len(value)
    elif len(kinds) != len(value):
        return _refuse(path, f"a list of {len(kinds)}", value, problems)
    pairs = zip(kinds, value, strict=True)
    return tuple(_decode(kind, item, f"{path}[{index}]", problems) for index, (kind, item) in enumerate(pairs))


def _decode_members(kind: Any, value: Mapping[str, object], path: str, problems: list[Problem]) -> Any:
    if not is_dataclass(kind):
        _, inner = get_args(kind)
        return {name: _decode(inner, member, _below(path, name), problems) for name, member in value.items()}
    known = {each.name: each for each in fields(kind)}
    problems += [Problem(_below(path, name), "is unknown here") for name in value if name not in known]
    problems += [Problem(_below(path, name), "is missing") for name in known if _is_missing(known[name], value)]
    given = [name for name in known if name in value]
    members = {name: _decode(known[name].type, value[name], _below(path, name), problems) for name in given}
    return None if problems else kind(**members)  # type: ignore[operator]  # is_dataclass narrows to instances, too


def _decode_word(kind: type[StrEnum], value: object, path: str, problems: list[Problem]) -> Any:
    words = [each.value for each in kind]
    return kind(value) if value in words else _refuse(path, f"one of {', '.join(words)}", value, problems)


def _is_missing(declared: Field[Any], value: Mapping[str, object]) -> bool:
    return declared.name not in value and declared.default is MISSING and declared.default_factory is MISSING


def _refuse(path: str, expected: str, value: object, problems: list[Problem]) -> None:
    # The value itself stays out: whoever writes parameters may have put a password there.
    problems.append(Problem(path, f"expected {expected}, got {type(value).__name__}"))


def _below(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
