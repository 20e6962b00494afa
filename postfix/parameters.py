"""All parameters of Postfix as a table: what each decides, how its value is checked, and which releases know it.

Names and releases come from `parameters.tsv`, meanings from postconf(5). `postfix.parameter_checks` judges values,
`postfix.parameter_use` who may set what.
"""

import difflib
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Final, NamedTuple

from postfix.values import LIST_KINDS

__all__ = [
    "EARLIER_NAMES",
    "LEGACY_CHAIN_FILES",
    "OLDEST_SUPPORTED",
    "Parameter",
    "ParameterClass",
    "PostfixVersion",
    "is_list",
    "known_parameters",
    "nearest_name",
    "parameter_named",
    "parse_table",
]

LEGACY_CHAIN_FILES: Final = ("cert_file", "key_file", "eccert_file", "eckey_file", "dcert_file", "dkey_file")
"""The ends of the parameters that say certificate and key where no `..._tls_chain_files` does (postconf(5))."""

EARLIER_NAMES: Final = frozenset(
    {
        *("authorized_verp_clients", "fallback_relay", "postscreen_dnsbl_ttl"),
        *("smtpd_client_connection_limit_exceptions", "virtual_maps"),
    }
)
"""Names that are no parameters any more, but to which defaults refer: set, each becomes another parameter's value."""


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


OLDEST_SUPPORTED: Final = PostfixVersion(3, 7)
_SERVICE: Final = "TRANSPORT_"
_OTHER_LISTS = re.compile(r".*_(restrictions|maps|networks|destinations?|domains|options)", re.ASCII)


class ParameterClass(StrEnum):
    """The kind of decision a parameter makes; if several apply, the first in this order.

    Attributes:
        EXEC: What is run or loaded, and where it is looked for.
        RELAY: Who may relay or submit.
        IDENTITY: Accounts, owners and directories.
        TRUST: TLS and log-ins.
        ROUTING: Where mail goes, and under which names.
        LIMITS: Limits and plain behaviour.
    """

    EXEC = "exec"
    RELAY = "relay"
    IDENTITY = "identity"
    TRUST = "trust"
    ROUTING = "routing"
    LIMITS = "limits"


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of Postfix: what it decides, how its value is checked and which releases know it.

    `kind` is a key of `postfix.values.CHECKS`, `allowed` what that check is given; `later` has, by value, the release
    from which on one of those is known, where the parameter itself is older. `removed` is the first release without the
    parameter. `instead` names the successor of a parameter that is obsolete everywhere. `key` is what says
    it in the stack file; empty for none.
    """

    name: str
    decides: ParameterClass
    kind: str
    allowed: tuple[str, ...]
    later: Mapping[str, PostfixVersion]
    since: PostfixVersion
    removed: PostfixVersion | None
    instead: str
    key: str

    def is_known_to(self, version: PostfixVersion) -> bool:
        """Return whether a release has the parameter."""
        return self.since <= version and not (self.removed and self.removed <= version)


def _parse_row(row: str) -> Parameter:
    name, decides, kind, allowed, since, removed, instead, key = row.split("\t")
    words = [word.partition("@") for word in allowed.split("|")] if allowed else []
    values, later = tuple(value for value, *_ in words), {value: release for value, _, release in words if release}
    first, end = PostfixVersion.from_text(since), PostfixVersion.from_text(removed) if removed else None
    releases = {value: PostfixVersion.from_text(release) for value, release in later.items()}
    return Parameter(name, ParameterClass(decides), kind, values, releases, first, end, instead, key)


def parse_table(text: str) -> dict[str, Parameter]:
    """Return the parameters of a table in the format of `parameters.tsv`, by name.

    Tab-separated without quoting; lines that start with `#` are remarks, the first other line is the header.
    """
    _header, *rows = [line for line in text.splitlines() if not line.startswith("#")]
    return {parameter.name: parameter for parameter in map(_parse_row, rows)}


@cache
def _table() -> Mapping[str, Parameter]:
    return MappingProxyType(parse_table(files("postfix").joinpath("parameters.tsv").read_text(encoding="utf-8")))


@cache
def known_parameters() -> Mapping[str, Parameter]:
    """Return the parameters of Postfix 3.7 to 3.12 by name, without those of single services.

    The table is read once.
    """
    return MappingProxyType({name: each for name, each in _table().items() if not name.startswith(_SERVICE)})


@cache
def _of_services() -> Mapping[str, Parameter]:
    """Return the parameters of single delivery services, by their name without that of the service."""
    return MappingProxyType(
        {name.removeprefix(_SERVICE): each for name, each in _table().items() if name.startswith(_SERVICE)}
    )


def parameter_named(name: str, *, services: Collection[str] | None = None) -> Parameter | None:
    """Return the parameter of a name, be it one of a single service as `relay_destination_concurrency_limit`.

    `services`: names of the services that there are; None where nobody knows, so that any may be one.
    """
    return known_parameters().get(name) or next(
        (
            parameter
            for ending, parameter in _of_services().items()
            if (service := name.removesuffix(f"_{ending}")) not in ("", name)
            and (services is None or service in services)
        ),
        None,
    )


def is_list(name: str) -> bool:
    """Return whether the value of parameter `name` is a list, in which any blank may become a line break."""
    parameter = known_parameters().get(name)
    return parameter.kind in LIST_KINDS if parameter else _OTHER_LISTS.fullmatch(name) is not None


def nearest_name(name: str, *, cutoff: float) -> str | None:
    """Return the parameter whose name is most like `name`, None where none comes near; `cutoff` from 0 to 1."""
    spellings = {known.lower(): known for known in known_parameters()}
    found = difflib.get_close_matches(name.lower(), spellings, n=1, cutoff=cutoff)
    return spellings[found[0]] if found else None
