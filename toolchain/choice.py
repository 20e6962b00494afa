"""Decides which engine can be used and words what is missing; pure, the looking is done in `engine.py`."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from toolchain.recipe import ENGINE_VERSION

__all__ = [
    "Attempt",
    "ExistingEngine",
    "Version",
    "explain_failure",
    "judge_existing",
    "judge_go",
    "parse_version",
]

Version = tuple[int, int, int]

OLDEST_GO: Version = (1, 26, 0)
"""The version in the recipe's go.mod files."""

OLDEST_SWITCHING_GO: Version = (1, 21, 0)
"""The first Go that fetches the version a go.mod asks for (https://go.dev/doc/toolchain)."""

_VERSION = re.compile(r"(?:\bv|\bgo|(?<![\w.]))(\d+)\.(\d+)(?:\.(\d+))?(-[0-9A-Za-z.-]+)?")


@dataclass(frozen=True, slots=True)
class ExistingEngine:
    """A `pulumi` that was found on `PATH`; `version_text` is what `pulumi version` prints."""

    path: str
    version_text: str
    has_language_host: bool


@dataclass(frozen=True, slots=True)
class Attempt:
    """One way to an engine that was tried, and why it did not lead there."""

    way: str
    outcome: str


def parse_version(text: str) -> Version | None:
    """Return the first version number in `text` (`v3.250.0`, `go version go1.26.8 linux/amd64`), None without one.

    A pre-release (`v3.250.0-alpha.1`) counts as older than its release: its last number is one lower, at least -1.
    """
    found = _VERSION.search(text)
    if found is None:
        return None
    major, minor, patch = (int(part or 0) for part in found.groups()[:3])
    return major, minor, patch - 1 if found[4] else patch


def judge_existing(existing: ExistingEngine | None) -> str | None:
    """Return why the `pulumi` on `PATH` cannot be used; None if it can."""
    if existing is None:
        return "there is none on PATH"
    version = parse_version(existing.version_text)
    if version is None:
        return f"{existing.path} does not say its version"
    if version < (parse_version(ENGINE_VERSION) or version):
        return f"{existing.path} is {existing.version_text}; {ENGINE_VERSION} or newer is needed"
    if not existing.has_language_host:
        return f"{existing.path} has no pulumi-language-python beside it"
    return None


def judge_go(version_text: str | None, toolchain_setting: str) -> str | None:
    """Return why the engine cannot be built with this Go; None if it can.

    `version_text` is what `go version` prints, None without a Go; `toolchain_setting` is `go env GOTOOLCHAIN`.
    """
    needed = ".".join(map(str, OLDEST_GO[:2]))
    if version_text is None:
        return f"there is no go on PATH; Go {needed} or newer is needed"
    version = parse_version(version_text)
    if version is None:
        return f"`go version` says {version_text!r}, which holds no version; Go {needed} or newer is needed"
    if version >= OLDEST_GO:
        return None
    found = ".".join(map(str, version))
    if version < OLDEST_SWITCHING_GO:
        return f"Go {found} is too old; Go {needed} or newer is needed"
    if toolchain_setting in {"local", "path"}:
        return (
            f"Go {found} is too old and GOTOOLCHAIN={toolchain_setting} keeps it from fetching Go {needed}; install "
            f"Go {needed} or set GOTOOLCHAIN=auto"
        )
    return None


def explain_failure(attempts: Iterable[Attempt]) -> str:
    """Return the message for a machine on which no way leads to an engine."""
    tried = "\n".join(f"  - {attempt.way}: {attempt.outcome}" for attempt in attempts)
    return (
        f"No Pulumi engine could be set up. Tried:\n{tried}\n"
        "Do one of these and run the command again:\n"
        f"  - install Pulumi {ENGINE_VERSION} or newer (https://www.pulumi.com/docs/install/) and put it on PATH\n"
        "  - let this machine reach https://get.pulumi.com (HTTPS_PROXY is honoured)\n"
        f"  - install Go {'.'.join(map(str, OLDEST_GO[:2]))} or newer (https://go.dev/dl/): the engine is then built "
        "from source in about 12 minutes"
    )
