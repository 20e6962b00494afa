"""Rows of smtp_tls_policy_maps (postconf(5)): how one is written, and what Postfix would make of it.

A row that Postfix does not understand defers all mail to its destination, with one line in the log; one that it never
looks up has no effect at all, and nobody says so.
"""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final

from pki.name_syntax import fault_of_host
from postfix.list_items import split_list
from postfix.parameter_checks import problems_of_parameters
from postfix.parameters import PostfixVersion
from postfix.settings import DestinationPolicy
from postfix.tables import Row
from postseal_core.errors import Problem
from postseal_core.wording import shown

__all__ = ["faults_of_attributes", "policy_row", "problems_of_attribute_values"]

_MATCH_SEPARATOR: Final = MappingProxyType({"fingerprint": "|"})
_NAMES_OF_ITS_OWN: Final = frozenset({"hostname", "nexthop"})
_LEVELS_WITH_ROOTS: Final = ("verify", "secure")
# The parameter of all mail that an attribute replaces for one destination: its values and releases hold here as well.
_PARAMETERS: Final = MappingProxyType(
    {
        "protocols": "smtp_tls_mandatory_protocols",
        "ciphers": "smtp_tls_mandatory_ciphers",
        "exclude": "smtp_tls_mandatory_exclude_ciphers",
        "servername": "smtp_tls_servername",
        "connection_reuse": "smtp_tls_connection_reuse",
    }
)


def policy_row(policy: DestinationPolicy) -> Row:
    """Return the row of a policy; values with several items have colons between, fingerprints bars."""
    match = _MATCH_SEPARATOR.get(policy.level, ":").join(policy.match)
    words = [policy.level, f"match={match}" if match else "", *_words(policy)]
    return Row(policy.destination, " ".join(filter(None, words)))


def _words(policy: DestinationPolicy) -> Iterator[str]:
    yield from (f"{name}={':'.join(split_list(value))}" for name, value in _values(policy).items())
    yield from (f"tafile={path}" for path in policy.tafile)


def _values(policy: DestinationPolicy) -> Mapping[str, str]:
    """Return the attributes that are said and have a parameter, as that parameter is written."""
    reuse = {None: "", True: "yes", False: "no"}[policy.connection_reuse]
    values = {
        "protocols": policy.protocols,
        "ciphers": policy.ciphers,
        "exclude": ", ".join(policy.exclude),
        "servername": policy.servername,
        "connection_reuse": reuse,
    }
    return {name: value for name, value in values.items() if value}


def problems_of_attribute_values(policy: DestinationPolicy, postfix_version: PostfixVersion | None) -> list[Problem]:
    """Report values that the parameter of an attribute would not take, and attributes that a release does not have."""
    attributes = {parameter: name for name, parameter in _PARAMETERS.items()}
    said = {_PARAMETERS[name]: value for name, value in _values(policy).items()}
    problems = problems_of_parameters(said, postfix_version=postfix_version)
    return [Problem(attributes[each.path.partition(".")[0]], each.message) for each in problems]


def faults_of_attributes(policy: DestinationPolicy) -> Iterator[str]:
    """Say which attributes do not go with the level or cannot stand in a row."""
    said = [*_values(policy), *(["tafile"] if policy.tafile else [])]
    if said and policy.level == "none":
        yield f"{', '.join(said)}: at level none there is no TLS, and Postfix takes no attribute; leave them out"
    elif policy.tafile and policy.level not in _LEVELS_WITH_ROOTS:
        levels = " and ".join(_LEVELS_WITH_ROOTS)
        yield f"tafile is for levels {levels} only; at {shown(policy.level)} Postfix defers the mail"
    for path in policy.tafile:
        if not path.startswith("/") or any(character in path for character in " \t\r\n,"):
            yield f"tafile {shown(path)} is not an absolute path without blanks and commas"
    if policy.servername and policy.servername not in _NAMES_OF_ITS_OWN and fault_of_host(policy.servername):
        yield f"servername {shown(policy.servername)} is no host name; write one, or hostname or nexthop"
