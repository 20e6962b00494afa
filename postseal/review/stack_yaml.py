"""Read a stack file as the engine reads it, whose YAML is not that of PyYAML: `yes` is a text, `1e3` a number."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Final

import yaml

from postseal_core.bounds import DEEPEST, LARGEST_FILE_BYTES
from postseal_core.errors import ConfigError, Problem

__all__ = ["Secure", "StackText", "read_stack_text", "read_yaml"]

_TAG: Final = "tag:yaml.org,2002:"
_INT: Final = re.compile(r"[-+]?(0[xX][0-9a-fA-F_]+|0[oO]?[0-7_]+|0[bB][01_]+|[1-9][0-9_]*|0)")
_FLOAT: Final = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_BOOL: Final = re.compile(r"true|True|TRUE|false|False|FALSE")
_NULL: Final = re.compile(r"~|null|Null|NULL|")
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}")
_INSTANT: Final = re.compile(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([Tt]|[ \t]+)[0-9]{1,2}:[0-9:.]+([ \t]*(Z|[-+][0-9:]+))?")
_OCTAL: Final = re.compile(r"[-+]?0[oO]?[0-7_]+")


_MOST_VALUES: Final = 2_000_000
"""Of a stack file of ten thousand clients there are a tenth."""
_DEEPEST_NODES: Final = 4 * DEEPEST
"""Far below what the stack of a library in C holds, and the square of which it takes to read."""


@dataclass(frozen=True, slots=True)
class Secure:
    """A value that is encrypted in the file; `digest`: of its ciphertext."""

    digest: str


@dataclass(frozen=True, slots=True)
class StackText:
    """What a stack file configures: values by their keys, as `mail-pki:clients`; `Secure` where one is encrypted.

    `settings`: what else stands in it, for the engine itself, as `environment` or `encryptionsalt`.
    """

    values: Mapping[str, Any] = field(default_factory=dict, repr=False)
    settings: Mapping[str, Any] = field(default_factory=dict, repr=False)


def read_stack_text(text: str, name: str) -> StackText:
    """Return the configuration in a stack file; `name` stands in messages.

    Raises:
        ConfigError: it is no YAML, or no stack file. No message quotes it.
    """
    if len(text) > LARGEST_FILE_BYTES:
        raise ConfigError([Problem(name, f"is larger than {LARGEST_FILE_BYTES // 2**20} MiB, which no stack file is")])
    try:
        document = read_yaml(text)
    except _RepeatedError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        message = f"line {line}: a key that stands above already; the engine refuses such a file, so leave one out"
        raise ConfigError([Problem(name, message)]) from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f" (line {mark.line + 1})" if mark else ""
        raise ConfigError([Problem(name, f"is no YAML{place}; a stack file is")]) from None
    except (RecursionError, ValueError):
        raise ConfigError([Problem(name, "cannot be read as YAML; write it plainer")]) from None
    config = document.get("config", {}) if isinstance(document, Mapping) else {}
    if not isinstance(config, Mapping | None) or (document is not None and not isinstance(document, Mapping)):
        raise ConfigError([Problem(name, "is no stack file: expected a mapping with `config:`")])
    reading = _Reading()
    try:
        values = [(_full_key(str(key)), reading.value(each)) for key, each in (config or {}).items()]
        settings = {str(key): reading.value(each) for key, each in (document or {}).items() if key != "config"}
    except (RecursionError, ValueError):
        raise ConfigError([Problem(name, "cannot be read as YAML; write it plainer")]) from None
    if len(dict(values)) < len(values):
        # Of two that mean the same the engine takes one, and it is not always the same one.
        message = "names a key twice, with and without `config` in the middle; leave one of them out"
        raise ConfigError([Problem(name, message)])
    return StackText(dict(values), settings)


def read_yaml(text: str) -> Any:
    """Return what YAML says in the engine's words; its size, depth and growth are bounded first.

    Raises:
        yaml.YAMLError: it is no YAML.
        ValueError, RecursionError: it is too much of it.
    """
    left, depth = _MOST_VALUES, 0
    for event in yaml.parse(text, Loader=_Loader):  # node by node, before anything is built of them
        left -= 1
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if left < 0 or depth > _DEEPEST_NODES:
            raise ValueError
    return yaml.load(text, Loader=_EngineLoader)  # noqa: S506  # a SafeLoader with other words


def _full_key(key: str) -> str:
    """Return a key without the word `config` that the engine takes in the middle of it."""
    parts = key.split(":")
    return f"{parts[0]}:{parts[2]}" if len(parts) == 3 and parts[1] == "config" else key  # noqa: PLR2004


_Loader: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""The one in C is ten times faster; where PyYAML was built without it, the other one reads the same."""


