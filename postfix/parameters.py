"""The TLS parameters of Postfix as a table, and what is wrong with main.cf parameters that somebody declares.

`postfix check` accepts most wrong TLS values; the daemon then dies, turns TLS off or ignores them. This module finds
them beforehand. Names and releases come from `parameters.tsv`, meanings from postconf(5).
"""

import difflib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import NamedTuple

from postfix.values import CHECKS, LIST_KINDS
from postseal_core.errors import Problem

__all__ = [
    "Parameter",
    "PostfixVersion",
    "is_list",
    "known_parameters",
    "parse_table",
    "problems_of_parameters",
    "problems_of_text",
]


class PostfixVersion(NamedTuple):
    """A release of Postfix without its patch level; `str()` of it is `3.9`.

    Args:
        major: The first number.
        minor: The second number.
    """

    major: int
    minor: int

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}"

    @classmethod
    def from_text(cls, text: str) -> "PostfixVersion":
        """Return the version that a text like `3.9` names; raise ValueError for any other text."""
        major, minor = text.split(".")
        return cls(int(major), int(minor))


_OLDEST_SUPPORTED = PostfixVersion(3, 7)
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]*", re.ASCII)  # hyphens: t-out_destination_rate_delay
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_TRAILING_COMMENT = re.compile(r"(^|\s)#")
_RESERVED = re.compile(
    r"(smtpd?|lmtp|tls|tlsproxy|postscreen|relay)_(.*_)?(tls|c?certs?|client_?certs?)(_.*)?", re.IGNORECASE
)
_MENTIONS_TLS = re.compile(r"tls|tsl|cert", re.IGNORECASE)
_NEAR = 0.85
_OTHER_LISTS = re.compile(r".*_(restrictions|maps|networks|destinations?|domains|options)|mynetworks", re.ASCII)


@dataclass(frozen=True, slots=True)
class Parameter:
    """One TLS parameter of Postfix: how its value is checked and which releases know it.

    `kind` is a key of `postfix.values.CHECKS`, `allowed` what that check is given. `removed` is the first release
    without the parameter. `instead` names the successor of a parameter that is obsolete everywhere.
    """

    name: str
    kind: str
    allowed: tuple[str, ...]
    since: PostfixVersion
    removed: PostfixVersion | None
    instead: str


def _parse_row(row: str) -> Parameter:
    name, kind, allowed, since, removed, instead = row.split("\t")
    words = tuple(allowed.split("|")) if allowed else ()
    first, end = PostfixVersion.from_text(since), PostfixVersion.from_text(removed) if removed else None
    return Parameter(name, kind, words, first, end, instead)


def parse_table(text: str) -> dict[str, Parameter]:
    """Return the parameters of a table in the format of `parameters.tsv`, by name.

    Tab-separated without quoting; lines that start with `#` are remarks, the first other line is the header.
    """
    _header, *rows = [line for line in text.splitlines() if not line.startswith("#")]
    return {parameter.name: parameter for parameter in map(_parse_row, rows)}


@cache
def known_parameters() -> Mapping[str, Parameter]:
    """Return the TLS parameters of Postfix 3.7 to 3.12 by name, read once from the packaged table."""
    return MappingProxyType(parse_table(files("postfix").joinpath("parameters.tsv").read_text(encoding="utf-8")))


def is_list(name: str) -> bool:
    """Return whether the value of parameter `name` is a list, in which any blank may become a line break."""
    parameter = known_parameters().get(name)
    return parameter.kind in LIST_KINDS if parameter else _OTHER_LISTS.fullmatch(name) is not None


def _problems_of_one_text(name: str, value: str) -> Iterator[str]:
    if not _NAME.fullmatch(name):
        yield "this is not a parameter name; use letters, digits, underscores and hyphens only"
    if _CONTROL.search(value):
        yield "the value holds a line break or another control character, which could start another parameter"


def problems_of_text(parameters: Mapping[str, str]) -> list[Problem]:
    """Return the names and values that would not stay one definition on one logical line of main.cf."""
    return [
        Problem(name, message) for name, value in parameters.items() for message in _problems_of_one_text(name, value)
    ]


