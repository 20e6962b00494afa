"""Read the JSON of `pulumi stack export` into resources and typed fields, never looking into a secret."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

from postseal_core.errors import ConfigError, Problem
from postseal_core.instants import parse_instant

__all__ = ["Fields", "Resource", "read_resources"]

# The engine marks every special value in its state with this key; secrets carry their ciphertext beside it.
_SPECIAL_VALUE_KEY = "4dabf18193072939515e22adb298388d"
_PLACEHOLDER_INSTANT = datetime(1970, 1, 1, tzinfo=UTC)
_URN_PARTS = 4

_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True)
class Resource:
    """One resource of a stack: its names, and its inputs and outputs without the secret ones."""

    urn: str
    type: str
    inputs: Mapping[str, object]
    outputs: Mapping[str, object]
    init_errors: tuple[str, ...] = ()

    @property
    def stack(self) -> str:
        """The stack's name, from the URN `urn:pulumi:STACK::PROJECT::TYPE::NAME`."""
        return self.urn.split("::")[0].removeprefix("urn:pulumi:")

    @property
    def project(self) -> str:
        """The project's name, from the URN."""
        return self.urn.split("::")[1]

    @property
    def name(self) -> str:
        """The resource's name in the program, from the URN."""
        return self.urn.split("::", 3)[3]


class Fields:
    """Typed access to a record; what is missing or malformed is added to `problems`, so that all are told at once."""

    def __init__(self, values: Mapping[str, object], path: str, problems: list[Problem]) -> None:
        self._values = values
        self._path = path
        self._problems = problems

    @property
    def values(self) -> Mapping[str, object]:
        """The record itself."""
        return self._values

    def text(self, name: str, default: str | None = None) -> str:
        """Return a text; without `default` it must be there."""
        value = self._values.get(name, default)
        return value if isinstance(value, str) else self._wrong(name, value, "a text", default or "")

    def integer(self, name: str, default: int | None = None) -> int:
        """Return a whole number; without `default` it must be there."""
        value = self._values.get(name, default)
        if isinstance(value, int | float) and not isinstance(value, bool) and value == value // 1:
            return int(value)
        return self._wrong(name, value, "a whole number", 0)

    def has(self, name: str) -> bool:
        """Return whether the field is there and not empty: the provider writes what is unset as an empty text."""
        return self._values.get(name) not in (None, "")

    def instant(self, name: str) -> datetime:
        """Return an instant, which must be there as RFC 3339 text."""
        found = self.optional_instant(name)
        return found or self._wrong(name, self._values.get(name), "an RFC 3339 instant", _PLACEHOLDER_INSTANT)

    def optional_instant(self, name: str) -> datetime | None:
        """Return an instant, or None where the text is missing or empty."""
        value = self._values.get(name)
        if not value:
            return None
        try:
            return parse_instant(str(value))
        except (ValueError, OverflowError):
            return self._wrong(name, value, "an RFC 3339 instant", _PLACEHOLDER_INSTANT)

    def texts(self, name: str) -> tuple[str, ...]:
        """Return a list of texts, empty where it is missing."""
        return tuple(item for item in self._items(name) if isinstance(item, str))

    def records(self, name: str) -> Iterator["Fields"]:
        """Yield the records of a list, none where it is missing."""
        for index, item in enumerate(self._items(name)):
            if isinstance(item, Mapping):
                yield Fields(item, f"{self._path}.{name}[{index}]", self._problems)
            else:
                self._wrong(f"{name}[{index}]", item, "a record", None)

    def refuse(self, name: str, message: str) -> None:
        """Add a problem with the named field."""
        self._problems.append(Problem(f"{self._path}.{name}", message))

    def _items(self, name: str) -> Sequence[object]:
        value = self._values.get(name)
        if value is None or isinstance(value, list | tuple):
            return value or ()
        return self._wrong(name, value, "a list", ())

    def _wrong(self, name: str, value: object, expected: str, instead: _Value) -> _Value:
        found = "is missing" if value is None else f"is {value!r:.60}"
        self.refuse(name, f"{found}, expected {expected}; run `pulumi up` with the current plugin to repair the state")
        return instead


def read_resources(export: object) -> tuple[Resource, ...]:
    """Return the resources of an export; those waiting for their deletion are left out.

    Raises:
        ConfigError: the document is not what `pulumi stack export` writes.
    """
    rows = _resource_rows(export)
    return tuple(_read_resource(row) for row in rows if isinstance(row, Mapping) and _is_live(row))


def _resource_rows(export: object) -> Sequence[object]:
    deployment = export.get("deployment") if isinstance(export, Mapping) else None
    if not isinstance(deployment, Mapping):
        message = "this is not a stack's state; write the file with `pulumi stack export --file EXPORT.json`"
        raise ConfigError([Problem("deployment", message)])
    rows = deployment.get("resources") or ()
    if not isinstance(rows, list | tuple):
        raise ConfigError([Problem("deployment.resources", f"expected a list, got {type(rows).__name__}")])
    return rows


def _is_live(row: Mapping[str, object]) -> bool:
    """A resource marked `delete` was replaced already and goes with the next `pulumi up`."""
    return len(str(row.get("urn")).split("::")) >= _URN_PARTS and not row.get("delete")


def _read_resource(row: Mapping[str, object]) -> Resource:
    errors = row.get("initErrors")
    return Resource(
        urn=str(row["urn"]),
        type=str(row.get("type", "")),
        inputs=_without_secrets(row.get("inputs")),
        outputs=_without_secrets(row.get("outputs")),
        init_errors=tuple(str(error) for error in errors) if isinstance(errors, list) else (),
    )


def _without_secrets(properties: object) -> dict[str, object]:
    if not isinstance(properties, Mapping):
        return {}
    return {name: value for name, value in properties.items() if not _is_special(value)}


def _is_special(value: object) -> bool:
    return isinstance(value, Mapping) and _SPECIAL_VALUE_KEY in value
