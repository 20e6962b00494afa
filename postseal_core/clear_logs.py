"""Finds switches of the Pulumi engine that write keys and passphrases in clear; only the standard library is used.

Tried with Pulumi 3.250.0: each of these wrote private keys, most of them into a file that everybody can read. What is
not here (`--debug`, `--event-log`, `--logflow` alone, `PULUMI_DEBUG_COMMANDS`) wrote none.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Final

__all__ = ["clear_log_switches"]

_NO: Final = ("", "0", "false", "f", "no")
# Not PULUMI_LOG_OTLP_ENDPOINT: the engine itself sets it for every plugin.
_VARIABLES: Final = ("PULUMI_DEBUG_GRPC", "PULUMI_OTEL_EXPORTER_OTLP_ENDPOINT")
_FLAGS: Final = ("--logtostderr", "--otel-traces", "--tracing", "--verbose")
# The engine reads `PULUMI_OPTION_LOGTOSTDERR` as it reads the flag.
_OF_FLAG: Final = {f"PULUMI_OPTION_{flag.removeprefix('--').replace('-', '_').upper()}": flag for flag in _FLAGS}
_WITHOUT_PAYLOADS: Final = "PULUMI_TRACING_NO_PAYLOADS"
_VERBOSE: Final = "v"
_SHORT_WITH_VALUE: Final = frozenset("Ccmpstx")
"""Behind one of these the rest of a word is its value; behind any other letter `v` may be the switch."""


def clear_log_switches(arguments: Sequence[str], environment: Mapping[str, str]) -> list[str]:
    """Return each switch that makes the engine write secrets in clear, as it was given; empty if there is none.

    `arguments`: those of the command `pulumi`, or of a plugin, to which the engine hands its own on. A switch that is
    turned off (`-v=0`, `--logtostderr=false`) is none. Traces without payloads (`PULUMI_TRACING_NO_PAYLOADS`) are none.
    """
    variables = [name for name in (*_VARIABLES, *_OF_FLAG) if _is_on(environment.get(name, ""))]
    found = dict.fromkeys([*_flags(_before_separator(arguments)), *variables])
    if _is_on(environment.get(_WITHOUT_PAYLOADS, "")):
        found = {switch: None for switch in found if "tracing" not in switch.lower()}
    return list(found)


def _before_separator(arguments: Sequence[str]) -> list[str]:
    """Return the arguments up to `--`, behind which none is a flag, unless that is the value of an option before it."""
    words = list(arguments)
    ends = (index for index, word in enumerate(words) if word == "--" and not _is_option(words[:index]))
    return words[: next(ends, len(words))]


def _is_option(words: Sequence[str]) -> bool:
    return bool(words) and words[-1].startswith("-") and "=" not in words[-1]


def _flags(arguments: Sequence[str]) -> Iterator[str]:
    for argument, following in pairwise([*arguments, ""]):
        name, equals, value = argument.partition("=")
        if name == "--logtostderr":
            yield from [name] if not equals or _is_on(value) else []
        elif name in _FLAGS:
            yield from [name] if _is_on(value if equals else following) else []
        elif argument.startswith("-") and not argument.startswith("--"):
            yield from _short(argument[1:], following)


def _short(cluster: str, following: str) -> Iterator[str]:
    """Yield `-v` where it stands among letters behind one dash (`-yv=9`), with a level that is not 0."""
    letters = cluster.partition("=")[0]
    before, found, behind = letters.partition(_VERBOSE)
    if not found or not _SHORT_WITH_VALUE.isdisjoint(before):
        return
    level = behind or (cluster.partition("=")[2] if "=" in cluster else following)
    yield from ["-v"] if _is_on(level) else []


def _is_on(value: str) -> bool:
    return value.strip().lower() not in _NO
