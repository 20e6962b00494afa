"""The provider's configuration: a clock for rehearsals, and whether changes may be made under it; pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from postseal_core.errors import ConfigError, PostsealError, Problem
from postseal_core.instants import format_instant, parse_instant

__all__ = ["Configuration", "configuration_problems", "decode_configuration"]

_EARLIEST, _LATEST = 1970, 8999  # dates are computed from it, and must not leave the calendar
_KNOWN = {"clock", "rehearsal", "version"}


@dataclass(frozen=True, slots=True)
class Configuration:
    """`clock`: the instant that decisions are made for, None for now. `is_rehearsal`: changes are allowed under it."""

    clock: datetime | None = None
    is_rehearsal: bool = False

    def refuse_changes(self) -> None:
        """Raise PostsealError if the clock is set and the stack is no rehearsal stack."""
        if self.clock is None or self.is_rehearsal:
            return
        raise PostsealError(
            f"postseal:clock is set to {format_instant(self.clock)}: previews may look at another day, but changes are "
            "made only on a rehearsal stack (`pulumi config set postseal:rehearsal true`) or without the clock "
            "(`pulumi config rm postseal:clock`)"
        )


def decode_configuration(settings: Mapping[str, Any]) -> Configuration:
    """Return the configuration; raise ConfigError with everything that is wrong with it."""
    problems = configuration_problems(settings)
    if problems:
        raise ConfigError(problem.below("postseal") for problem in problems)
    clock = settings.get("clock")
    return Configuration(parse_instant(clock) if clock else None, _is_true(settings.get("rehearsal")))


def configuration_problems(settings: Mapping[str, Any]) -> list[Problem]:
    """Return what is wrong with the keys of the namespace `postseal`."""
    problems = [
        Problem(name, "unknown key; the provider knows `clock` (RFC 3339) and `rehearsal` (true or false)")
        for name in settings
        if name not in _KNOWN
    ]
    try:
        clock = parse_instant(str(settings.get("clock", "2026-01-01T00:00:00Z")))
        if not _EARLIEST <= clock.year <= _LATEST:
            problems.append(Problem("clock", f"expected an instant of the years {_EARLIEST} to {_LATEST}"))
    except (ValueError, OverflowError):
        problems.append(
            Problem("clock", "not an instant; write it as '2027-03-01T00:00:00Z', in a stack file in quotes")
        )
    if str(settings.get("rehearsal", "false")).lower() not in ("true", "false"):
        problems.append(Problem("rehearsal", "expected true or false"))
    return problems


def _is_true(value: object) -> bool:
    return str(value).lower() == "true"
