"""A host's `settings`: those that the typed sides of Postfix know, and the rest as main.cf parameters."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from types import MappingProxyType
from typing import Any, Literal, get_origin

from postfix.settings import ClientSettings, LogLevel, ServerSettings
from postseal_core.errors import Problem
from postseal_core.wording import shown

__all__ = ["SortedSettings", "problems_of_settings", "sort_settings"]

Setting = bool | int | str

_YES_NO = MappingProxyType({"yes": True, "no": False})


@dataclass(frozen=True, slots=True)
class SortedSettings:
    """Settings by where they belong; `client` is None where nothing is set for sending."""

    server: ServerSettings
    client: ClientSettings | None
    parameters: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Kind:
    """The reader of a typed setting: `read` raises KeyError, ValueError or TypeError for wrong values."""

    read: Callable[[Setting], Any]
    expected: str


def _flag(value: Setting) -> bool:
    return value if isinstance(value, bool) else _YES_NO[str(value).lower()]


def _number(value: Setting) -> int:
    if isinstance(value, bool):
        raise TypeError
    return int(value)


def _text(value: Setting) -> str:
    if isinstance(value, bool):
        raise TypeError
    return str(value)


def _words(value: Setting) -> tuple[str, ...]:
    return tuple(_text(value).replace(",", " ").split())


def _log_level(value: Setting) -> LogLevel:
    """Return a number as a level and anything else as flags; which of them Postfix knows is checked later."""
    try:
        return _number(value)
    except ValueError:
        return _words(value)


_KINDS = MappingProxyType(
    {
        bool: _Kind(_flag, "yes or no"),
        bool | None: _Kind(_flag, "yes or no"),
        LogLevel: _Kind(_log_level, "a whole number or a list of flags"),
        str: _Kind(_text, "text"),
        tuple[str, ...]: _Kind(_words, "a list of words"),
    }
)


def _typed(settings: type[ServerSettings | ClientSettings], prefix: str) -> dict[str, _Kind]:
    return {field.name: _kind_of(field.type) for field in fields(settings) if field.name.startswith(prefix)}


def _kind_of(hint: Any) -> _Kind:
    """Return how a setting of this type is read; of words, which of them are right is checked with the whole host."""
    return _KINDS[str if get_origin(hint) is Literal else hint]


_SERVER = MappingProxyType(_typed(ServerSettings, "smtpd_"))
_CLIENT = MappingProxyType(_typed(ClientSettings, "smtp_"))


def _read(kinds: Mapping[str, _Kind], settings: Mapping[str, Setting]) -> Iterator[tuple[str, Any]]:
    return ((name, kinds[name].read(settings[name])) for name in kinds if _is_readable(name, kinds, settings))


def _is_readable(name: str, kinds: Mapping[str, _Kind], settings: Mapping[str, Setting]) -> bool:
    """Return whether a setting is there and is what its kind expects."""
    try:
        kinds[name].read(settings[name])
    except (KeyError, ValueError, TypeError):
        return False
    return True


def _parameter(value: Setting) -> str:
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)


def sort_settings(settings: Mapping[str, Setting]) -> SortedSettings:
    """Return settings by where they belong; typed ones that cannot be read are left out."""
    others = settings.keys() - _SERVER.keys() - _CLIENT.keys()
    of_client = dict(_read(_CLIENT, settings))
    return SortedSettings(
        server=ServerSettings(**dict(_read(_SERVER, settings))),
        client=ClientSettings(**of_client) if of_client else None,
        parameters={name: _parameter(value) for name, value in settings.items() if name in others},
    )


def problems_of_settings(settings: Mapping[str, Setting]) -> list[Problem]:
    """Report wrong types; which parameters may be set, and their values, are checked with the whole host."""
    kinds = _SERVER | _CLIENT
    return [
        Problem(name, f"got {shown(_parameter(settings[name]))}, expected {kind.expected}")
        for name, kind in kinds.items()
        if name in settings and not _is_readable(name, kinds, settings)
    ]