class _Reading:
    """Turns what was read into plain values, of which there are not more than a stack file can have."""

    def __init__(self) -> None:
        self._left = _MOST_VALUES

    def value(self, value: Any) -> Any:
        """Return a value, with `Secure` for each that is encrypted; an alias counts as often as it is used."""
        self._left -= 1
        if self._left < 0:
            raise ValueError
        if isinstance(value, Mapping):
            if set(value) == {"secure"} and isinstance(value["secure"], str):
                return Secure(sha256(value["secure"].encode()).hexdigest())
            return {str(name): self.value(member) for name, member in value.items()}
        if isinstance(value, list):
            return [self.value(item) for item in value]
        if value is not None and not isinstance(value, str | int | float):
            raise ValueError  # bytes, sets and others that only tags make
        return value


class _RepeatedError(yaml.MarkedYAMLError):
    """A mapping has a key twice."""


class _EngineLoader(_Loader):  # type: ignore[misc, valid-type]
    """Reads scalars as the engine's library does; PyYAML takes `yes` for a boolean and `12:30:45` for a number.

    It refuses a key that stands twice, of which PyYAML takes the last one, and bounds what `<<` brings together.
    """

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._left = _MOST_VALUES
        self._flat: set[int] = set()

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        """Put what `<<` names into a mapping, once."""
        if id(node) in self._flat:
            return
        self._flat.add(id(node))
        seen: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                continue  # refused where it is used as a key
            self._name(key)
            if key.value in seen:
                raise _RepeatedError(problem_mark=key.start_mark)
            seen.add(key.value)
        super().flatten_mapping(node)
        self._left -= len(node.value)
        if self._left < 0:
            raise ValueError

    def _name(self, key: yaml.ScalarNode) -> None:
        """Make a text of a key, as the engine does; PyYAML takes `1`, `01` and `true` for one key."""
        if key.tag not in (f"{_TAG}str", f"{_TAG}merge"):
            named = self.construct_object(key)
            key.value = str(named).lower() if isinstance(named, bool) else str(named)
            key.tag = f"{_TAG}str"
            self.constructed_objects.pop(key, None)


def _whole(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> int | float:
    text = str(loader.construct_scalar(node)).replace("_", "")
    sign, digits = (-1 if text[:1] == "-" else 1), text.lstrip("+-")
    if _OCTAL.fullmatch(text) and digits.strip("0oO"):
        return sign * int(digits.lower().removeprefix("0o").lstrip("0") or "0", 8)
    return sign * int(digits, 0 if digits[:2].lower() in ("0x", "0b", "0o") else 10)


def _fraction(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> int | float:
    number = float(str(loader.construct_scalar(node)))
    return int(number) if number.is_integer() and abs(number) < 1e21 else number  # noqa: PLR2004  # written out so far


def _instant(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> str:
    """Return a date as the text into which the engine turns it."""
    text = str(loader.construct_scalar(node))
    try:
        found = loader.construct_yaml_timestamp(node)
    except ValueError:
        return text
    if isinstance(found, datetime):
        found = found if found.tzinfo else found.replace(tzinfo=UTC)
        fraction = f".{found.microsecond:06d}".rstrip("0").rstrip(".") if found.microsecond else ""
        offset = found.strftime("%z")
        zone = "UTC" if offset == "+0000" else offset
        return f"{found:%Y-%m-%d %H:%M:%S}{fraction} {offset} {zone}"
    return f"{found:%Y-%m-%d} 00:00:00 +0000 UTC"


def _text(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> str:
    return str(loader.construct_scalar(node))


def _truth(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> bool:
    return str(loader.construct_scalar(node)).lower() == "true"


_EngineLoader.yaml_implicit_resolvers = {}
for _name, _pattern, _starts in (
    ("null", _NULL, ["~", "n", "N", ""]),
    ("bool", _BOOL, list("tTfF")),
    ("int", _INT, list("-+0123456789")),
    ("float", _FLOAT, list("-+.0123456789")),
    ("timestamp", _DAY, list("0123456789")),
    ("timestamp", _INSTANT, list("0123456789")),
    ("merge", re.compile(r"<<"), ["<"]),
):
    _EngineLoader.add_implicit_resolver(f"{_TAG}{_name}", re.compile(f"(?:{_pattern.pattern})\\Z"), _starts)
for _name, _construct in (
    ("merge", _text),
    ("value", _text),
    ("int", _whole),
    ("float", _fraction),
    ("bool", _truth),
    ("timestamp", _instant),
):
    _EngineLoader.add_constructor(f"{_TAG}{_name}", _construct)