def _nearest(name: str, *, cutoff: float) -> str | None:
    spellings = {known.lower(): known for known in known_parameters()}
    found = difflib.get_close_matches(name.lower(), spellings, n=1, cutoff=cutoff)
    return spellings[found[0]] if found else None


def _problems_of_unknown(name: str) -> Iterator[str]:
    """Find misspelt TLS parameters; a parameter that the user made up for `$name` is not one."""
    if _RESERVED.fullmatch(name) or (_MENTIONS_TLS.search(name) and _nearest(name, cutoff=_NEAR)):
        nearest = _nearest(name, cutoff=0.6)
        hint = f"did you mean {nearest}?" if nearest else "see postconf(5) for the names"
        yield f"Postfix has no such TLS parameter and would ignore it; {hint}"


def _problems_of_release(parameter: Parameter, version: PostfixVersion | None) -> Iterator[str]:
    if parameter.instead:
        yield f"this parameter is obsolete; use {parameter.instead}"
    elif parameter.removed and parameter.removed <= (version or _OLDEST_SUPPORTED):
        yield f"Postfix {parameter.removed} removed this parameter; leave it out"
    elif version and parameter.since > version:
        yield (f"this parameter needs Postfix {parameter.since}, but the host has {version}, which ignores it")


def _problems_of_protocol_bounds(parameter: Parameter, value: str, version: PostfixVersion | None) -> Iterator[str]:
    if parameter.kind == "protocols" and "=" in value and version and version < (3, 6):
        yield f"{value!r} needs Postfix 3.6; exclude single protocols, as !TLSv1, !TLSv1.1"


def _problems_of_known(parameter: Parameter, value: str, version: PostfixVersion | None) -> Iterator[str]:
    yield from _problems_of_release(parameter, version)
    yield from _problems_of_protocol_bounds(parameter, value, version)
    if _TRAILING_COMMENT.search(value):
        yield f"{value!r} holds a comment; Postfix takes everything after = as the value: leave the # part out"
    else:
        yield from CHECKS[parameter.kind](value, parameter.allowed)


def _problems_of_one(name: str, value: str, version: PostfixVersion | None) -> Iterator[str]:
    parameter = known_parameters().get(name)
    broken = list(_problems_of_one_text(name, value))
    yield from broken
    if not broken and parameter:
        yield from _problems_of_known(parameter, value.strip(), version)
    elif not broken:
        yield from _problems_of_unknown(name)


def _legacy_siblings(chain_files: str) -> list[str]:
    prefix = chain_files.removesuffix("chain_files")
    return [f"{prefix}{kind}_file" for kind in ("cert", "key", "eccert", "eckey", "dcert", "dkey")]


def _problems_between(parameters: Mapping[str, str]) -> Iterator[Problem]:
    for chain_files in (name for name in parameters if name.endswith("_chain_files") and parameters[name]):
        for name in _legacy_siblings(chain_files):
            if parameters.get(name):
                yield Problem(name, f"Postfix ignores this beside {chain_files}; declare one of the two")
    required = parameters.get("smtpd_tls_req_ccert", "").lower() == "yes"
    if required and parameters.get("smtpd_tls_security_level", "").lower() == "may":
        yield Problem(
            "smtpd_tls_req_ccert", "Postfix ignores this at level may; set smtpd_tls_security_level to encrypt"
        )


def problems_of_parameters(
    parameters: Mapping[str, str], *, postfix_version: PostfixVersion | None = None
) -> list[Problem]:
    """Return everything in main.cf parameters that Postfix would die of, refuse or silently ignore.

    TLS parameters are checked by name and value against the table; any other parameter only has to have a
    well-formed name and a value that stays on its line. `postfix_version` is that of the host; without it
    a parameter may be as new as 3.12. Not checked: whether files and tables exist, and what `$name` expands to.
    """
    problems = [
        Problem(name, message)
        for name, value in parameters.items()
        for message in _problems_of_one(name, value, postfix_version)
    ]
    return problems + list(_problems_between(parameters))
