"""Makes the directory and the passphrase that the file backend needs."""

import os
import secrets
from pathlib import Path

from toolchain.errors import ToolchainError

__all__ = ["ensure_passphrase"]


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
