"""Refuses programs and passphrases that another user of the machine has left for us, or could exchange.

Programs of the cache are executed, and the passphrase opens every key. Where a variable leads to somebody else's
directory (`XDG_CACHE_HOME`, `POSTSEAL_STATE_DIR`, `HOME` that sudo kept), both are theirs. It is the rule that files
are written by (docs/places.md), with one more owner: whoever owns the checkout has its program run anyway.
"""

import os
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path

from postseal_core.files.safe_place import complaint_of_place
from toolchain.errors import ToolchainError
from toolchain.layout import Layout

__all__ = ["close_umask", "refuse_passphrase_of_others", "refuse_programs_of_others"]

_WRITABLE_BY_OTHERS = 0o022
_OPEN_TO_OTHERS = 0o077


def close_umask() -> None:
    """Let nothing that this process and its children make be writable by others, whatever umask was handed down."""
    os.umask(os.umask(_WRITABLE_BY_OTHERS) | _WRITABLE_BY_OTHERS)


def refuse_programs_of_others(layout: Layout, environment: Mapping[str, str]) -> None:
    """Raise ToolchainError if somebody else could exchange a program of the cache, or a plugin of the engine."""
    home = Path(environment.get("PULUMI_HOME") or layout.pulumi_home)
    for place, variable in (
        (layout.engine_bin, "XDG_CACHE_HOME"),
        (layout.uv / "bin", "XDG_CACHE_HOME"),
        (home / "plugins", "PULUMI_HOME"),
    ):
        complaint = next(_complaints(place, layout), None)
        if complaint:
            raise ToolchainError(
                f"programs of {place} are not run: {complaint}. Or name another place in {variable} (docs/toolchain.md)"
            )


def refuse_passphrase_of_others(layout: Layout, state: Path) -> None:
    """Raise ToolchainError if somebody else could exchange the state or its passphrase, or read the passphrase."""
    path = state / "passphrase"
    complaint = next(_complaints(state, layout), None) or _complaint_of_secret(path, layout)
    if complaint:
        raise ToolchainError(
            f"the state in {state} is not used: {complaint}. Or name another directory in POSTSEAL_STATE_DIR"
        )


def _trusted(layout: Layout) -> set[int]:
    return {0, os.geteuid(), layout.root.stat().st_uid}


def _complaints(place: Path, layout: Layout) -> Iterator[str]:
    """Yield what is wrong with a directory, as far as it exists, and with each file in it that others reach."""
    if complaint := complaint_of_place(str(place), also=_trusted(layout)):
        yield complaint
    elif place.is_dir() and place.stat().st_mode & _OPEN_TO_OTHERS:
        for path in sorted(place.iterdir()):
            status = path.stat() if path.exists() else path.lstat()
            if status.st_uid not in _trusted(layout):
                yield f"{path} belongs to uid {status.st_uid}, who can change it"
            elif status.st_mode & _WRITABLE_BY_OTHERS and path.exists():
                yield f"{path} can be written by others (mode {_octal(status)}); run chmod go-w on it"


def _complaint_of_secret(path: Path, layout: Layout) -> str | None:
    try:
        status, above = path.stat(), path.parent.stat()
    except FileNotFoundError:
        return None
    if status.st_uid not in _trusted(layout):
        return f"{path} belongs to uid {status.st_uid}, who knows the passphrase"
    if status.st_mode & above.st_mode & _OPEN_TO_OTHERS:
        return f"{path} can be read by others (mode {_octal(status)}); run chmod 0600 on it"
    return None


def _octal(status: os.stat_result) -> str:
    return f"{stat.S_IMODE(status.st_mode):04o}"
