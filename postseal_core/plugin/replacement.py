"""Tells which resources `--replace` names: the engine hides from a plugin that it asks for a replacement.

Check then comes without the old inputs, as for a first resource, and a certificate would begin its history anew: the
generation that its client uses would be let in no longer. So the plugin looks at how the engine was called.
"""

import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

__all__ = ["REPLACEMENT", "called_with", "is_named", "patterns_of"]

REPLACEMENT: Final = (
    "cannot be replaced: with --replace its history would begin anew, and what is in use now would be let in no "
    "longer. Leave out --replace; for a new key at once declare `revoke: superseded` with `issue_again: true`, or "
    "change `key_algorithm` (docs/renew.md)"
)

_SWITCHES: Final = ("--replace", "--target-replace")
_ENGINE: Final = "pulumi"
_GENERATIONS: Final = 8
"""How far up the engine is looked for: it starts a plugin through one or two shells."""


def patterns_of(arguments: Sequence[str]) -> tuple[str, ...]:
    """Return the URNs, with `*` for a part and `**` for anything, that a command line of the engine says to replace."""
    found = []
    for argument, following in zip(arguments, [*arguments[1:], ""], strict=False):
        name, is_joined, value = argument.partition("=")
        if name in _SWITCHES:
            found.append(value if is_joined else following)
    return tuple(found)


def is_named(urn: str, patterns: Sequence[str]) -> bool:
    """Return whether one of the patterns names a resource."""
    return any(re.fullmatch(_expression(pattern), urn) for pattern in patterns)


def _expression(pattern: str) -> str:
    return ".*".join("[^:]*".join(map(re.escape, part.split("*"))) for part in pattern.split("**"))


def called_with() -> Sequence[str]:
    """Return how the engine above this process was called; empty where the system does not tell, as without /proc."""
    return _engine_above(os.getppid(), _arguments_of, _parent_of)


def _engine_above(
    process: int, arguments_of: Callable[[int], Sequence[str]], parent_of: Callable[[int], int]
) -> Sequence[str]:
    for _ in range(_GENERATIONS):
        arguments = arguments_of(process)
        if arguments and os.path.basename(arguments[0]) == _ENGINE:  # noqa: PTH119  # a text, no path of ours
            return arguments
        process = parent_of(process)
        if process <= 1:
            break
    return ()


def _arguments_of(process: int) -> Sequence[str]:
    try:
        return Path(f"/proc/{process}/cmdline").read_bytes().decode("utf-8", "surrogateescape").split("\0")[:-1]
    except OSError:
        return ()


def _parent_of(process: int) -> int:
    try:
        # The name of the program stands in brackets, and may hold some.
        return int(Path(f"/proc/{process}/stat").read_text(errors="replace").rpartition(")")[2].split()[1])
    except (OSError, ValueError, IndexError):
        return 0
