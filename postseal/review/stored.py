"""The resources of an exported state, by their URNs, as the engine stored them; secrets are left closed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from postseal_core.errors import ConfigError, Problem
from postseal_core.values import SECRET_SIGNATURE, SIGNATURE_KEY

__all__ = ["SEALED", "StoredResource", "StoredStack", "read_stored_stack", "without_ciphertext"]

SEALED: Final = "postseal: sealed"
"""What stands for a secret of the state."""

_OF_THE_ENGINE: Final = "pulumi:"
_URN_PARTS: Final = 4


@dataclass(frozen=True, slots=True)
class StoredResource:
    """One resource that a provider keeps: `inputs` and `outputs` as plain values, SEALED where a secret stands."""

    urn: str
    type: str
    inputs: Mapping[str, Any] = field(repr=False)
    outputs: Mapping[str, Any] = field(repr=False)
    is_protected: bool = False

    @property
    def name(self) -> str:
        """Its name in the program."""
        return self.urn.split("::", _URN_PARTS - 1)[-1]


@dataclass(frozen=True, slots=True)
class StoredStack:
    """A stack as the engine stored it; the names are empty where nothing is stored yet."""

    project: str = ""
    stack: str = ""
    resources: Mapping[str, StoredResource] = field(default_factory=dict)


def read_stored_stack(export: object) -> StoredStack:
    """Return the live resources of an export.

    Raises:
        ConfigError: it is no export, or one that shows its secrets.
    """
    rows = [row for row in _rows(export) if isinstance(row, Mapping) and _is_live(row)]
    if not rows:
        return StoredStack()
    stack, project, *_ = str(rows[0]["urn"]).split("::")
    kept = (row for row in rows if row.get("custom") and not str(row.get("type")).startswith(_OF_THE_ENGINE))
    return StoredStack(project, stack.removeprefix("urn:pulumi:"), {each.urn: each for each in map(_resource, kept)})


def without_ciphertext(export: object) -> object:
    """Return an export in which every secret is there and empty: what a review may be handed."""
    if isinstance(export, Mapping):
        if _is_secret(export):
            return {SIGNATURE_KEY: SECRET_SIGNATURE, "ciphertext": ""}
        blank = {name: without_ciphertext(member) for name, member in export.items()}
        # With a salt a passphrase could be tried; without a ciphertext to try it on, still nothing here needs it.
        return {name: {} if name == "secrets_providers" else member for name, member in blank.items()}
    return [without_ciphertext(item) for item in export] if isinstance(export, list) else export


def _rows(export: object) -> list[object]:
    deployment = export.get("deployment") if isinstance(export, Mapping) else None
    if not isinstance(deployment, Mapping):
        message = "this is not a stack's state; write the file with `pulumi stack export --file STATE.json`"
        raise ConfigError([Problem("deployment", message)])
    rows = deployment.get("resources") or []
    if not isinstance(rows, list):
        raise ConfigError([Problem("deployment.resources", f"expected a list, got {type(rows).__name__}")])
    return rows


def _is_live(row: Mapping[str, Any]) -> bool:
    return len(str(row.get("urn")).split("::")) >= _URN_PARTS and not row.get("delete")


def _resource(row: Mapping[str, Any]) -> StoredResource:
    return StoredResource(
        urn=str(row["urn"]),
        type=str(row.get("type")),
        inputs=_mapping(row, "inputs"),
        outputs=_mapping(row, "outputs"),
        is_protected=bool(row.get("protect")),
    )


def _mapping(row: Mapping[str, Any], place: str) -> dict[str, Any]:
    found = _closed(row.get(place) or {})
    if isinstance(found, Mapping):
        return dict(found)
    # Of the value only its kind is told: it may be a secret that lost its wrapping.
    message = f"expected a mapping, got a {type(found).__name__}; export the state again, or repair it with `pulumi up`"
    raise ConfigError([Problem(f"deployment.resources.{row['urn']}.{place}", message)])


def _closed(value: Any) -> Any:
    if isinstance(value, Mapping):
        if not _is_secret(value):
            return {name: _closed(member) for name, member in value.items()}
        if "plaintext" in value:
            message = "shows its secrets in clear; delete it, and export again without --show-secrets"
            raise ConfigError([Problem("deployment", message)])
        return SEALED
    return [_closed(item) for item in value] if isinstance(value, list) else value


def _is_secret(value: Mapping[str, Any]) -> bool:
    return value.get(SIGNATURE_KEY) == SECRET_SIGNATURE
