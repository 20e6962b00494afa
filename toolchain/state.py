"""Makes the directory and the passphrase that the file backend needs."""

import os
import secrets
from collections.abc import Mapping
from pathlib import Path

from toolchain.environment import backend_url
from toolchain.errors import ToolchainError
from toolchain.layout import Layout
from toolchain.ownership import refuse_passphrase_of_others

__all__ = ["ensure_named", "ensure_passphrase"]


def ensure_named(layout: Layout, environment: Mapping[str, str]) -> None:
    """Make what an environment names and this checkout provides: the state directory, and the passphrase in it.

    Raises:
        ToolchainError: as of `ensure_passphrase`, and where others could exchange the state or read the passphrase.
    """
    is_backend = environment.get("PULUMI_BACKEND_URL") == backend_url(layout.state)
    has_passphrase = environment.get("PULUMI_CONFIG_PASSPHRASE_FILE") == str(layout.passphrase_file)
    if is_backend or has_passphrase:
        refuse_passphrase_of_others(layout, layout.state)
    if is_backend:
        layout.state.mkdir(mode=0o700, parents=True, exist_ok=True)
    if has_passphrase:
        ensure_passphrase(layout.state)


def ensure_passphrase(state: Path) -> None:
    """Make the state directory (0700) and a random passphrase in it (0600) unless both are there.

    An existing passphrase is never touched.

    Raises:
        ToolchainError: There are stacks but no passphrase: a new one could not open their secrets.
    """
    state.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = state / "passphrase"
    if path.exists():
        return
    if any((state / ".pulumi" / "stacks").glob("**/*.json")):
        raise ToolchainError(
            f"{path} is missing, but {state} holds stacks whose secrets it opens. Put the file back, or name the "
            "passphrase's place in PULUMI_CONFIG_PASSPHRASE_FILE."
        )
    _write_new(path, secrets.token_urlsafe(32))


def _write_new(path: Path, text: str) -> None:
    """Write a file that must not be there yet, complete or not at all (two first runs may meet)."""
    temporary = path.with_name(f"{path.name}.{os.getpid()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text + "\n")
    try:
        os.link(temporary, path)
    except FileExistsError:
        pass
    finally:
        temporary.unlink()
